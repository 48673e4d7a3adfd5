"""Convolutions and pools unrolled to sparse weights are those of PyTorch."""

import numpy as np
import pytest
import torch
from exchange.nir_files import chain, node, write_nir

import bridge

CASES = {
    "3x5 kernel": ("Conv2d", (2, 10, 10), (4, 2, 3, 5), {}),
    "both axes": ("Conv2d", (2, 9, 8), (3, 2, 3, 3), {"stride": (2, 3), "padding": (1, 2)}),
    "one number for both": ("Conv2d", (1, 8, 7), (2, 1, 3, 2), {"stride": 2, "padding": 1}),
    "dilation": ("Conv2d", (2, 9, 9), (2, 2, 2, 3), {"dilation": (3, 2)}),
    "groups": ("Conv2d", (4, 6, 5), (6, 2, 3, 2), {"groups": 2}),
    "depthwise": ("Conv2d", (3, 5, 5), (6, 1, 2, 2), {"groups": 3, "padding": 1}),
    "same": ("Conv2d", (2, 6, 7), (3, 2, 4, 3), {"padding": "same", "dilation": (1, 2)}),
    "valid": ("Conv2d", (2, 6, 7), (3, 2, 4, 3), {"padding": "valid"}),
    "line": ("Conv1d", (3, 12), (4, 3, 5), {"stride": 2, "padding": 2}),
    "line in groups": ("Conv1d", (4, 9), (4, 2, 3), {"groups": 2, "dilation": 2}),
    "sums": ("SumPool2d", (2, 7, 6), (3, 2), {"stride": (2, 2)}),
    "padded sums": ("SumPool2d", (2, 7, 6), (3, 3), {"stride": 2, "padding": 1}),
    "means": ("AvgPool2d", (2, 7, 6), (3, 2), {"stride": (3, 1)}),
    "means count zeros": ("AvgPool2d", (3, 5, 6), (3, 3), {"stride": 2, "padding": (1, 1)}),
}  # fmt: skip


def by_torch(kind, weight, bias, x, options):
    if kind.startswith("Conv"):
        function = getattr(torch.nn.functional, kind.lower())
        return function(x, torch.tensor(weight), torch.tensor(bias), **options)
    means = torch.nn.functional.avg_pool2d(x, weight, **options)
    return means * np.prod(weight) if kind == "SumPool2d" else means


@pytest.mark.filterwarnings("ignore:Using padding=.same. with even kernel:UserWarning")
@pytest.mark.parametrize("case", CASES)
def test_what_is_unrolled_is_what_torch_computes(case, tmp_path):
    kind, shape, of, given = CASES[case]
    rng = np.random.default_rng(4)
    fields = {"stride": 1, "padding": 0} | given
    if kind.startswith("Conv"):
        weight, bias = rng.normal(size=of), rng.normal(size=of[0])
        fields = {"dilation": 1, "groups": 1} | fields | {"weight": weight, "bias": bias}
    else:
        weight, bias = of, None
        fields["kernel_size"] = np.array(of)
    nodes = {
        "input": node("Input", shape=np.array(shape)),
        "map": node(kind, **{name: np.asarray(v) if isinstance(v, tuple) else v
                             for name, v in fields.items()}),
    }  # fmt: skip
    path = write_nir(tmp_path / "net.nir", nodes, chain("input", "map"))
    network = bridge.import_network(path, dt_ms=1).network
    (projection,) = network.projections
    x = rng.normal(size=shape)
    options = {"stride": 1, **given}
    expected = by_torch(kind, weight, bias, torch.tensor(x)[None], options)[0].numpy()
    got = projection.weights @ x.reshape(-1) + network.population("map").neurons.bias
    assert got.shape == (expected.size,)
    # Sums of at most 40 products, in another order.
    np.testing.assert_allclose(got, expected.reshape(-1), rtol=0, atol=1e-13)


def test_a_matrix_acts_on_the_last_dimension(tmp_path):
    rng = np.random.default_rng(5)
    first, weight = rng.normal(size=(4, 2, 1)), rng.normal(size=(3, 6))
    nodes = {
        "input": node("Input", shape=np.array([2, 6])),
        "line": node("Conv1d", weight=first, stride=1, padding=0, dilation=1, groups=1),
        "map": node("Affine", weight=weight, bias=np.arange(3.0)),
    }
    path = write_nir(tmp_path / "net.nir", nodes, chain("input", "line", "map"))
    network = bridge.import_network(path, dt_ms=1).network
    x = rng.normal(size=(4, 6))
    got = network.projections[1].weights @ x.reshape(-1) + network.population("map").neurons.bias
    # Sums of at most 6 products, in another order.
    expected = x @ weight.T + np.arange(3.0)
    np.testing.assert_allclose(got.reshape(4, 3), expected, rtol=0, atol=1e-14)


def test_what_is_flattened_is_counted_with_a_batch_where_the_file_has_one(tmp_path):
    rng = np.random.default_rng(6)
    weight = rng.normal(size=(4, 6))
    for shape, fields, post in (
        ((2, 3), {"start_dim": 1, "end_dim": -1, "input_type": np.array([1, 2, 3])}, 4),
        ((2, 3), {"input_type": np.array([9, 2, 3])}, 4),
        ((5, 2, 3), {}, 20),
        ((5, 2, 3), {"start_dim": -2, "end_dim": 2}, 20),
    ):
        nodes = {
            "input": node("Input", shape=np.array(shape)),
            "flat": node("Flatten", **fields),
            "map": node("Linear", weight=weight),
        }
        path = tmp_path / "net.nir"
        path.unlink(missing_ok=True)
        write_nir(path, nodes, chain("input", "flat", "map"))
        network = bridge.import_network(path, dt_ms=1).network
        x = rng.normal(size=shape)
        got = network.projections[0].weights @ x.reshape(-1)
        assert got.shape == (post,)
        # Sums of 6 products, in another order.
        expected = (x.reshape(-1, 6) @ weight.T).reshape(-1)
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-14)
