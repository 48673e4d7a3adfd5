"""Names with commas between them."""

from pathlib import Path

import pytest

from bridge.cli.words import between_commas
from bridge.errors import SpecError

LIF = Path(__file__).parents[1] / "backends" / "frozen" / "lif.h5"


def test_names_are_what_stands_between_commas():
    assert between_commas("--backends", "brian2, snntorch:device=cpu") == [
        "brian2",
        "snntorch:device=cpu",
    ]


@pytest.mark.parametrize("given", ["", ",", "brian2,", "brian2,,snntorch", " "])
def test_an_empty_name_is_refused(given):
    with pytest.raises(SpecError, match="--backends: expected names with commas between them, got"):
        between_commas("--backends", given)


@pytest.mark.parametrize(
    "words",
    [
        ("compare", LIF, "--out", "x.html", "--backends", ","),
        ("compare", LIF, "--out", "x.html", "--levels", "exact,"),
        ("convert", LIF, "--out", "y.h5", "--neuron", "lif,"),
        ("study", "1c", "--out", "x", "--cells", ","),
        ("benchmark", "--out", "x", "--only", ","),
        ("conformance", "--importers", ","),
        ("conformance", "--graphs", ","),
    ],
)
def test_every_option_that_takes_names_refuses_an_empty_one(words, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = command(*words)
    assert outcome.status == 2
    assert "expected names with commas between them, got" in outcome.err
