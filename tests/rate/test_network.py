import numpy as np
import pytest

from bridge.errors import SpecError
from bridge.rate.network import RateNetwork


def network(**fields):
    given = {
        "recurrent": np.zeros((2, 2)), "w_in": [[1.0], [0.0]], "w_out": [[1.0, 1.0]],
        "b_out": [0.25], "tau_ms": [10.0, 50.0], "noise_sd": 0.0, "initial_sd": 0.0,
    } | fields  # fmt: skip
    return RateNetwork(**given)


def test_an_unconnected_unit_relaxes_with_its_time_constant():
    # x[t] = u (1 - (1 - dt/tau)^t) under constant input.
    outputs, activity = network().run(np.full((30, 1, 1), 2.0), np.random.default_rng(0))
    x = 2.0 * (1 - 0.5 ** np.arange(30))
    np.testing.assert_allclose(activity[:, 0, 0], 1 / (1 + np.exp(-x)))
    np.testing.assert_allclose(outputs[:, 0, 0], activity[:, 0].sum(axis=1) + 0.25)


def test_the_noise_has_the_stationary_variance_of_the_recursion():
    _, activity = network(noise_sd=0.1).run(np.zeros((40, 20000, 1)), np.random.default_rng(0))
    x = np.log(activity[-1] / (1 - activity[-1]))
    for unit, keep in enumerate((0.5, 0.9)):
        expected = 0.01 * (1 - keep**78) / (1 - keep**2)
        # s.e. of a variance from 20,000 draws: 1 %.
        assert abs(x[:, unit].var() / expected - 1) < 0.05


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"recurrent": np.zeros((2, 3))}, r"recurrent: expected shape \(2, 2\), got \(2, 3\)"),
        ({"recurrent": [[0, np.nan], [0, 0]]}, "recurrent: holds NaN"),
        ({"w_out": np.zeros((1, 3))}, r"w_out: expected shape \(1, 2\)"),
        ({"tau_ms": [10.0, 0.0]}, "tau_ms: must be positive"),
        ({"activation": "step"}, "unknown activation 'step'; known are sigmoid"),
        ({"recurrent": [[0, 1.0], [0, 0]], "excitatory": [True, False]}, "breaks Dale's law"),
        ({"noise_sd": -1.0}, "must not be negative"),
    ],
)
def test_a_network_that_makes_no_sense_is_refused(fields, message):
    with pytest.raises(SpecError, match=message):
        network(**fields)


def test_arrays_are_copied_and_read_only():
    mine = np.zeros((2, 2))
    kept = network(recurrent=mine)
    mine[0, 0] = 1.0
    assert kept.recurrent[0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        kept.recurrent[0, 0] = 1.0
