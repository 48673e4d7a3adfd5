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
    assert compare_recordings(one, other, plan=Plan(trials=10)).statistical[0].trials == 10


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
        (poisson(1, trials=5), "statistics need at least 8, got 5"),
        (replace(poisson(1), dt_ms=0.5), "different trials, neurons or lengths"),
    ],
)
def test_recordings_that_cannot_be_compared_are_refused(other, message):
    with pytest.raises(SpecError, match=message):
        compare_recordings(poisson(0), other)
