"""A changed file of ours with a fitting checksum is read as something whole, or is one sentence."""

import signal
from collections import Counter

import pytest
from exchange.mutants import fates


@pytest.mark.parametrize("mutants", [100, pytest.param(1000, marks=pytest.mark.full)])
def test_a_changed_file_is_something_whole_or_one_sentence(mutants, tmp_path):
    found = list(fates(tmp_path, range(mutants)))
    wrong = [each for each in found if each[3] not in ("refused", "loaded")]
    assert not wrong
    counts = Counter(fate for *_, fate in found)
    # One that is never refused, or always, would tell nothing.
    assert counts["refused"] > 0.7 * mutants
    assert counts["loaded"] > 0.05 * mutants


def test_what_goes_wrong_with_a_changed_file_is_told(tmp_path, monkeypatch):
    def broken(_path):
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr("exchange.mutants.load", broken)
    (number, _, _, fate), *_ = fates(tmp_path, range(3))
    assert (number, fate) == (0, "ZeroDivisionError: a fault of ours")


def test_a_file_that_takes_too_long_is_told(tmp_path, monkeypatch):
    def endless(_path):
        while True:
            signal.pause()

    monkeypatch.setattr("exchange.mutants.load", endless)
    monkeypatch.setattr("exchange.mutants.LONGEST_S", 1)
    ((*_, fate),) = fates(tmp_path, [0])
    assert fate == "TimeoutError: takes longer than 1 s"
