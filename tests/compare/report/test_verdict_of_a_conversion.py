"""Whether the spiking network is still the rate network: apart from whether simulators agree."""

import json

import numpy as np
import pytest
from methods.short_task import SHORT_TASK

import bridge
from bridge.compare.agreement import Agreement
from bridge.compare.report.outcome import outcome
from bridge.compare.report.verdict import of_conversion
from bridge.methods.faithfulness import Faithfulness
from bridge.methods.one_to_one import map_one_to_one
from bridge.methods.scale_search import ScaleSearch
from bridge.rate.network import RateNetwork
from bridge.stages import _of_conversion
from bridge.tasks import go_nogo


def agreement(**fields):
    given = {"trials": 100, "correct": 99, "lost": 1, "gained": 0, "output_error": 0.1}
    found = Faithfulness(**(given | fields), unit_correlation=0.7, chance=0.5)
    return Agreement(
        network=None, labels=("a", "b"), frozen={}, seconds={}, seed=0, faithfulness=found
    )


def test_a_faithful_conversion_is_said_with_its_figures():
    first, answers, measures = of_conversion(agreement())
    assert first == "Conversion: faithful, in its answers and in its output."
    assert "right in 99 of 100 trials, its rate network in 100" in answers
    assert "McNemar's exact test: p = 1)" in answers
    assert measures.startswith("Output error 0.1, filtered spikes correlate with the rates by 0.70")


@pytest.mark.parametrize(
    ("fields", "head", "advice"),
    [
        ({"correct": 90, "lost": 10}, "The conversion failed: it is right in 90 of", "more units"),
        ({"correct": 50, "lost": 50}, "The conversion failed: its answers are no", "more units"),
        ({"output_error": 3.0}, "Conversion: 99 of 100 answers are right, but", "--refit-readout"),
    ],
)
def test_a_verdict_that_is_not_good_ends_with_what_to_do(fields, head, advice, tmp_path):
    found = agreement(**fields)
    first = of_conversion(found)[0]
    assert first.startswith(head)
    assert advice in first
    failed = "failed" in head
    assert found.conversion_failed is failed
    page, machine, *_ = bridge.report(found, tmp_path / "page.html")
    said = page.read_text()
    # Two boxes: the simulators agree, and what has become of the rate network.
    assert said.index('id="verdict"') < said.index('id="conversion"')
    assert said.count("verdict bad") == failed
    assert said.count("verdict fair") == (not failed)
    plain = json.loads(machine.read_text())
    assert plain["agreed"] is True
    assert plain["faithfulness"]["failed"] is failed
    assert plain["faithfulness"]["verdict"] == first


def test_without_a_rate_network_nothing_is_said_of_a_conversion(tmp_path):
    found = Agreement(network=None, labels=("a", "b"), frozen={}, seconds={}, seed=0)
    assert of_conversion(found) == []
    assert not found.conversion_failed
    page, machine, *_ = bridge.report(found, tmp_path / "page.html")
    assert 'id="conversion"' not in page.read_text()
    assert json.loads(machine.read_text())["faithfulness"] is None


def conversion(monkeypatch, **fields):
    monkeypatch.setattr(go_nogo, "GoNoGo", SHORT_TASK)
    rng = np.random.default_rng(1)
    rate = RateNetwork(
        recurrent=rng.normal(0, 1, (6, 6)), w_in=rng.normal(0, 1, (6, 1)),
        w_out=rng.normal(0, 1, (1, 6)), b_out=[0.5], tau_ms=np.full(6, 30.0), task="go-nogo",
    )  # fmt: skip
    given = {
        "inverse_scales": [20.0, 25.0, 30.0], "correct": [7, 8, 5], "trials": 8, "best": 1,
        "seed": 0, "backend": "reference", "seconds": 0.1, "lost": [1, 0, 3], "gained": [0, 0, 0],
    } | fields  # fmt: skip
    search = ScaleSearch(**given)
    network = map_one_to_one(rate, search.best_inverse_scale)
    return bridge.Conversion(network=network, rate=rate, search=search)


def test_the_gate_measures_a_conversion_on_its_first_side(monkeypatch):
    found = bridge.compare(
        conversion(monkeypatch), backends=["reference", "brian2:numpy"], trials=6, seed=3
    )
    outputs = found.frozen["reference"].readouts["output"]
    right = bridge.task("go-nogo").spiking_correct(outputs, found.trials)
    assert found.faithfulness.correct == right.sum()
    assert found.faithfulness.trials == 6
    wanted, _ = found.rate.run(found.trials.inputs, None)
    error = np.square(outputs - wanted).sum() / np.square(wanted - wanted.mean()).sum()
    assert found.faithfulness.output_error == pytest.approx(error)


def test_a_choice_at_the_end_of_what_was_tried_is_said(monkeypatch):
    inside = list(_of_conversion(conversion(monkeypatch)))
    assert not any("was tried" in line for line in inside)
    lowest = list(_of_conversion(conversion(monkeypatch, best=0)))
    assert "1/lambda = 20 is the lowest that was tried: a lower one may be better" in lowest[0]
    highest = list(_of_conversion(conversion(monkeypatch, best=2)))
    assert "1/lambda = 30 is the highest that was tried" in highest[0]


def test_simulators_that_differ_are_told_what_to_look_at_next(monkeypatch):
    spiking = conversion(monkeypatch).network
    found = bridge.compare(
        spiking, backends=["reference", "reference"], trials=2, inject="weights-0.95",
        levels=["exact"],
    )  # fmt: skip
    if found.agreed:
        pytest.fail("the fault was not seen")
    said = outcome(found)
    assert said.verdict.startswith("Disagree")
    assert any(line.startswith("Next: --levels probe") for line in said.evidence)
