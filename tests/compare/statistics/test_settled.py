"""The volley at the start: what describes a network leaves it out, what is judged does not."""

import dataclasses
import json

import numpy as np
import pytest

import bridge
from bridge.compare.statistics.settled import from_ms_of, settled, told
from bridge.compare.statistics.spike_statistics import count_correlations, summary
from bridge.errors import SpecError
from bridge.spiking.initial_voltage import NormalVoltage, UniformVoltage
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.neurons import Lif
from bridge.spiking.population import Population
from bridge.spiking.recording import Recording, Spikes


def recorded(trial_ms=400, trials=2, **provenance):
    """Four neurons that fire in step 0; then 0 every 20 ms and 1 every 40 ms, 2 and 3 never."""
    events = [(b, 0, n) for b in range(trials) for n in range(4)]
    for neuron, period in ((0, 20), (1, 40)):
        events += [(b, k, neuron) for b in range(trials) for k in range(60, trial_ms, period)]
    trial, step, neuron = np.array(events).T
    return Recording(
        spikes=Spikes.gather(trial, step, neuron, (trials, trial_ms, 4)),
        readouts={"z": np.ones((trial_ms // 5, trials, 1))},
        dt_ms=1.0, sample_ms=5.0, populations={"units": 4}, provenance=provenance,
    )  # fmt: skip


def test_without_the_volley_rates_intervals_and_silence_are_those_of_the_trains():
    found = summary(settled(recorded(), 50.0))
    # 17 and 9 spikes in 350 ms, of neurons 0 and 1; the other two are silent.
    assert found["mean rate (Hz)"] == pytest.approx((17 + 9) / 4 / 0.35)
    assert found["silent neurons (%)"] == 50
    # Regular trains: 16 intervals of 20 and 8 of 40 ms, and none varies.
    assert found["mean interval (ms)"] == pytest.approx((16 * 20 + 8 * 40) / 24)
    assert found["mean CV of intervals"] == 0
    whole = summary(recorded())
    assert whole["silent neurons (%)"] == 0
    assert whole["mean CV of intervals"] > 0


def test_without_the_volley_silent_neurons_are_not_correlated():
    whole, rest = (
        count_correlations(each.spikes, 1.0, 20.0) for each in (recorded(), settled(recorded(), 50))
    )
    # Two that fire in step 0 alone are the same train; what never varies correlates with nothing.
    assert (whole.size, rest.size) == (6, 0)
    assert whole.max() == pytest.approx(1.0)


def test_what_is_left_keeps_its_spikes_and_their_times():
    whole, rest = recorded(), settled(recorded(), 50.0)
    later = whole.spikes.step >= 50
    np.testing.assert_array_equal(rest.spikes.step, whole.spikes.step[later] - 50)
    np.testing.assert_array_equal(rest.spikes.neuron, whole.spikes.neuron[later])
    assert rest.trial_s == pytest.approx(0.35)
    # Steps that are cut are whole ones, whatever part of one is asked for.
    assert settled(whole, 49.5).spikes.n_steps == 350
    assert settled(whole, 399.5).spikes.n_steps == 1
    assert settled(whole, 0.0) is whole


def test_what_a_network_was_shown_as_spikes_is_no_part_of_what_is_left():
    shown = dataclasses.replace(recorded(), input_spikes={"noise": recorded().spikes})
    assert summary(settled(shown, 50.0)) == summary(settled(recorded(), 50.0))


@pytest.mark.parametrize(
    ("starts", "trial_ms", "from_ms"),
    [(True, 400, 50.0), (True, 200, 50.0), (True, 195, 0.0), (False, 400, 0.0), (None, 400, 0.0)],
)
def test_by_default_50_ms_are_left_out_of_long_trials_that_begin_above_threshold(
    starts, trial_ms, from_ms
):
    given = {} if starts is None else {"starts_above_threshold": starts}
    assert from_ms_of(None, recorded(trial_ms, **given)) == from_ms
    assert from_ms_of(30.0, recorded(trial_ms, **given)) == 30.0
    assert told(0.0, recorded(trial_ms, **given)) == ""
    said = told(50.0, recorded(trial_ms, **given))
    assert said.startswith("from 50 ms on")
    assert ("burst" in said) is (starts is True)


@pytest.mark.parametrize("wrong", [-1, np.nan, np.inf, 400, "fifty", True])
def test_a_time_outside_of_the_trials_is_refused(wrong):
    with pytest.raises(SpecError, match="from_ms"):
        from_ms_of(wrong, recorded())


def network(initial, threshold=-50.0):
    neurons = Lif(
        membrane_step="euler", tau_mem_ms=10.0, v_rest_mv=-65.0, v_threshold_mv=threshold,
        v_reset_mv=-65.0, bias_mv=18.0, refractory_steps=2, initial_refractory_steps=0,
    )  # fmt: skip
    units = Population(name="units", size=3, neurons=neurons, initial_voltage=initial, noise_mv=0.5)
    return SpikingNetwork(
        dt_ms=0.5, populations=(units,), projections=(), readouts=(), input_size=1,
        sample_steps=10, sample_offset_steps=0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("initial", "above"),
    [
        (UniformVoltage(low_mv=-65.0, high_mv=30.0), True),
        (UniformVoltage(low_mv=-65.0, high_mv=-51.0), False),
        (NormalVoltage(mean_mv=-60.0, sd_mv=5.0), True),
        (NormalVoltage(mean_mv=-60.0, sd_mv=1.0), False),
    ],
)
def test_a_recording_says_whether_its_neurons_began_above_threshold(initial, above):
    drive = bridge.Drive(inputs=np.zeros((50, 2, 1)), noise=bridge.SharedNoise(seed=1))
    found = bridge.simulate(network(initial), drive).provenance["starts_above_threshold"]
    assert found is above
    # Voltages that are given say it themselves.
    for start, expected in ((-60.0, False), (-50.0, True)):
        given = bridge.Drive(
            inputs=np.zeros((4, 2, 1)), noise=bridge.SharedNoise(seed=1),
            v_initial_mv=np.full((2, 3), start),
        )  # fmt: skip
        recording = bridge.simulate(network(initial), given)
        assert recording.provenance["starts_above_threshold"] is expected


def test_the_gate_judges_all_spikes_whatever_is_described(tmp_path):
    drive = bridge.Drive(inputs=np.zeros((50, 20, 1)), noise=bridge.SharedNoise(seed=1))
    spiking = network(UniformVoltage(low_mv=-65.0, high_mv=30.0))
    found = {}
    for from_ms in (None, 0.0):
        agreement = bridge.compare(
            spiking, backends=["reference", "compiled"], drive=drive, from_ms=from_ms,
            levels=["exact", "statistical"],
        )  # fmt: skip
        found[from_ms] = agreement
        assert agreement.exact[0].spikes[0] == found[None].exact[0].spikes[0]
        assert agreement.statistical[0].p == found[None].statistical[0].p
    rates = {
        from_ms: each.statistics()["mean rate (Hz)"]["reference"] for from_ms, each in found.items()
    }
    assert rates[None] != rates[0.0]
    recording = found[None].described()["reference"]
    assert rates[None] == summary(settled(recording, 50.0))["mean rate (Hz)"]
    page, machine, *_ = bridge.report(found[None], tmp_path / "a.html")
    assert "are given from 50 ms on, without the burst at the start" in page.read_text()
    assert json.loads(machine.read_text())["statistics_from_ms"] == {
        "reference": 50.0, "compiled": 50.0,
    }  # fmt: skip
    whole, *_ = bridge.report(found[0.0], tmp_path / "b.html")
    assert "burst" not in whole.read_text()


def test_the_command_takes_the_time_and_refuses_one_outside(command, refused, tmp_path):
    file = bridge.save(recorded(starts_above_threshold=True), tmp_path / "a.h5")
    for given, expected in (((), "50"), (("--from-ms", 0), "0"), (("--from-ms", 100), "100")):
        status, said, _ = command("info", file, *given)
        assert status == 0
        assert (f"from {expected} ms on" in said) == (expected != "0")
    assert "leave nothing of trials of 400 ms" in refused("info", file, "--from-ms", 400)
    line = refused("compare", file, file, "--from-ms", -3, "--out", tmp_path / "a.html")
    assert "from_ms (--from-ms)" in line
