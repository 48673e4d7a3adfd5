"""Signs and sparsity are exact, and the weights are those of another solver."""

import dataclasses

import numpy as np
import pytest
from methods.rate_targets.one_sine import SMALL, one_sine
from methods.rate_targets.test_trials_that_differ import either_sign
from scipy.optimize import lsq_linear
from threadpoolctl import threadpool_info, threadpool_limits

import bridge
from bridge.errors import SpecError
from bridge.methods.rate_targets import dale
from bridge.methods.rate_targets.dale import _candidates, _recorded
from bridge.methods.rate_targets.dale_options import DaleOptions
from bridge.methods.rate_targets.learner import Learner
from bridge.methods.rate_targets.rebuilt import rebuilt
from bridge.methods.rate_targets.signed_weights import Moments, signed_weights
from bridge.tasks import names

FEW = {"trials": 10, "test_trials": 5}


def samples(seed=0):
    rng = np.random.default_rng(seed)
    s = rng.exponential(size=(60, 8))
    return s, s @ rng.normal(size=(8, 3)) + 0.1 * rng.normal(size=(60, 3)) + 5.0


def of(s, y):
    moments = Moments(8, 3)
    # As they come: in parts.
    moments.add(s[:20], y[:20])
    moments.add(s[20:], y[20:])
    return moments


def test_moments_are_those_of_all_samples_together():
    s, y = samples()
    means, covariances = of(s, y).means(), of(s, y).covariances()
    both = np.cov(np.hstack((s, y)).T, bias=True)
    np.testing.assert_allclose(np.hstack(means), np.hstack((s, y)).mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(covariances[0], both[:8, :8], rtol=1e-10)
    np.testing.assert_allclose(covariances[1], both[:8, 8:], rtol=1e-10)


def test_weights_are_those_that_bounded_least_squares_finds():
    s, y = samples()
    signs = np.array([1.0, -1.0] * 4)
    chosen = np.array([0, 1, 2, 5, 6, 7])
    found = signed_weights(of(s, y), signs, lambda target: chosen, 8, 1e-3)
    centred, goal = s - s.mean(axis=0), y - y.mean(axis=0)
    # The ridge is so many more samples, whose targets are 0.
    extra = np.diag(np.sqrt(60 * 1e-3) * centred.std(axis=0))[:, chosen]
    bounds = np.where(signs > 0, 0, -np.inf)[chosen], np.where(signs > 0, np.inf, 0)[chosen]
    for target in range(3):
        other = lsq_linear(
            np.vstack((centred[:, chosen], extra)),
            np.concatenate((goal[:, target], np.zeros(8))), bounds=bounds, method="bvls", tol=1e-14,
        )  # fmt: skip
        # Over 20 seeds of samples they were at most 2e-14 apart, of weights up to 2.
        np.testing.assert_allclose(found[target, chosen], other.x, rtol=0, atol=1e-12)
        assert not found[target, [3, 4]].any()


def test_of_more_than_are_kept_those_stay_that_contribute_most():
    rng = np.random.default_rng(1)
    s = rng.normal(size=(500, 8)) * np.array([1, 1, 1, 1, 1, 1, 1, 100.0])
    true = np.array([5.0, -4.0, 3.0, -2.0, 1.0, -0.5, 0.2, -0.02])
    signs = np.sign(true)
    moments = Moments(8, 1)
    moments.add(s, (s @ true)[:, None])
    found = signed_weights(moments, signs, lambda target: np.arange(8), 5, 1e-9)[0]
    # That of the last is small, and its regressor large.
    assert np.flatnonzero(found).tolist() == [0, 1, 2, 3, 7]
    # What was left out is independent noise to the others: its s.d. is 1.1, over sqrt(500).
    np.testing.assert_allclose(found[:4], true[:4], atol=0.25)


def test_what_never_varies_has_no_weight():
    s, y = samples()
    s[:, 2] = 0.0
    found = signed_weights(of(s, y), np.ones(8), lambda target: np.arange(8), 8, 1e-3)
    assert not found[:, 2].any()
    assert found.any()


def test_of_regressors_that_are_all_still_none_has_a_weight():
    s, y = samples()
    found = signed_weights(of(0 * s, y), np.ones(8), lambda target: np.arange(8), 8, 1e-3)
    np.testing.assert_array_equal(found, np.zeros((y.shape[1], 8)))


@pytest.fixture(scope="module")
def fits():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(names._own, "one-sine", one_sine())
        fit = bridge.fit_targets(one_sine(), **SMALL)
        yield fit, bridge.with_dales_law(fit, connected=0.3, excitatory=0.6, **FEW)


def test_signs_and_sparsity_are_exact(fits, tmp_path):
    fit, signed = fits
    back = bridge.load(bridge.save(signed, tmp_path / "dale.h5"))
    assert np.array_equal(back.errors, signed.errors)
    (population,) = back.network.populations
    excitatory = np.array([kind == "excitatory" for kind in population.cell_types])
    assert excitatory.tolist() == [True] * 42 + [False] * 28
    recurrent = [part for part in back.network.projections if part.source == "neurons"]
    assert [part.name for part in recurrent] == ["slow", "fast"]
    both = np.hstack([part.synapses().toarray() for part in recurrent])
    assert np.all(both[:, np.tile(excitatory, 2)] >= 0)
    assert np.all(both[:, np.tile(~excitatory, 2)] <= 0)
    # 0.3 of 140 possible ones, from 0.6 of 70 neurons.
    assert np.count_nonzero(both, axis=1).max() <= 42
    partners = (both[:, :70] != 0) | (both[:, 70:] != 0)
    assert partners.sum(axis=1).max() <= 42
    assert back.checkpoint is None
    assert back.network.provenance["dale"]["connected"] == 0.3
    # What it was made from is as it was.
    assert fit.checkpoint is not None


def test_what_is_recorded_are_the_filtered_spikes_that_the_old_weights_make_currents_of(fits):
    fit, _ = fits
    options = DaleOptions(trials=2, test_trials=1)
    moments, now = _recorded(rebuilt(fit), options, lambda: None)
    old = [part.weights for part in fit.network.projections if part.source == "neurons"]
    gram, cross = moments.covariances()
    expected = gram @ np.hstack(old).T
    # The old weights give the currents without error; sums of 400 samples are rounded.
    np.testing.assert_allclose(cross, expected, rtol=0, atol=1e-9 * np.abs(cross).max())
    assert moments.count == 400
    assert np.all(now >= 0)
    assert now.any()


def test_fewer_are_kept_than_the_solver_would_take(fits, monkeypatch):
    monkeypatch.setitem(names._own, "one-sine", one_sine())
    # Of twice as many it takes about half by itself.
    monkeypatch.setattr("bridge.methods.rate_targets.dale._CANDIDATES", 8)
    sparse = bridge.with_dales_law(fits[0], connected=0.1, trials=3, test_trials=1).network
    both = np.hstack([part.synapses().toarray() for part in sparse.projections[:2]])
    assert np.count_nonzero(both, axis=1).max() == 14


def test_it_goes_on_with_the_spikes_of_before(fits):
    _, signed = fits
    channels = signed.network.readouts[0].channels
    parts = [part for part in signed.network.projections if part.source == "neurons"]
    for part, channel in zip(parts, channels, strict=True):
        trace = channel.initial_states["x"]
        assert trace.max() > 0
        np.testing.assert_allclose(
            part.initial_states["x"], part.synapses() @ trace, rtol=1e-12, atol=1e-12
        )


def test_each_neuron_chooses_among_twice_as_many_others_as_are_kept():
    drawn = _candidates(50, DaleOptions(connected=0.2))
    first, second = drawn(0), drawn(1)
    for chosen in (first, second):
        assert len(set(chosen.tolist())) == 2 * 20
        np.testing.assert_array_equal(chosen[20:], chosen[:20] + 50)
        assert chosen.max() < 100
    assert not np.array_equal(first, second)


def test_it_is_judged_on_its_own_and_fires_the_same_spikes_in_backends(fits):
    _, signed = fits
    runs = [bridge.simulate(signed, signed.drive(5), backend=each)
            for each in ("reference", "compiled")]  # fmt: skip
    np.testing.assert_array_equal(runs[0].spikes.codes(), runs[1].spikes.codes())
    z = runs[0].readouts["output"][:, 0, 0].reshape(5, -1)
    f = signed.trial.targets[:, 0, 0]
    expected = np.square(z - f).sum(axis=1) / np.square(f).sum()
    # Sums of 200 numbers in another order.
    np.testing.assert_allclose(signed.errors, expected, rtol=5e-13)
    # Without an output it would be 1.
    assert signed.errors[0] < 0.5


def test_of_several_draws_the_one_with_the_least_error_stays(fits):
    fit, _ = fits
    single = [bridge.with_dales_law(fit, seed=seed, **FEW) for seed in (1, 2, 3)]
    best = min(single, key=lambda made: made.error)
    # So neither the first nor the last stays by itself.
    assert best is single[1]
    made = bridge.with_dales_law(fit, seed=1, draws=3, **FEW)
    assert made.errors.tobytes() == best.errors.tobytes()
    assert made.network.provenance["dale"] == best.network.provenance["dale"]
    for part, other in zip(made.network.projections, best.network.projections, strict=True):
        assert part.synapses().toarray().tobytes() == other.synapses().toarray().tobytes()


@pytest.mark.parametrize(
    ("errors", "right"),
    [
        # What became of a network that overflows is nothing to be kept.
        ([[np.nan], [0.5], [np.nan]], [None, None, None]),
        ([[], [], []], [3, 4, 0]),
    ],
)
def test_a_draw_without_an_error_is_not_taken_for_the_best(errors, right, fits, monkeypatch):
    _, signed = fits
    judged = [dataclasses.replace(signed, right=each) for each in right]
    for one, given in zip(judged, errors, strict=True):
        object.__setattr__(one, "errors", np.array(given))
    left = iter(judged)
    monkeypatch.setattr(dale, "_judged", lambda *_: next(left))
    assert bridge.with_dales_law(fits[0], draws=3, **FEW) is judged[1]


def test_trials_that_differ_begin_at_rest(monkeypatch):
    tiny = {"units": 20, "teacher_units": 10, "settle_trials": 1, "learn_trials": 1,
            "test_trials": 1, "slow_gain": 0.05}  # fmt: skip
    task = dataclasses.replace(one_sine(draw=either_sign), correct=lambda z, trials: z[0, :, 0] < 9)
    monkeypatch.setitem(names._own, "one-sine", task)
    fit = bridge.fit_targets(task, **tiny)
    signed = bridge.with_dales_law(fit, trials=1, test_trials=4)
    assert signed.errors.shape == (4,)
    assert signed.right == 4
    assert not any(part.initial_states for part in signed.network.projections)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"excitatory": 0.0}, "excitatory: must lie above 0 and up to 1"),
        ({"connected": 1.5}, "connected: must lie above 0 and up to 1"),
        ({"ridge": 0.0}, "ridge: must be positive"),
        ({"trials": 0}, "trials"),
        ({"draws": 0}, "draws"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, said, fits):
    with pytest.raises(SpecError, match=said):
        bridge.with_dales_law(fits[0], **options)


def test_options_are_refused_before_anything_is_computed(fits, monkeypatch):
    monkeypatch.setattr("bridge.methods.rate_targets.dale.rebuilt", pytest.fail)
    with pytest.raises(SpecError, match="trials"):
        bridge.with_dales_law(fits[0], trials=0)


def test_small_products_run_on_one_thread(fits, monkeypatch):
    seen, own_step = [], Learner.own_step

    def looking(learner, lesson, step):
        # To look takes longer than the step.
        if step % 50 == 0:
            libraries = (each for each in threadpool_info() if each["user_api"] == "blas")
            seen.extend(each["num_threads"] for each in libraries)
        return own_step(learner, lesson, step)

    monkeypatch.setattr(Learner, "own_step", looking)
    run = rebuilt(fits[0])
    with threadpool_limits(2, "blas"):
        _recorded(run, DaleOptions(trials=1, test_trials=1), lambda: None)
    assert set(seen) == {1}


def test_a_network_with_dales_law_has_no_checkpoint_to_go_on_from(fits):
    with pytest.raises(SpecError, match="holds no checkpoint"):
        bridge.with_dales_law(fits[1])
