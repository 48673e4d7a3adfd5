"""The probes against theory, and every exact backend against the probes."""

import functools
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import (
    NETWORKS,
    kim_network,
    longer_steps_network,
    quadratic_network,
    two_population_network,
)
from methods.test_integrate_and_fire import rate_network
from scipy.integrate import quad
from several_inputs import several_inputs

from bridge.compare.faults import Fault
from bridge.compare.probes import currents, synapses
from bridge.compare.probes import neurons as neurons_alone
from bridge.compare.probes.battery import run_probes
from bridge.compare.probes.findings import worst
from bridge.compare.probes.membranes import Membrane, membrane
from bridge.compare.probes.neurons import steps_to_threshold
from bridge.compare.probes.silent_networks import currents_of, silent
from bridge.compare.sides import Side, parse_backend
from bridge.errors import SpecError
from bridge.methods.integrate_and_fire import map_integrate_and_fire
from bridge.spiking.filters import Direct, DoubleExponential, Exponential
from bridge.spiking.neurons import Lif, Qif
from bridge.spiking.weights import Factored


def probed(label, network):
    return run_probes(network, Side(label, *parse_backend(label)), 0, lambda _what, _done: None)


@functools.cache
def probed_by_name(label, name):
    return probed(label, NETWORKS[name][0]())


# What gives the reference's bits gives what it is probed for: once for each is enough.
PROBED = [("reference", name) for name in NETWORKS]
PROBED += [(label, "two channels") for label in ("snntorch", "snntorch:float32", "brian2:numpy")]
# Where rounding differs each form is probed: here in longer steps, since there are fewer of them.
LONGER = {"one-to-one": 5, "two populations": 4, "quadratic": 4}
PROBED += [pytest.param("snntorch:float32", name, marks=pytest.mark.full) for name in LONGER]


@pytest.mark.parametrize(("label", "name"), PROBED)
def test_every_backend_passes_the_probes_of_every_network(label, name):
    report = probed_by_name(label, name)
    assert report.agreed, [f for f in report.findings if not f.passed]


@pytest.mark.parametrize("name", LONGER)
def test_single_precision_passes_the_probes_of_each_form(name):
    network = NETWORKS[name][0]()
    report = probed("snntorch:float32", replace(network, dt_ms=LONGER[name] * network.dt_ms))
    assert report.agreed, [f for f in report.findings if not f.passed]


@pytest.mark.parametrize(("steps", "offset"), [(1, 2), (1, 3), (5, 10), (5, 12)])
def test_inputs_that_begin_samples_ahead_are_probed_rightly(steps, offset):
    network = replace(longer_steps_network(), sample_steps=steps, sample_offset_steps=offset)
    assert probed("reference", network).agreed


def test_delays_of_their_own_factors_and_starts_are_probed_rightly():
    network = longer_steps_network()
    recurrent, stimulus = network.projections
    rng = np.random.default_rng(3)
    factors = [
        Factored(left=rng.normal(0, 1, (30, 2)), right=rng.normal(0, 1, (2, pre)))
        for pre in (30, 2)
    ]
    newer = [
        replace(recurrent, delay_steps=rng.integers(0, 9, 30), weights=factors[0]),
        replace(recurrent, name="held", initial_states={"h": 3e3, "x": 20.0}, scaled=False),
        replace(stimulus, delay_steps=[0, 7], weights=factors[1]),
    ]
    report = probed("reference", replace(network, projections=newer))
    assert report.agreed, [f for f in report.findings if not f.passed]


# The weakest current of form x takes 2,500 steps to a spike.
@pytest.mark.parametrize(
    ("form", "label"),
    [
        ("x", "reference"),
        ("h", "reference"),
        ("h", "snntorch:float32"),
        pytest.param("x", "snntorch:float32", marks=pytest.mark.full),
    ],
)
def test_neurons_that_saturate_are_probed_rightly(form, label):
    # At 40 Hz none reaches threshold in a step, whatever drives it.
    rate = rate_network(form, "tanh" if form == "h" else "relu", dt_ms=10.0)
    report = probed(label, map_integrate_and_fire(rate, gain_hz=40.0))
    assert report.agreed, [f for f in report.findings if not f.passed]
    intervals = {
        f.quantity: f.expected for f in report.findings if "interval between" in f.quantity
    }
    assert min(intervals.values()) > 5


def test_steps_as_long_as_a_time_constant_are_refused():
    with pytest.raises(SpecError, match="probes need a time step below the membrane's"):
        probed("reference", replace(kim_network(), dt_ms=10.0))


def test_what_is_probed_is_all_there_is():
    report = probed_by_name("reference", "two populations")
    counts = {finding.quantity: finding.count for finding in report.findings}
    network = two_population_network()
    pairs = set()
    for part in network.projections[:-1]:
        post, pre = np.nonzero(part.weights.toarray())
        source, target = network.span(part.source).start, network.span(part.target).start
        pairs |= {(target + i, source + j) for i, j in zip(post, pre, strict=True)}
    assert any(post == pre for post, pre in pairs)
    assert counts["postsynaptic current: peak"] == len(pairs)
    assert (
        counts["one spike, of the neuron that was moved beyond threshold, in the first step"] == 32
    )
    # Each of the 12 weights at +1 and at -1.
    assert counts["input: onset"] == 24
    # Only the excitatory neurons have noise.
    assert counts["variance of the voltage of each neuron, relative"] == 20


@pytest.mark.parametrize("label", ["reference", "snntorch:float32"])
def test_every_backend_passes_the_probes_of_several_inputs(label):
    network = several_inputs()
    report = probed(label, network)
    assert report.agreed, [f for f in report.findings if not f.passed]
    counts = {finding.quantity: finding.count for finding in report.findings}
    # All 24 + 20 weights of the one, all 42 and the nonzero ones of the other.
    sparse_ones = network.projections[6].synapses().nnz
    assert counts["postsynaptic current of an input's spike: peak"] == 24 + 20 + 42 + sparse_ones
    assert any("sound[" in name for name in channels_of(network))


def channels_of(network):
    side = Side("reference", "reference", fault=Fault("all", "", silenced_inputs))
    report = run_probes(network, side, 0, lambda _what, _done: None)
    return [finding.where for finding in report.findings]


def silenced_inputs(network, drive):
    weights = [part.weights * (part.source != "sound") for part in network.projections]
    parts = [replace(part, weights=w) for part, w in zip(network.projections, weights, strict=True)]
    return replace(network, projections=parts), drive


def input_fault(name, **fields):
    """The projection of that name with other fields."""

    def change(network, drive):
        parts = [
            replace(part, **fields) if part.name == name else part for part in network.projections
        ]
        return replace(network, projections=parts), drive

    return Fault("input", "", change)


@pytest.mark.parametrize(
    ("fault", "quantity"),
    [
        (input_fault("touch_to_near", within_step=False), "of an input's spike: onset"),
        (input_fault("nerve_to_near", delay_steps=4), "of an input's spike: onset"),
        (input_fault("nerve_to_near", weights=np.full((6, 7), 0.5)), "of an input's spike: peak"),
        (input_fault("touch_to_far", weights=np.zeros((5, 4))), "of an input's spike: area"),
    ],
)
def test_a_spike_of_an_input_that_acts_wrongly_is_seen(fault, quantity):
    report = run_probes(
        several_inputs(), Side("reference", "reference", fault=fault), 0, lambda *_: None
    )
    wrong = [finding.quantity for finding in report.findings if not finding.passed]
    assert any(quantity in each for each in wrong), wrong


def without_autapses(network, drive):
    def pruned(part):
        if part.source != part.target:
            return part
        weights = part.synapses().toarray()
        np.fill_diagonal(weights, 0.0)
        return replace(part, weights=weights)

    return replace(network, projections=[pruned(part) for part in network.projections]), drive


def ready_at_once(network, drive):
    populations = [
        replace(part, neurons=replace(part.neurons, initial_refractory_steps=0))
        for part in network.populations
    ]
    return replace(network, populations=populations), drive


def input_cut_off_at_zero(network, drive):
    return network, replace(drive, inputs=np.maximum(drive.inputs, 0.0))


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        (without_autapses, "postsynaptic current: peak"),
        (ready_at_once, "step of the first spike (refractory period at the start)"),
        (input_cut_off_at_zero, "input: size of the current, relative"),
    ],
)
def test_faults_that_few_spikes_show_are_seen(change, seen):
    side = Side("faulty", "reference", {}, Fault("f", "a fault", change))
    network = longer_steps_network()
    assert np.diagonal(network.projections[0].synapses().toarray()).any()
    found = run_probes(network, side, 0, lambda _what, _done: None).findings
    assert seen in {finding.quantity for finding in found if not finding.passed}


def test_how_many_currents_are_compared_at_once_changes_no_bit(monkeypatch):
    tables = []

    def kept(network, called, table):
        tables.append(table)
        return []

    monkeypatch.setattr(synapses, "synapse_findings", kept)
    network, side = NETWORKS["two populations"][0](), Side("reference", *parse_backend("reference"))
    for near in (1, 2000, 10**9):
        monkeypatch.setattr(currents, "_NEAR", near)
        synapses.probe_synapses(network, side, np.random.default_rng(2))
    assert tables[0]["size"].any()
    for other in tables[1:]:
        for name, found in tables[0].items():
            np.testing.assert_array_equal(other[name], found)


def test_of_very_many_neurons_some_are_probed(monkeypatch):
    monkeypatch.setattr(synapses, "MOST_SOURCES", 7)
    report = probed("reference", replace(longer_steps_network(), readouts=()))
    assert report.findings[0].count == 7
    assert report.agreed


@pytest.mark.parametrize(
    "filter_",
    [
        DoubleExponential(tau_rise_ms=2.0, tau_decay_ms=[20.0, 90.0]),
        DoubleExponential(tau_rise_ms=5.0, tau_decay_ms=5.0),
        Exponential(tau_ms=[3.0, 40.0], normalisation="area"),
        Exponential(tau_ms=7.0, normalisation="jump"),
        Exponential(tau_ms=[2.0, 9.0], normalisation="gain", gain=[0.3, 2.0], filter_step="euler"),
        DoubleExponential(tau_rise_ms=2.0, tau_decay_ms=[20.0, 90.0], filter_step="euler"),
    ],
)
def test_the_formula_of_a_filter_is_what_its_recursion_gives(filter_):
    sized = filter_.sized(2)
    constants = SimpleNamespace(**sized.constants(0.05))
    trace, rise, seen = np.zeros(2), np.zeros(2), []
    arrived = np.ones(2)
    for _ in range(500):
        trace = trace * constants.decay
        if sized.states == ("x",):
            trace = trace + arrived * constants.gain
        else:
            trace = trace + rise * constants.dt_s
            rise = rise * constants.rise + arrived * constants.gain
        arrived = np.zeros(2)
        seen.append(trace)
    np.testing.assert_allclose(sized.response(0.05, 500), seen, rtol=1e-10, atol=1e-12)


def test_a_filter_of_unit_area_has_unit_area_to_first_order_in_the_step():
    errors = []
    for dt_ms in (0.2, 0.1, 0.05):
        sized = DoubleExponential(tau_rise_ms=2.0, tau_decay_ms=10.0).sized(1)
        response = sized.response(dt_ms, int(300 / dt_ms))
        errors.append(abs(float(response.sum()) * dt_ms / 1000 - 1.0))
    # Half the step, half the error.
    assert errors[0] / errors[1] == pytest.approx(2.0, rel=0.05)
    assert errors[1] / errors[2] == pytest.approx(2.0, rel=0.05)


def test_a_direct_filter_acts_for_one_step():
    response = Direct().response(0.1, 4)
    assert response[:, 0].tolist() == [1.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize("step", ["euler", "exact"])
def test_the_f_i_curve_is_the_textbook_s_in_the_limit_of_small_steps(step):
    current, tau_ms = -30.0, 10.0
    continuous_ms = tau_ms * np.log((current + 65) / (current + 40))
    errors = []
    for dt_ms in (0.1, 0.01, 0.001):
        lif = Lif(
            membrane_step=step, tau_mem_ms=tau_ms, v_rest_mv=0, v_threshold_mv=-40, v_reset_mv=-65
        ).sized(1)
        waits = steps_to_threshold(Membrane(lif, 1, dt_ms), np.array([current]))
        errors.append(abs(waits[0] * dt_ms - continuous_ms))
    # Threshold is reached within a step, and the Euler step's own error is of first order too.
    assert all(error <= 2 * dt for error, dt in zip(errors, (0.1, 0.01, 0.001), strict=True))


def test_a_quadratic_neuron_takes_the_time_of_the_integral():
    dt_ms, tau_ms, current = 0.001, 10.0, 50.0
    qif = Qif(tau_mem_ms=tau_ms, v_threshold_mv=30, v_reset_mv=-65).sized(1)
    expected_ms = quad(lambda v: tau_ms / (v * v + current), -65, 30)[0]
    waits = steps_to_threshold(Membrane(qif, 1, dt_ms), np.array([current]))
    # Euler steps of v^2 err by about dt / tau times the largest slope, 2 * 65 / tau.
    assert waits[0] * dt_ms == pytest.approx(expected_ms, rel=0.01)


def test_a_current_that_does_not_reach_threshold_is_waited_for_in_vain(monkeypatch):
    monkeypatch.setattr(neurons_alone, "_LONGEST_STEPS", 400)
    for neurons in (
        Lif(membrane_step="euler", tau_mem_ms=10, v_rest_mv=0, v_threshold_mv=1, v_reset_mv=0),
        Qif(tau_mem_ms=10, v_threshold_mv=30, v_reset_mv=-65),
    ):
        waits = steps_to_threshold(Membrane(neurons.sized(1), 1, 0.01), np.array([-5.0]))
        assert waits[0] == np.inf


def test_currents_are_read_back_from_voltages():
    rng = np.random.default_rng(0)
    for network in (kim_network(), quadratic_network()):
        populations = silent(network)
        currents = rng.normal(0, 3, (50, 2, network.size))
        gain = np.concatenate([1 - membrane(part, network.dt_ms).left for part in populations])
        v, seen = np.zeros((2, network.size)), []
        for current in currents:
            v = v + (current - v) * gain
            seen.append(v)
        found = currents_of(populations, network.dt_ms, np.zeros_like(v), np.stack(seen))
        np.testing.assert_allclose(found, currents, atol=1e-10)


def test_the_worst_place_is_named_and_what_is_no_number_is_wrong():
    (found,) = worst(
        "x", ["a", "b", "c"], np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.2, 4.1]),
        tolerance=0.01, measure="relative",
    )  # fmt: skip
    assert (found.where, found.count, found.passed) == ("b", 3, False)
    assert found.error == pytest.approx(0.1)
    (missing,) = worst(
        "x", ["a", "b"], np.ones(2), np.array([1.0, np.nan]), tolerance=1.0, measure="relative"
    )
    assert not missing.passed
    assert missing.where == "b"
    assert worst("x", [], np.zeros(0), np.zeros(0), tolerance=1.0, measure="steps") == []
