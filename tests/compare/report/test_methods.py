"""The paragraph to copy: what it says is in the agreement, and what it cites is known."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from compare.report.test_verdict_of_a_conversion import conversion
from conftest import drive_for, longer_steps_network

import bridge
from bridge.backends.declaration import declared
from bridge.compare.report.methods import methods_of
from bridge.compare.report.outcome import outcome
from bridge.compare.report.references import REFERENCES, cited

PAGES = Path(__file__).parents[3] / "notebooks"


def told(agreement):
    return methods_of(agreement, outcome(agreement))


@pytest.fixture
def agreement(monkeypatch):
    return bridge.compare(
        conversion(monkeypatch), backends=["reference", "brian2:numpy"], trials=6, seed=3
    )


def test_all_that_a_reader_needs_is_said_with_the_numbers_of_the_agreement(agreement, tmp_path):
    text = told(agreement)
    spikes = agreement.frozen["reference"].spikes.count
    for part in (
        "The rate network has 6 units (activation sigmoid, form x, step 5 ms, task go-nogo)",
        "one-to-one mapping (Kim et al. 2019). Chosen: 1/lambda = 25, by the rule accuracy.",
        "Tried were 3 values of 1/lambda from 20 to 30, on up to 8 trials each (seed 0, run in "
        "reference).",
        "simulated in steps of 0.05 ms",
        "tau_mem_ms 10, v_rest_mv 0, v_threshold_mv -40, v_reset_mv -65",
        "normal noise of s.d. 0.1 mV in each step",
        "tau_decay_ms 30",
        f"6 trials of 0.1 s, 6 neurons, {spikes:,} spikes.",
        "All were shown the same trials of the task go-nogo. The seed of the comparison is 3.",
        f"Verdict: {outcome(agreement).verdict}",
        "float64, numpy, Stimberg et al. 2019",
        f"numpy {np.__version__}",
        "and Python 3.",
    ):
        assert part in text
    *_, papers = text.split("\n\n")
    assert papers.splitlines() == [
        REFERENCES["Kim et al. 2019"], REFERENCES["McNemar"], REFERENCES["Stimberg et al. 2019"],
    ]  # fmt: skip
    page, machine, *_ = bridge.report(agreement, tmp_path / "page.html")
    assert json.loads(machine.read_text())["methods"] == text
    plain = json.loads(machine.read_text())
    assert plain["error_curves"] == []
    shown = re.search('<div id="methods-text">(.*?)</div>', page.read_text(), re.DOTALL)[1]
    assert shown.splitlines()[0].startswith("The rate network has 6 units")


def test_what_is_not_known_is_not_said():
    network = replace(longer_steps_network(), provenance={})
    text = told(
        bridge.compare(network, backends=["reference"] * 2, drive=drive_for(network, 20),
                       levels=["exact"], inject="weights-0.95")
    )  # fmt: skip
    for word in ("rate network", "method of conversion", "Chosen", "trained", "et al."):
        assert word not in text
    assert "of a drive that was given" in text
    assert "A fault was put in on purpose: recurrent weights x 0.95." in text
    assert "Outcome: differs." in text


def test_a_paper_is_cited_where_it_is_named_and_in_that_order():
    assert cited("by Diehl et al. 2015, after Cao et al. 2015") == [
        REFERENCES["Diehl et al. 2015"], REFERENCES["Cao et al. 2015"],
    ]  # fmt: skip
    assert cited("nobody") == []
    papers = {each.paper for each in declared().values() if each.paper}
    assert papers <= set(REFERENCES)


def test_all_papers_stand_on_the_page_of_sources():
    page = (PAGES / "sources.md").read_text()
    for paper in REFERENCES.values():
        assert paper in page
