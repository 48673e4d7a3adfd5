"""Errors of ours reach whoever asked, and those of others fit into a sentence of ours."""

import copy
import pickle

import pytest

from bridge import errors
from bridge.errors import BridgeError, DivergedError, FullError, UnsuitedError, first_line

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, BridgeError)
]
ODD = {
    DivergedError: DivergedError("it diverged", kept=(1, 2)),
    UnsuitedError: UnsuitedError("more state than that", "try another"),
    FullError: FullError("cuda is full", "run fewer", ("trials",)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_of_a_process_is_the_same_in_the_one_that_began_it(kind):
    error = ODD[kind] if kind in ODD else kind("what is wrong")
    # As pools of processes hand it on.
    for there in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (type(there), str(there), vars(there)) == (kind, str(error), vars(error))


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("no more\nand a trace", "no more"),
        ("\n  \n g++ failed: \n", "g++ failed:"),
        ("", "ValueError"),
        ("\n", "ValueError"),
        ("x" * 1000, "x" * 300),
    ],
)
def test_what_another_program_says_is_one_line(said, line):
    assert first_line(ValueError(said)) == line


def test_what_a_full_device_advises_is_left_out_where_there_is_nothing():
    assert str(FullError("cuda is full")) == "cuda is full"
    assert str(FullError("cuda is full", "run fewer")) == "cuda is full; run fewer"
