"""What people call the bias of units and the state that they start from, and what it then is."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.rate.plain_arrays import numbers, vector

Array = NDArray[np.float64]

# Torch's names included.
_UNITS = "rec|recurrent|h|hh|hid|hidden|i|ih|in|inp|input|x|unit|units|r"
_BIAS = re.compile(rf"(b|bias|biases)(_?({_UNITS}))?(_l0)?|({_UNITS})_?bias")
_START = re.compile(r"[hxr]_?(0|init|initial)|(init|initial|start)_?(state|h|x|r|hidden)|h0_l0")
_ACTIVITY = re.compile(r"r_?(0|init|initial)|(init|initial|start)_?r")


def is_bias(name: str) -> bool:
    """Whether that is what people call a bias of the units."""
    return _BIAS.fullmatch(name.lower()) is not None


def is_start(name: str) -> bool:
    """Whether that is what people call the state that units start from."""
    return _START.fullmatch(name.lower()) is not None


def bias_of(given: Mapping[str, Any], size: int) -> Array:
    """(size,) the sum of biases, each by its name: one of the input and one of the units add up."""
    total: Array = np.zeros(size)
    for name, value in given.items():
        total = total + _values(name, value, size)
    return total


def start_of(given: Mapping[str, Any], size: int, form: object) -> Array:
    """(size,) the state to start from; `given` by name, at most one of them not zero.

    Raises:
        SpecError: several are not zero, or one is an activity where the state is another thing.
    """
    found = {name: _values(name, value, size) for name, value in given.items()}
    found = {name: values for name, values in found.items() if np.any(values)}
    if len(found) > 1:
        raise SpecError(f"{' and '.join(found)}: expected one state to start from, got several")
    for name, values in found.items():
        if form != "h" and _ACTIVITY.fullmatch(name.rpartition(".")[2].lower()):
            raise SpecError(
                f"{name}: units of form x start from a state x(0) and not from an activity; give "
                "it as initial_state"
            )
        return values
    return np.zeros(size)


def _values(name: str, value: Any, size: int) -> Array:
    """(size,) numbers; what is zero is none, whatever its shape."""
    # As torch has it, a bias of False is none; True does not say which.
    if isinstance(value, bool | np.bool_) and value:
        raise SpecError(f"{name}: expected {size} numbers, got True")
    array = numbers(name, value)
    return vector(name, array, size) if np.any(array) else np.zeros(size)


def extra_fields(
    given: dict[str, Any], known: Collection[str], others: Sequence[str], size: int
) -> dict[str, Any]:
    """Some arguments as fields of a network of `size` units, a bias and a start by any name.

    Args:
        given: By name; a bias or a start that is None is none.
        known: Names of the fields that are taken as they are.
        others: Names of the other arguments, for the error.
        size: N.

    Raises:
        SpecError: one is not known, or a bias or a start makes no sense.
    """
    biases = {name: value for name, value in given.items() if is_bias(name)}
    starts = {name: value for name, value in given.items() if is_start(name)}
    kept = {name: given[name] for name in given if name not in biases | starts}
    for name in kept:
        if name not in known:
            raise SpecError(
                f"unknown argument {name!r} of from_arrays; known are "
                f"{', '.join([*others, *sorted(known)])}"
            )
    told = {name: value for name, value in biases.items() if value is not None}
    kept["bias"] = bias_of(told, size)
    told = {name: value for name, value in starts.items() if value is not None}
    kept["initial_state"] = start_of(told, size, kept.get("form", "x"))
    return kept
