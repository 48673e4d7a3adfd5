"""What snnTorch does where its tensors lie, on whatever device: tried on the CPU, bit for bit."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy import sparse

from bridge.backends.snntorch.events import EventFinder, events_there
from bridge.backends.snntorch.sums import input_sum
from bridge.backends.weighted_sums import input_current
from bridge.spiking.weights import Factored


def test_spikes_are_found_where_they_lie_as_they_are_in_the_cpus_memory():
    rng = np.random.default_rng(0)
    fired = torch.tensor(rng.integers(1, 1024, (6, 40)) * (rng.random((6, 40)) < 0.2)).double()
    fired[2] = 0
    here = EventFinder(SimpleNamespace(fired=fired, busy=fired.amax(dim=1))).events()
    there = events_there(fired)
    assert here.trial.size > 20
    for part in ("trial", "neuron", "code"):
        mine, others = getattr(there, part), getattr(here, part)
        assert mine.dtype == others.dtype
        np.testing.assert_array_equal(mine, others)
    assert events_there(torch.zeros(3, 4)) is None


def weights_of(kind):
    rng = np.random.default_rng(1)
    left, right = rng.normal(0, 3, (7, 2)), rng.normal(0, 3, (2, 5))
    matrices = {"dense": left @ right, "factored": Factored(left=left, right=right)}
    matrices["sparse"] = sparse.csc_array(matrices["dense"] * (rng.random((7, 5)) < 0.6))
    return matrices[kind]


@pytest.mark.parametrize("kind", ["dense", "sparse", "factored"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_inputs_are_weighted_on_the_device_as_the_reference_weights_them(kind, dtype):
    weights = weights_of(kind)
    u = np.random.default_rng(2).normal(0, 1, (50, 5))
    expected = input_current(SimpleNamespace(weights=weights), u)
    got = input_sum(weights, torch.empty((), dtype=dtype))(u)
    assert got.dtype == dtype
    np.testing.assert_array_equal(got.numpy(), torch.tensor(expected, dtype=dtype).numpy())
