"""Spike times and trials as others write them: placed rightly, or refused for what is wrong."""

import re

import h5py
import numpy as np
import pytest
from exchange.small_files import events, nwb_file, sonata_file

from bridge.errors import FormatError
from bridge.exchange.recordings import load_recording

TEN = [(float(k), float(k + 1)) for k in range(10)]


def laid_over(units, trials, seed=3):
    """One spike in each trial of 1 s at random, as times since the start of the trial."""
    rng = np.random.default_rng(seed)
    return [rng.permutation(trials) * 0.1 + rng.uniform(0.01, 0.09, trials) for _ in range(units)]


@pytest.mark.parametrize("trials", [None, TEN])
def test_times_that_start_over_at_each_trial_are_refused_with_both_readings(tmp_path, trials):
    path = nwb_file(tmp_path / "a.nwb", laid_over(2, 10), trials)
    with pytest.raises(FormatError, match=r"unit 0 .* run backwards") as refused:
        load_recording(path)
    assert "so it is with 2 of 2 units: either they start over at each trial" in str(refused.value)
    assert "or they are in no order" in str(refused.value)


def test_times_may_start_over_at_the_next_unit(tmp_path):
    path = nwb_file(tmp_path / "a.nwb", [[5.0, 6.0], [], [1.0, 2.0]], TEN)
    found = load_recording(path, dt_ms=1.0)
    assert events(found) == [(1, 0, 2), (2, 0, 2), (5, 0, 0), (6, 0, 0)]


ENUM = h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, basetype=np.uint8)
BY_TIME = ["by_time", np.bytes_(b"by_time"), ["by_time"], 2, [2], np.array(2, dtype=ENUM), "time"]


@pytest.mark.parametrize("form", range(len(BY_TIME)))
def test_spikes_that_are_said_to_be_by_time_and_are_not_are_refused(tmp_path, form):
    path = sonata_file(tmp_path / "a.h5", [1.0, 3.0, 2.0], [0, 1, 0], sorting=BY_TIME[form])
    with pytest.raises(FormatError, match="says that it is sorted by_time, and is not: either"):
        load_recording(path)


def test_spikes_that_are_said_to_be_by_id_and_are_not_are_refused(tmp_path):
    path = sonata_file(tmp_path / "a.h5", [1.0, 2.0, 3.0], [0, 1, 0], sorting="by_id")
    with pytest.raises(FormatError, match="says that it is sorted by_id, and is not: either"):
        load_recording(path)


@pytest.mark.parametrize("sorting", ["by_colour", 7, 1.5, np.nan])
def test_an_unknown_sorting_is_refused_by_name(tmp_path, sorting):
    path = sonata_file(tmp_path / "a.h5", [1.0], [0], sorting=sorting)
    with pytest.raises(FormatError, match="sorting must be one of none, by_id, by_time, it is"):
        load_recording(path)


@pytest.mark.parametrize("attributes", [{}, {"sorting": "none"}, {"sorting": 0}])
def test_ranks_may_write_one_after_the_other(tmp_path, attributes):
    # Times of all turn back, those of no node do.
    times, ids = [*range(1, 9), *range(1, 9)], [0] * 8 + [1] * 8
    found = load_recording(sonata_file(tmp_path / "a.h5", times, ids, **attributes), dt_ms=1.0)
    assert found.spikes.count == 16
    assert "notes" not in found.provenance


def test_times_in_no_order_are_taken_where_the_format_allows_it_and_that_is_told(tmp_path):
    rng = np.random.default_rng(0)
    times = rng.permutation(200) * 10.0
    found = load_recording(sonata_file(tmp_path / "a.h5", times, np.arange(200) % 5), dt_ms=1.0)
    # The spike at 10 k ms is that of the node it was written with.
    assert sorted(events(found)) == sorted((0, int(t), n % 5) for n, t in enumerate(times))
    assert "cortex: the times of 5 nodes run backwards" in found.provenance["notes"]
    assert "taken as in no order" in found.provenance["notes"]


def test_but_not_where_they_start_over_and_over(tmp_path):
    rng = np.random.default_rng(0)
    trials = [np.sort(rng.uniform(0, 1000, 40)) for _ in range(10)]
    path = sonata_file(tmp_path / "a.h5", np.concatenate(trials), rng.integers(0, 5, 400))
    with pytest.raises(FormatError, match="all times start over 9 times: trials that begin anew"):
        load_recording(path)


def test_the_same_time_twice_is_called_a_duplicate(tmp_path):
    path = nwb_file(tmp_path / "a.nwb", [[0.5], [0.25, 3.0625, 3.0625, 4.0, 4.0]], TEN)
    for dt_ms in (1.0, 1e-3):
        with pytest.raises(FormatError, match="fires twice at the same time") as refused:
            load_recording(path, dt_ms=dt_ms)
        said = str(refused.value)
        assert "neuron 1 (both counted from 0) fires twice at the same time, 0.0625 s into" in said
        assert "trial 3, and so it is with 2 spikes in all: duplicates in the file" in said
        assert "dt-ms" not in said


@pytest.mark.parametrize("seed", range(5))
def test_a_step_that_is_too_coarse_is_refused_with_one_that_is_not(tmp_path, seed):
    rng = np.random.default_rng(seed)
    trains = [np.sort(rng.uniform(0, 10, 400)) for _ in range(3)]
    path = nwb_file(tmp_path / "a.nwb", trains, TEN)
    with pytest.raises(FormatError, match="fires twice in one step of 5 ms") as refused:
        load_recording(path, dt_ms=5.0)
    step_ms = float(re.search(r"give one of (\S+) ms or less, --dt-ms", str(refused.value))[1])
    assert load_recording(path, dt_ms=step_ms).spikes.count == 1200
    assert step_ms < min(1000 * np.diff(train).min() for train in trains) < 5 * step_ms


def test_a_step_of_the_file_that_is_too_coarse_is_not_to_be_given(tmp_path):
    path = nwb_file(tmp_path / "a.nwb", [[0.5, 0.5004]], TEN, resolution=1e-3)
    with pytest.raises(FormatError, match=r"the file states that step itself; 0.2 ms or less"):
        load_recording(path)


@pytest.mark.parametrize("dtype", ["f4", ">f4"])
def test_times_of_too_little_precision_are_refused_for_that(tmp_path, dtype):
    trains, trials = [[40000.5, 40001.5]], [(a + 40000, b + 40000) for a, b in TEN]
    path = nwb_file(tmp_path / "a.nwb", trains, trials, dtype=dtype)
    # Beyond 2^15 s numbers of float32 are 1/256 s apart, those of the trials as well.
    said = "float32 numbers, which here give a time in a trial to 7.8 ms; give a step of at least"
    with pytest.raises(FormatError, match=said) as refused:
        load_recording(path)
    found = load_recording(path, dt_ms=10.0)
    assert events(found) == [(0, 50, 0), (1, 50, 0)]
    assert "10 ms, --dt-ms (dt_ms), or write them as float64" in str(refused.value)


def test_float32_is_precise_enough_near_the_start(tmp_path):
    steps = np.arange(0, 2000, 7)
    path = nwb_file(tmp_path / "a.nwb", [steps * 1e-4], [(0, 0.2)], dtype="f4")
    assert load_recording(path).spikes.step.tolist() == steps.tolist()


@pytest.mark.parametrize(
    ("dtype", "unit"), [("i4", "ms"), ("u2", "ms"), (">i8", "us"), ("f2", "ms"), (">f8", "s")]
)
def test_times_of_any_type_of_number_are_read(tmp_path, dtype, unit):
    times = np.array([3.0, 100.0, 512.0]) * {"ms": 1, "us": 1e3, "s": 1e-3}[unit]
    path = sonata_file(tmp_path / "a.h5", times.astype(dtype), [0, 0, 1], units=unit)
    assert events(load_recording(path, dt_ms=1.0)) == [(0, 3, 0), (0, 100, 0), (0, 512, 1)]


def with_trials(tmp_path, *trials):
    return nwb_file(tmp_path / "a.nwb", [[0.5], [1.5]], trials)


@pytest.mark.parametrize(
    ("trials", "message"),
    [
        ([(0, 1), (1, np.nan), (2, 3)], r"trial 1 of 3 \(counted from 0\) has no stop, it is nan"),
        ([(0, 1), (np.nan, 2), (np.nan, 3)], "trial 1 .* has no start, it is nan; .* 1 more"),
        ([(0, 1), (1, np.inf)], "trial 1 of 2 .* has no stop, it is inf"),
        ([(0, 1), (1, 1)], "trial 1 of 2 .* lasts 0 s, its stop is not after its start"),
        ([(0, 0), (0, 0)], "trial 0 of 2 .* lasts 0 s, .* with 1 more"),
        ([(0, 1), (2, 1)], "trial 1 of 2 .* lasts -1 s, its stop is not after its start"),
        ([(0, 1), (0.9, 1.9)], "trials overlap: trial 1 of 2 .* starts at 0.9 s, the one before"),
        ([(2, 3), (0, 1)], "trials are not in order: trial 1 of 2 .* starts at 0 s, the one"),
        ([(0, 1), (1, 1.5)], "trials last from 0.5 to 1 s; .* --window-s 0:0.5"),
        ([], "must hold a start and a stop for each trial"),
    ],
)
def test_trials_are_refused_for_what_is_the_matter_with_which_one(tmp_path, trials, message):
    with pytest.raises(FormatError, match=message):
        load_recording(with_trials(tmp_path, *trials))


def test_trials_may_overlap_and_differ_by_a_rounding(tmp_path):
    third = 1 / 3
    path = nwb_file(tmp_path / "a.nwb", [[third, 0.5]], [(0, third + 1e-9), (third, 2 * third)])
    assert events(load_recording(path, dt_ms=1.0)) == [(1, 0, 0), (1, 167, 0)]


def test_times_before_the_session_are_outside_of_trials_or_in_one(tmp_path):
    path = nwb_file(tmp_path / "a.nwb", [[-1.5, -0.75, 0.25]], [(-1.0, 0.0), (0.0, 1.0)])
    found = load_recording(path, dt_ms=1.0)
    assert events(found) == [(0, 250, 0), (1, 250, 0)]
    assert found.provenance["spikes_outside_trials"] == 1
    with pytest.raises(FormatError, match=r"not negative where no trials are given; .* -1.5 s"):
        load_recording(nwb_file(tmp_path / "b.nwb", [[-1.5, 0.25]]))


def test_times_since_1970_are_refused_in_a_sentence(tmp_path):
    with pytest.raises(FormatError, match="must count from the start of the session"):
        load_recording(nwb_file(tmp_path / "a.nwb", [[1.6e9]]))


def test_the_last_spike_of_a_trial_adds_no_trial_by_its_rounding(tmp_path):
    # In float32 29.7 ms is a little more, in the last step of the second trial.
    path = sonata_file(tmp_path / "a.h5", np.array([5.0, 29.7], dtype="f4"), [0, 0])
    assert load_recording(path, trial_s=0.0149).spikes.n_trials == 2
