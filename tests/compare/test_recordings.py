"""Recordings of whatever origin, compared without a simulator."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import bridge
from bridge.compare.recordings import compare_recordings
from bridge.compare.report.outcome import outcome
from bridge.compare.statistics.comparison import Plan
from bridge.compare.statistics.spike_statistics import in_longer_steps
from bridge.errors import SpecError
from bridge.spiking.recording import Recording, Spikes


@cache
def poisson(seed, trials=40, neurons=30, factor=1.0):
    """Trials of 1 s in steps of 1 ms, neurons of 5 to 40 Hz."""
    rng = np.random.default_rng(seed)
    chance = factor * np.linspace(0.005, 0.04, neurons)
    trial, step, neuron = np.nonzero(rng.random((trials, 1000, neurons)) < chance)
    return Recording(
        spikes=Spikes.gather(trial, step, neuron, (trials, 1000, neurons)),
        readouts={}, dt_ms=1.0, sample_ms=1.0, populations={"units": neurons},
    )  # fmt: skip


def two_populations(recording, first):
    return replace(recording, populations={"exc": first, "inh": recording.spikes.n_neurons - first})


def test_populations_must_be_the_same_where_both_sides_know_them():
    one, other = poisson(0), poisson(1)
    assert compare_recordings(two_populations(one, 10), two_populations(other, 10)).agreed
    # A file that does not know them has them all in one.
    assert compare_recordings(two_populations(one, 10), other).agreed
    with pytest.raises(SpecError, match="20 exc, 10 inh; 10 exc, 20 inh"):
        compare_recordings(two_populations(one, 20), two_populations(other, 10))


def test_as_few_trials_as_are_allowed_do_tell_a_large_difference():
    one, thrice = poisson(0, trials=12), poisson(1, trials=12, factor=3.0)
    assert not compare_recordings(one, thrice).agreed


def with_readouts(recording, **readouts):
    samples = len(next(iter(readouts.values())))
    return replace(recording, readouts=readouts, sample_ms=1000.0 / samples)


def test_readouts_that_do_not_match_are_left_out(tmp_path):
    trials = 40
    plain, wide, short = (
        np.random.default_rng(0).normal(0, 1, shape)
        for shape in ((50, trials, 1), (50, trials, 2), (20, trials, 1))
    )
    one = with_readouts(poisson(0), z=plain, y=plain)
    for other in (
        with_readouts(poisson(1), z=wide),
        with_readouts(poisson(1), z=short),
        with_readouts(poisson(1), w=plain),
        poisson(1),
    ):
        found = compare_recordings(one, other)
        assert len(found.statistical[0].quantities) == 3
        assert any("'z' is not compared" in line for line in outcome(found).evidence)
        told = found.statistics()["readout y: mean"]
        assert set(told) == {"A"}
    # What is drawn hangs on the readouts that are shared, and here are none.
    bridge.report(found, tmp_path / "r.html")
    both = compare_recordings(one, with_readouts(poisson(1), y=plain))
    assert [part.name for part in both.statistical[0].quantities][3:] == ["readout in bins"]


def test_a_yardstick_takes_no_readout_away():
    here, there = np.zeros((50, 40, 1)), np.full((50, 40, 1), 5.0)
    one, other = with_readouts(poisson(0), z=here), with_readouts(poisson(1), z=there)
    assert not compare_recordings(one, other).agreed
    with pytest.raises(SpecError, match="the yardstick lacks readout 'z'"):
        compare_recordings(one, other, again=poisson(2))


def in_time(seed, course, trials=60, neurons=30):
    """Trials of 1 s in steps of 1 ms, with rates that follow a course."""
    rng = np.random.default_rng(seed)
    chance = course[:, None] * np.linspace(0.005, 0.04, neurons)
    trial, step, neuron = np.nonzero(rng.random((trials, 1000, neurons)) < chance)
    return replace(poisson(0), spikes=Spikes.gather(trial, step, neuron, (trials, 1000, neurons)))


def test_the_same_spikes_at_other_times_are_a_difference():
    early = np.where(np.arange(1000) < 300, 2.0, 0.5)
    one, again, late = in_time(0, early), in_time(1, early), in_time(2, early[::-1])
    assert compare_recordings(one, again).agreed
    found = compare_recordings(one, late, again=again)
    assert not found.agreed
    rates, _, in_bins = found.statistical[0].quantities
    # As many spikes, and not when they should be.
    assert rates.p_spread > 0.01
    assert in_bins.p_spread < 0.001
    between, yardstick = found.statistical[0].time_course
    assert between < 0 < 0.9 < yardstick


def bursting(seed, trials=80, neurons=30):
    """Ten spikes at a time, 2.4 ms apart: in steps of 0.1 ms these intervals do not vary."""
    rng = np.random.default_rng(seed)
    trial, step, neuron = np.nonzero(rng.random((trials, 9700, neurons)) < 0.0003)
    steps = np.concatenate([step + 24 * number for number in range(10)])
    events = np.stack([np.tile(trial, 10), steps, np.tile(neuron, 10)])
    spikes = Spikes.gather(*np.unique(events, axis=1), (trials, 10000, neurons))
    return replace(poisson(0, neurons=neurons), spikes=spikes, dt_ms=0.1)


def test_a_coarser_time_step_is_no_difference():
    fine, other = bursting(0), bursting(1)
    coarse = replace(
        other, spikes=in_longer_steps(other.spikes, 0.1, 1.0), dt_ms=1.0, sample_ms=1.0
    )
    assert coarse.spikes.n_steps == 1000
    found = compare_recordings(fine, coarse)
    assert found.agreed, found.statistical[0].p
    assert found.statistical[0].step_ms == 1.0
    assert any("0.1 and 1 ms" in line for line in outcome(found).evidence)


def test_populations_are_matched_by_name_in_any_order():
    def swapped(recording):
        neurons, exc = recording.spikes.n_neurons, 10
        moved = np.r_[np.arange(exc) + neurons - exc, np.arange(neurons - exc)]
        spikes = recording.spikes
        shape = (spikes.n_trials, spikes.n_steps, neurons)
        return replace(
            recording,
            spikes=Spikes.gather(spikes.trial, spikes.step, moved[spikes.neuron], shape),
            populations={"inh": neurons - exc, "exc": exc},
        )

    one = two_populations(poisson(0), 10)
    found = compare_recordings(one, swapped(one))
    assert found.statistical[0].identical
    assert "hold the same" in outcome(found).verdict
    assert compare_recordings(one, swapped(two_populations(poisson(1), 10))).agreed


def test_the_last_neurons_may_be_silent_where_a_file_tells_no_sizes():
    one = poisson(0)
    kept = np.flatnonzero(one.spikes.neuron < 28)
    parts = (getattr(one.spikes, name)[kept] for name in ("trial", "step", "neuron"))
    quiet = replace(one, spikes=Spikes.gather(*parts, (40, 1000, 30)))
    parts = (getattr(one.spikes, name)[kept] for name in ("trial", "step", "neuron"))
    guessed = replace(
        one,
        spikes=Spikes.gather(*parts, (40, 1000, 28)),
        populations={"all": 28},
        provenance={"sizes_told": False},
    )
    assert compare_recordings(quiet, guessed).statistical[0].identical
    with pytest.raises(SpecError, match="30 neurons, B has 28"):
        compare_recordings(quiet, replace(guessed, provenance={}))


def test_nothing_to_show_is_shown_as_nothing(tmp_path):
    silent = poisson(0, trials=14, factor=0.0)
    found = compare_recordings(silent, silent, labels=("_a$_$.h5", "b$.h5"))
    page, *_ = bridge.report(found, tmp_path / "silent.html")
    assert "Nothing fired" in page.read_text()
    assert found.agreed
    short = replace(poisson(1, trials=14), dt_ms=0.01)
    bridge.report(compare_recordings(short, short), tmp_path / "short.html")


def test_recordings_of_one_process_agree_and_of_others_do_not():
    one, other, again = (poisson(seed) for seed in range(3))
    assert compare_recordings(one, other).agreed
    assert compare_recordings(one, other, again=again).agreed
    faster = poisson(3, factor=1.15)
    assert not compare_recordings(one, faster).agreed
    assert not compare_recordings(one, faster, again=again).agreed


def test_progress_of_the_tests_is_told():
    seen = []
    compare_recordings(
        poisson(0), poisson(1), on_progress=lambda what, done: seen.append((what, done))
    )
    assert {what for what, _ in seen} == {"A and B, tests"}
    fractions = [done for _, done in seen]
    assert fractions == sorted(set(fractions))
    assert len(fractions) > 4
    assert fractions[-1] == 1.0


def test_surplus_trials_are_left_out():
    one, other = poisson(0), poisson(1, trials=25)
    found = compare_recordings(one, other, labels=("long.h5", "short.nwb"))
    assert found.statistical[0].trials == 25
    assert found.labels == ("long.h5", "short.nwb")
    assert compare_recordings(one, other, plan=Plan(trials=12)).statistical[0].trials == 12


def test_a_recording_compared_with_itself_is_no_difference():
    found = compare_recordings(poisson(0), poisson(0)).statistical[0]
    assert found.p == 1.0
    assert all(part.rmse == 0 for part in found.quantities)


def test_the_report_of_two_recordings_is_whole(tmp_path):
    written = bridge.report(compare_recordings(poisson(0), poisson(1)), tmp_path / "two.html")
    names = {path.name for path in written}
    assert {
        "two.html",
        "two.json",
        "rasters.svg",
        "own_rates_0.svg",
        "distributions_0.svg",
    } <= names
    assert "Agree: A and B" in written[0].read_text()


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (poisson(1, neurons=29), "A has 30 neurons, B has 29"),
        (poisson(1, trials=10), "statistics of 2 sets need at least 12, got 10"),
        (replace(poisson(1), dt_ms=0.5), "different trials, neurons or lengths"),
    ],
)
def test_recordings_that_cannot_be_compared_are_refused(other, message):
    with pytest.raises(SpecError, match=message):
        compare_recordings(poisson(0), other)
