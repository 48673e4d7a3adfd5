"""`RateNetwork.from_arrays`: what people have, in whatever type and orientation."""

import numpy as np
import pytest
import torch
from scipy import sparse

import bridge
from bridge.errors import SpecError

N, C, O = 4, 3, 2  # noqa: E741
SIGNS = np.array([1, -1, 1, 1])


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(0, 1, shape)


def from_arrays(**fields):
    given = {
        "recurrent": numbers(N, N, seed=1), "w_in": numbers(N, C, seed=2),
        "w_out": numbers(O, N, seed=3), "b_out": [0.5, -0.5], "tau_ms": [20.0, 30, 40, 50],
        "dt_ms": 5.0, "activation": "sigmoid",
    } | fields  # fmt: skip
    return bridge.RateNetwork.from_arrays(**given)


def same(one, other):
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("recurrent", "w_in", "w_out", "b_out", "tau_ms")
    )


def test_raw_weights_act_with_the_sign_of_their_presynaptic_unit_and_a_mask():
    # W = (w m) * som_m as the authors' code computes it: a matrix product with the diagonal m.
    w, mask = np.abs(numbers(N, N)), np.ones((N, N))
    mask[0, 1:3] = 0
    network = from_arrays(recurrent=w, signs=SIGNS, mask=mask)
    np.testing.assert_array_equal(network.recurrent, (w @ np.diag(SIGNS)) * mask)
    np.testing.assert_array_equal(network.excitatory, SIGNS > 0)
    assert same(from_arrays(recurrent=w, signs=np.diag(SIGNS), mask=mask), network)


def test_row_vector_weights_give_the_recursion_of_row_vectors():
    # x[t] = (1 - a) x[t-1] + a (r[t-1] W + u W_in), o = r W_out + b, as with row vectors.
    w, w_in, w_out = numbers(N, N, seed=4), numbers(C, N, seed=5), numbers(N, O, seed=6)
    network = from_arrays(
        recurrent=w, w_in=w_in, w_out=w_out, orientation="pre_post",
        noise_sd=0.0, initial_sd=0.0,
    )  # fmt: skip
    u, a = numbers(6, C, seed=7), 5.0 / np.array([20.0, 30, 40, 50])
    x, expected = np.zeros(N), []
    for step in range(6):
        r = 1 / (1 + np.exp(-x))
        expected.append(r @ w_out + [0.5, -0.5])
        x = (1 - a) * x + a * (r @ w + u[step] @ w_in)
    outputs, _ = network.run(u[:, None], np.random.default_rng(0))
    np.testing.assert_allclose(outputs[:, 0], expected, rtol=1e-12)


def test_a_mask_lies_the_way_the_weights_do():
    w, mask = np.abs(numbers(N, N)), np.ones((N, N))
    mask[0, 1:3] = 0
    turned = from_arrays(
        recurrent=w.T, mask=mask.T, orientation="pre_post", w_in=numbers(N, C, seed=2).T,
        w_out=numbers(O, N, seed=3).T,
    )  # fmt: skip
    assert same(turned, from_arrays(recurrent=w, mask=mask))


@pytest.mark.parametrize(
    "kept_as",
    [
        np.ndarray.tolist,
        np.float32,
        np.uint8,
        sparse.csr_array,
        torch.tensor,
        lambda w: torch.tensor(w, dtype=torch.bfloat16, requires_grad=True),
        lambda w: torch.tensor(w).to_sparse(),
    ],
)
def test_lists_tensors_and_every_type_of_number_are_taken(kept_as):
    w = np.random.default_rng(0).integers(0, 200, (N, N)).astype(float) // 4 * 4
    np.testing.assert_array_equal(
        from_arrays(recurrent=kept_as(w), signs=SIGNS.astype(np.int8)).recurrent, w * SIGNS
    )


def test_one_channel_may_be_a_list_and_one_number_may_stand_for_all():
    network = from_arrays(w_in=[1, 2, 3, 4], w_out=[4, 3, 2, 1], b_out=0.5, tau_ms=25)
    assert (network.w_in.shape, network.w_out.shape) == ((N, 1), (1, N))
    assert (network.b_out.tolist(), network.tau_ms.tolist()) == ([0.5], [25.0] * N)
    assert from_arrays(b_out=0.0).b_out.tolist() == [0.0, 0.0]


def test_columns_and_rows_are_vectors():
    column = from_arrays(tau_ms=[[20.0], [30], [40], [50]], b_out=[[0.5, -0.5]])
    assert same(column, from_arrays())


def test_negative_raw_weights_are_set_to_zero_where_training_did():
    w = numbers(N, N)
    network = from_arrays(recurrent=w, signs=SIGNS, relu=True)
    np.testing.assert_array_equal(network.recurrent, np.maximum(w, 0) * SIGNS)


def test_dales_labels_are_kept_and_other_fields_go_through():
    w = np.abs(numbers(N, N)) * SIGNS
    network = from_arrays(
        recurrent=w, excitatory=(SIGNS > 0).astype(np.uint8), task="go-nogo", noise_sd=0.2,
        cell_types=["PYR", "PV", "PYR", "PYR"], provenance={"from": "elsewhere"},
    )  # fmt: skip
    np.testing.assert_array_equal(network.excitatory, SIGNS > 0)
    assert (network.task, network.noise_sd) == ("go-nogo", 0.2)
    assert network.cell_types == ("PYR", "PV", "PYR", "PYR")
    assert network.provenance == {"from": "elsewhere"}
    assert from_arrays().provenance == {"method": "made from arrays"}


@pytest.mark.parametrize(
    "fields",
    [
        {"bias": np.zeros(N)}, {"bias_ih": torch.zeros(N), "bias_hh": torch.zeros(N)},
        {"b_rec": 0}, {"h0": torch.zeros(1, 1, N)}, {"bias": None, "initial_state": None},
        {"bias": False}, {"dt_ms": torch.tensor(5.0)},
    ],
)  # fmt: skip
def test_a_bias_and_a_start_of_zero_are_no_bias_and_no_start(fields):
    assert same(from_arrays(**fields), from_arrays())


def test_a_bias_of_whatever_name_is_taken_and_two_add_up():
    # torch.nn.RNN has one of the input and one of the units.
    one, other = numbers(N, seed=8), numbers(N, seed=9)
    made = from_arrays(bias_ih_l0=torch.tensor(one), bias_hh_l0=other[:, None])
    np.testing.assert_array_equal(made.bias, one + other)
    for name in ("bias", "b_rec", "hidden_bias"):
        np.testing.assert_array_equal(from_arrays(**{name: one}).bias, one)
    assert from_arrays(b_rec=0.5).bias.tolist() == [0.5] * N


def test_a_start_of_whatever_name_is_taken():
    start = numbers(N, seed=8)
    for name in ("initial_state", "x0", "h0", "init_hidden"):
        np.testing.assert_array_equal(from_arrays(**{name: start}).initial_state, start)
    made = from_arrays(form="h", r0=torch.tensor(start)[None, None], activation="tanh")
    np.testing.assert_array_equal(made.initial_state, start)
    assert (made.form, made.activation) == ("h", "tanh")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"recurrent": np.zeros((2, 3))}, r"recurrent: expected shape \(N, N\).*got \(2, 3\)"),
        ({"recurrent": np.zeros((0, 0))}, "at least one unit"),
        ({"recurrent": [[0, 1], [2]]}, "recurrent: expected an array of numbers"),
        ({"recurrent": [["0", "1"], ["2", "3"]]}, "recurrent: expected an array of real numbers"),
        ({"recurrent": np.zeros((N, N)) + 1j}, "got complex128"),
        ({"recurrent": torch.zeros(N, N) + 1j}, "got complex64"),
        ({"recurrent": np.full((N, N), np.nan)}, "recurrent: holds NaN"),
        ({"w_in": np.zeros((C, N))}, r"w_in: expected shape \(4, any\).*got \(3, 4\); orientation"),
        ({"w_in": np.zeros((C, 2))}, r"w_in: expected shape \(4, any\) .*got \(3, 2\)$"),
        ({"w_in": [1.0, 2.0]}, r"w_in: expected shape \(4, any\) .*got \(2,\)$"),
        ({"w_out": np.zeros((N, O))}, r"w_out: expected shape \(any, 4\).*; orientation"),
        ({"tau_ms": [20.0, 30]}, r"tau_ms: expected 4 numbers, got shape \(2,\)"),
        ({"tau_ms": np.full((2, 2), 20.0)}, r"tau_ms: expected 4 numbers, got shape \(2, 2\)"),
        ({"tau_ms": 0}, "tau_ms: must be positive"),
        ({"b_out": [1.0, 2, 3]}, "b_out: expected 2 numbers"),
        (
            {"activation": "gelu"},
            "unknown activation 'gelu'; known are sigmoid, softplus",
        ),
        ({"orientation": "row"}, "orientation: expected 'post_pre' or 'pre_post', got 'row'"),
        ({"signs": SIGNS}, r"\d+ of 16 nonzero raw weights are negative.*relu=True"),
        ({"signs": [1, -1, 1, 0], "relu": True}, "signs: expected 1 for excitatory"),
        ({"signs": np.ones((N, N)), "relu": True}, "signs: a matrix of signs must be diagonal"),
        ({"relu": True}, "relu: needs signs"),
        ({"excitatory": SIGNS}, "excitatory: expected True or False.*taken by signs"),
        ({"excitatory": SIGNS > 0}, "breaks Dale's law"),
        ({"signs": SIGNS, "relu": True, "excitatory": SIGNS < 0}, "excitatory: contradicts signs"),
        ({"mask": np.full((N, N), 0.5)}, "mask: expected only 0 and 1"),
        ({"mask": np.ones((3, 3))}, r"mask: expected shape \(4, 4\), got \(3, 3\)"),
        ({"bias": np.ones(3)}, r"^bias: expected 4 numbers, got shape \(3,\)"),
        ({"bias": True}, "^bias: expected 4 numbers, got True"),
        ({"bias": "yes"}, "^bias: expected an array of real numbers"),
        ({"bias_hh": [np.nan] * N}, "^bias: holds NaN"),
        ({"h0": np.ones((2, 1, N))}, r"^h0: expected 4 numbers, got shape \(2, 1, 4\)"),
        ({"h0": np.ones(N), "x0": np.ones(N)}, "^h0 and x0: expected one state to start from"),
        ({"r0": np.ones(N)}, "^r0: units of form x start from a state"),
        ({"form": "y"}, "form: expected 'x' or 'h', got 'y'"),
        ({"colour": 3}, "unknown argument 'colour' of from_arrays; known are recurrent, w_in, w_o"),
        ({"dt_ms": "5"}, "dt_ms: expected an array of real numbers"),
        ({"dt_ms": [5.0, 5.0]}, r"dt_ms: expected one number, got shape \(2,\)"),
        ({"cell_types": ["PYR"]}, "cell_types: expected 4 names, got 1"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(fields, message):
    with pytest.raises(SpecError, match=message):
        from_arrays(**fields)
