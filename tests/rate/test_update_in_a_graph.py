"""Updates in a CUDA graph: the same networks, where the graph is one of the CPU's own making."""

import numpy as np
import pytest
from graph_on_cpu import stand_in

import bridge
from bridge.backends import cuda_graphs
from bridge.rate import update
from bridge.rate.training import train_many

UNEQUAL = {
    "units": 21, "batch": 5, "check_every": 3, "evaluation_trials": 9, "target_loss": 1.325,
    "target_accuracy": 0.0, "max_updates": 12, "gain": 0.8, "training_noise_sd": 0.1,
}  # fmt: skip
SEEDS = [2, 3, 4, 0]


@pytest.fixture
def made(monkeypatch):
    """Graphs are made on the CPU, each noted."""
    return stand_in(monkeypatch)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        pytest.param(
            {"activation": "softplus", "loss": "l1", "clip_norm": None}, marks=pytest.mark.full
        ),
        {"form": "h", "activation": "tanh", "dale": False, "bias": True, "initial_state": True},
        pytest.param(
            {
                "activation": "relu",
                "som": 1,
                "balanced": True,
                "tau_ms": 35.0,
                "initial_state": True,
            },
            marks=pytest.mark.full,
        ),
    ],
)
def test_networks_in_a_graph_are_those_without_to_the_last_bit(made, fields, monkeypatch):
    fields = {**UNEQUAL, "max_updates": 9, **fields}
    graphed = train_many("short", SEEDS[:3], **fields)
    assert made
    monkeypatch.setattr(update, "in_graphs", lambda _: False)
    plain = train_many("short", SEEDS[:3], **fields)
    for one, other in zip(graphed, plain, strict=True):
        for part in ("recurrent", "w_out", "b_out", "tau_ms"):
            np.testing.assert_array_equal(getattr(one, part), getattr(other, part))
        np.testing.assert_array_equal(one.history.loss, other.history.loss)


def test_networks_that_leave_take_the_graph_along_and_training_goes_on_in_another(made):
    many = train_many("short", [2, 3, 4, 9], **{**UNEQUAL, "max_updates": 18})
    updates = [network.provenance["updates"] for network in many]
    # The second leaves after 3 updates, before there is a graph, the others after 9 and 12.
    assert updates == [18, 3, 9, 12]
    assert len(made) == 2
    alone = bridge.train("short", seed=2, **{**UNEQUAL, "max_updates": 18})
    np.testing.assert_array_equal(many[0].recurrent, alone.recurrent)


def test_a_training_in_a_graph_goes_on_where_it_stopped(made):
    first = bridge.train("short", seed=2, **{**UNEQUAL, "max_updates": 6})
    on = bridge.train("short", resume=first, max_updates=12)
    whole = bridge.train("short", seed=2, **UNEQUAL)
    np.testing.assert_array_equal(on.recurrent, whole.recurrent)
    assert len(made) == 3


def test_a_graph_that_cannot_be_made_costs_only_speed(made, monkeypatch):
    def refused(work, device):
        raise RuntimeError("operation not permitted when stream is capturing\nand a trace")

    monkeypatch.setattr(cuda_graphs, "captured", refused)
    said = r"^no CUDA graph could be made \(operation not permitted .* capturing\); it goes on"
    with pytest.warns(UserWarning, match=said) as warned:
        network = bridge.train("short", seed=2, **UNEQUAL)
    assert len(warned) == 1
    monkeypatch.setattr(update, "in_graphs", lambda _: False)
    expected = bridge.train("short", seed=2, **UNEQUAL)
    np.testing.assert_array_equal(network.recurrent, expected.recurrent)
