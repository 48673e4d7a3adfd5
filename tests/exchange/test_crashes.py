"""A file whose reading ends the process is refused, and the process goes on."""

import os
import signal
from pathlib import Path

import pytest

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
    with pytest.raises(FormatError, match=r"^damaged\.nir"):
        check_it_can_be_read(FILE, signal.pause)


def test_what_python_can_tell_is_left_to_the_reading_that_counts():
    def read():
        raise FormatError("no NIR file")

    check_it_can_be_read(FILE, read)
    check_it_can_be_read(FILE, lambda: None)
