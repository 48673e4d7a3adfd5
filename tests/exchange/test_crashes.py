"""A file whose reading ends the process is refused, and the process goes on."""

import os
import signal
from pathlib import Path

import pytest
from exchange.mutants import in_time

from bridge.errors import FormatError
from bridge.exchange import crashes
from bridge.exchange.crashes import check_it_can_be_read

FILE = Path("damaged.nir")


@pytest.mark.parametrize("ending", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS])
def test_a_file_that_ends_the_process_is_refused(ending):
    with pytest.raises(FormatError, match=r"^damaged\.nir: damaged: reading it crashes the HDF5"):
        check_it_can_be_read(FILE, lambda: os.kill(os.getpid(), ending))


def test_a_file_that_is_read_for_ever_is_refused(monkeypatch):
    monkeypatch.setattr(crashes, "_MOST_S", 1)
    with pytest.raises(FormatError, match=r"^damaged\.nir: damaged: reading it does not end$"):
        check_it_can_be_read(FILE, signal.pause)


def test_what_python_can_tell_is_left_to_the_reading_that_counts():
    def read():
        raise FormatError("no NIR file")

    check_it_can_be_read(FILE, read)
    check_it_can_be_read(FILE, lambda: None)


def test_a_child_does_not_outlive_a_wait_that_is_broken_off(monkeypatch):
    fork, children = os.fork, []

    def counted():
        children.append(fork())
        return children[-1]

    monkeypatch.setattr(os, "fork", counted)
    # Were it left alone, it would end after these seconds.
    monkeypatch.setattr(crashes, "_MOST_S", 5)
    with pytest.raises(TimeoutError), in_time(1):
        check_it_can_be_read(FILE, signal.pause)
    with pytest.raises(ProcessLookupError):
        os.kill(children[0], 0)


def test_a_crash_writes_nothing(capfd):
    def read():
        os.write(2, b"Fatal Python error: Segmentation fault")
        os.kill(os.getpid(), signal.SIGSEGV)

    with pytest.raises(FormatError, match="crashes the HDF5"):
        check_it_can_be_read(FILE, read)
    assert capfd.readouterr().err == ""


def test_a_child_that_cannot_be_prepared_ends_as_well(monkeypatch):
    def refuse(*_):
        raise OSError("no such call")

    monkeypatch.setattr(signal, "alarm", refuse)
    here = os.getpid()
    try:
        check_it_can_be_read(FILE, lambda: None)
    finally:
        # A child that came back would go on with the tests.
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)


def test_where_ends_of_children_are_ignored_nothing_is_checked():
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        check_it_can_be_read(FILE, lambda: None)
    finally:
        signal.signal(signal.SIGCHLD, before)
