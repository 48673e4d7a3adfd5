"""Networks trained together in parts are those of one training, and each is there when it ends."""

import dataclasses
import math

import numpy as np
import pytest

import bridge
from bridge.errors import TrainingError
from bridge.rate import training_loop
from bridge.rate.training import train_many
from bridge.rate.training_parts import train_each

# By their losses the second ends after 3 updates, the third after 9, the others at the last.
SEEDS = [2, 3, 4, 0]
UNEQUAL = {
    "units": 21, "batch": 5, "check_every": 3, "evaluation_trials": 9, "target_loss": 1.325,
    "target_accuracy": 0.0, "max_updates": 12, "gain": 0.8, "training_noise_sd": 0.1,
}  # fmt: skip


def same(one, other):
    for name in ("recurrent", "w_in", "w_out", "b_out", "tau_ms", "bias"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    for name in ("update", "loss", "accuracy"):
        np.testing.assert_array_equal(getattr(one.history, name), getattr(other.history, name))


def in_parts(folder, seeds, **options):
    """What each part has finished, its unfinished networks written and read in between."""
    parts, going, begun = [], list(seeds), []
    while going:
        part = train_each("short", going, begun=begun, **options)
        parts.append(part.finished)
        going, begun = list(part.unfinished), []
        for seed, network in part.unfinished.items():
            path = folder / f"{len(parts)}-{seed}.h5"
            bridge.save(network, path)
            begun.append(bridge.load(path))
    return parts


@pytest.mark.parametrize("fields", [{}, {"training_noise_sd": 0.5, "som": 1, "bias": True}])
def test_parts_leave_the_networks_of_one_training_to_the_last_bit(tmp_path, monkeypatch, fields):
    options = {**UNEQUAL, **fields}
    whole = dict(zip(SEEDS, train_many("short", SEEDS, **options), strict=True))
    update, made = training_loop.update, []

    def counted(run):
        made.append(run.updates)
        update(run)

    monkeypatch.setattr(training_loop, "update", counted)
    parts = in_parts(tmp_path, SEEDS, part_s=0.0, **options)
    # What was done in one part is not done again in the next.
    assert made == list(range(12))
    ended = sorted({network.provenance["updates"] for network in whole.values()})
    # Each part ends with those of one evaluation.
    assert len(parts) == len(ended) > 1
    for updates, part in zip(ended, parts, strict=True):
        assert {network.provenance["updates"] for network in part.values()} == {updates}
        for seed, network in part.items():
            same(whole[seed], network)
            for key in ("options", "updates", "stopped", "trained_together"):
                assert network.provenance[key] == whole[seed].provenance[key]
    assert sorted(seed for part in parts for seed in part) == sorted(SEEDS)


def test_the_time_of_a_training_is_that_of_all_its_parts():
    first = train_each("short", SEEDS, part_s=0.0, **UNEQUAL)
    going = [
        dataclasses.replace(network, provenance={**network.provenance, "seconds": 1000.0})
        for network in first.unfinished.values()
    ]
    second = train_each("short", list(first.unfinished), begun=going, **UNEQUAL)
    assert all(1000 <= network.provenance["seconds"] < 2000 for network in second.finished.values())


def test_a_part_that_has_not_taken_long_goes_on(tmp_path):
    assert len(in_parts(tmp_path, SEEDS, part_s=math.inf, **UNEQUAL)) == 1
    assert len(in_parts(tmp_path, SEEDS, part_s=60.0, **UNEQUAL)) == 1


def test_what_fails_ends_a_part_as_well():
    options = {**UNEQUAL, "units": 30, "som": 7, "max_updates": 4}
    part = train_each("short", [0, 1], part_s=0.0, **options)
    assert type(part.finished[0]) is bridge.RateNetwork
    assert type(part.finished[1]) is TrainingError
    assert not part.unfinished
    assert list(train_each("short", [1], part_s=0.0, **options).finished) == [1]
