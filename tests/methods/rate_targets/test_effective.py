"""Eigenvalues of the effective weights, against responses step by step and closed formulas."""

import dataclasses
import math

import numpy as np
import pytest
from methods.rate_targets.one_sine import one_sine

import bridge
from bridge.errors import SpecError
from bridge.methods.rate_targets.effective import effective_weights, eigenvalues

TINY = {
    "units": 24, "teacher_units": 20, "settle_trials": 1, "component_trials": 1, "mean_trials": 1,
    "learn_trials": 3, "test_trials": 1, "seed": 2,
}  # fmt: skip
RANDOM = {"slow_gain": 0.2, "fast_gain": 0.2}


@pytest.fixture(scope="module")
def fit():
    return bridge.fit_targets(one_sine(), **TINY)


def test_they_are_the_current_that_follows_a_spike_summed_over_time():
    network = bridge.fit_targets(one_sine(), **TINY, factored=True).network
    expected = np.zeros((24, 24))
    for part in network.projections:
        if part.source == "neurons":
            # After 5 s nothing is left of a trace of 100 ms.
            lasting_s = part.filter.response(1.0, 5000).sum(axis=0)[:, None] / 1000
            columns = [part.column(pre) for pre in range(24)]
            expected += lasting_s * np.stack(columns, axis=1)
    # Sums of 5000 numbers.
    np.testing.assert_allclose(effective_weights(network), expected, rtol=1e-11, atol=1e-13)


def test_before_learning_there_is_the_inhibition_alone(fit):
    before, after = eigenvalues(fit)
    # All inhibit all: its one eigenvalue is mu_f / tau_f times the area of a trace of 5 ms.
    area_s = 0.001 / (1 - math.exp(-1 / 5))
    largest = np.argmax(np.abs(before))
    # The double numbers of two matrices subtracted; other eigenvalues are 0 up to such rounding.
    assert before[largest] == pytest.approx(-0.3 / 0.005 * area_s, rel=1e-9)
    assert np.abs(np.delete(before, largest)).max() < 1e-6
    # After it there is one more for each component, and their sum is the trace.
    rank = fit.checkpoint.onto_mv.shape[1] + 1
    assert np.sum(np.abs(after) > 1e-6) == min(rank, 24)
    assert after.sum() == pytest.approx(np.trace(effective_weights(fit.network)), rel=1e-9)


@pytest.mark.parametrize("factored", [True, False])
def test_with_random_connections_what_was_there_is_what_an_untaught_network_has(factored):
    taught = bridge.fit_targets(one_sine(), **TINY, **RANDOM, factored=factored)
    untaught = bridge.fit_targets(one_sine(), **TINY, **RANDOM, update_chance=1e-12)
    found, expected = eigenvalues(taught)[0], eigenvalues(untaught)[1]
    order = (np.sort_complex(each.round(9)) for each in (found, expected))
    # Rounded, so that two of nearly the same real part are in one order.
    np.testing.assert_allclose(*order, rtol=0, atol=2e-9)
    assert np.abs(expected).max() > 0.1


def test_what_a_neuron_that_never_fired_left_at_zero_moves_no_other(fit):
    # Its weights are 0 in the readout as well as in D.
    silent = fit.checkpoint.weights.copy()
    (slow,) = np.flatnonzero(silent.any(axis=0))[:1]
    half = silent.shape[1] // 2
    silent[:, [slow, slow + half]] = 0.0
    learned = fit.checkpoint.onto_mv @ silent[:-1]
    # The same network, by its parts.
    channels = []
    for channel in fit.network.readouts[0].channels:
        weights = np.array(channel.weights)
        trained = np.flatnonzero(weights.any(axis=0))
        weights[:, trained[slow]] = 0.0
        channels.append(dataclasses.replace(channel, weights=weights))
    projections = []
    for part in fit.network.projections:
        if part.source == "neurons":
            columns = learned[:, :half] if part.name == "slow" else learned[:, half:]
            weights = np.full((24, 24), 0.0 if part.name == "slow" else -0.3 / (0.005 * 24))
            weights[:, trained] += columns
            part = dataclasses.replace(part, weights=weights)
        projections.append(part)
    network = dataclasses.replace(
        fit.network, projections=projections,
        readouts=(dataclasses.replace(fit.network.readouts[0], channels=tuple(channels)),),
    )  # fmt: skip
    checkpoint = dataclasses.replace(fit.checkpoint, weights=silent)
    changed = dataclasses.replace(fit, network=network, checkpoint=checkpoint)
    largest = np.sort(np.abs(eigenvalues(changed)[0]))[-2:]
    assert largest[0] < 1e-6 < 1e-1 < largest[1]


def test_without_a_checkpoint_nobody_knows_what_was_there_before(fit):
    with pytest.raises(SpecError, match="holds no checkpoint"):
        eigenvalues(dataclasses.replace(fit, checkpoint=None))


def test_matrices_that_take_minutes_are_refused(fit, monkeypatch):
    monkeypatch.setattr("bridge.methods.rate_targets.effective.MOST_NEURONS", 23)
    with pytest.raises(SpecError, match="of at most 23 neurons, this fit has 24"):
        eigenvalues(fit)
