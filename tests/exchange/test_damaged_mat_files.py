"""Files that are no `.mat` files, or damaged ones, are refused in a sentence and harm nothing."""

import io
import pickle
import zlib

import numpy as np
import pytest
from exchange.mat_files import original_fields, write_original
from scipy.io import loadmat, savemat

import bridge
from bridge.errors import FormatError


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(FormatError, match=r"none\.mat: no such file"):
        bridge.import_network(tmp_path / "none.mat")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no .mat file of version 5"),
        (b"w = [1 2 3];\n" * 40, "no .mat file of version 5"),
        (pickle.dumps({"w": [1.0]}), "no .mat file of version 5"),
        (b"\x89HDF\r\n\x1a\n" + bytes(600), "an HDF5 file .*save it in MATLAB with -v7 instead"),
        (bytes(512) + b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file"),
    ],
)
def test_what_is_no_such_file_is_refused(content, message, tmp_path):
    file = tmp_path / "model.mat"
    file.write_bytes(content)
    with pytest.raises(FormatError, match=message):
        bridge.import_network(file)


def test_a_file_of_version_4_is_refused(tmp_path):
    savemat(tmp_path / "model.mat", {"w": np.eye(3)}, format="4")
    with pytest.raises(FormatError, match=r"no \.mat file of version 5"):
        bridge.import_network(tmp_path / "model.mat")


@pytest.mark.parametrize("packed", [False, True])
def test_a_truncated_file_is_refused(packed, tmp_path):
    buffer = io.BytesIO()
    savemat(buffer, original_fields(), do_compression=packed)
    whole, file = buffer.getvalue(), tmp_path / "model.mat"
    for kept in (129, 150, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:kept])
        with pytest.raises(FormatError, match=r"model\.mat: a truncated \.mat file"):
            bridge.import_network(file)


@pytest.mark.parametrize("packed", [False, True])
def test_a_damaged_file_is_refused_or_read_and_nothing_else(packed, tmp_path):
    buffer = io.BytesIO()
    savemat(buffer, original_fields(), do_compression=packed)
    whole, file, rng = buffer.getvalue(), tmp_path / "model.mat", np.random.default_rng(0)
    refused = 0
    for _ in range(400):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 3):
            damaged[place] = rng.integers(256)
        file.write_bytes(damaged)
        try:
            bridge.import_network(file)
        except FormatError:
            refused += 1
    assert refused > 50


def test_a_field_that_stands_twice_is_refused(tmp_path):
    buffer = io.BytesIO()
    savemat(buffer, {"w": np.eye(3)})
    once = buffer.getvalue()
    (tmp_path / "model.mat").write_bytes(once + once[128:])
    with pytest.raises(FormatError, match="holds w twice"):
        bridge.import_network(tmp_path / "model.mat")


def _element(kind, content):
    return np.array([kind, len(content)], dtype="<u4").tobytes() + content


def _header():
    buffer = io.BytesIO()
    savemat(buffer, {})
    return buffer.getvalue()[:128]


def test_a_few_bytes_that_claim_gigabytes_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("bridge.exchange.mat5._LARGEST_BYTES", 10**6)
    packed = _element(15, zlib.compress(bytes(10**7)))
    assert len(packed) < 20_000
    (tmp_path / "model.mat").write_bytes(_header() + packed)
    with pytest.raises(FormatError, match="holds more than"):
        bridge.import_network(tmp_path / "model.mat")


def test_a_file_that_is_too_large_is_not_even_read(tmp_path, monkeypatch):
    monkeypatch.setattr("bridge.exchange.mat5._LARGEST_BYTES", 1000)
    with pytest.raises(FormatError, match="larger than"):
        bridge.import_network(write_original(tmp_path / "model.mat"))


def test_importing_changes_no_file(tmp_path):
    # A search of the authors' kind writes into the user's file; reading must not.
    file = write_original(tmp_path / "model.mat")
    before = file.read_bytes()
    bridge.import_network(file)
    assert file.read_bytes() == before
    assert "w" in loadmat(file)
