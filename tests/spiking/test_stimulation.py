"""The draws of stimulation: how often, for whom, and decided by what."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import kim_network

from bridge.errors import SpecError
from bridge.spiking.drive import Drive, FrozenNoise, OwnNoise, SharedNoise
from bridge.spiking.stimulation import Stimulation

STEPS = 20_000


def push(**fields):
    given = {"start_step": 0, "stop_step": STEPS, "neurons": [0], "amplitude_mv": 1.0}
    return Stimulation(**(given | fields))


def drive(*stimulation, trials=3, noise=None, **fields):
    noise = noise or SharedNoise(seed=7)
    inputs = np.zeros((STEPS // 100, trials, 2))
    return Drive(inputs=inputs, noise=noise, stimulation=stimulation, **fields)


def kicks(*stimulation, **fields):
    """(M, K, B)."""
    return drive(*stimulation, **fields).kicks().take(range(STEPS)).transpose(1, 0, 2)


@pytest.mark.parametrize("probability", [0.0, 0.03, 0.5, 1.0])
def test_pushes_come_with_their_probability(probability):
    (given,) = kicks(push(probability=probability, amplitude_mv=-0.5), trials=20)
    assert set(np.unique(given)) <= {-0.5, 0.0}
    # The share of n independent draws has s.d. sqrt(p (1 - p) / n).
    sd = np.sqrt(probability * (1 - probability) / given.size)
    assert abs(np.mean(given != 0) - probability) <= 4 * sd


def test_draws_know_nothing_of_each_other():
    first, second = kicks(push(), push(), trials=4) != 0
    apart = [
        (first[:-1], first[1:]),
        (first[:, :-1], first[:, 1:]),
        (first, second),
        (first, kicks(push(), trials=4, noise=SharedNoise(seed=8))[0] != 0),
    ]
    for one, other in apart:
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 4 / np.sqrt(one.size)


def test_nothing_is_pushed_outside_the_window():
    (given,) = kicks(push(start_step=100, stop_step=250, probability=1))
    assert np.flatnonzero(given.any(axis=1)).tolist() == list(range(100, 250))


def test_draws_are_decided_by_seed_trial_and_step_alone():
    one, other = push(), push(seed=3)
    whole = kicks(one, other, trials=5)
    np.testing.assert_array_equal(kicks(one, other, trials=2), whole[:, :, :2])
    part = drive(one, other, trials=5).trials(3, 5).kicks()
    np.testing.assert_array_equal(part.take(range(500, 900)), whole[:, 500:900, 3:].swapaxes(0, 1))
    same_trial = kicks(one, trials=2, trial_numbers=[4, 4])[0]
    np.testing.assert_array_equal(same_trial, whole[0][:, [4, 4]])
    own = kicks(one, other, trials=5, noise=OwnNoise(seed=7))
    np.testing.assert_array_equal(own, whole)


def test_a_seed_of_its_own_goes_before_that_of_the_noise():
    given = [kicks(push(seed=3), noise=SharedNoise(seed=seed)) for seed in (1, 2)]
    np.testing.assert_array_equal(*given)
    assert not np.array_equal(given[0], kicks(push(seed=4)))
    frozen = FrozenNoise(values_mv=np.zeros((STEPS, 3, 1)))
    np.testing.assert_array_equal(
        kicks(push(seed=3), noise=frozen, v_initial_mv=np.zeros((3, 1))), given[0]
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: push(start_step=5, stop_step=5), "stop_step: expected a whole number of at least"),
        (lambda: push(start_step=-1), "start_step: expected a whole number"),
        (lambda: push(neurons=[]), "at least one, once"),
        (lambda: push(neurons=[1, 1]), "at least one, once"),
        (lambda: push(neurons=[-1]), "at least one, once"),
        (lambda: push(neurons=[0.5]), "expected whole numbers"),
        (lambda: push(amplitude_mv=np.inf), "amplitude_mv: expected a finite number, got inf"),
        (lambda: push(probability=1.01), "must lie in 0 to 1, got 1.01"),
        (lambda: push(probability=np.nan), "probability: expected a finite number, got nan"),
        (lambda: push(seed=-2), "seed: expected a whole number"),
        (
            lambda: drive(
                push(),
                noise=FrozenNoise(values_mv=np.zeros((STEPS, 3, 1))),
                v_initial_mv=np.zeros((3, 1)),
            ),
            "give each stimulation its own",
        ),
        (lambda: drive(push(neurons=[4])).check(kim_network(size=4)), "neuron 4 is asked for"),
        (
            lambda: drive(push(stop_step=STEPS + 1)).check(kim_network(size=4)),
            "lasts until step 20001, a trial has 20000 steps",
        ),
    ],
)
def test_stimulation_that_makes_no_sense_is_refused(make, message):
    with pytest.raises(SpecError, match=message):
        make()


def test_stimulation_is_as_frozen_as_the_rest():
    given = push(neurons=[3, 1])
    with pytest.raises(ValueError, match="read-only"):
        given.neurons[0] = 2
    assert replace(given, amplitude_mv=-1).neurons.tolist() == [3, 1]
