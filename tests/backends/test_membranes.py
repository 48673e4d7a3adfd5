"""Membranes with a resistance, filtered currents, thresholds: their formulas, in every backend."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import EXACT_BACKENDS

from bridge.backends import simulate
from bridge.errors import SpecError
from bridge.exchange.store import load, save
from bridge.spiking.drive import Drive, SharedNoise
from bridge.spiking.filters import Direct
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import SpikingNetwork, StateReadout
from bridge.spiking.neurons.cuba_li import CubaLi
from bridge.spiking.neurons.cuba_lif import CubaLif
from bridge.spiking.neurons.integrator import Integrator
from bridge.spiking.neurons.leaky_integrator import LeakyIntegrator
from bridge.spiking.neurons.resistive_if import ResistiveIf
from bridge.spiking.neurons.resistive_lif import ResistiveLif
from bridge.spiking.neurons.threshold import Threshold
from bridge.spiking.population import Population
from bridge.spiking.projection import INPUT, Projection

QUICK = ["reference", "brian2-numpy", "snntorch", "compiled"]
DT_MS, STEPS = 0.5, 60
# Of the formulas, whose powers are rounded once where the steps are rounded each time.
CLOSE = {"rtol": 0, "atol": 1e-13}
LEAKY = {"tau_mem_ms": [4.0, 7.0], "r": [3.0, -0.5], "v_leak": [0.0, 0.25], "bias": [0.75, 2.0]}
LEFT = 1 - DT_MS / np.array(LEAKY["tau_mem_ms"])
FILTERED = {"tau_syn_ms": [2.0, 3.0], "w_in": [0.5, 1.5]}
# Driven just above threshold, and an IF that meets 1 and 3 after whole numbers of steps.
LIF = {"tau_mem_ms": 4.0, "r": 2.0, "bias": 0.6, "v_threshold": 1.0}
IF = {"r": 500.0, "bias": 1.0, "v_threshold": [1.0, 3.0]}
MODELS = {
    "integrator": Integrator(r=[2.0, -3.0], bias=[0.5, 0.25]),
    "li": LeakyIntegrator(**LEAKY),
    "cuba_li": CubaLi(**LEAKY, **FILTERED),
    "above": ResistiveIf(**IF),
    "at": ResistiveIf(**IF, fires_where="at_threshold", v_reset=-0.5),
    "carrying": ResistiveIf(**{**IF, "r": 625.0}, reset_by="subtraction"),
    "lif": ResistiveLif(**LIF, v_reset=[-0.5, 0.5]),
    "once": ResistiveLif(**LIF, reset_by="subtraction"),
    "late": ResistiveLif(**LIF, reset_by="late_subtraction"),
    "cuba_lif": CubaLif(**{**LIF, "r": 3.0}, tau_syn_ms=[2.0, 3.0], w_in=0.8),
    "threshold": Threshold(threshold=[0.5, 0.25], bias=[0.0, -0.5]),
    "met": Threshold(threshold=[0.5, 0.25], bias=[0.0, -0.5], fires_where="at_threshold"),
}
VALUED = [name for name, model in MODELS.items() if model.emits == "value"]
RAMP = np.arange(STEPS) % 8 / 8


def network():
    """Two neurons of every model, without connections; thresholds take a ramp of eighths."""
    return SpikingNetwork(
        dt_ms=DT_MS,
        populations=[
            Population(
                name=name,
                size=2,
                neurons=model,
                initial_voltage=UniformVoltage(low_mv=0.0, high_mv=0.0),
            )
            for name, model in MODELS.items()
        ],
        projections=[
            Projection(
                name=f"to_{name}", source=INPUT, target=name, weights=[[1.0], [1.0]],
                filter=Direct(),
            )
            for name in ("threshold", "met")
        ],
        readouts=[StateReadout(name=name, source=name) for name in VALUED],
        input_size=1,
    )  # fmt: skip


@pytest.fixture(scope="module", params=QUICK)
def run(request):
    """What each population did: voltages (K, 2) after each step, and steps of spikes of each."""
    backend, options = EXACT_BACKENDS[request.param]
    whole = network()
    drive = Drive(inputs=RAMP[:, None, None], noise=SharedNoise(seed=0))
    recording = simulate(whole, drive, backend=backend, voltages=True, **options)
    spikes = recording.spikes

    def of(name):
        span = whole.span(name)
        fired = [spikes.step[spikes.neuron == number] for number in range(span.start, span.stop)]
        return recording.voltages_mv[:, 0, span], fired

    of.readouts = recording.readouts
    return of


def steps_of(taken):
    """1, 2, ... steps as a column."""
    return np.arange(1, taken + 1)[:, None]


def test_an_integrator_grows_by_its_current(run):
    v, _ = run("integrator")
    per_step = np.array([2.0 * 0.5, -3.0 * 0.25]) * DT_MS / 1000
    # At most 0.03, so what is rounded is smaller, too.
    np.testing.assert_allclose(v, steps_of(STEPS) * per_step, rtol=0, atol=1e-15)


def test_a_leaky_integrator_nears_what_its_current_holds(run):
    v, _ = run("li")
    end = np.array([0.0 + 3.0 * 0.75, 0.25 - 0.5 * 2.0])
    np.testing.assert_allclose(v, end * (1 - LEFT ** steps_of(STEPS)), **CLOSE)


def test_a_filtered_current_comes_first_and_the_membrane_takes_the_new_one(run):
    v, _ = run("cuba_li")
    k, b = steps_of(STEPS), LEFT
    a = 1 - DT_MS / np.array(FILTERED["tau_syn_ms"])
    # A sum of two geometric series, of i_k = w_in x (1 - a^k) in v_k = b v_(k-1) + (1 - b) r i_k.
    filtered = 1 - b**k - (1 - b) * a * (a**k - b**k) / (a - b)
    end = np.array([3.0 * 0.5 * 0.75, -0.5 * 1.5 * 2.0])
    leak = np.array([0.0, 0.25]) * (1 - b**k)
    np.testing.assert_allclose(v, end * filtered + leak, **CLOSE)


def test_what_values_pass_on_is_the_voltage(run):
    for name in VALUED:
        np.testing.assert_array_equal(run.readouts[name][:, 0], run(name)[0])


def test_an_if_fires_above_threshold_or_at_it_as_it_is_said(run):
    # 0.25 a step, from 0 and then from where the reset leaves it.
    _, (first, second) = run("above")
    assert first.tolist() == list(range(4, STEPS, 5))
    assert second.tolist() == list(range(12, STEPS, 13))
    _, (first, second) = run("at")
    assert first.tolist() == list(range(3, STEPS, 6))
    assert second.tolist() == list(range(11, STEPS, 14))


def test_by_subtraction_no_current_is_lost(run):
    _, (first, second) = run("carrying")
    total = 0.3125 * np.arange(1, STEPS + 1)
    # A spike each time the integral passes a multiple of the threshold.
    for fired, threshold in ((first, 1.0), (second, 3.0)):
        passed = np.ceil(total / threshold) - 1
        assert fired.tolist() == np.flatnonzero(np.diff(passed, prepend=0.0)).tolist()


def steps_to_fire(start, end, threshold, left):
    """Steps from a start on the way to an end until the threshold is passed."""
    return int(np.floor(np.log((end - threshold) / (end - start)) / np.log(left))) + 1


def test_a_lif_fires_as_often_as_the_way_from_its_reset_takes(run):
    _, fired = run("lif")
    for steps, reset in zip(fired, (-0.5, 0.5), strict=True):
        first, then = (steps_to_fire(v, 1.2, 1.0, 1 - 0.5 / 4) for v in (0.0, reset))
        assert steps.tolist() == list(range(first - 1, STEPS, then))


def test_what_is_subtracted_at_once_leaks_and_what_is_late_does_not(run):
    left = 1 - DT_MS / LIF["tau_mem_ms"]
    for name, taken in (("once", left), ("late", 1.0)):
        v, (fired, _) = run(name)
        assert len(fired) > 3
        k = steps_of(STEPS)[:, 0]
        # What v would be without spikes, and what is left of what each of them took.
        free = 1.2 * (1 - left**k)
        lost = sum(np.where(k > at + 1, taken * left ** (k - at - 2.0), 0.0) for at in fired)
        after = ~np.isin(k - 1, fired)
        np.testing.assert_allclose(v[after, 0], (free - lost)[after], **CLOSE)


def test_a_filtered_lif_fires_first_where_its_formula_passes_threshold(run):
    _, fired = run("cuba_lif")
    k, b = steps_of(STEPS), 1 - DT_MS / 4.0
    a = 1 - DT_MS / np.array([2.0, 3.0])
    v = 3.0 * 0.8 * 0.6 * (1 - b**k - (1 - b) * a * (a**k - b**k) / (a - b))
    assert [steps[0] for steps in fired] == np.argmax(v > 1.0, axis=0).tolist()


def test_a_threshold_keeps_nothing(run):
    for name, met in (("threshold", np.greater), ("met", np.greater_equal)):
        _, (first, second) = run(name)
        assert first.tolist() == np.flatnonzero(met(RAMP, 0.5)).tolist()
        assert second.tolist() == np.flatnonzero(met(RAMP - 0.5, 0.25)).tolist()


def test_late_subtraction_needs_a_leak_that_leaves_something():
    quick = replace(MODELS["late"], tau_mem_ms=0.5)
    with pytest.raises(SpecError, match="needs membranes slower than the time step"):
        quick.constants(DT_MS)


def test_what_is_not_said_of_a_membrane_changes_nothing():
    shown = CubaLi(tau_mem_ms=4.0, tau_syn_ms=2.0)
    assert {name: values.tolist() for name, values in shown.arrays().items()} == {
        "tau_mem_ms": 4.0, "tau_syn_ms": 2.0, "r": 1.0, "w_in": 1.0, "v_leak": 0.0, "bias": 0.0,
    }  # fmt: skip
    assert ResistiveIf(v_threshold=1.0).arrays()["v_reset"] == 0.0


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_files_of_them_are_of_the_version_that_first_had_them(model):
    assert model.needs_version() == 5


def test_files_hold_them_as_they_are(tmp_path):
    whole = network()
    again = load(save(whole, tmp_path / "net.h5"))
    for one, other in zip(whole.populations, again.populations, strict=True):
        assert type(one.neurons) is type(other.neurons)
        assert one.neurons.chosen() == other.neurons.chosen()
        for name, values in one.neurons.arrays().items():
            np.testing.assert_array_equal(other.neurons.arrays()[name], values)
