"""The `repr` of what we describe: its essentials in a line, without its arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields
from html import escape
from typing import Any, Protocol

import numpy as np

from bridge.spiking.sparse_arrays import is_sparse

_LONGEST = 240
_LONGEST_PART = 60
_MOST_NAMED = 4


def told(thing: object, *parts: str) -> str:
    """The parts that say something, under the name of the thing's class."""
    inside = ", ".join(part for part in parts if part)
    return f"{type(thing).__name__}({clipped(inside, _LONGEST)})"


class Rows(Protocol):
    """What shows itself in rows."""

    def rows_told(self) -> Mapping[str, str]:
        """Phrases by what they show, in their order; those that are empty say nothing."""


def in_a_line(thing: Rows) -> str:
    """The `repr` of what shows itself in rows: the phrases, one after the other."""
    return told(thing, *thing.rows_told().values())


def as_table(thing: Rows) -> str:
    """The same as a table of HTML, which notebooks show; without colours, for light and dark."""
    rows = {name: phrase for name, phrase in thing.rows_told().items() if phrase}
    cells = [
        # "step", "step 1 ms": the name once.
        (name, clipped(phrase.removeprefix(f"{name} "), _LONGEST))
        for name, phrase in rows.items()
    ]
    left = ' style="text-align: left"'
    body = "".join(
        f"<tr><th{left}>{_safe(name)}</th><td{left}>{_safe(value)}</td></tr>"
        for name, value in cells
    )
    caption = f'<caption style="caption-side: top; text-align: left">{type(thing).__name__}'
    return f"<table>{caption}</caption><tbody>{body}</tbody></table>"


def _safe(text: str) -> str:
    """Text as HTML and as UTF-8 can hold it."""
    return escape(text.encode("utf-8", "replace").decode())


def essentials(thing: Any, first: Sequence[str] = ()) -> str:
    """A dataclass by those of its fields that are not as they are by default, in brief.

    Some come first, all others in their order.
    """
    entries = sorted(fields(thing), key=lambda entry: entry.name not in first)
    named = [entry for entry in entries if not _by_default(entry, getattr(thing, entry.name))]
    return told(thing, *(f"{entry.name}={brief(getattr(thing, entry.name))}" for entry in named))


def _by_default(entry: Field[Any], value: object) -> bool:
    default = entry.default
    if entry.default_factory is not MISSING:
        default = entry.default_factory()
    if isinstance(value, np.ndarray):
        scalar = isinstance(default, int | float) and not isinstance(default, bool)
        return scalar and value.size > 0 and bool(np.all(value == default))
    return type(value) is type(default) and bool(value == default)


def brief(value: object) -> str:
    """A value in a few words: an array by its range, or its shape where it is a matrix."""
    if is_sparse(value):
        return f"{sized(value)} ({value.nnz:,} stored)"
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    if isinstance(value, Mapping):
        return f"{{{names(value)}}}"
    if isinstance(value, tuple | list):
        return _row(value)
    return clipped(" ".join(repr(value).split()), _LONGEST_PART)


def _array(array: np.ndarray[Any, Any]) -> str:
    if array.ndim > 1 or not array.size or array.dtype.kind not in "fiub":
        return f"{sized(array)} {array.dtype}"
    if array.dtype.kind == "b":
        return f"{np.count_nonzero(array):,} of {array.size:,}"
    known = array[~np.isnan(array)]
    low, high = (known.min(), known.max()) if known.size else (np.nan, np.nan)
    return f"{low:g}" if low == high else f"{low:g} to {high:g} ({array.size:,})"


def _row(values: tuple[object, ...] | list[object]) -> str:
    if len(values) > _MOST_NAMED:
        return several(len(values), "entry", "entries")
    return clipped(f"({', '.join(map(brief, values))})", _LONGEST_PART)


def sized(array: Any) -> str:
    """The shape of an array, as 20 x 30."""
    return " x ".join(f"{size:,}" for size in array.shape) or "1"


def several(count: int, one: str, more: str = "") -> str:
    """A number of things: 1 input, 2 inputs."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def names(given: Any) -> str:
    """A few names, and how many more there are."""
    listed = [clipped(str(name), 30) for name in given]
    beyond = len(listed) - _MOST_NAMED
    more = f" and {beyond:,} more" if beyond > 0 else ""
    return ", ".join(listed[:_MOST_NAMED]) + more


def source(provenance: Mapping[str, Any]) -> str:
    """Where a thing came from, as far as its provenance says."""
    known = ("method", "backend", "file", "made_by")
    found = next((provenance[name] for name in known if provenance.get(name)), "")
    return clipped(" ".join(str(found).split()), _LONGEST_PART)


def of_task(task: str) -> str:
    """Its task, where there is one."""
    return f"task {clipped(task, _LONGEST_PART)}" if task else ""


def clipped(text: str, longest: int) -> str:
    """The beginning of a text that is too long."""
    return text if len(text) <= longest else f"{text[: longest - 3]}..."
