"""Units named on the command line: a cell type, or numbers and ranges."""

import math

from bridge.errors import SpecError

# A range of more would be a slip; no network of this format is as large.
MOST_UNITS = 10_000_000


def parse_units(text: str) -> list[int] | None:
    """Numbers from "0-19,25", both ends included; None for a name, such as "SOM".

    Raises:
        SpecError: it is neither.
    """
    if text.isidentifier():
        return None
    numbers: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not (first.isdecimal() and (last.isdecimal() if dash else True)):
            raise _misread(text)
        start, stop = int(first), int(last) if dash else int(first)
        if not start <= stop <= start + MOST_UNITS:
            raise _misread(text)
        numbers.extend(range(start, stop + 1))
    return numbers


def _misread(text: str) -> SpecError:
    return SpecError(f"units {text!r}: expected a cell type, or numbers such as 0-19,25")


def parse_window(text: str) -> tuple[float, float]:
    """Start and end (s) from START_S:STOP_S.

    Raises:
        SpecError: it is something else, or the end does not come after the start.
    """
    start, _, stop = text.partition(":")
    try:
        start_s, stop_s = float(start), float(stop)
    except ValueError:
        start_s = stop_s = math.nan
    if not (0 <= start_s < stop_s and math.isfinite(stop_s)):
        raise SpecError(f"--window {text!r}: expected START_S:STOP_S, as 0.25:0.3")
    return start_s, stop_s


def parse_stimulation(text: str) -> tuple[float, float, str, float]:
    """Start (s), end (s), units and amplitude (mV) from START_S:STOP_S:UNITS:MV.

    Raises:
        SpecError: it is something else, or the end does not come after the start.
    """
    parts = text.split(":")
    try:
        start_s, stop_s, amplitude_mv = (float(parts[place]) for place in (0, 1, 3))
    except (ValueError, IndexError):
        parts, start_s, stop_s, amplitude_mv = [], 0.0, 0.0, 0.0
    finite = all(map(math.isfinite, (start_s, stop_s, amplitude_mv)))
    if len(parts) != 4 or not finite or not 0 <= start_s < stop_s:
        raise SpecError(
            f"--stimulate {text!r}: expected START_S:STOP_S:UNITS:MV, as 0.25:0.5:SOM:+0.5"
        )
    return start_s, stop_s, parts[2], amplitude_mv
