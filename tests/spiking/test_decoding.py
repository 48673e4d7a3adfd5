from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import NETWORKS

from bridge.spiking import decoding, filtered
from bridge.spiking.decoding import decode
from bridge.spiking.filters import Direct, DoubleExponential, Exponential, SecondOrder
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import Channel, Readout, SpikingNetwork
from bridge.spiking.neurons import Lif
from bridge.spiking.operations import NUMPY
from bridge.spiking.population import Population
from bridge.spiking.recording import Spikes

FILTERS = {
    "direct": Direct(),
    "exponential area": Exponential(tau_ms=[3.0, 20.0, 7.0], normalisation="area"),
    "exponential jump": Exponential(tau_ms=[3.0, 20.0, 7.0], normalisation="jump"),
    "double": DoubleExponential(tau_rise_ms=[1.0, 2.0, 5.0], tau_decay_ms=[3.0, 20.0, 5.0]),
}


def population(name, size):
    lif = Lif(membrane_step="euler", tau_mem_ms=10, v_rest_mv=0, v_threshold_mv=1, v_reset_mv=0)
    begin = UniformVoltage(low_mv=0, high_mv=0)
    return Population(name=name, size=size, neurons=lif, initial_voltage=begin)


def network(filter_, sample_steps, dt_ms=0.1):
    weights = np.array([[0.3, -1.0, 2.0], [1.0, 0.5, 0.0]])
    return SpikingNetwork(
        dt_ms=dt_ms,
        populations=[population("p", 3)],
        projections=[],
        readouts=[
            Readout(
                name="o", channels=[Channel(source="p", weights=weights, filter=filter_)],
                bias=[0.1, -0.2],
            )
        ],
        sample_steps=sample_steps,
    )  # fmt: skip


def step_by_step(filter_, trains, dt_ms):
    """The filter's recursion in every step, as its docstring has it; trains are (K, B, N)."""
    trace, rise = np.zeros((2, *trains.shape[1:]))
    history = []
    for spikes in trains:
        if isinstance(filter_, Direct):
            trace = spikes
        elif isinstance(filter_, Exponential):
            tau = np.asarray(filter_.tau_ms)
            gain = 1000 / tau if filter_.normalisation == "area" else 1.0
            trace = trace * np.exp(-dt_ms / tau) + gain * spikes
        else:
            tau_r, tau_d = np.asarray(filter_.tau_rise_ms), np.asarray(filter_.tau_decay_ms)
            trace = trace * np.exp(-dt_ms / tau_d) + rise * dt_ms / 1000
            rise = rise * np.exp(-dt_ms / tau_r) + spikes * 1e6 / (tau_r * tau_d)
        history.append(trace)
    return np.array(history)


@pytest.mark.parametrize("sample_steps", [1, 5, 60])
@pytest.mark.parametrize("name", FILTERS)
def test_decoding_a_sample_at_a_time_is_the_filter_step_by_step(name, sample_steps):
    rng = np.random.default_rng(0)
    trains = (rng.random((120, 4, 3)) < 0.1).astype(float)
    step, trial, neuron = np.nonzero(trains)
    spikes = Spikes.gather(trial, step, neuron, (4, 120, 3))
    net, gain = network(FILTERS[name], sample_steps), np.array([1.0, 0.5, 2.0, 0.0])
    got = decode(net, spikes, gain)["o"]
    traces = step_by_step(FILTERS[name], trains, 0.1)[sample_steps - 1 :: sample_steps]
    weights = np.asarray(net.readouts[0].channels[0].weights)
    expected = [0.1, -0.2] + gain[:, None] * (traces @ weights.T)
    # Powers of a decay against its repeated use: rounding of 120 steps.
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)


def undisturbed(filter_, begin, neuron, steps):
    """Each state after 0 to `steps` steps, where `begin` was 1 and all others 0, of one neuron."""
    constants = filter_.constants(0.1).items()
    constant = SimpleNamespace(**{name: np.broadcast_to(c, (3,))[neuron] for name, c in constants})
    course = [{name: np.float64(name == begin) for name in filter_.states}]
    for _ in range(steps):
        course.append(filter_.decay(NUMPY, SimpleNamespace(**course[-1]), constant))
    return course, getattr(constant, "gain", 1.0)


def cell_by_cell(filter_, spikes, sample_steps, start):
    """(T, B, 3) filtered spikes, cell after cell, sample after sample, spike after spike."""
    traces = np.empty((spikes.n_steps // sample_steps, spikes.n_trials, 3))
    for trial in range(spikes.n_trials):
        for neuron in range(3):
            train = spikes.step[(spikes.trial == trial) & (spikes.neuron == neuron)]
            course = {
                begin: undisturbed(filter_, begin, neuron, sample_steps) for begin in filter_.states
            }
            state = {name: start.get(name, np.zeros(3))[neuron] for name in filter_.states}
            for sample in range(len(traces)):
                mine = train[train // sample_steps == sample]
                left = [(sample + 1) * sample_steps - 1 - step for step in mine.tolist()]
                if filter_.memoryless:
                    traces[sample, trial, neuron] = left.count(0)
                    continue
                after = {}
                for name in filter_.states:
                    # Its own share first, then what it has of others, then what arrived.
                    others = sorted(filter_.states, key=lambda other: other != name)
                    shares = [state[other] * course[other][0][-1][name] for other in others]
                    arrivals, gain = course[filter_.states[0]]
                    came = sum((gain * arrivals[n][name] for n in left), 0.0)
                    after[name] = sum(shares[1:], shares[0]) + came
                state = after
                traces[sample, trial, neuron] = state[filter_.output]
    return traces


@pytest.mark.parametrize("name", [*FILTERS, "oscillation"])
def test_decoding_gives_the_bits_of_a_plain_loop_over_cells(name, monkeypatch):
    oscillation = SecondOrder(lag_ms=[1.0, 4.0, 2.0], damping=[0.3, 0.6, 0.9])
    filter_ = {**FILTERS, "oscillation": oscillation}[name]
    start = {each: np.array([0.3, 0.0, 7.1]) for each in filter_.states}
    channel = Channel(source="p", weights=np.eye(3), filter=filter_, initial_states=start)
    # As many outputs as neurons: nothing is summed over them.
    readout = Readout(name="o", channels=[channel], bias=np.zeros(3))
    whole = replace(network(filter_, 5), readouts=[readout])
    # Neurons 1 to 3 of 5 are read.
    parts = [population("q", 1), population("p", 3), population("r", 1)]
    read = replace(whole, populations=parts)
    rng = np.random.default_rng(3)
    # Some fire several times in a sample, some samples are silent.
    step, trial, neuron = np.nonzero(
        (rng.random((60, 7, 5)) < 0.3) & (rng.random((60, 1, 1)) < 0.5)
    )
    spikes = Spikes.gather(trial, step, neuron, (7, 60, 5))
    inside = (neuron >= 1) & (neuron < 4)
    alone = Spikes.gather(trial[inside], step[inside], neuron[inside] - 1, (7, 60, 3))
    expected = cell_by_cell(filter_, alone, 5, start)
    assert np.abs(expected).max() > 0.1
    monkeypatch.setattr(decoding, "AT_ONCE", 3)
    np.testing.assert_array_equal(decode(read, spikes)["o"], expected)
    # Neither a factor a neuron nor the other way to sort changes a bit, nor do neurons read alone.
    monkeypatch.setattr(filtered, "_FEW_CELLS", 0)
    monkeypatch.setattr(filtered, "_SHORT", 0)
    np.testing.assert_array_equal(decode(read, spikes)["o"], expected)
    np.testing.assert_array_equal(decode(whole, alone)["o"], expected)


def test_how_many_trials_are_decoded_at_once_decides_no_output(monkeypatch):
    rng = np.random.default_rng(1)
    step, trial, neuron = np.nonzero(rng.random((120, 300, 3)) < 0.1)
    spikes = Spikes.gather(trial, step, neuron, (300, 120, 3))
    net, gain = network(FILTERS["double"], 5), rng.random(300)
    got = decode(net, spikes, gain)["o"]
    for at_once in (7, 300):
        monkeypatch.setattr(decoding, "AT_ONCE", at_once)
        # The rows of a small product may be summed in another order: roundings of 5e-13 each, of
        # outputs of up to 2,300.
        np.testing.assert_allclose(decode(net, spikes, gain)["o"], got, rtol=0, atol=1e-11)


def test_the_side_of_a_filter_means_nothing_in_a_readout():
    filter_ = FILTERS["double"]
    spikes = Spikes.gather([0, 0], [3, 20], [0, 2], (1, 60, 3))
    sides = [network(replace(filter_, side=side), sample_steps=5) for side in ("post", "pre")]
    np.testing.assert_array_equal(*(decode(net, spikes)["o"] for net in sides))
    assert sides[1].readouts[0].channels[0].filter.side == "post"


@pytest.mark.parametrize("name", ["exponential area", "double"])
def test_a_spike_of_unit_area_has_unit_area(name):
    # Sum of the trace times dt, in seconds, after one spike; Euler's sum is off by O(dt).
    spikes = Spikes.gather([0, 0, 0], [0, 0, 0], [0, 1, 2], (1, 40000, 3))
    net = network(FILTERS[name], sample_steps=1, dt_ms=0.01)
    outputs = decode(net, spikes)["o"][:, 0] - [0.1, -0.2]
    weights = np.asarray(net.readouts[0].channels[0].weights)
    np.testing.assert_allclose(outputs.sum(axis=0) * 1e-5, weights.sum(axis=1), rtol=1e-2)


@pytest.mark.parametrize("name", NETWORKS)
def test_silence_decodes_to_the_bias(name):
    make, _ = NETWORKS[name]
    net = make()
    quiet = Spikes.gather([], [], [], (2, 4 * net.sample_steps, net.size))
    for readout in net.readouts:
        outputs = decode(net, quiet)[readout.name]
        assert outputs.shape == (4, 2, readout.size)
        np.testing.assert_array_equal(outputs, np.broadcast_to(readout.bias, outputs.shape))
