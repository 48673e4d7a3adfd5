"""Formats are found by name or by the ending of a file."""

import pytest
from exchange.mat_files import write_original

import bridge
from bridge.errors import SpecError
from bridge.exchange.formats import NAMES, format_of, load_format


def test_every_format_reads_and_writes_and_has_its_own_ending():
    formats = [load_format(name) for name in NAMES]
    assert all(callable(each.read) and callable(each.encode) for each in formats)
    assert len({each.SUFFIX for each in formats}) == len(NAMES)


def test_an_unknown_format_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(SpecError, match="unknown format 'excel'; known are matlab"):
        bridge.import_network(write_original(tmp_path / "model.mat"), format="excel")
    rate = bridge.import_network(tmp_path / "model.mat").rate
    with pytest.raises(SpecError, match="unknown format 'os'; known are matlab"):
        bridge.export_network(rate, tmp_path / "a.mat", to="os")


def test_the_ending_names_the_format_whatever_its_case(tmp_path):
    assert format_of(tmp_path / "MODEL.MAT") is load_format("matlab")


def test_another_ending_needs_the_name_of_the_format(tmp_path):
    file = write_original(tmp_path / "model.mat").rename(tmp_path / "model.dat")
    with pytest.raises(SpecError, match=r"its ending names no known format \(\.mat\); say"):
        bridge.import_network(file)
    assert bridge.import_network(file, format="matlab").rate.size == 7
