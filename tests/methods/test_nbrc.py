"""The nBRC as populations: its equations, its two stable states, the same bits everywhere."""

from dataclasses import replace

import numpy as np
import pytest
from backends.test_brc import positive_fixed_point
from conftest import EXACT_BACKENDS
from scipy import sparse

import bridge
from bridge.backends import simulate
from bridge.compare.report.evidence import evidence
from bridge.errors import SpecError
from bridge.spiking.drive import Drive, SharedNoise
from bridge.spiking.filters import Direct
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import SpikingNetwork, StateReadout
from bridge.spiking.neurons.brc import Brc
from bridge.spiking.population import Population
from bridge.spiking.projection import INPUT, Projection

N, C = 7, 3


def given(seed=1):
    """Arrays of a layer, none of them symmetric."""
    rng = np.random.default_rng(seed)
    on_input = {name: rng.normal(0, 1, (N, C)) for name in ("u", "u_a", "u_c")}
    on_h = {name: rng.normal(0, 1, (N, N)) for name in ("w_a", "w_c")}
    return {**on_input, **on_h, **{name: rng.normal(0, 0.3, N) for name in ("bias", "b_a", "b_c")}}


def pulses(steps, trials=2, seed=2):
    """(T, B, C), in a third of the steps something."""
    rng = np.random.default_rng(seed)
    return rng.normal(0, 1, (steps, trials, C)) * (rng.random((steps, trials, 1)) < 0.3)


def published(inputs, u, u_a, u_c, w_a, w_c, bias, b_a, b_c):
    """A - 1, c, the tanh and h, (T, B, N) each, by the equations as they are printed."""
    h, course = np.zeros((inputs.shape[1], len(u))), []
    for x in inputs:
        a = 1 + np.tanh(x @ u_a.T + h @ w_a.T + b_a)
        c = 1 / (1 + np.exp(-(x @ u_c.T + h @ w_c.T + b_c)))
        candidate = np.tanh(x @ u.T + a * h + bias)
        h = c * h + (1 - c) * candidate
        course.append((a - 1, c, candidate, h))
    return dict(zip(("gate_a", "gate_c", "candidate", "h"), np.swapaxes(course, 0, 1), strict=True))


def run(network, inputs, backend="reference", gain=None, **options):
    drive = Drive(inputs=inputs, noise=SharedNoise(seed=0), recurrent_gain=gain)
    return simulate(network, drive, backend=backend, values=True, **options)


def course(network, inputs):
    """(T, N) h in one trial under (T, C) inputs."""
    return run(network, inputs[:, None]).readouts["h"][:, 0]


def test_all_populations_follow_the_published_equations():
    inputs, arrays = pulses(300), given()
    found = run(bridge.nbrc_network(**arrays, dt_ms=1.0), inputs)
    expected = published(inputs, **arrays)
    assert np.ptp(expected["h"], axis=0).min() > 0.5
    for name, values in expected.items():
        # Another tanh, and products as differences of squares; 3e-15 is found.
        np.testing.assert_allclose(found.values[name], values, atol=1e-13, rtol=0)
    np.testing.assert_array_equal(found.readouts["h"], found.values["h"])


def test_the_gain_of_a_drive_acts_on_the_recurrent_weights_alone():
    inputs, arrays, gain = pulses(60), given(), np.array([0.5, 1.4])
    found = run(bridge.nbrc_network(**arrays, dt_ms=1.0), inputs, gain=gain).readouts["h"]
    for trial, factor in enumerate(gain):
        scaled = arrays | {name: arrays[name] * factor for name in ("w_a", "w_c")}
        expected = published(inputs[:, [trial]], **scaled)["h"]
        # As without a gain; 1.5e-14 is found.
        np.testing.assert_allclose(found[:, [trial]], expected, atol=1e-12, rtol=0)


def brc_layer(u, bias, **gates):
    """The same input on cells whose gates read the current of h."""
    at_0 = UniformVoltage(low_mv=0.0, high_mv=0.0)
    cells = Population(
        name="cells", size=len(u), neurons=Brc(bias=bias, **gates), initial_voltage=at_0
    )
    drive = Projection(name="drive", source=INPUT, target="cells", weights=u, filter=Direct())
    readout = StateReadout(name="h", source="cells", state="h")
    return SpikingNetwork(
        dt_ms=1.0, populations=[cells], projections=[drive], readouts=[readout], input_size=C
    )


def test_with_diagonal_gates_it_is_the_cell_that_is_a_neuron_model():
    rng = np.random.default_rng(3)
    u, inputs = rng.normal(0, 1, (N, C)), pulses(200)
    names = ("bias", "b_a", "b_c", "w_a", "w_c", "u_a", "u_c")
    own = {name: rng.normal(0, 1, N) for name in names}
    layer = bridge.nbrc_network(
        u=u, **{name: own[name][:, None] * u for name in ("u_a", "u_c")},
        **{name: sparse.diags_array(own[name]) for name in ("w_a", "w_c")},
        **{name: own[name] for name in ("bias", "b_a", "b_c")}, dt_ms=1.0,
    )  # fmt: skip
    expected = run(brc_layer(u, **own), inputs).readouts["h"]
    found = run(layer, inputs).readouts["h"]
    # The same tanh; products are rounded otherwise, and 7e-16 is found.
    np.testing.assert_allclose(found, expected, atol=1e-13, rtol=0)
    assert np.ptp(expected, axis=0).min() > 0.3


def remembering(a, w_a=None):
    """Units of which each has an input of its own, and by itself these a."""
    eye, off = np.eye(len(a)), np.zeros((len(a), len(a)))
    return bridge.nbrc_network(
        u=eye, u_a=off, u_c=off, w_a=off if w_a is None else w_a, w_c=off,
        b_a=np.arctanh(np.subtract(a, 1)), b_c=-1.0, dt_ms=1.0,
    )  # fmt: skip


def test_a_unit_has_two_stable_states_where_a_is_above_1_and_one_below():
    a = np.array([0.5, 0.9, 1.2, 1.9])
    expected = np.array([positive_fixed_point(each) for each in a])
    assert (expected != 0).tolist() == [False, False, True, True]
    inputs = np.zeros((1000, 4))
    inputs[:5], inputs[500:505] = 2.0, -2.0
    h = course(remembering(a), inputs)
    # The slowest loses a 14th of its way in a step; 7e-16 is found.
    np.testing.assert_allclose(h[499], expected, atol=1e-13, rtol=0)
    np.testing.assert_allclose(h[999], -expected, atol=1e-13, rtol=0)


def test_another_unit_decides_whether_a_unit_remembers():
    # The first alone has an a of 1.5; the second, once it is up, brings it to 0.5. Gates that read
    # their own unit alone can not.
    up = positive_fixed_point(1.9)
    w_a = np.array([[0.0, (np.arctanh(-0.5) - np.arctanh(0.5)) / up], [0.0, 0.0]])
    inputs = np.zeros((800, 2))
    inputs[:5, 0], inputs[400:405, 1] = 2.0, 2.0
    kept, alone = (course(remembering([1.5, 1.9], w), inputs) for w in (w_a, 0 * w_a))
    # By then it rests; 1.1e-16 is found.
    assert kept[399, 0] == pytest.approx(positive_fixed_point(1.5), abs=1e-13)
    assert abs(kept[799, 0]) < 1e-12
    assert alone[799, 0] == kept[399, 0]


COMPILED = [pytest.param(f"brian2-{name}", marks=pytest.mark.full)
            for name in ("cython", "standalone")]  # fmt: skip


@pytest.fixture(scope="module")
def layer():
    return bridge.nbrc_network(**given(4), dt_ms=0.5)


@pytest.mark.parametrize("label", ["brian2-numpy", "snntorch", "compiled", *COMPILED])
def test_every_backend_gives_the_same_bits_of_every_population(layer, label):
    backend, options = EXACT_BACKENDS[label]
    inputs, gain = pulses(40), [1.0, 0.7]
    expected = run(layer, inputs, gain=gain)
    assert np.ptp(expected.readouts["h"], axis=0).min() > 0.1
    got = run(layer, inputs, backend, gain, **options)
    np.testing.assert_array_equal(got.readouts["h"], expected.readouts["h"])
    assert expected.values.keys() == {part.name for part in layer.populations}
    for name, values in expected.values.items():
        np.testing.assert_array_equal(got.values[name], values)


def test_a_comparison_rests_on_values_where_nothing_can_fire(layer):
    drive = Drive(inputs=pulses(20), noise=SharedNoise(seed=0))
    found = bridge.compare(layer, drive=drive, backends=["reference", "compiled"], levels=["exact"])
    assert evidence(found, [])[:2] == [
        "No neuron of this network fires: what is compared is the values that they pass on.",
        "reference and compiled: values are equal bit for bit and readouts are equal bit for bit.",
    ]
    moved = replace(found.exact[0], largest_difference_mv=0.25)
    assert "values differ by at most 0.25 and" in " ".join(
        evidence(replace(found, exact=[moved]), [])
    )


def test_a_file_holds_the_layer(layer, tmp_path):
    kept = bridge.load(bridge.save(layer, tmp_path / "nbrc.h5"))
    inputs = pulses(20)
    expected = run(layer, inputs).readouts["h"]
    np.testing.assert_array_equal(run(kept, inputs).readouts["h"], expected)
    assert "nBRC" in kept.provenance["method"]


def test_what_cannot_hold_or_run_it_says_so(layer, tmp_path):
    with pytest.raises(SpecError, match="population gate_a: NIR has no node for neurons of type F"):
        bridge.export_network(layer, tmp_path / "nbrc.nir")
    with pytest.raises(SpecError, match="matlab holds rate networks and conversions, not a Spik"):
        bridge.export_network(layer, tmp_path / "nbrc.mat")
    with pytest.raises(SpecError, match="NEST has no Function neuron"):
        simulate(layer, Drive(inputs=pulses(3), noise=SharedNoise(seed=0)), backend="nest")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"u": np.ones(N)}, r"^u: weights: expected shape \(any, any\), got \(7,\)$"),
        ({"u_a": np.ones((C, N))}, r"^u_a: expected shape \(7, 3\), got \(3, 7\)$"),
        ({"w_c": np.ones((N, C))}, r"^w_c: expected shape \(7, 7\), got \(7, 3\)$"),
        ({"b_a": [1.0, 2.0]}, r"^b_a: expected shape \(7\), got \(2,\)$"),
        ({"b_c": np.nan}, "^b_c: holds NaN or infinite values$"),
    ],
)
def test_what_does_not_fit_is_named(changed, sentence):
    with pytest.raises(SpecError, match=sentence):
        bridge.nbrc_network(**given() | changed, dt_ms=1.0)
