"""What a caller may say of a recording: what its file leaves open, and which part is wanted."""

from dataclasses import dataclass

import numpy as np

from bridge.arguments import brief
from bridge.errors import SpecError

DEFAULT_DT_MS = 0.1


@dataclass(frozen=True, kw_only=True)
class ReadingOptions:
    """How a recording is read.

    Attributes:
        trial_s: Length of the trials of a file that knows none, s; None: all is one trial.
        dt_ms: Time step of a file that states none, ms; None: 0.1 ms.
        window_s: Start and stop of what is wanted of each trial, s from its start; None: all.

    Raises:
        SpecError: one of them makes no sense.
    """

    trial_s: float | None = None
    dt_ms: float | None = None
    window_s: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        for name in ("trial_s", "dt_ms"):
            value = getattr(self, name)
            if value is not None and not (_is_number(value) and 0 < value < np.inf):
                raise SpecError(f"{name}: must be positive, got {brief(value)}")
        if self.window_s is not None:
            object.__setattr__(self, "window_s", _window(self.window_s))


def _window(given: object) -> tuple[float, float]:
    pair = tuple(given) if isinstance(given, tuple | list | np.ndarray) else ()
    numbers = all(map(_is_number, pair))
    if len(pair) != 2 or not numbers or not 0 <= pair[0] < pair[1] < np.inf:
        raise SpecError(
            "window_s: expected a start of at least 0 and a later stop, s from the start of each "
            f"trial, got {list(pair) if pair and numbers else brief(given)}"
        )
    return float(pair[0]), float(pair[1])


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def whole_steps(time_s: float, step_ms: float, what: str) -> int:
    """How many steps a time is; SpecError unless that is a whole number."""
    steps = time_s * 1000.0 / step_ms
    if abs(steps - round(steps)) > 1e-6 * max(1.0, steps):
        raise SpecError(f"{what}: {time_s:g} s is not a whole number of steps of {step_ms:g} ms")
    return round(steps)


def round_step_ms(below_ms: float) -> float:
    """The largest of 1, 2 and 5 times a power of ten that is not above; what a person would give.

    A time that is such a number except for its last digits counts as one.
    """
    power = 10.0 ** np.floor(np.log10(below_ms))
    # A negative power times a whole number is not the nearest number to what is written.
    steps = [float(f"{each:g}e{round(np.log10(power))}") for each in (0.5, 1, 2, 5, 10)]
    return max(step for step in steps if step <= below_ms * (1 + 1e-9))
