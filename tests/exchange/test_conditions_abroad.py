"""What a recording knows of its trials goes along into NWB files and Neo objects."""

import json
from dataclasses import replace

import h5py
import numpy as np
import pynwb
import pytest
from conftest import drive_for, two_population_network

import bridge
from bridge.exchange.nwb_writing import TRIALS
from bridge.exchange.recordings import export_recording, load_recording
from bridge.exchange.spike_objects import to_neo


@pytest.fixture(scope="module")
def recording():
    network = two_population_network()
    drive = drive_for(network, 20, trials=3)
    known = {"labels": [1, 0, 1], "conditions": ("go", "no-go"), "task": "mine", "seed": 0}
    return bridge.simulate(network, replace(drive, **known))


@pytest.fixture
def nwb(recording, tmp_path):
    path = tmp_path / "recording.nwb"
    export_recording(recording, path)
    with pynwb.NWBHDF5IO(path, "r") as io:
        yield io.read()


def test_the_trials_of_an_nwb_file_have_their_condition(nwb):
    table = nwb.trials.to_dataframe()
    assert table["condition"].tolist() == ["no-go", "go", "no-go"]
    assert table["label"].tolist() == [1, 0, 1]
    assert table["start_time"].tolist() == pytest.approx([0.0, 0.02, 0.04])


def test_the_inputs_are_a_stimulus_of_the_nwb_file_trial_after_trial(nwb, recording):
    series = nwb.stimulus["inputs"]
    expected = np.concatenate([recording.inputs[:, trial] for trial in range(3)])
    np.testing.assert_array_equal(series.data[()], expected)
    # Samples of 1 ms, the first of which acts from the start.
    assert (series.rate, series.starting_time) == (1000.0, 0.0)


def test_task_and_seeds_are_in_the_nwb_file(nwb):
    assert nwb.experiment_description == "task: mine; seed: 0; noise_seed: 5"


def test_names_of_conditions_lie_beside_the_trials_where_h5py_reads_them(recording, tmp_path):
    path = tmp_path / "recording.nwb"
    export_recording(recording, path)
    with h5py.File(path) as file:
        told = json.loads(file["intervals/trials"].attrs[TRIALS])
    assert told == {"conditions": ["go", "no-go"], "task": "mine", "seed": 0}


def test_an_nwb_file_with_conditions_comes_back_spike_for_spike(recording, tmp_path):
    path = tmp_path / "recording.nwb"
    export_recording(recording, path)
    back = load_recording(path)
    np.testing.assert_array_equal(back.spikes.codes(), recording.spikes.codes())
    np.testing.assert_array_equal(back.readouts["both"], recording.readouts["both"])


def test_a_recording_without_conditions_has_a_plain_trials_table(recording, tmp_path):
    path = tmp_path / "plain.nwb"
    bare = replace(recording, labels=None, conditions=(), task="", seed=None, inputs=None)
    export_recording(bare, path)
    with pynwb.NWBHDF5IO(path, "r") as io:
        file = io.read()
        assert set(file.trials.colnames) == {"start_time", "stop_time"}
        assert not file.stimulus


def test_neo_segments_say_their_condition_and_the_block_its_task_and_seeds(recording):
    block = to_neo(recording)
    assert block.annotations == {"task": "mine", "seed": 0, "noise_seed": 5}
    told = [(part.index, part.annotations) for part in block.segments]
    assert told == [
        (0, {"condition": "no-go", "label": 1}),
        (1, {"condition": "go", "label": 0}),
        (2, {"condition": "no-go", "label": 1}),
    ]


def test_neo_objects_of_a_recording_that_knows_nothing_say_nothing(recording):
    block = to_neo(
        replace(recording, labels=None, conditions=(), task="", seed=None, provenance={})
    )
    assert block.annotations == {}
    assert all(part.annotations == {} for part in block.segments)


def test_what_is_known_of_the_trials_comes_back_from_nwb(recording, tmp_path):
    path = tmp_path / "recording.nwb"
    export_recording(recording, path)
    back = load_recording(path)
    np.testing.assert_array_equal(back.labels, recording.labels)
    np.testing.assert_array_equal(back.inputs, recording.inputs)
    for name in ("conditions", "task", "seed"):
        assert getattr(back, name) == getattr(recording, name)
    silent = replace(recording, readouts={})
    export_recording(silent, tmp_path / "silent.nwb")
    again = load_recording(tmp_path / "silent.nwb")
    np.testing.assert_array_equal(again.inputs, recording.inputs)
    assert again.sample_ms == recording.sample_ms
    part = load_recording(path, window_s=(0.005, 0.012))
    np.testing.assert_array_equal(part.inputs, recording.inputs[5:12])
    np.testing.assert_array_equal(part.labels, recording.labels)


@pytest.mark.parametrize(
    "note",
    [
        {"conditions": ["go"], "task": "mine", "seed": 0},
        {"conditions": ["go", 3], "task": "mine", "seed": 0},
        {"conditions": "go", "task": "mine", "seed": 0},
        {"conditions": ["go", "no-go"], "task": 3, "seed": 0},
        {"conditions": ["go", "no-go"], "task": "mine", "seed": -1},
        {"conditions": ["go", "no-go"]},
        ["go", "no-go"],
    ],
)
def test_a_damaged_note_on_the_trials_is_refused(note, recording, tmp_path):
    path = tmp_path / "recording.nwb"
    export_recording(recording, path)
    with h5py.File(path, "a") as file:
        file["intervals/trials"].attrs[TRIALS] = np.bytes_(json.dumps(note))
    with pytest.raises(bridge.BridgeError, match=r"spikebridge_trials makes no sense \("):
        load_recording(path)


def test_inputs_that_do_not_fit_their_trials_are_refused(recording, tmp_path):
    path = tmp_path / "recording.nwb"
    export_recording(recording, path)
    with h5py.File(path, "a") as file:
        series = file["stimulus/presentation/inputs"]
        values = series["data"][()]
        del series["data"]
        series["data"] = values[:-1]
    with pytest.raises(bridge.BridgeError, match="inputs does not fit its trials"):
        load_recording(path)
