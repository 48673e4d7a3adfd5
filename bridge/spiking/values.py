"""Checked single values: numbers, times, text, names, and provenance."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np

from bridge.errors import SpecError, written_out
from bridge.spiking.limits import LONGEST_STEP_MS, SHORTEST_STEP_MS

Model = TypeVar("Model")

_LONGEST_SHOWN = 60
_LONGEST_TEXT = 1000


def shown(value: object) -> str:
    """A value of any kind within a sentence: on one line, and short."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if isinstance(value, Mapping):
        return "a group"
    text = " ".join(written_out(value).split())
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def number(name: str, value: object, least: float = -np.inf, most: float = np.inf) -> float:
    """`value` as a float from `least` to `most`; SpecError for what is not a finite number."""
    real = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not real:
        raise SpecError(f"{name}: expected a number, got {shown(value)}")
    try:
        found = float(value)  # type: ignore[arg-type]
    except OverflowError:
        found = np.inf
    if not np.isfinite(found):
        raise SpecError(f"{name}: expected a finite number, got {shown(value)}")
    if not least <= found <= most:
        beyond = "must not be negative" if found < least == 0 and most == np.inf else ""
        beyond = beyond or f"must lie in {least:g} to {most:g}"
        raise SpecError(f"{name}: {beyond}, got {found:g}")
    return found


def time_step_ms(name: str, value: object) -> float:
    """`value` as a time step, ms; SpecError unless it is positive and one that can be counted."""
    found = number(name, value)
    if found <= 0:
        raise SpecError(f"{name}: must be positive, got {found:g}")
    return number(name, found, SHORTEST_STEP_MS, LONGEST_STEP_MS)


def text(name: str, value: object) -> str:
    """`value`, if it is text that can be printed on one line and kept in a file; else SpecError."""
    fits = isinstance(value, str) and value.isprintable() and len(value) <= _LONGEST_TEXT
    if not fits:
        raise SpecError(f"{name}: expected text on one line, got {shown(value)}")
    return str(value)


def part_name(name: str, value: object) -> str:
    """`value`, if it is text that can name a part of a file; else SpecError."""
    found = text(name, value)
    if not found.strip(".") or "/" in found:
        raise SpecError(f"{name}: {shown(value)} is not a usable name")
    return found


def known_model(name: str, value: Model, known: tuple[type, ...]) -> Model:
    """`value`, if its class itself is one of `known`.

    A subclass may act otherwise than its parent, and neither a file nor a backend knows how.
    """
    if type(value) not in known:
        names = ", ".join(each.__name__ for each in known)
        raise SpecError(f"{name}: unknown class {type(value).__name__}; known are {names}")
    return value


def unknown(name: str, value: object) -> SpecError:
    """The error of a place that does not know what to do with a class of that kind."""
    return SpecError(f"{name}: {type(value).__name__} is not known here")


def frozen_provenance(value: object) -> MappingProxyType[str, Any]:
    """A read-only copy of a provenance; SpecError unless a file can hold it."""
    if not isinstance(value, Mapping):
        raise SpecError(f"provenance: expected names with values, got {shown(value)}")
    strange = [name for name in value if not isinstance(name, str)]
    if strange:
        raise SpecError(f"provenance: expected text as names, got {shown(strange[0])}")
    try:
        json.dumps(dict(value), sort_keys=True, default=str)
    except (TypeError, ValueError, RecursionError) as error:
        raise SpecError(f"provenance: its values cannot be kept as JSON ({error})") from None
    return MappingProxyType(dict(value))
