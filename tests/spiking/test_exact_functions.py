"""The functions of a step: near the true ones, and the same bits everywhere."""

import ctypes
import hashlib
import platform
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from spiking.exact_points import FUNCTIONS, errors_in_ulp, points, traced

from bridge.backends import cache
from bridge.backends.brian2.toolchain import STRICT_FLAGS
from bridge.backends.snntorch import compiled_block
from bridge.spiking import exact_functions
from bridge.spiking.exact_functions import _DOUBLE, _SINGLE, _first_bit, _log2, _power_of_two
from bridge.spiking.operations import NUMPY, Operations

NAMES = [function.name for function in FUNCTIONS]
ENDS = [-745.0, -745.2, -708.5, 709.78, 709.79, -1.0, -2.0, -(2.0**-53), -(2.0**-54)]
SPECIAL = np.array([0.0, -0.0, 5e-324, -5e-324, 1e308, -1e308, np.inf, -np.inf, np.nan, *ENDS])
NAN = [np.nan]


class TorchOperations(Operations):
    """The vocabulary on tensors."""

    def above(self, a, b):
        return a > b

    def at_or_above(self, a, b):
        return a >= b

    def where(self, condition, a, b):
        return torch.where(condition, a, b)

    def floor(self, x):
        return torch.floor(x)


class AllFour(torch.nn.Module):
    """The four functions, as something to compile."""

    def forward(self, x):
        return [getattr(exact_functions, name)(TorchOperations(), x) for name in NAMES]


def by_numpy(name, x):
    with np.errstate(all="ignore"):
        return getattr(exact_functions, name)(NUMPY, x)


@pytest.fixture(scope="module")
def everywhere():
    """Arguments of all kinds for all functions."""
    rng = np.random.default_rng(3)
    return np.concatenate([SPECIAL, *(points(name, 5000, rng) for name in NAMES)])


def assert_same_bits(found, name, x):
    np.testing.assert_array_equal(found, by_numpy(name, x), err_msg=name)
    number = ~np.isnan(found)
    np.testing.assert_array_equal(
        np.signbit(found[number]), np.signbit(by_numpy(name, x)[number]), err_msg=name
    )


@pytest.mark.parametrize("count", [6_000, pytest.param(24_000, marks=pytest.mark.full)])
@pytest.mark.parametrize("function", FUNCTIONS, ids=NAMES)
def test_it_is_within_8_units_in_the_last_place(function, count):
    x = points(function.name, count, np.random.default_rng(1))
    assert len(x) >= count / 1.2
    errors = errors_in_ulp(function.true, x, by_numpy(function.name, x))
    worst = errors.argmax()
    assert errors[worst] < 8, f"{errors[worst]:.1f} at {x[worst]!r}"


@pytest.mark.parametrize(
    ("name", "arguments", "results"),
    [
        ("exp", [-np.inf, -1e308, -745.2, 0, 709.79, 1e308, np.inf], [0, 0, 0, 1] + 3 * [np.inf]),
        ("sigmoid", [-np.inf, -1e308, -745.2, 0, 37.5, 1e308, np.inf], [0, 0, 0, 0.5, 1, 1, 1]),
        ("tanh", [-np.inf, -1e308, -19.07, 0, 19.07, 1e308, np.inf], [-1, -1, -1, 0, 1, 1, 1]),
        ("log1p", [-np.inf, -2, -1, 0, np.inf], [*NAN, *NAN, *NAN, 0, np.inf]),
        *((name, NAN, NAN) for name in NAMES),
    ],
)
def test_its_ends(name, arguments, results):
    np.testing.assert_array_equal(by_numpy(name, np.array(arguments)), results)


@pytest.mark.parametrize("name", ["exp", "sigmoid"])
def test_below_minus_708_it_is_subnormal_and_then_0(name):
    # There sigmoid(x) = e^x, which mpmath gives as 7.4e-320 at -734.
    assert by_numpy(name, np.array([-734.0]))[0] == pytest.approx(7.4e-320, rel=0.01)


def test_log1p_reaches_the_largest_number():
    largest = np.finfo(np.float64).max
    # log(2^1024) is 709.782712893384 to all digits of a float64.
    assert by_numpy("log1p", np.array([largest]))[0] == pytest.approx(709.782712893384, rel=1e-15)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("exp", -746, -744),
        ("exp", 709.7, 709.8),
        ("sigmoid", -746, -744),
        ("sigmoid", 36, 38),
        ("tanh", 15, 19.2),
        ("tanh", -19.2, -15),
        ("log1p", 1.7e308, np.inf),
    ],
)
def test_it_does_not_fall_where_it_ends(name, low, high):
    x = np.append(np.linspace(low, min(high, 1.79e308), 100_001), high)
    results = by_numpy(name, x)
    assert (results[1:] >= results[:-1]).all()


def test_tanh_and_sigmoid_do_not_pass_1():
    x = np.linspace(15, 45, 100_001)
    assert by_numpy("tanh", x).max() == by_numpy("sigmoid", x).max() == 1.0
    assert by_numpy("tanh", -x).min() == -1.0


def test_tanh_is_odd_to_the_last_bit(everywhere):
    np.testing.assert_array_equal(by_numpy("tanh", -everywhere), -by_numpy("tanh", everywhere))


def test_every_power_of_two_that_exp_needs_is_exact():
    n = np.arange(-540.0, 541)
    np.testing.assert_array_equal(_power_of_two(n, _DOUBLE), 2.0**n)
    n = np.arange(-75, 65).astype(np.float32)
    np.testing.assert_array_equal(_power_of_two(n, _SINGLE), np.float32(2) ** n)


def test_the_exponent_of_every_power_of_two_is_found():
    n = np.arange(-53, 1024)
    np.testing.assert_array_equal(_log2(NUMPY, 2.0 ** (n - _DOUBLE.shift), _DOUBLE), n)
    n = np.arange(-24, 128)
    power = np.float32(2) ** (n - _SINGLE.shift).astype(np.float32)
    np.testing.assert_array_equal(_log2(NUMPY, power, _SINGLE), n)


def test_the_first_bit_is_that_of_the_nearest_power_of_two():
    x = np.array([0.76, np.nextafter(1, 0), 1, np.nextafter(1, 2), 1.49, 1.51, np.nextafter(2, 0)])
    np.testing.assert_array_equal(_first_bit(x, _DOUBLE), [1, 1, 1, 1, 1, 2, 2])


@pytest.mark.parametrize("name", NAMES)
def test_torch_gives_the_bits_of_numpy(name, everywhere):
    found = getattr(exact_functions, name)(TorchOperations(), torch.from_numpy(everywhere))
    assert_same_bits(found.numpy(), name, everywhere)


@pytest.mark.full
def test_compiled_torch_gives_the_bits_of_numpy(everywhere):
    # Half a minute, once: what is compiled is kept for the next run, until a file of it changes.
    files = (__file__, exact_functions.__file__, compiled_block.__file__)
    sources = [hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in files]
    processor = torch.backends.cpu.get_cpu_capability()
    key = [torch.__version__, platform.machine(), processor, *sources]
    loader = cache.fetch("exact-functions", key, _compile_all_four, _load_all_four)
    results = loader.run([torch.from_numpy(everywhere)])
    for name, found in zip(NAMES, results, strict=True):
        assert_same_bits(found.numpy(), name, everywhere)


def _compile_all_four(folder):
    axes = ({0: torch.export.Dim("points", min=2)},)
    compiled_block.compile_package(
        AllFour(), (torch.zeros(64).double(),), axes, folder / "four.pt2"
    )


def _load_all_four(folder):
    return compiled_block.load_package(folder / "four.pt2")


def test_cpp_from_symbols_gives_the_bits_of_numpy(tmp_path, everywhere):
    loops = [_loop(name) for name in NAMES]
    source, library = tmp_path / "four.cpp", tmp_path / "four.so"
    source.write_text("\n".join(["#include <cmath>", *loops]))
    flags = [*STRICT_FLAGS, "-shared", "-fPIC"]
    subprocess.run(["g++", *flags, str(source), "-o", str(library)], check=True)
    functions = ctypes.CDLL(str(library))
    for name in NAMES:
        found = np.empty_like(everywhere)
        pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in (everywhere, found)]
        functions[name + "_all"](*pointers, ctypes.c_long(len(found)))
        assert_same_bits(found, name, everywhere)


def _loop(name):
    lines, result = traced(name)
    body = "\n".join(["const double x = given[i];", *lines, f"found[i] = {result};"])
    head = f'extern "C" void {name}_all(const double *given, double *found, long n)'
    return f"{head} {{ for (long i = 0; i < n; i++) {{\n{body}\n}} }}"


@pytest.mark.parametrize("function", FUNCTIONS, ids=NAMES)
def test_float32_has_the_precision_of_float32(function):
    x = np.concatenate([np.linspace(-80, 80, 9001), np.geomspace(1e-30, 1e30, 999)])
    x = np.concatenate([x, -x[-999:], -1 + np.geomspace(1e-6, 1, 999)]).astype(np.float32)
    x = x[x > {"log1p": -1, "exp": -87, "sigmoid": -87}.get(function.name, -np.inf)]
    x = x[x < 88] if function.name == "exp" else x
    found = getattr(exact_functions, function.name)(TorchOperations(), torch.from_numpy(x))
    assert found.dtype == torch.float32
    true = by_numpy(function.name, x.astype(np.float64))
    error = np.abs(found.numpy() - true) / np.spacing(np.abs(true).astype(np.float32))
    assert error.max() < 8


@pytest.mark.parametrize("name", NAMES)
def test_its_arguments_are_left_as_they_are(name):
    x = np.linspace(-0.5, 3, 11)
    x.flags.writeable = False
    assert by_numpy(name, x).shape == x.shape


@pytest.mark.parametrize("name", NAMES)
def test_numpy_has_nothing_to_warn_of_within_the_domain(name):
    x = points(name, 5000, np.random.default_rng(2))
    with np.errstate(all="raise", under="ignore"):
        getattr(exact_functions, name)(NUMPY, np.append(x, [0.0, -0.0]))
