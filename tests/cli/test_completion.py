"""What the shell offers after TAB."""

import pytest
from typer.testing import CliRunner

from bridge.backends import parse_backend
from bridge.cli import app, completion
from bridge.cli.compare import INJECTED
from bridge.studies.catalog import STUDIES


def offered(line):
    """What bash is given for the last word of a line."""
    words = {"COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    said = CliRunner().invoke(
        app, prog_name="spikebridge", env={"_SPIKEBRIDGE_COMPLETE": "complete_bash", **words}
    )
    assert said.exit_code == 0
    return said.output.split()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("spikebridge tr", ["train", "train-src"]),
        ("spikebridge train-src f", ["fashion-mnist"]),
        ("spikebridge run net.h5 --back", ["--backend"]),
        ("spikebridge train f", ["flip-flop", "four-sines"]),
        ("spikebridge tasks x", ["xor"]),
        ("spikebridge run net.h5 --backend nest", ["nest", "nest:euler", "nest:plain"]),
        ("spikebridge convert net.h5 --backend ref", ["reference"]),
        ("spikebridge compare net.h5 --backends brian2,ref", ["brian2,reference"]),
        ("spikebridge compare net.h5 --inject weights", ["weights-0.98", "weights-0.95"]),
        ("spikebridge study 6", ["6a", "6b", "6c"]),
    ],
)
def test_tab_completes(line, words):
    assert offered(line) == words


def test_all_that_is_offered_is_known():
    for label in completion.backend(""):
        parse_backend(label)
    assert completion.faults("") == INJECTED.split(", ")
    assert list(completion.studies("")) == list(STUDIES)
