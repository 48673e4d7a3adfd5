"""The bistable recurrent cell: its fixed points, what the SRC has of it, the same bits."""

import numpy as np
import pytest
from conftest import EXACT_BACKENDS

import bridge
from bridge.backends import simulate
from bridge.errors import SpecError
from bridge.spiking.drive import Drive, SharedNoise
from bridge.spiking.filters import Direct
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import SpikingNetwork, StateReadout
from bridge.spiking.neurons.brc import Brc
from bridge.spiking.neurons.src import Src
from bridge.spiking.population import Population
from bridge.spiking.projection import INPUT, Projection

# sigmoid and 1 + tanh of these are 0, 1 and 2 to the last bit.
SHUT, FULL = -800.0, 40.0


def start_at(h):
    return UniformVoltage(low_mv=h, high_mv=h)


AT_0 = start_at(0.0)


def network(neurons, size, start=AT_0):
    return SpikingNetwork(
        dt_ms=1.0,
        populations=[
            Population(name="cells", size=size, neurons=neurons, initial_voltage=start)
        ],
        projections=[
            Projection(name="drive", source=INPUT, target="cells", filter=Direct(),
                       weights=np.ones((size, 1)))
        ],
        readouts=[StateReadout(name="h", source="cells", state="h")],
        input_size=1,
    )  # fmt: skip


def course(of, inputs, backend="reference", **options):
    """(T, N) h in one trial under a (T,) current."""
    drive = Drive(inputs=np.reshape(inputs, (-1, 1, 1)), noise=SharedNoise(seed=0))
    return simulate(of, drive, backend=backend, **options).readouts["h"][:, 0]


def positive_fixed_point(a):
    """h > 0 with h = tanh(a h), by bisection; 0 where there is none."""
    low, high = 1e-9, 1.0
    if np.tanh(a * low) <= low:
        return 0.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.tanh(a * middle) > middle else (low, middle)
    return low


@pytest.mark.parametrize("c", [0.0, 0.3])
def test_there_are_two_stable_states_where_a_is_above_1_and_one_below(c):
    a = np.array([0.5, 0.9, 1.2, 1.5, 1.9])
    b_c = SHUT if c == 0 else np.log(c / (1 - c))
    cells = Brc(b_a=np.arctanh(a - 1), b_c=b_c)
    expected = np.array([positive_fixed_point(each) for each in a])
    assert (expected != 0).tolist() == [False, False, True, True, True]
    for sign in (1.0, -1.0):
        ended = course(network(cells, 5, start_at(0.4 * sign)), np.zeros(600))[-1]
        # The slowest loses a twentieth of its way in a step; 2e-16 is found.
        np.testing.assert_allclose(ended, sign * expected, atol=1e-12, rtol=0)


def test_a_pulse_is_remembered_where_a_is_above_1_alone():
    pulses = np.zeros(300)
    pulses[10:13], pulses[150:153] = 1.5, -1.5
    h = course(network(Brc(b_a=np.arctanh([-0.5, 0.5]), b_c=-1.0), 2), pulses)
    assert np.abs(h[[149, 299], 0]).max() < 1e-6
    assert h[149, 1] == pytest.approx(positive_fixed_point(1.5), abs=1e-9)
    assert h[299, 1] == pytest.approx(-h[149, 1], abs=1e-9)


def test_gates_follow_the_published_equations():
    given = {"w_a": 0.7, "u_a": -0.4, "b_a": 0.2, "w_c": -1.1, "u_c": 0.6, "b_c": -0.3, "bias": 0.1}
    inputs = np.random.default_rng(2).normal(0, 1, 50)
    h, expected = 0.25, []
    for x in inputs:
        a = 1 + np.tanh(0.7 * h - 0.4 * x + 0.2)
        c = 1 / (1 + np.exp(1.1 * h - 0.6 * x + 0.3))
        h = c * h + (1 - c) * np.tanh(x + a * h + 0.1)
        expected.append(h)
    found = course(network(Brc(**given), 1, start_at(0.25)), inputs)[:, 0]
    # Another tanh; 3e-16 is found.
    np.testing.assert_allclose(found, expected, atol=1e-13, rtol=0)


def test_the_spiking_cell_without_its_slow_state_is_this_cell_bit_for_bit():
    # rho so large that rho tanh(i / rho) is i itself, whichever tanh, and an i that forgets.
    bias = np.array([-1.5, 0.0, 0.3])
    spiking = Src(r=2.0, r_s=0.0, z=0.0, alpha=0.0, rho=2.0**100, bias=bias)
    bistable = Brc(b_a=FULL, b_c=SHUT, bias=bias)
    inputs = np.random.default_rng(3).normal(0, 1.5, 200)
    start = start_at(0.5)
    one, other = (course(network(cell, 3, start), inputs) for cell in (spiking, bistable))
    assert np.ptp(one, axis=0).min() > 1
    np.testing.assert_array_equal(one, other)
    slow = Src(r=2.0, r_s=-7.0, z=0.0, alpha=0.0, rho=2.0**100, bias=bias)
    assert (course(network(slow, 3, start), inputs) != other).any()


COMPILED = [pytest.param(f"brian2-{name}", marks=pytest.mark.full)
            for name in ("cython", "standalone")]  # fmt: skip


@pytest.fixture(scope="module")
def gated():
    rng = np.random.default_rng(4)
    names = ("w_a", "u_a", "b_a", "w_c", "u_c", "b_c", "bias")
    cells = Brc(**{name: rng.normal(0, 1, 9) for name in names})
    return network(cells, 9, UniformVoltage(low_mv=-0.5, high_mv=0.5))


@pytest.mark.parametrize("label", ["brian2-numpy", "snntorch", "compiled", *COMPILED])
def test_every_backend_gives_the_same_bits(gated, label):
    backend, options = EXACT_BACKENDS[label]
    inputs = np.random.default_rng(5).normal(0, 1, 60)
    expected = course(gated, inputs)
    assert np.ptp(expected, axis=0).min() > 0.1
    np.testing.assert_array_equal(course(gated, inputs, backend, **options), expected)


def test_a_file_holds_the_cells(gated, tmp_path):
    kept = bridge.load(bridge.save(gated, tmp_path / "brc.h5"))
    inputs = np.random.default_rng(6).normal(0, 1, 20)
    np.testing.assert_array_equal(course(kept, inputs), course(gated, inputs))


def test_nir_and_nest_refuse_them(gated, tmp_path):
    with pytest.raises(SpecError, match="NIR has no node for neurons of type BRC"):
        bridge.export_network(gated, tmp_path / "brc.nir")
    with pytest.raises(SpecError, match="NEST has no BRC neuron"):
        course(network(Brc(), 2), np.zeros(3), "nest")
