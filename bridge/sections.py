"""Which rows of a description come first, and how what a provenance holds is written."""

from collections.abc import Mapping, Sequence
from typing import Any

Rows = dict[str, object]


def essential(rows: Rows) -> Rows:
    """What most who ask for a description want to know; `sections` has everything."""
    return {
        name.removeprefix("made: "): value for name, value in rows.items() if _is_essential(name)
    }


def _is_essential(name: str) -> bool:
    part, _, rest = name.partition(": ")
    if part in _ESSENTIAL:
        return rest in _ESSENTIAL[part]
    return name not in _FURTHER


# Of what has such a beginning, only these.
_ESSENTIAL = {
    "made": ("method", "source", "backend", "drive", "stimulation", "lesions", "notes"),
    "rate network": ("units", "activation", "last evaluation", "unfinished"),
}
_FURTHER = ("sample", "inputs", "searched on", "nonzero recurrent weights")


def sections(rows: Rows) -> dict[str, Rows]:
    """All rows, those of one beginning together under a title; the first has none."""
    found: dict[str, Rows] = {"": {}}
    for name, value in rows.items():
        beginning = next((each for each in _SECTIONS if name.startswith(each)), "")
        part = found.setdefault(_SECTIONS.get(beginning, ""), {})
        part[name.removeprefix(beginning)] = value
    return found


# The longer beginning comes first.
_SECTIONS = {
    "rate network: made: ": "how the rate network was made",
    "rate network: ": "rate network",
    "made: ": "how it was made",
}


def plain(value: object) -> object:
    """A value for a person: what has names as NAME=VALUE."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={plain(one)}" for name, one in value.items())
    if isinstance(value, list | tuple) and any(isinstance(one, Mapping) for one in value):
        return "; ".join(str(plain(one)) for one in value)
    if isinstance(value, list | tuple) and len(value) > _FEW:
        return _in_ranges(value)
    return value


_FEW = 8


def _in_ranges(values: Sequence[object]) -> object:
    """Whole numbers that follow each other as 0-9; others as they are."""
    if not all(isinstance(value, int) for value in values):
        return values
    found: list[list[Any]] = []
    for value in values:
        if found and value == found[-1][-1] + 1:
            found[-1] = [found[-1][0], value]
        else:
            found.append([value])
    return ", ".join("-".join(map(str, each)) for each in found)
