"""Formats are found by name or by the ending of a file."""

import h5py
import numpy as np
import pytest
import torch
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
    assert format_of(tmp_path / "MODEL.MAT", str) is load_format("matlab")


def written(path, save):
    # By itself NumPy adds its own ending.
    with path.open("wb") as file:
        save(file, np.eye(2))


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda path: h5py.File(path, "w").close(), "HDF5 file: a recording is read by bridge.lo"),
        (lambda path: torch.save({}, path), "an archive, as PyTorch.*RateNetwork.from_arrays"),
        (lambda path: written(path, np.savez), "an archive, as PyTorch and NumPy write"),
        (lambda path: written(path, np.save), "it is an array of NumPy"),
        (lambda path: path.mkdir(), "it is a folder"),
        (lambda path: path.write_text("w = 1"), "say which it is, by format or --from: matlab"),
        (lambda path: None, "say which it is"),
    ],
)
def test_a_file_of_another_kind_is_called_by_its_kind(write, said, tmp_path):
    file = tmp_path / "model.dat"
    write(file)
    with pytest.raises(SpecError, match=rf"model\.dat: its ending names no known format.*{said}"):
        bridge.import_network(file)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"trial_s": 1.0}, "unknown option 'trial_s' .* known are task, activation, relu, dt_ms"),
        ({"task": 3}, "task: expected a name, got 3"),
        ({"activation": 3}, "activation: expected a name, got 3"),
        ({"relu": "yes"}, "relu: expected True or False, got 'yes'"),
        ({"dt_ms": "20"}, "dt_ms: expected a step in ms, got '20'"),
        ({"dt_ms": 0}, "dt_ms: expected a step in ms, got 0"),
        ({"dt_ms": float("nan")}, "dt_ms: expected a step in ms, got nan"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(options, said, tmp_path):
    with pytest.raises(SpecError, match=said):
        bridge.import_network(write_original(tmp_path / "model.mat"), **options)


def test_another_ending_needs_the_name_of_the_format(tmp_path):
    file = write_original(tmp_path / "model.mat").rename(tmp_path / "model.dat")
    with pytest.raises(
        SpecError, match=r"its ending names no known format \(\.mat, \.safetensors, \.nir\); say"
    ):
        bridge.import_network(file)
    assert bridge.import_network(file, format="matlab").rate.size == 7


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.nwb", "that is one of recordings: `spikebridge run` makes one of the network"),
        ("a.foo", "say which it is to be, by to or --to: matlab, safetensors, nir"),
    ],
)
def test_an_ending_that_says_nothing_to_write_leads_on(name, said, tmp_path):
    rate = bridge.import_network(write_original(tmp_path / "model.mat")).rate
    with pytest.raises(SpecError, match=f"its ending names no known format .*; {said}"):
        bridge.export_network(rate, tmp_path / name)
