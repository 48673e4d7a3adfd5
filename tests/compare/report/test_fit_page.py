"""The page of a fit says how good the network is on its own, and shows it."""

import dataclasses
import re

import numpy as np
import pytest
from methods.rate_targets.one_sine import one_sine

import bridge
from bridge.errors import OutputError, SpecError

TINY = {
    "units": 24, "teacher_units": 20, "settle_trials": 1, "component_trials": 1,
    "learn_trials": 25, "test_trials": 4,
}  # fmt: skip
FIGURES = ("outputs", "spikes", "errors", "eigenvalues")


@pytest.fixture(scope="module")
def fit():
    return bridge.fit_targets(one_sine(), **TINY)


def page_of(fit, folder):
    (page,) = bridge.report(fit, folder / "fit.html")
    return page.read_text(encoding="utf-8")


def verdict_of(page):
    return re.search(r'class="verdict (\w+)"[^>]*>(.*?)</section>', page, re.DOTALL).groups()


def test_it_says_how_good_the_network_is_on_its_own(fit, tmp_path):
    page = page_of(fit, tmp_path)
    mark, said = verdict_of(page)
    assert f"{fit.error:.3g} in 4 trials on its own, {fit.rate_hz:.3g} Hz" in said
    assert f"between {fit.errors.min():.2g} and {fit.errors.max():.2g}" in said
    assert f"{np.median(fit.learning_errors[-20:]):.2g} in the last 20 trials" in said
    assert mark == ("bad" if fit.error >= 1 else "plain")
    assert "<td>24 LIF</td>" in page
    # Of 24 neurons 0.4 are trained.
    assert "<td>of them with learned connections</td><td>10</td>" in page
    assert "learn_trials: 25" in page


@pytest.mark.parametrize(
    ("errors", "mark", "said"),
    [
        ([0.1, 0.2, 0.3], "plain", "between 0.1 and 0.3"),
        ([0.1, 0.2, 3.0], "plain", "1 or more in 1 trial"),
        ([2.0, 3.0, 4.0], "bad", "1 or more in 3 trials"),
        ([], "fair", "not judged"),
    ],
)
def test_a_network_that_fails_is_not_shown_as_one_that_does_not(errors, mark, said, fit, tmp_path):
    page = page_of(dataclasses.replace(fit, errors=errors), tmp_path)
    found = verdict_of(page)
    assert ("The dashed line" in page) == bool(errors)
    assert found[0] == mark
    assert said in found[1]


def test_why_learning_ended_is_said_once(fit, tmp_path):
    made = {**fit.network.provenance, "stopped": "interrupted"}
    network = dataclasses.replace(fit.network, provenance=made)
    for number, errors in enumerate(([], [0.1, 0.2])):
        stopped = dataclasses.replace(fit, network=network, errors=errors)
        folder = tmp_path / str(number)
        folder.mkdir()
        page = page_of(stopped, folder)
        assert ("<td>trials on its own</td><td>none</td>" in page) == (not errors)
        _, said = verdict_of(page)
        assert said.lower().count("interrupted") == 1
        # Nothing that is "it" where nothing was said before.
        assert ("While learning nMSE was" in said) == (not errors)


def test_it_is_one_file_with_four_pictures(fit, tmp_path):
    page = page_of(fit, tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["fit.html"]
    assert tuple(re.findall(r'<figure id="figure-(\w+)"', page)) == FIGURES
    assert page.count("<svg ") == len(FIGURES)
    assert not re.search(r'(src|href)="(?!#|data:)', page)
    marks = page.index("figure-spikes"), page.index("figure-errors")
    assert "spikes" in page[slice(*marks)]
    # Two trials in a row of 0.2 s.
    assert "two trials in a row" in page


def test_what_cannot_be_drawn_is_left_out_and_said(fit, tmp_path):
    page = page_of(dataclasses.replace(fit, checkpoint=None), tmp_path)
    assert "holds no checkpoint" in page
    assert "learned connections" not in page


def test_nothing_is_replaced_unless_it_is_asked_for(fit, tmp_path):
    page = tmp_path / "fit.html"
    page.write_text("there")
    with pytest.raises(OutputError, match="exists already"):
        bridge.report(fit, page)
    assert page.read_text() == "there"
    bridge.report(fit, page, force=True)
    assert "verdict" in page.read_text()
    with pytest.raises(SpecError, match="thing"):
        bridge.report(fit.network, tmp_path / "network.html")
