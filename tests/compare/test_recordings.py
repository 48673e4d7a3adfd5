"""Recordings of whatever origin, compared without a simulator."""

from dataclasses import replace

import numpy as np
import pytest

import bridge
from bridge.compare.recordings import compare_recordings
from bridge.compare.statistical import Plan
from bridge.errors import SpecError
from bridge.spiking.recording import Recording, Spikes


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
    return replace(recording, readouts=readouts)


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
        with_readouts(poisson(1), z=np.zeros((0, trials, 1))),
        with_readouts(poisson(1), w=plain),
        poisson(1),
    ):
        found = compare_recordings(one, other)
        assert len(found.statistical[0].quantities) == 2
        bridge.report(found, tmp_path / "r.html", force=True)
        told = found.statistics()["readout y: mean"]
        assert set(told) == {"A"}
    both = compare_recordings(one, with_readouts(poisson(1), y=plain))
    assert [part.name for part in both.statistical[0].quantities][2:] == ["readout in bins"]


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
        "rasters.png",
        "own_rates_0.png",
        "distributions_0.png",
    } <= names
    assert "Agree: A and B" in written[0].read_text()


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (poisson(1, neurons=29), "A has 30 neurons, B has 29"),
        (poisson(1, trials=10), "statistics of 2 sets need at least 11, got 10"),
        (replace(poisson(1), dt_ms=0.5), "different trials, neurons or lengths"),
    ],
)
def test_recordings_that_cannot_be_compared_are_refused(other, message):
    with pytest.raises(SpecError, match=message):
        compare_recordings(poisson(0), other)
