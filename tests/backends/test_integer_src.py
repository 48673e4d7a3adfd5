"""The cell in whole numbers: the course of a plain loop, and the same bits everywhere."""

from types import SimpleNamespace

import numpy as np
import pytest
from conftest import EXACT_BACKENDS

from bridge.backends import simulate
from bridge.errors import SpecError
from bridge.spiking.drive import Drive, SharedNoise
from bridge.spiking.filters import Direct
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.neurons.integer_src import IntegerSrc
from bridge.spiking.operations import NumpyOperations
from bridge.spiking.population import Population
from bridge.spiking.projection import INPUT, Projection

STEPS, TRIALS = 80, 2
RNG = np.random.default_rng(4)
INPUTS = RNG.binomial(1, 0.3, (STEPS, TRIALS, 5))
SHAPES = {(INPUT, "one"): (7, 5), ("one", "two"): (4, 7)}
WEIGHTS = {between: RNG.integers(-100, 257, shape) for between, shape in SHAPES.items()}
BIAS = {
    "one": np.array([-3000, -2900, -2800, -2700, -2600, -2500, -2400]),
    "two": np.full(4, -2700),
}


def network():
    start = UniformVoltage(low_mv=0.0, high_mv=0.0)
    return SpikingNetwork(
        dt_ms=1.0,
        populations=[
            Population(name=name, size=len(bias), neurons=IntegerSrc(bias=bias),
                       initial_voltage=start, initial_states={"h_s": -300.0})
            for name, bias in BIAS.items()
        ],
        projections=[
            Projection(name=f"{a}_{b}", source=a, target=b, weights=w.astype(float),
                       filter=Direct(), within_step=a != INPUT)
            for (a, b), w in WEIGHTS.items()
        ],
        input_size=5,
    )  # fmt: skip


def step_by_hand(i, h, slow, bias, current):
    """i, h and h_s after a step, by Python's own whole numbers and shifts."""
    i = i - ((i >> 4) + (i >> 5)) + current
    x = np.where(i > 0, 1023, -1024)
    new = np.clip((3 * (x + 2 * (h - 4 * slow + bias))) >> 2, -1024, 1023)
    z = np.where(h < 500, 900, 100)
    return i, new, np.clip(h + (((slow - h) * z) >> 10), -800, 1023)


def by_hand(arriving, weights, bias):
    """(T, B, N) h, step by step."""
    shape = (arriving.shape[1], len(bias))
    i, h, slow = (np.full(shape, start, dtype=np.int64) for start in (0, 0, -300))
    course = []
    for spikes in arriving:
        i, h, slow = step_by_hand(i, h, slow, bias, spikes @ weights.T)
        course.append(h)
    return np.stack(course)


def test_a_step_from_anywhere_is_that_of_whole_numbers():
    # All that the cells of a run may hold, and both sides of each bound.
    i, h, slow = np.meshgrid(
        [-700, -17, -1, 0, 1, 16, 33, 900],
        [-1024, -801, -800, -3, 0, 499, 500, 501, 511, 512, 1023],
        [-800, -799, -640, -400, -1, 0, 513, 1023],
        indexing="ij",
    )
    model, state = IntegerSrc(bias=-2700), SimpleNamespace(i=i * 1.0, h=h * 1.0, h_s=slow * 1.0)
    constant = SimpleNamespace(**model.constants(dt_ms=1.0))
    found = model.step(NumpyOperations(), state, constant, 5.0)
    for name, expected in zip(found, step_by_hand(i, h, slow, -2700, 5), strict=True):
        np.testing.assert_array_equal(found[name], expected, name)


@pytest.mark.parametrize("label", ["reference", "brian2-numpy", "snntorch", "compiled"])
def test_cells_take_the_course_of_whole_numbers(label):
    backend, options = EXACT_BACKENDS[label]
    drive = Drive(inputs=INPUTS.astype(float), noise=SharedNoise(seed=0))
    found = simulate(network(), drive, backend=backend, voltages=True, **options)
    first = by_hand(INPUTS, WEIGHTS[INPUT, "one"], BIAS["one"])
    second = by_hand((first >= 512).astype(np.int64), WEIGHTS["one", "two"], BIAS["two"])
    for course in (first, second):
        assert (course >= 512).sum() > 10
    np.testing.assert_array_equal(found.voltages_mv, np.concatenate([first, second], axis=2))
    spikes = np.zeros((STEPS, TRIALS, 11), dtype=bool)
    spikes[found.spikes.step, found.spikes.trial, found.spikes.neuron] = True
    np.testing.assert_array_equal(spikes, np.asarray(found.voltages_mv) >= 512)


def test_a_bias_between_whole_numbers_is_refused():
    with pytest.raises(SpecError, match="bias: expected whole numbers"):
        IntegerSrc(bias=-2999.5).sized(1)
