"""What snnTorch does where its tensors lie, on whatever device: tried on the CPU, bit for bit."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from all_forms import all_forms_drive, all_forms_network
from conftest import NETWORKS, drive_for, kim_network, pushes
from graph_on_cpu import PLACES, stand_in
from scipy import sparse

from bridge.backends import cuda_graphs, simulate
from bridge.backends.snntorch import simulation
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


@pytest.fixture(params=PLACES)
def there(request, monkeypatch):
    """Options of snnTorch on a GPU, or of what stands in for one."""
    where = {"backend": "snntorch", "device": request.param, "compiled": False}
    if request.param == "cuda":
        yield where
    else:
        graphs = stand_in(monkeypatch)
        yield {**where, "workers": 1}
        assert graphs


def pushed(name):
    """A network with its drive, where stages, gains, pushes and noise differ from step to step."""
    make, samples = NETWORKS[name]
    network = make()
    samples = min(samples, 280 // network.sample_steps)
    gains = {"recurrent_gain": np.array([0.8, 1.2])}
    pushed = pushes(name, samples * network.sample_steps)
    return network, drive_for(network, samples, stimulation=pushed, **gains)


def every_form():
    network = all_forms_network(euler=6, exact=5, square=4, soft=3)
    return network, all_forms_drive(network)


CASES = {name: partial(pushed, name) for name in NETWORKS} | {"every form": every_form}
SHORT = [
    name if name in ("two channels", "quadratic") else pytest.param(name, marks=pytest.mark.full)
    for name in CASES
]


@pytest.mark.parametrize("case", SHORT)
def test_blocks_in_graphs_give_the_references_bits(there, case):
    network, drive = CASES[case]()
    asked = {"voltages": True, "margins": True}
    want = simulate(network, drive, **asked)
    got = simulate(network, drive, **there, **asked)
    assert want.spikes.count > 3
    np.testing.assert_array_equal(got.spikes.codes(), want.spikes.codes())
    np.testing.assert_array_equal(got.voltages_mv, want.voltages_mv)
    np.testing.assert_array_equal(got.margins_mv, want.margins_mv)
    assert not got.provenance["compiled"]


def test_blocks_in_graphs_spread_spikes_by_matrix_products_as_those_without_do(there, monkeypatch):
    network = kim_network(size=12)
    drive = drive_for(network, 4)
    how = {**there, "dtype": "float32", "dense": True, "voltages": True}
    got = simulate(network, drive, **how)
    monkeypatch.setattr(simulation, "in_graphs", lambda _: False)
    want = simulate(network, drive, **how)
    assert want.spikes.count > 3
    np.testing.assert_array_equal(got.voltages_mv, want.voltages_mv)


def test_a_step_that_no_graph_repeats_goes_on_without(monkeypatch):
    def refused(_work, _device):
        raise RuntimeError("operation not permitted when stream is capturing\nand more")

    stand_in(monkeypatch)
    monkeypatch.setattr(cuda_graphs, "captured", refused)
    network, drive = pushed("one-to-one")
    with pytest.warns(UserWarning, match=r"^no CUDA graph could be made \(operation not .*\); it"):
        got = simulate(network, drive, backend="snntorch", compiled=False, voltages=True, workers=1)
    want = simulate(network, drive, voltages=True)
    np.testing.assert_array_equal(got.voltages_mv, want.voltages_mv)
