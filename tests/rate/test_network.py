import math

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


F = {
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "softplus": lambda x: min(math.log1p(math.exp(x)), 20.0),
    "relu": lambda x: min(max(x, 0.0), 20.0),
    "tanh": math.tanh,
}


def in_a_plain_loop(rate, inputs, noise):
    """One trial by the two equations, unit by unit; noise is what is added to the state."""
    f, n = F[rate.activation], rate.size
    state = [rate.initial_state[i] + rate.initial_sd * noise[0][i] for i in range(n)]
    outputs, activities = [], []
    for step in range(len(inputs)):
        r = [f(s) for s in state] if rate.form == "x" else list(state)
        activities.append(r)
        outputs.append([sum(row * r) + b for row, b in zip(rate.w_out, rate.b_out, strict=True)])
        if step + 1 == len(inputs):
            return outputs, activities
        new = []
        for i in range(n):
            drive = sum(rate.recurrent[i, j] * r[j] for j in range(n)) + rate.bias[i]
            drive += sum(rate.w_in[i] * inputs[step])
            slope = -state[i] + (drive if rate.form == "x" else f(drive))
            new.append(state[i] + rate.dt_ms / rate.tau_ms[i] * slope)
        state = [new[i] + rate.noise_sd * noise[step + 1][i] for i in range(n)]


@pytest.mark.parametrize("activation", F)
@pytest.mark.parametrize("form", ["x", "h"])
def test_both_forms_with_bias_and_start_are_their_equations(form, activation):
    rng = np.random.default_rng(3)
    rate = RateNetwork(
        recurrent=rng.normal(0, 1, (4, 4)), w_in=rng.normal(0, 1, (4, 2)),
        w_out=rng.normal(0, 1, (3, 4)), b_out=[0.1, 0.2, 0.3], tau_ms=[5.0, 10, 20, 50],
        bias=rng.normal(0, 1, 4), initial_state=rng.normal(0, 1, 4), form=form,
        activation=activation, noise_sd=0.3, initial_sd=0.2,
    )  # fmt: skip
    inputs, noise = rng.normal(0, 1, (12, 2)), np.random.default_rng(5).standard_normal((12, 4))
    outputs, activities = rate.run(inputs[:, None], np.random.default_rng(5))
    expected = in_a_plain_loop(rate, inputs, noise)
    # The loop sums in another order.
    np.testing.assert_allclose(outputs[:, 0], expected[0], rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(activities[:, 0], expected[1], rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("form", ["x", "h"])
def test_a_run_rounds_as_its_recursion_is_written(form):
    rng = np.random.default_rng(4)
    rate = RateNetwork(
        recurrent=rng.normal(0, 1, (4, 4)), w_in=rng.normal(0, 1, (4, 2)),
        w_out=rng.normal(0, 1, (3, 4)), b_out=[0.1, 0.2, 0.3], tau_ms=[5.0, 10, 20, 50],
        bias=rng.normal(0, 1, 4), initial_state=rng.normal(0, 1, 4), form=form, initial_sd=0.2,
    )  # fmt: skip
    inputs, noise = rng.normal(0, 1, (12, 5, 2)), np.random.default_rng(5).standard_normal
    keep = 1.0 - rate.dt_ms / rate.tau_ms
    state = np.zeros((5, 4)) + rate.initial_state + 0.2 * noise((5, 4))
    r = rate.phi(state) if form == "x" else state
    _, activities = rate.run(inputs, np.random.default_rng(5))
    for step, found in enumerate(activities):
        if step:
            drive = r @ rate.recurrent.T + inputs[step - 1] @ rate.w_in.T + rate.bias
            aim = drive if form == "x" else rate.phi(drive)
            state = keep * state + (1.0 - keep) * aim + rate.noise_sd * noise((5, 4))
            r = rate.phi(state) if form == "x" else state
        np.testing.assert_array_equal(found, r)


@pytest.mark.parametrize(("highest", "reached"), [(20.0, 20.0), (6, 6.0), (math.inf, 50.0)])
@pytest.mark.parametrize("activation", ["relu", "softplus"])
def test_activities_are_clipped_where_the_network_says(activation, highest, reached):
    ramp = network(
        activation=activation, highest_rate=highest, form="h", tau_ms=5.0, bias=[50.0, -50.0]
    )
    _, activity = ramp.run(np.zeros((2, 1, 1)), None)
    np.testing.assert_allclose(activity[1, 0], [reached, 0.0], atol=1e-12)


def test_one_number_stands_for_all_units():
    made = network(bias=0.5, initial_state=-1)
    assert (made.bias.tolist(), made.initial_state.tolist()) == ([0.5, 0.5], [-1.0, -1.0])
    assert (network().bias.tolist(), network().initial_state.tolist()) == ([0, 0], [0, 0])


def test_what_units_have_besides_is_printed():
    made = network(bias=0.5, initial_state=-1, form="h", activation="relu", highest_rate=math.inf)
    printed = "relu, form h, a bias, a state to start from, no highest rate, step 5 ms"
    assert printed in repr(made)
    assert "sigmoid, step 5 ms" in repr(network())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"bias": [1.0]}, r"bias: expected shape \(2\), got \(1,\)"),
        ({"bias": [1.0, np.nan]}, "bias: holds NaN"),
        ({"bias": "no"}, "bias: expected"),
        ({"initial_state": np.zeros((1, 2))}, r"initial_state: expected shape \(2\)"),
        ({"form": "r"}, "form: expected 'x' or 'h', got 'r'"),
        ({"form": 3}, "form: expected text"),
        ({"activation": "relu", "highest_rate": 0}, "highest_rate: must be positive, got 0"),
        ({"activation": "relu", "highest_rate": np.nan}, "highest_rate: expected a finite number"),
        ({"activation": "relu", "highest_rate": None}, "highest_rate: expected a number, got None"),
        (
            {"highest_rate": 6.0},
            "it is for softplus and relu, sigmoid ends by itself",
        ),
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
