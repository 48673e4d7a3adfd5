"""Single values of options, checked: numbers and switches."""

from collections.abc import Iterable
from numbers import Real

import numpy as np

from bridge.errors import SpecError


def real(name: str, value: object) -> float:
    """`value` as a float, NaN and infinite ones too; SpecError for anything but one number."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise SpecError(f"{name}: expected a number, got {value!r}")
    return float(value)


def switch(name: str, value: object) -> bool:
    """`value` if it is True or False; SpecError for anything else."""
    if not isinstance(value, bool | np.bool_):
        raise SpecError(f"{name}: expected True or False, got {value!r}")
    return bool(value)


def pair(name: str, value: object, *, one_for_both: bool = False) -> tuple[float, float]:
    """Lowest and highest as floats.

    Args:
        name: Of the option, for the error.
        value: Two numbers.
        one_for_both: Whether a single number stands for both.

    Raises:
        SpecError: it is something else.
    """
    if one_for_both and isinstance(value, Real):
        return real(name, value), real(name, value)
    ends = [] if isinstance(value, str) or not isinstance(value, Iterable) else list(value)
    if len(ends) != 2:
        single = "one number, or " if one_for_both else ""
        raise SpecError(f"{name}: expected {single}the lowest and the highest, got {value!r}")
    return real(name, ends[0]), real(name, ends[1])
