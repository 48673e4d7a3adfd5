"""Filters: Euler steps and gains of their own, by their formulas."""

import numpy as np
import pytest

from bridge.errors import SpecError
from bridge.spiking.filters import DoubleExponential, Exponential, SecondOrder

DT_MS = 0.1


def test_an_euler_step_is_the_exact_one_of_another_time_constant():
    tau_ms = np.array([0.25, 3.0, 40.0])
    euler = Exponential(tau_ms=tau_ms, normalisation="jump", filter_step="euler").sized(3)
    other = -DT_MS / np.log(1 - DT_MS / tau_ms)
    exact = Exponential(tau_ms=other, normalisation="jump").sized(3)
    # Fifty products of a factor that is rounded in both.
    np.testing.assert_allclose(euler.response(DT_MS, 50), exact.response(DT_MS, 50), rtol=1e-12)


def test_in_euler_steps_a_filter_of_unit_area_has_just_that():
    single = Exponential(tau_ms=[2.0, 7.0], normalisation="area", filter_step="euler").sized(2)
    double = DoubleExponential(tau_rise_ms=2.0, tau_decay_ms=[5.0, 7.0], filter_step="euler")
    for filter_ in (single, double.sized(2)):
        # Four thousand steps of rounding, and what is left after 400 ms.
        area = filter_.response(DT_MS, 4000).sum(axis=0) * DT_MS / 1000
        np.testing.assert_allclose(area, 1.0, rtol=1e-9)


def test_a_gain_of_its_own_is_what_a_spike_adds():
    own = Exponential(tau_ms=5.0, normalisation="gain", gain=[0.5, 3.0]).sized(2)
    np.testing.assert_array_equal(own.response(DT_MS, 1)[0], [0.5, 3.0])


def test_a_gain_beside_a_normalisation_is_refused():
    with pytest.raises(SpecError, match="gain: of no use where the normalisation is 'area'"):
        Exponential(tau_ms=5.0, normalisation="area", gain=2.0).sized(1)


@pytest.mark.parametrize("tau_ms", [0.1, 0.05])
def test_an_euler_step_as_long_as_the_time_constant_is_refused(tau_ms):
    filter_ = Exponential(tau_ms=tau_ms, normalisation="jump", filter_step="euler").sized(1)
    with pytest.raises(SpecError, match=r"an Euler step of 0\.1 ms needs longer"):
        filter_.constants(DT_MS)


def test_what_came_later_is_in_files_only_where_it_is_used():
    plain = Exponential(tau_ms=5.0, normalisation="area").sized(2)
    assert (plain.needs_version(), set(plain.stored())) == (1, {"tau_ms", "normalisation", "side"})
    euler = Exponential(tau_ms=5.0, normalisation="area", filter_step="euler").sized(2)
    assert euler.needs_version() == 4
    own = Exponential(tau_ms=5.0, normalisation="gain", gain=1.0).sized(2)
    assert own.needs_version() == 4


def test_a_filter_of_second_order_has_unit_area_and_lags_by_what_it_says():
    lag_ms = np.array([2.0, 15.0])
    response = SecondOrder(lag_ms=lag_ms).sized(2).response(DT_MS, 4000)
    # Of the longer one e^-19 is left after 400 ms.
    np.testing.assert_allclose(response.sum(axis=0) * DT_MS / 1000, 1.0, rtol=1e-8)
    mean_ms = (np.arange(4000)[:, None] * response).sum(axis=0) / response.sum(axis=0) * DT_MS
    # The rest of 6e-9 lies 400 ms late: 2e-6 ms of the mean.
    np.testing.assert_allclose(mean_ms, lag_ms, rtol=0, atol=1e-5)


def test_a_filter_of_second_order_is_the_damped_oscillation():
    time_s = np.arange(200) * 1e-5
    got = SecondOrder(lag_ms=0.5, damping=0.5).sized(1).response(0.01, 200)[:, 0]
    # x'' + 2 damping w x' + w^2 x = w^2 s.
    w = 2 * 0.5 / 0.5e-3
    turn = w * np.sqrt(1 - 0.5**2)
    wanted = w**2 / turn * np.exp(-0.5 * w * time_s) * np.sin(turn * time_s)
    # The trapezoidal rule at 50 steps a lag: of second order, 1/12 of the square of 1/50.
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-4 * wanted.max())


@pytest.mark.parametrize("damping", [0.0, 1.0, -0.1])
def test_a_filter_of_second_order_is_damped_and_oscillates(damping):
    with pytest.raises(SpecError, match="damping: must lie between 0 and 1"):
        SecondOrder(lag_ms=10.0, damping=damping).sized(1)
