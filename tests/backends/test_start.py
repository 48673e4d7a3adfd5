"""Where a trial starts: initial states of a model, and inputs that come late."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import EXACT_BACKENDS, drive_for, kim_network

from bridge.backends import simulate
from bridge.errors import SpecError
from bridge.exchange.store import format_version, load, save
from bridge.spiking.drive import Drive, SharedNoise
from bridge.spiking.filters import Direct, DoubleExponential, Exponential
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.neurons.src import Src
from bridge.spiking.population import Population
from bridge.spiking.projection import INPUT, Projection

QUICK = ["brian2-numpy", "snntorch", "compiled"]


def cells(**initial_states):
    start = UniformVoltage(low_mv=-0.5, high_mv=-0.5)
    units = Population(
        name="units", size=3, neurons=Src(), initial_voltage=start, initial_states=initial_states
    )
    return SpikingNetwork(dt_ms=1.0, populations=[units], projections=[])


def silence(steps):
    return Drive(inputs=np.zeros((steps, 2, 0)), noise=SharedNoise(seed=0))


def all_of(network, drive):
    labels = ["reference", *QUICK]
    return [
        simulate(network, drive, backend=EXACT_BACKENDS[label][0], voltages=True,
                 **EXACT_BACKENDS[label][1])
        for label in labels
    ]  # fmt: skip


def test_states_start_where_the_population_says():
    h_s = np.array([-0.4, 0.1, 0.5])
    network = cells(h_s=h_s, i=2.0)
    expected, *others = all_of(network, silence(30))
    # i <- 0.9 i; h <- tanh(3 tanh(i / 3) + 2 h - 7 h_s - 6).
    first = np.tanh(3 * np.tanh(1.8 / 3) + 2 * -0.5 - 7 * h_s - 6)
    # The library's tanh is some last places from ours, twice.
    np.testing.assert_allclose(expected.voltages_mv[0, 0], first, rtol=1e-12)
    for got in others:
        np.testing.assert_array_equal(got.voltages_mv, expected.voltages_mv)


def test_they_are_kept_in_files(tmp_path):
    network = cells(h_s=[-0.4, 0.1, 0.5])
    assert format_version(network) == 4
    back = load(save(network, tmp_path / "network.h5"))
    found = back.populations[0].initial_states
    assert list(found) == ["h_s"]
    np.testing.assert_array_equal(found["h_s"], [-0.4, 0.1, 0.5])


@pytest.mark.parametrize(
    ("states", "reason"),
    [
        ({"u": 1.0}, "no state 'u'; SRC has i, h_s"),
        ({"h": 1.0}, "no state 'h'; SRC has i, h_s"),
        ({"i": [1.0, 2.0]}, r"initial state i: expected shape \(3\)"),
        ({"i": np.nan}, "initial state i: holds NaN"),
    ],
)
def test_states_that_are_none_are_refused(states, reason):
    with pytest.raises(SpecError, match=reason):
        cells(**states)


def test_a_model_with_a_voltage_alone_has_no_other_state_to_set():
    (units,) = kim_network().populations
    with pytest.raises(SpecError, match="LIF has none apart from the voltage"):
        replace(units, initial_states={"w": 0.0})


FILTERS = {
    "direct": Direct(),
    "exponential": Exponential(tau_ms=5.0, normalisation="jump"),
    "double": DoubleExponential(tau_rise_ms=1.0, tau_decay_ms=5.0),
    "presynaptic": Exponential(tau_ms=5.0, normalisation="jump", side="pre"),
}


@pytest.mark.parametrize("within_step", [False, True])
def test_a_delayed_input_acts_as_one_that_comes_later(within_step):
    network = replace(kim_network(), sample_steps=1, sample_offset_steps=0)
    (units,), (recurrent, stimulus) = network.populations, network.projections
    stimuli = [
        replace(stimulus, name=name, filter=filter_, within_step=within_step,
                weights=np.roll(stimulus.weights, number, axis=0))
        for number, (name, filter_) in enumerate(FILTERS.items())
    ]  # fmt: skip
    delayed = [replace(part, delay_steps=7) for part in stimuli]
    late = replace(network, projections=[recurrent, *delayed])
    now = replace(network, projections=[recurrent, *stimuli])
    drive = drive_for(now, 80, trials=2)
    shifted = np.concatenate([np.zeros((7, *drive.inputs.shape[1:])), drive.inputs[:-7]])
    expected = simulate(now, replace(drive, inputs=shifted), voltages=True)
    for number in range(len(FILTERS)):
        one_now = [*delayed[:number], stimuli[number], *delayed[number + 1 :]]
        other = simulate(replace(now, projections=[recurrent, *one_now]), drive, voltages=True)
        assert np.abs(other.voltages_mv - expected.voltages_mv).max() > 0.01
    for got in all_of(late, drive):
        np.testing.assert_array_equal(got.voltages_mv, expected.voltages_mv)
    assert units.size == got.spikes.n_neurons


def test_a_projection_that_is_delayed_says_so_in_its_file(tmp_path):
    network = kim_network()
    recurrent, stimulus = network.projections
    late = replace(network, projections=[recurrent, replace(stimulus, delay_steps=3)])
    assert (format_version(network), format_version(late)) == (1, 4)
    assert load(save(late, tmp_path / "late.h5")).projections[1].delay_steps == 3
    assert isinstance(stimulus, Projection)
    assert stimulus.source == INPUT
