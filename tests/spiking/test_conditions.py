"""A recording knows what its trials are of, and can be sorted by it."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from conftest import (
    EXACT_BACKENDS,
    drive_for,
    go_nogo_network,
    kim_network,
    two_channel_network,
)

import bridge
from bridge.describe import describe
from bridge.errors import SpecError
from bridge.methods.scoring import task_drive
from bridge.rate.network import RateNetwork
from bridge.spiking.recording import Recording

CONDITIONS = ("left", "right")


def labelled(trials=6, seed=7, labels=(0, 1, 1, 0, 1, 0), **fields):
    network = kim_network()
    kept = {"labels": labels[:trials], "conditions": CONDITIONS, "task": "mine", "seed": 3} | fields
    return network, replace(drive_for(network, 8, trials=trials, seed=seed), **kept)


@pytest.fixture(scope="module")
def recording():
    return bridge.simulate(*labelled(), backend="reference")


@pytest.mark.parametrize("backend", ["reference", "brian2-numpy", "snntorch", "compiled"])
def test_a_recording_takes_over_what_its_drive_knows(backend):
    network, drive = labelled(trials=3)
    name, options = EXACT_BACKENDS[backend]
    found = bridge.simulate(network, drive, backend=name, **options)
    assert found.labels.tolist() == [0, 1, 1]
    assert (found.conditions, found.task, found.seed) == (CONDITIONS, "mine", 3)
    # The seed of the noise is the drive's own.
    assert found.provenance["seed"] == 7
    np.testing.assert_array_equal(found.inputs, drive.inputs)


def test_of_a_drive_that_knows_nothing_the_inputs_are_kept():
    network = two_channel_network()
    drive = drive_for(network, 5)
    found = bridge.simulate(network, drive)
    np.testing.assert_array_equal(found.inputs, drive.inputs)
    assert (found.labels, found.conditions, found.task, found.seed) == (None, (), "", None)


def test_workers_that_share_the_trials_bring_the_conditions_together():
    network, drive = labelled()
    found = bridge.simulate(network, drive, backend="snntorch", workers=2)
    assert found.labels.tolist() == drive.labels.tolist()
    np.testing.assert_array_equal(found.inputs, drive.inputs)


def test_what_is_known_of_the_trials_changes_no_spike(recording):
    network, drive = labelled()
    plain = bridge.simulate(network, replace(drive, labels=None, conditions=(), task="", seed=None))
    np.testing.assert_array_equal(plain.spikes.codes(), recording.spikes.codes())


def test_trials_of_a_condition_are_those_of_its_label(recording):
    assert recording.trials_of("left").tolist() == [0, 3, 5]
    assert recording.trials_of("right").tolist() == [1, 2, 4]


def test_chosen_trials_are_what_they_were(recording):
    full = bridge.simulate(*labelled(), voltages=True, margins=True)
    chosen = full.chosen([4, 0, 4])
    assert chosen.labels.tolist() == [1, 0, 1]
    assert chosen.conditions == CONDITIONS
    for new, old in enumerate([4, 0, 4]):
        mine, other = chosen.spikes.trial == new, full.spikes.trial == old
        assert mine.any()
        np.testing.assert_array_equal(chosen.spikes.step[mine], full.spikes.step[other])
        np.testing.assert_array_equal(chosen.spikes.neuron[mine], full.spikes.neuron[other])
        for name in ("inputs", "voltages_mv"):
            np.testing.assert_array_equal(
                getattr(chosen, name)[:, new], getattr(full, name)[:, old]
            )
        assert chosen.margins_mv[new] == full.margins_mv[old]
        np.testing.assert_array_equal(
            chosen.readouts["output"][:, new], full.readouts["output"][:, old]
        )


@pytest.mark.parametrize("trials", [[], [6], [-1], [0.5]])
def test_trials_that_are_not_there_cannot_be_chosen(recording, trials):
    with pytest.raises(SpecError, match="trials: expected"):
        recording.chosen(trials)


def test_an_unknown_condition_and_missing_labels_are_said(recording):
    with pytest.raises(SpecError, match="unknown condition 'up'; known are left, right"):
        recording.trials_of("up")
    with pytest.raises(SpecError, match="have no labels"):
        replace(recording, labels=None, conditions=()).trials_of("left")


def test_joined_recordings_keep_what_they_agree_on(recording):
    parts = [recording.chosen([0, 1]), recording.chosen([2, 3, 4, 5])]
    whole = Recording.joined(parts)
    np.testing.assert_array_equal(whole.spikes.codes(), recording.spikes.codes())
    np.testing.assert_array_equal(whole.inputs, recording.inputs)
    assert whole.labels.tolist() == recording.labels.tolist()
    assert (whole.conditions, whole.task, whole.seed) == (CONDITIONS, "mine", 3)
    other = replace(parts[1], conditions=("right", "left"), task="yours", seed=4, inputs=None)
    mixed = Recording.joined([parts[0], other])
    assert (mixed.labels, mixed.conditions, mixed.task, mixed.seed) == (None, (), "", None)
    assert mixed.inputs is None


def test_what_is_known_travels_between_processes(recording):
    back = pickle.loads(pickle.dumps(recording))
    assert back.labels.tolist() == recording.labels.tolist()
    assert (back.conditions, back.task, back.seed) == (CONDITIONS, "mine", 3)


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"labels": [0, 1]}, r"labels: expected shape \(6\), got \(2,\)"),
        ({"labels": [0, 1, 2, 0, 0, 0]}, "numbers of the 2 conditions, got 0 to 2"),
        ({"labels": [0, -1, 1, 0, 0, 0]}, "numbers of the 2 conditions, got -1 to 1"),
        ({"labels": [0.5] * 6}, "labels: expected whole numbers"),
        ({"labels": None}, "without labels they are the names of nothing"),
        ({"conditions": ()}, "numbers of the 0 conditions"),
        ({"conditions": "lr"}, "conditions: expected names, got 'lr'"),
        ({"conditions": (1, 2)}, "conditions: expected text as names"),
        ({"task": 3}, "task: expected text on one line, got 3"),
        ({"seed": -1}, "seed: expected a whole number of at least 0, got -1"),
        ({"seed": "0"}, "seed: expected a whole number of at least 0, got '0'"),
    ],
)
def test_conditions_that_make_no_sense_are_refused(recording, fields, match):
    for thing in (recording, labelled()[1]):
        with pytest.raises(SpecError, match=match):
            replace(thing, **fields)


def test_inputs_of_another_length_are_refused(recording):
    with pytest.raises(SpecError, match=r"inputs: expected shape \(8, 6, any\), got \(7, 6, 2\)"):
        replace(recording, inputs=recording.inputs[:-1])


def test_the_drive_of_a_task_knows_its_trials_and_the_seed_as_it_was_given():
    network = go_nogo_network()
    made, drive = task_drive(network, 10, seed=0)
    np.testing.assert_array_equal(drive.labels, made.labels)
    assert drive.conditions == bridge.task("go-nogo").conditions
    assert (drive.task, drive.seed) == ("go-nogo", 0)
    assert drive.noise.seed != 0
    part = drive.trials(2, 5)
    np.testing.assert_array_equal(part.labels, made.labels[2:5])
    assert (part.conditions, part.task, part.seed) == (drive.conditions, "go-nogo", 0)


def test_what_a_recording_knows_is_described(recording):
    rows = describe(recording)[1]
    assert rows["task"] == "mine"
    assert rows["seed"] == 3
    assert rows["trials of each condition"] == "3 left, 3 right"
    assert rows["inputs"] == "(8, 6, 2) samples, trials, channels"
    assert rows["made: seed of the noise"] == 7
    assert describe(labelled()[1])[1]["trials of each condition"] == "3 left, 3 right"


def small_conversion(tmp_path):
    rng = np.random.default_rng(0)
    rate = RateNetwork(
        recurrent=rng.normal(0, 1, (5, 5)), w_in=np.ones((5, 1)), w_out=np.ones((1, 5)),
        b_out=[0.0], tau_ms=20.0, task="go-nogo",
    )  # fmt: skip
    return bridge.save(bridge.map_one_to_one(rate, 40.0), tmp_path / "lif.h5")


def test_the_command_stores_and_shows_conditions_and_the_seed_as_given(command, tmp_path):
    network, out = small_conversion(tmp_path), tmp_path / "run.h5"
    told = command(
        "run", network, "--backend", "reference", "--trials", 4, "--seed", 0, "--out", out
    )
    assert told.status == 0, told.err
    for shown in (told.out, command("info", out).out):
        rows = {" ".join(line.strip(" │┃").split()) for line in shown.splitlines()}
        assert "seed 0" in rows
        assert "task go-nogo" in rows
        assert any(row.startswith("trials of each condition ") for row in rows)
    stored = bridge.load(out)
    made, drive = task_drive(bridge.load(network), 4, seed=0)
    np.testing.assert_array_equal(stored.labels, made.labels)
    np.testing.assert_array_equal(stored.inputs, made.inputs)
    assert stored.conditions == bridge.task("go-nogo").conditions
    assert (stored.task, stored.seed) == ("go-nogo", 0)
    assert stored.provenance["seed"] == drive.noise.seed
