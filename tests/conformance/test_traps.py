"""Every graph of the table: what we call right is what its equations give, and its trap snaps."""

from dataclasses import replace

import numpy as np
import pytest
from conformance.plain import TRAPS, outputs

from bridge.conformance import judging
from bridge.conformance.graphs import write
from bridge.conformance.judging import judged
from bridge.conformance.readings import OURS, Answers
from bridge.exchange.nir.file import Graph, Node

# Single precision has seven digits, and a voltage is a sum of some hundred numbers.
NEAR = 1e-4


@pytest.fixture
def answers(tmp_path):
    def made(name):
        path = tmp_path / f"{name}.nir"
        write(path, TRAPS[name].graph)
        return Answers(TRAPS[name], path)

    return made


@pytest.mark.parametrize("name", TRAPS)
def test_right_is_what_the_equations_give(name, answers):
    distances = []
    given = outputs(TRAPS[name], distances=distances)
    np.testing.assert_array_equal(answers(name).by(OURS), given)
    assert given.any()
    if distances:
        # Spikes and silence, and no spike that single precision would decide.
        assert 0.02 < given.mean() < 0.98
        ties = np.concatenate(distances) < NEAR
        assert (ties.sum() >= 5) if name == "tie" else not ties.any()


@pytest.mark.parametrize(
    ("name", "option", "field", "value", "words"),
    [
        ("plain", {"reset": "subtract"}, "reset", "subtract", "reset by subtraction"),
        ("tie", {"at": True}, "threshold", "at", "fires at threshold"),
        ("loop-bias", {"silent": True}, "recurrent_start", "silent", "loops silent in the first"),
        ("v-leak", {"starts_at_leak": True}, "start", "leak", "voltages start at v_leak"),
    ],
)
def test_other_readings_are_those_of_the_equations_and_are_named(
    name, option, field, value, words, answers
):
    given = outputs(TRAPS[name], **option)
    mine = answers(name)
    np.testing.assert_array_equal(mine.by(replace(OURS, **{field: value})), given)
    assert (given != mine.by(OURS)).any()
    verdict = judged(given, mine)
    assert verdict.word == judging.OTHERWISE
    assert words in verdict.said


def changed(graph, kind, made="", **fields):
    """A graph without graphs in it whose nodes of a type have other fields, or another type."""
    nodes = {
        name: Node(made or kind, {**node.fields, **fields}) if node.kind == kind else node
        for name, node in graph.nodes.items()
    }
    return Graph(nodes, graph.edges)


def without(graph, source):
    """A graph in which a node leads nowhere."""
    return Graph(graph.nodes, tuple(edge for edge in graph.edges if edge[0] != source))


# What importers are known to do to each of these graphs, done to the graph.
FAULTS = {
    "lif-gain": lambda graph: changed(graph, "LIF", r=np.ones(4)),
    "each-neuron": lambda graph: changed(graph, "LIF", tau=np.full(4, 1e-3)),
    "v-leak": lambda graph: changed(graph, "LIF", v_leak=np.zeros(4)),
    "v-reset": lambda graph: changed(graph, "LIF", v_reset=np.zeros(4)),
    "if-gain": lambda graph: changed(graph, "IF", r=np.full(4, 1e4)),
    "cuba-gains": lambda graph: changed(graph, "CubaLIF", w_in=np.ones(4)),
    "cuba-v-leak": lambda graph: changed(graph, "CubaLIF", v_leak=np.zeros(4)),
    "li": lambda graph: changed(graph, "LI", r=np.full(4, 2.0)),
    "flat-loop": lambda graph: without(graph, "l2_rnn.l2_back"),
    "pair-loop": lambda graph: without(graph, "l5_back"),
    "conv": lambda graph: changed(
        graph, "Conv2d", weight=graph.nodes["l1_map"].fields["weight"].swapaxes(2, 3)
    ),
    "conv-padding": lambda graph: changed(graph, "Conv2d", padding=np.array([2, 1])),
    "avg-pool": lambda graph: changed(graph, "AvgPool2d", "SumPool2d"),
}
STEPS = {"default-dt": 1.0, "other-dt": 0.1}


def faulty(name):
    graph = FAULTS.get(name, lambda whole: whole)(TRAPS[name].graph)
    return outputs(TRAPS[name], graph=graph, dt_ms=STEPS.get(name))


@pytest.mark.parametrize("name", [*FAULTS, *STEPS])
def test_a_fault_is_seen(name, answers):
    mine = answers(name)
    # One reading, in place of up to 24.
    mine.readings = (OURS,)
    assert judged(faulty(name), mine).word == judging.WRONG


@pytest.mark.full
@pytest.mark.parametrize("name", [*FAULTS, *STEPS])
def test_a_fault_is_not_taken_for_another_reading(name, answers):
    assert judged(faulty(name), answers(name)).word == judging.WRONG


def test_right_values_may_be_off_by_single_precision_and_no_more(answers):
    right = outputs(TRAPS["li"])
    largest = np.abs(right).max()
    assert judged(right.astype(np.float32).astype(float), answers("li")).word == judging.RIGHT
    off = right.copy()
    # The tolerance is 1e-5, as the page says.
    off[-1, 0, 0] += 2e-5 * max(largest, 1.0)
    verdict = judged(off, answers("li"))
    assert (verdict.word, verdict.said) == ("wrong", "1 of 480 values differ, the first in step 60")


def test_what_is_wrong_is_said(answers):
    mine = answers("plain")
    right = mine.by(OURS)
    late = np.concatenate([np.zeros_like(right[:1]), right[:-1]])
    assert judged(late, mine).said == "all comes a step late"
    assert judged(np.zeros_like(right), mine).said == "nothing comes out"
    assert judged(right[:, :1], mine).said == "gives (1, 4) numbers a step, not (2, 4)"
    assert judged(right * np.nan, mine).said == "gives NaN or infinite values"
    assert judged(right[1:], mine).said == "gives numbers of shape (59, 2, 4), not (60, 2, 4)"
    assert judged(np.array(1.0), mine).said == "gives numbers of shape (), not (60, 2, 4)"
    assert judged(right[:, :0], mine).said == "gives (0, 4) numbers a step, not (2, 4)"
    assert judged(right.reshape(60, 2, 2, 2), mine).word == judging.RIGHT
