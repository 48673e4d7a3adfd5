"""Our reading of version 5 `.mat` files against scipy's, and against bytes put down by hand."""

import io

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from bridge.errors import FormatError
from bridge.exchange.mat5 import mat_bytes, mat_content, read_mat

TYPES = ("f8", "f4", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?")


def read(path, content, *names):
    path.write_bytes(content)
    return read_mat(path, mat_content(path), names).fields


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", TYPES)
def test_every_type_of_number_is_read_as_scipy_reads_it(kind, packed, tmp_path):
    rng, buffer = np.random.default_rng(0), io.BytesIO()
    shapes = {"w": (3, 4), "a_longer_name": (1, 1), "empty": (0, 2), "deep": (2, 3, 4)}
    fields = {name: rng.integers(0, 100, shape).astype(kind) for name, shape in shapes.items()}
    savemat(buffer, fields, do_compression=packed)
    ours = read(tmp_path / "model.mat", buffer.getvalue(), *shapes)
    theirs = loadmat(tmp_path / "model.mat")
    for name, shape in shapes.items():
        assert (ours[name].dtype, ours[name].shape) == (np.float64, shape)
        np.testing.assert_array_equal(ours[name], theirs[name])


@pytest.mark.parametrize("text", ["sigmoid", "", "größe"])
def test_text_is_read(text, tmp_path):
    assert read(tmp_path / "model.mat", mat_bytes({"said": text}), "said") == {"said": text}


def test_what_was_not_asked_for_is_left_alone(tmp_path):
    content = mat_bytes({"w": np.eye(2), "a_struct": {"x": 1.0}, "z": 1j})
    assert list(read(tmp_path / "model.mat", content, "w", "missing")) == ["w"]


def element(kind, content, order="<"):
    padding = bytes(-len(content) % 8)
    return np.array([kind, len(content)], f"{order}u4").tobytes() + content + padding


def matrix(order, flags, shape, *rest):
    parts = ((6, [flags, 0], "u4"), (5, shape, "i4"))
    head = [element(kind, np.array(v, order + dtype).tobytes(), order) for kind, v, dtype in parts]
    return element(14, b"".join([*head, element(1, b"w", order), *rest]), order)


def header(order):
    return b"by hand".ljust(124) + (b"\x00\x01IM" if order == "<" else b"\x01\x00MI")


@pytest.mark.parametrize("order", "<>")
def test_either_order_of_bytes_is_read_column_by_column(order, tmp_path):
    numbers = element(3, np.array([1, -2, 3, 4, 5, 600], f"{order}i2").tobytes(), order)
    content = header(order) + matrix(order, 6, [2, 3], numbers)
    found = read(tmp_path / "model.mat", content, "w")["w"]
    np.testing.assert_array_equal(found, [[1, 3, 5], [-2, 4, 600]])


@pytest.mark.parametrize("order", "<>")
def test_text_in_sixteen_bits_is_read(order, tmp_path):
    code = "utf-16-le" if order == "<" else "utf-16-be"
    content = header(order) + matrix(order, 4, [1, 4], element(4, "relu".encode(code), order))
    assert read(tmp_path / "model.mat", content, "w") == {"w": "relu"}


def test_a_signalling_nan_is_read_without_a_warning(tmp_path):
    content = header("<") + matrix("<", 7, [1, 1], element(7, b"\x01\x00\xa0\x7f"))
    assert np.isnan(read(tmp_path / "model.mat", content, "w")["w"]).all()


NINE = element(9, np.arange(9.0).tobytes())


@pytest.mark.parametrize(
    ("held", "message"),
    [
        (matrix("<", 6, [2**30, 2**30], NINE), r"claims the shape \(1073741824, 1073741824\)"),
        (matrix("<", 6, [-3, -3], NINE), r"claims the shape \(-3, -3\)"),
        (matrix("<", 6, [3, 4], NINE), "w holds 9 numbers, not 12"),
        (matrix("<", 6, [9], NINE), "a damaged .mat file"),
        (matrix("<", 99, [3, 3], NINE), "a damaged .mat file"),
        (matrix("<", 6, [3, 3], element(14, b"")), "a damaged .mat file"),
        (matrix("<", 6, [3, 3]), "a truncated .mat file"),
        (matrix("<", 6, [3, 3], np.array([9, 2**31], "<u4").tobytes()), "a truncated .mat file"),
        (matrix("<", 6, [3, 3], np.array([9 | 7 << 16, 0], "<u4").tobytes()), "a damaged .mat"),
        (matrix("<", 4, [2, 2], element(16, b"abcd")), "w is not a line of text"),
        (matrix("<", 4, [1, 1], element(16, b"\xff")), "w is not a line of text"),
        (matrix("<", 0x806, [3, 3], NINE, NINE), "not a plain array of real numbers but complex"),
        (element(15, b"no zlib stream"), "a damaged .mat file"),
        (element(7, bytes(8)), "a damaged .mat file"),
        (element(14, element(6, b"")), "a damaged .mat file"),
    ],
)
def test_bytes_that_make_no_sense_are_refused(held, message, tmp_path):
    with pytest.raises(FormatError, match=message):
        read(tmp_path / "model.mat", header("<") + held, "w")


def test_an_object_of_a_matlab_class_is_passed_over(tmp_path):
    # Class 17 has no shape: flags, then names.
    opaque = element(14, element(6, np.array([17, 0], "<u4").tobytes()) + element(1, b"w"))
    content = header("<") + opaque + matrix("<", 6, [3, 3], NINE)
    assert read(tmp_path / "model.mat", content, "w")["w"][1, 0] == 1.0
