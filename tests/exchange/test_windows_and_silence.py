"""Windows that make trials alike, lengths that a file tells, and recordings without a spike."""

import pickle

import h5py
import numpy as np
import pytest
from exchange.small_files import events, nwb_file, sonata_file
from several_inputs import drive, several_inputs

import bridge
from bridge.errors import FormatError, SpecError
from bridge.exchange.recordings import load_recording
from bridge.spiking.recording import Spikes

TEN = [(float(k), float(k + 1)) for k in range(10)]
UNEQUAL = [(0.0, 1.0), (1.5, 2.75), (4.0, 4.9)]


def test_a_window_makes_unequal_trials_alike(tmp_path):
    path = nwb_file(tmp_path / "a.nwb", [[0.05, 0.25, 1.75, 2.5], [4.125, 4.875]], UNEQUAL)
    with pytest.raises(FormatError, match=r"0.9 to 1.25 s; .* \(window_s=\(0, 0.9\)\)"):
        load_recording(path)
    found = load_recording(path, dt_ms=1.0, window_s=(0.125, 0.5))
    assert events(found) == [(0, 125, 0), (1, 125, 0), (2, 0, 1)]
    assert (found.trial_s, found.provenance["spikes_outside_trials"]) == (0.375, 3)
    assert found.provenance["window"] == "0.125 to 0.5 s of each trial"
    assert load_recording(path, window_s=(0, 0.9)).spikes.count == 5


@pytest.mark.parametrize(
    ("window", "error", "message"),
    [
        ((0, 1.0), FormatError, r"trial 2 of 3 .* lasts 0.9 s, and the window of 0 to 1 s reaches"),
        ((0.5, 0.5), SpecError, "window_s: expected a start of at least 0 and a later stop"),
        ((-0.5, 0.5), SpecError, "window_s: expected a start of at least 0"),
        ((0.0, np.nan), SpecError, "window_s: expected"),
        (0.5, SpecError, "window_s: expected"),
        (("a", "b"), SpecError, "window_s: expected"),
        ((0, 0.33333), SpecError, "window_s: 0.33333 s is not a whole number of steps of 0.1 ms"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(tmp_path, window, error, message):
    path = nwb_file(tmp_path / "a.nwb", [[0.05]], UNEQUAL)
    with pytest.raises(error, match=message):
        load_recording(path, window_s=window)


def test_a_window_of_a_session_without_trials_is_that_part_of_it(tmp_path):
    path = sonata_file(tmp_path / "a.h5", [100.0, 250.0, 900.0], [0, 1, 0])
    found = load_recording(path, dt_ms=1.0, window_s=(0.2, 2.0))
    assert (events(found), found.trial_s) == ([(0, 50, 1), (0, 700, 0)], 1.8)


def test_how_long_units_were_observed_is_how_long_the_recording_is(tmp_path):
    ends = {"obs_intervals": [[1.0, 11.0]] * 2, "obs_intervals_index": np.array([1, 2], "u1")}
    path = nwb_file(tmp_path / "a.nwb", [[1.5], [3.0, 4.0]], columns=ends)
    whole = load_recording(path, dt_ms=1.0)
    assert (whole.trial_s, events(whole)[0]) == (10.0, (0, 500, 0))
    assert "as long as the file says" in whole.provenance["trials"]
    parts = load_recording(path, dt_ms=1.0, trial_s=4.0)
    # What is left over of ten seconds is no trial.
    assert (parts.spikes.n_trials, events(parts)) == (2, [(0, 500, 0), (0, 2000, 1), (0, 3000, 1)])


def test_observed_at_different_times_is_left_aside_with_a_note(tmp_path):
    ends = {"obs_intervals": [[0.0, 5.0], [0.0, 10.0]], "obs_intervals_index": [1, 2]}
    found = load_recording(nwb_file(tmp_path / "a.nwb", [[1.5], [3.0]], columns=ends))
    assert found.provenance["trials"] == "one, to the last spike"
    assert "obs_intervals: not looked at" in found.provenance["notes"]


def test_other_tables_of_times_are_named(tmp_path):
    path = nwb_file(tmp_path / "a.nwb", [[1.5]])
    with h5py.File(path, "a") as file:
        file["intervals/epochs/start_time"] = [0.0]
    notes = load_recording(path).provenance["notes"]
    assert notes == "intervals/epochs: not looked at, only a trials table is"


def test_silence_is_a_recording_where_its_length_is_known(tmp_path):
    nwb = nwb_file(tmp_path / "a.nwb", [[], [], []], TEN)
    sonata = sonata_file(tmp_path / "a.h5", np.zeros(0), [])
    found = [load_recording(nwb), load_recording(sonata, trial_s=2.0)]
    assert [(r.spikes.n_trials, r.spikes.n_neurons, r.spikes.count) for r in found] == [
        (10, 3, 0),
        (1, 1, 0),
    ]
    assert found[1].trial_s == load_recording(sonata, window_s=(0, 2.0)).trial_s == 2.0
    assert "one silent neuron stands for each population" in found[1].provenance["notes"]
    with pytest.raises(SpecError, match="holds no spikes; give the length of a trial"):
        load_recording(sonata)


@pytest.mark.parametrize("to", ["nwb", "sonata"])
def test_silence_goes_through_every_command(command, tmp_path, to):
    path = nwb_file(tmp_path / "a.nwb", [[], []], [(k, k + 1) for k in range(20)])
    out, there = tmp_path / "silent.h5", tmp_path / f"silent.{to}"
    assert command("import", path, "--out", out).status == 0
    assert "silent neurons (%)             100" in command("info", out).out
    assert command("export", out, "--to", to, "--out", there).status == 0
    assert events(load_recording(there)) == []
    report = ("--out", tmp_path / "r.html")
    outcome = command("compare", out, there, *report)
    assert (outcome.status, "hold the same 0 spikes" in outcome.out) == (0, True)


def test_more_trials_of_more_neurons_than_can_be_counted_are_refused(tmp_path):
    path = sonata_file(tmp_path / "a.h5", [1.0, 1e6], [0, 9_000_000])
    with pytest.raises(FormatError, match="10,001 trials of 9,000,001 neurons are too many"):
        load_recording(path, trial_s=0.1)


def test_a_window_of_our_own_recording_is_cut_out(tmp_path):
    made = bridge.Recording(
        spikes=Spikes.gather([0, 0, 1], [3, 8, 4], [0, 1, 1], (2, 10, 2)),
        readouts={"out": np.arange(10.0).reshape(5, 2, 1)},
        dt_ms=1.0, sample_ms=2.0, populations={"a": 2}, margins_mv=[0.5, 0.25],
        voltages_mv=np.arange(20.0).reshape(5, 2, 2),
    )  # fmt: skip
    path = bridge.save(made, tmp_path / "ours.h5")
    part = load_recording(path, window_s=(0.004, 0.01))
    assert (events(part), part.trial_s) == ([(0, 4, 1), (1, 0, 1)], 0.006)
    np.testing.assert_array_equal(part.readouts["out"], made.readouts["out"][2:])
    np.testing.assert_array_equal(part.voltages_mv, made.voltages_mv[2:])
    assert part.margins_mv is None
    odd = load_recording(path, window_s=(0.003, 0.01))
    assert (dict(odd.readouts), odd.voltages_mv) == ({}, None)
    assert "the window is not a whole number of samples" in odd.provenance["notes"]
    with pytest.raises(FormatError, match=r"its trials last 0.01 s, and the window of 0 to 0.02 s"):
        load_recording(path, window_s=(0, 0.02))


def test_a_silent_file_is_compared_with_one_of_more_neurons(command, tmp_path):
    silent = sonata_file(tmp_path / "a.h5", [], [])
    # A spike in the last trial only: as many trials, and nothing else.
    other = nwb_file(tmp_path / "b.nwb", [[0.5], [], []], [(0.0, 1.0)])
    words = ("--trial-s", "1", "--out", tmp_path / "r.html")
    outcome = command("compare", silent, other, *words)
    # One trial is too few for a verdict, but the neurons are alike.
    assert outcome.status == 2
    assert "need at least 12, got 1" in outcome.err
    assert "one silent neuron stands for each population" in outcome.err


def test_spikes_of_inputs_are_cut_with_the_trials(tmp_path):
    recording = bridge.simulate(several_inputs(), drive())
    path = bridge.save(recording, tmp_path / "recording.h5")
    cut = bridge.load_recording(path, window_s=(0.03, 0.09))
    for name, before in recording.input_spikes.items():
        after = cut.input_spikes[name]
        # In steps of 0.5 ms.
        inside = (before.step >= 60) & (before.step < 180)
        assert after.n_steps == 120
        assert inside.any()
        np.testing.assert_array_equal(after.step, before.step[inside] - 60)
        np.testing.assert_array_equal(after.neuron, before.neuron[inside])


def test_joined_recordings_hold_the_spikes_of_inputs_of_all(tmp_path):
    recording = bridge.simulate(several_inputs(), drive())
    parts = [recording.chosen([0]), recording.chosen([1, 2])]
    joined = bridge.Recording.joined(parts)
    for name, spikes in recording.input_spikes.items():
        np.testing.assert_array_equal(joined.input_spikes[name].codes(), spikes.codes())
    copy = pickle.loads(pickle.dumps(recording))
    assert copy.input_spikes["touch"].count == recording.input_spikes["touch"].count
    again = pickle.loads(pickle.dumps(drive()))
    assert again.spikes["nerve"].count == drive().spikes["nerve"].count


@pytest.mark.parametrize("to", ["nwb", "sonata"])
def test_it_is_said_that_other_formats_keep_no_spikes_of_inputs(to, tmp_path):
    recording = bridge.simulate(several_inputs(), drive())
    lost = bridge.export_recording(recording, tmp_path / "out.h5", to=to)
    assert "spikes of the inputs are not kept in this format" in lost
