"""The networks that are compared by depth are what `data/depth_cells.py` says."""

import importlib.util
from pathlib import Path

import pytest
import torch

from bridge.methods.src.module import SrcModule
from bridge.methods.src.options import SrcOptions

_PATH = Path(__file__).parents[3] / "data" / "depth_cells.py"


@pytest.fixture(scope="module")
def cells():
    spec = importlib.util.spec_from_file_location("depth_cells", _PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.CELLS


def spikes(inputs=5, steps=30):
    torch.manual_seed(0)
    return (torch.rand(steps, 4, inputs) < 0.5).float()


def test_spiking_recurrent_cells_are_those_that_are_trained_elsewhere(cells):
    ours = cells["SRC"](5, 3, 7)
    trained = SrcModule(5, 10, SrcOptions(layers=(100,) * 3, seed=7))
    for one, other in zip(ours.layers, trained.weights, strict=True):
        torch.testing.assert_close(one.weights, other)
    given = spikes()
    assert ours.passed(given)[0].any()
    torch.testing.assert_close(ours.answered(ours.passed(given)[-1]), trained(given))


def onsets(passed):
    """(B, N) how often each cell begins to spike."""
    above = passed > 0.5
    return above[0].int() + (above[1:] & ~above[:-1]).sum(dim=0)


@pytest.mark.parametrize("cell", ["SRC", "LIF"])
def test_a_spike_alone_is_relayed_to_the_last_layer(cells, cell):
    given = torch.zeros(60, 4, 5)
    given[20] = torch.ones(4, 5)
    first, *_, last = cells[cell](5, 4, 0).passed(given)
    assert onsets(first).sum() > 20
    assert torch.equal(onsets(last), onsets(first))


def test_every_parameter_of_every_kind_has_a_gradient(cells):
    for name, make in cells.items():
        network = make(5, 2, 0)
        network.answered(network.passed(spikes())[-1]).square().sum().backward()
        groups = list(network.groups())
        assert [number for number, _ in groups] == [0, 1]
        for _, parameters in groups:
            assert all(each.grad is not None and each.grad.any() for each in parameters), name


def test_what_a_closed_form_leaves_out_is_there_in_the_whole_gradient(cells):
    def gradient(name):
        network = cells[name](5, 1, 0)
        network.answered(network.passed(spikes())[-1]).square().sum().backward()
        return network.layers[0].weights.grad

    with_it, without = gradient("SRC, whole gradient"), gradient("SRC")
    assert not torch.allclose(with_it, without, rtol=0.1)
    assert not torch.allclose(gradient("SRC, no bypass"), without, rtol=0.1)
