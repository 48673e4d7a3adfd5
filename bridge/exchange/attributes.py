"""Attributes as other tools' writers keep them: the one value they hold, or a sentence by name.

A value may come alone, as an array of one or as a data set in the place of the attribute; text as
bytes, of fixed or of any length. What holds no value, several, or one of another kind is refused:
what is not understood must not pass for what is not there.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from bridge.errors import FormatError
from bridge.exchange.links import own_part

# A group or a data set; h5py has no types for either.
Holder = Any

_UNIT_NAMES = {
    f"{of}{each}" for of in ("", "time_", "time", "timestamps_") for each in ("unit", "units")
}
# How many make a second. As text is compared without case, there is no megasecond.
_SPELLINGS = {
    1.0: ("s", "sec", "secs", "second", "seconds"),
    1e3: ("ms", "msec", "msecs", "millisec", "millisecs", "millisecond", "milliseconds"),
    1e6: ("us", "µs", "usec", "usecs", "microsec", "microsecs", "microsecond", "microseconds"),
    1e9: ("ns", "nsec", "nsecs", "nanosec", "nanosecs", "nanosecond", "nanoseconds"),
    1 / 60: ("min", "mins", "minute", "minutes"),
    1 / 3600: ("h", "hr", "hrs", "hour", "hours"),
}
_PER_SECOND = {text.casefold(): number for number, names in _SPELLINGS.items() for text in names}


def number(holder: Holder, name: str, path: Path) -> float | None:
    """A number, NaN and infinity among them; None where there is no such attribute.

    Raises:
        FormatError: it holds several values, none, or no number.
    """
    value = _only(holder, name, path)
    if value is None or isinstance(value, float):
        return value
    raise FormatError(f"{path}: {holder.name}: {name} must be a number, it is {value!r}")


def whole_number(holder: Holder, name: str, path: Path) -> int | None:
    """A number that must be whole and not negative."""
    value = number(holder, name, path)
    if value is None:
        return None
    # Beyond 2^53 not every whole number is one of float64.
    if not (0 <= value < 2.0**53 and value == int(value)):
        raise FormatError(
            f"{path}: {holder.name}: {name} must be a number that is whole and not negative, it is "
            f"{value:g}"
        )
    return int(value)


def text(holder: Holder, name: str, path: Path) -> str | None:
    """A text without spaces around it; None where there is no such attribute.

    Raises:
        FormatError: it holds several values, none, or no text.
    """
    value = _only(holder, name, path)
    if value is None or isinstance(value, str):
        return value
    raise FormatError(f"{path}: {holder.name}: {name} must be a text, it is the number {value:g}")


def text_or_number(holder: Holder, name: str, path: Path) -> str | float | None:
    """Either; None where there is no such attribute."""
    return _only(holder, name, path)


def per_second(holders: Sequence[Holder], path: Path, *, missing: str, ours: bool = False) -> float:
    """How many of the unit of time that attributes of these state make a second.

    Args:
        holders: Whose attributes (`unit`, `units`, `time_units` and the like) are looked at.
        path: The file.
        missing: The unit where none of them states one.
        ours: Whether we have written it. As we do it, the unit stands in a heap without checksums,
            where one damaged byte can hang the HDF5 library, and need not be fetched.

    Raises:
        FormatError: an attribute states no unit of time, or two state different ones.
    """
    told = {}
    for holder in holders:
        for name in holder.attrs if isinstance(holder, h5py.Dataset) else (*holder.attrs, *holder):
            if name.strip().casefold() in _UNIT_NAMES and not (ours and _in_heap(holder, name)):
                unit = text(holder, name, path)
                if unit:
                    told[_per_second(unit, holder, path)] = unit
    if len(told) > 1:
        raise FormatError(
            f"{path}: {holders[0].name} has times in {' and in '.join(map(repr, told.values()))}"
        )
    return next(iter(told), _PER_SECOND[missing])


def _in_heap(holder: Holder, name: str) -> bool:
    """Whether an attribute is one text of any length."""
    if name not in holder.attrs:
        return False
    kept = holder.attrs.get_id(name)
    return bool(kept.shape == () and kept.dtype.kind == "O")


def text_of(value: object) -> str:
    """Bytes or text as text, "" where it is none."""
    if isinstance(value, str):
        # What is no UTF-8 comes as surrogates, which no terminal prints.
        value = value.encode("utf-8", "surrogateescape")
    if not isinstance(value, bytes):
        return ""
    # Text of a fixed length may be filled up with spaces, or with anything behind a zero.
    content = value.split(b"\0")[0]
    try:
        return content.decode("utf-8").strip()
    except UnicodeDecodeError:
        return content.decode("latin-1").strip()


def _per_second(unit: str, holder: Holder, path: Path) -> float:
    known = _PER_SECOND.get(unit.casefold())
    if known is None:
        raise FormatError(
            f"{path}: {holder.name} has times in {unit!r}; units of time that are known: "
            f"{', '.join(names[0] for names in _SPELLINGS.values())}"
        )
    return known


def _only(holder: Holder, name: str, path: Path) -> str | float | None:
    """The one value; None where there is no such attribute."""
    place = f"{path}: {holder.name}: {name}"
    try:
        value = holder.attrs[name] if name in holder.attrs else _in_place_of(holder, name, path)
    except FormatError:
        raise
    except (OSError, TypeError, ValueError, RuntimeError):
        raise FormatError(f"{place} cannot be read") from None
    if value is None:
        return None
    if isinstance(value, h5py.Empty):
        raise FormatError(f"{place} is there and holds nothing")
    array = np.asarray(value)
    if array.size != 1:
        raise FormatError(f"{place} holds {array.size} values where one is expected")
    single = array.reshape(-1)[0]
    if isinstance(single, str | bytes):
        return text_of(single)
    if array.dtype.kind in "fiu":
        # 0.1 in float32 is meant as 0.1, and not as the float64 that lies next to it.
        return float(str(single)) if array.dtype.kind == "f" else float(single)
    raise FormatError(f"{place} must be a number or a text, it is neither")


def _in_place_of(holder: Holder, name: str, path: Path) -> object:
    """A data set that stands where an attribute is expected; None where there is none."""
    item = own_part(holder, name, path) if isinstance(holder, h5py.Group) else None
    if not isinstance(item, h5py.Dataset):
        return None
    if item.external or item.is_virtual:
        raise FormatError(f"{path}: {item.name} lies elsewhere; that is not followed")
    # Judged before it is read: it may claim terabytes.
    if item.shape is None or item.size != 1:
        raise FormatError(f"{path}: {item.name} must hold one value, its shape is {item.shape}")
    return item[()]
