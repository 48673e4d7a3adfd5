"""What units may have apart from weights and time constants: form, bias, start and highest rate."""

import math
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.rate.plain_activations import CLIPPED, HIGHEST_RATE
from bridge.spiking.values import number, text

Array = NDArray[np.float64]

Form: TypeAlias = Literal["x", "h"]
FORMS: tuple[str, ...] = get_args(Form)


def check_form(given: object) -> None:
    """Raise SpecError for what is not a form."""
    if text("form", given) not in FORMS:
        raise SpecError(f"form: expected {' or '.join(map(repr, FORMS))}, got {given!r}")


def highest_rate(given: object, activation: str) -> float:
    """A positive number or infinity, for an activation that has no upper end of its own.

    Raises:
        SpecError: it is something else, or the activation needs none.
    """
    endless = isinstance(given, float) and given == math.inf
    highest = math.inf if endless else number("highest_rate", given)
    if highest <= 0:
        raise SpecError(f"highest_rate: must be positive, got {highest:g}")
    if activation not in CLIPPED and highest != HIGHEST_RATE:
        raise SpecError(
            f"highest_rate: it is for {' and '.join(CLIPPED)}, {activation} ends by itself"
        )
    return highest


def told_units(form: str, bias: Array, start: Array, highest: float) -> dict[str, str]:
    """In words, by its field, what units have that those of Kim et al. 2019 do not have."""
    told = {}
    if form != "x":
        told["form"] = f"form {form}"
    if np.any(bias):
        told["bias"] = "a bias"
    if np.any(start):
        told["initial_state"] = "a state to start from"
    if highest != HIGHEST_RATE:
        at = f"a highest rate of {highest:g}"
        told["highest_rate"] = "no highest rate" if highest == math.inf else at
    return told
