"""Constants that no processor decides."""

import decimal
import time

import mpmath
import numpy as np
import pytest

from bridge.spiking.decay import decay_factor
from bridge.spiking.exact_constants import exp_rounded, expm1_rounded, log1p_rounded

ROUNDED = {
    "exp": (exp_rounded, mpmath.exp),
    "expm1": (expm1_rounded, mpmath.expm1),
    "log1p": (log1p_rounded, mpmath.log1p),
}


@pytest.mark.parametrize("name", ROUNDED)
def test_it_is_the_float64_nearest_to_the_truth(name):
    rounded, true = ROUNDED[name]
    rng = np.random.default_rng(0)
    near_0 = 10 ** rng.uniform(-300, -1, 1000) * rng.choice([-1, 1], 1000)
    x = np.concatenate([rng.uniform(-0.99, 0, 3000), rng.uniform(0, 700, 1000), near_0])
    with mpmath.workprec(1200):
        nearest = [float(true(mpmath.mpf(value))) for value in x.tolist()]
    np.testing.assert_array_equal(rounded(x), nearest)


@pytest.mark.parametrize("name", ROUNDED)
def test_its_ends_are_those_of_numpy(name):
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324, -1.0, 1e308, -1e308])
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(x)
    # Of the logarithm of 1e308 the last bit is the library's own.
    np.testing.assert_allclose(ROUNDED[name][0](x), expected, rtol=3e-16, atol=0)


def test_the_shape_is_kept():
    assert exp_rounded(-0.5).shape == ()
    assert exp_rounded(np.zeros((2, 0))).shape == (2, 0)
    x = np.array([[0.5, -0.25, 0.5], [-0.0, 0.0, 2.0]])
    # The last bit of the library's may be another.
    np.testing.assert_allclose(exp_rounded(x), np.exp(x), rtol=3e-16)


def test_a_program_with_few_decimal_digits_gets_the_same():
    with decimal.localcontext() as context:
        context.prec, context.rounding = 5, decimal.ROUND_UP
        assert exp_rounded(-0.123456).item() == float(mpmath.exp(mpmath.mpf(-0.123456)))


def test_a_decay_factor_is_the_nearest_to_that_of_the_rounded_quotient():
    tau_ms = np.random.default_rng(1).uniform(1, 100, 2000)
    with mpmath.workprec(200):
        nearest = [float(mpmath.exp(mpmath.mpf(-0.05 / tau))) for tau in tau_ms.tolist()]
    np.testing.assert_array_equal(decay_factor(tau_ms, 0.05), nearest)


def test_ten_thousand_neurons_take_no_time():
    tau_ms = np.random.default_rng(2).uniform(1, 100, 10_000)
    before = time.process_time()
    decay_factor(tau_ms, 0.1)
    # A fifth of a second; a machine that is busy or slow may take some times as long.
    assert time.process_time() - before < 2
