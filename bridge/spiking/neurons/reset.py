"""Where neurons with a threshold fire, and what becomes of their voltage then."""

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from bridge.errors import SpecError
from bridge.spiking.parts import choice

FiresWhere: TypeAlias = Literal["at_threshold", "above_threshold"]
ResetBy: TypeAlias = Literal["value", "subtraction"]


def fires_where() -> Any:
    """A field: whether a neuron fires where v >= threshold, or only where v > threshold."""
    return choice("at_threshold", "above_threshold", default="at_threshold", since=4)


def reset_by() -> Any:
    """A field: whether v becomes the reset value, or loses its threshold."""
    return choice("value", "subtraction", default="value", since=4)


def after_spike(by: ResetBy, state: Any, constant: Any) -> dict[str, Any]:
    """The voltage after a spike."""
    return {"v": constant.reset if by == "value" else state.v - constant.threshold}


def check_reset(v_reset_mv: ArrayLike, v_threshold_mv: ArrayLike) -> None:
    """Raise SpecError where a reset voltage would fire again."""
    if np.any(np.asarray(v_reset_mv) >= np.asarray(v_threshold_mv)):
        raise SpecError("v_reset_mv: must lie below v_threshold_mv in every neuron")
