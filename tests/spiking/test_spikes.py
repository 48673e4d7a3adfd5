import numpy as np
import pytest

from bridge.errors import SpecError
from bridge.spiking import spikes as module
from bridge.spiking.recording import Spikes

TRIALS, STEPS, NEURONS = 6, 20, 4


@pytest.fixture
def fired():
    rng = np.random.default_rng(0)
    made = rng.random((TRIALS, STEPS, NEURONS)) < 0.3
    # One trial is silent.
    made[2] = False
    return made


def events(fired):
    """Spikes where `fired`, (B, K, N), says so, one after the other."""
    trial, step, neuron = (np.array(column) for column in zip(*np.argwhere(fired), strict=True))
    trials, steps, neurons = fired.shape
    return Spikes(
        trial=trial, step=step, neuron=neuron, n_trials=trials, n_steps=steps, n_neurons=neurons
    )


def assert_same(got, expected):
    for name in ("trial", "step", "neuron"):
        array = getattr(got, name)
        np.testing.assert_array_equal(array, getattr(expected, name))
        assert array.dtype == np.int32
        assert not array.flags.writeable
    for name in ("n_trials", "n_steps", "n_neurons"):
        assert getattr(got, name) == getattr(expected, name)


def test_a_part_of_the_spikes_is_what_these_trials_and_steps_alone_would_be(fired):
    spikes = events(fired)
    for first, stop in ((0, TRIALS), (1, 4), (2, 3)):
        if fired[first:stop].any():
            assert_same(spikes.between(first, stop), events(fired[first:stop]))
    assert spikes.between(2, 3).count == 0
    assert_same(spikes.cut(5, 13), events(fired[:, 5:13]))
    for trials in ([3], [5, 0, 2, 2, 5], range(TRIALS)):
        assert_same(spikes.chosen(np.array(trials)), events(fired[np.array(trials)]))
    again = np.zeros_like(fired)
    again[:, 1:] = fired[:, 1:] & fired[:, :-1]
    neurons = np.array([True, False, True, False])
    assert again[:, :, neurons].any()
    assert_same(spikes.onsets(neurons), events(fired & ~(again & neurons)))


def test_the_spikes_of_each_trial_are_counted(fired):
    np.testing.assert_array_equal(events(fired).trial_counts(), fired.sum(axis=(1, 2)))


def test_no_part_of_the_spikes_has_no_trial(fired):
    with pytest.raises(SpecError, match="n_trials: expected a whole number of at least 1"):
        events(fired).chosen(np.zeros(0, dtype=np.int64))
    with pytest.raises(SpecError, match="n_steps: expected a whole number of at least 1"):
        events(fired).cut(3, 3)


def test_the_order_is_checked_between_all_events(fired, monkeypatch):
    good = events(fired)
    columns = {name: getattr(good, name) for name in ("trial", "step", "neuron")}
    extent = {"n_trials": TRIALS, "n_steps": STEPS, "n_neurons": NEURONS}
    for pieces in (1, 7, good.count):
        monkeypatch.setattr(module, "_AT_ONCE", pieces)
        Spikes(**columns, **extent)
        for place in range(good.count - 1):
            swapped = {name: column.copy() for name, column in columns.items()}
            for column in swapped.values():
                column[[place, place + 1]] = column[[place + 1, place]]
            with pytest.raises(SpecError, match="must be sorted by trial, step and neuron"):
                Spikes(**swapped, **extent)


def test_numbers_that_are_not_whole_are_no_spikes():
    extent = {"n_trials": 1, "n_steps": 9, "n_neurons": 1}
    for step in ([0.5], [2**33], np.array([2**32 + 1], dtype=np.uint64)):
        with pytest.raises(SpecError, match="spikes: step: expected"):
            Spikes(trial=[0], step=step, neuron=[0], **extent)
