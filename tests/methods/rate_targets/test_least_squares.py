import numpy as np
import pytest

from bridge.methods.rate_targets.least_squares import RecursiveLeastSquares


def learned(samples, regressors, outputs, seed=0):
    """What was learned from samples, and these."""
    rng = np.random.default_rng(seed)
    # Traces are positive, and of very different sizes.
    s = rng.exponential(1.0, (samples, regressors)) * np.geomspace(0.1, 10.0, regressors)
    y = rng.normal(size=(samples, outputs))
    rls = RecursiveLeastSquares(regressors, outputs)
    for regressors_now, wanted in zip(s, y, strict=True):
        rls.update(regressors_now, rls.weights @ regressors_now - wanted)
    return rls, s, y


def test_the_weights_are_those_of_ridge_regression_on_all_samples():
    rls, s, y = learned(samples=2000, regressors=12, outputs=3)
    ridge = np.linalg.solve(np.eye(12) + s.T @ s, s.T @ y).T
    # Sums over 2,000 samples, in another order, of which each is rounded to 1e-16.
    np.testing.assert_allclose(rls.weights, ridge, rtol=0, atol=1e-12)


def test_fewer_samples_than_regressors_are_enough_for_the_ridge():
    rls, s, y = learned(samples=7, regressors=12, outputs=2)
    ridge = np.linalg.solve(np.eye(12) + s.T @ s, s.T @ y).T
    # The ridge alone holds what 7 samples leave open: condition 1e3, on numbers rounded to 1e-16.
    np.testing.assert_allclose(rls.weights, ridge, rtol=0, atol=1e-12)


def test_p_stays_the_inverse_symmetric_and_positive():
    rls, s, _ = learned(samples=5000, regressors=10, outputs=1, seed=4)
    np.testing.assert_array_equal(rls.p, rls.p.T)
    assert np.linalg.eigvalsh(rls.p).min() > 0
    # Entries up to 1e6 meet those of their inverse, each rounded to 1e-16 of its size.
    np.testing.assert_allclose(rls.p @ (np.eye(10) + s.T @ s), np.eye(10), rtol=0, atol=1e-11)


@pytest.mark.full
def test_a_million_samples_leave_no_drift():
    rls, s, y = learned(samples=10**6, regressors=20, outputs=2)
    ridge = np.linalg.solve(np.eye(20) + s.T @ s, s.T @ y).T
    # A drift of 1e-16 a sample would come to 1e-10.
    np.testing.assert_allclose(rls.weights, ridge, rtol=0, atol=1e-11 * np.abs(ridge).max())
    np.testing.assert_allclose(rls.p @ (np.eye(20) + s.T @ s), np.eye(20), rtol=0, atol=1e-10)
    assert np.linalg.eigvalsh(rls.p).min() > 0
