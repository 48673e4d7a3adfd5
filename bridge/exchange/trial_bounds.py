"""The trials of a recording of another tool: as its file gives them, cut, or one for all."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError, SpecError
from bridge.exchange.reading_options import ReadingOptions, whole_steps

Array = NDArray[np.float64]

# What dividing a time by another may leave.
_ROUNDING = 1e-9


def check_trials(bounds: Array, path: Path, *, step_ms: float, one_axis: bool) -> None:
    """Raise FormatError unless every trial has a start and a later stop.

    Args:
        bounds: (B, 2) start and end of each trial, s.
        path: The file.
        step_ms: Time step, ms; trials may overlap by as much.
        one_axis: Whether they lie on one axis of time, and so must be in order.
    """
    starts, stops = bounds[:, 0], bounds[:, 1]
    for name, column in (("start", starts), ("stop", stops)):
        bad = np.flatnonzero(~np.isfinite(column))
        if bad.size:
            raise FormatError(
                f"{path}: {_trial(bad[0], bounds)} has no {name}, it is {column[bad[0]]}"
                f"{_and_others(bad.size)}"
            )
    # In whole steps: two numbers of float32 that mean the same may differ by a little.
    steps = np.round((stops - starts) * 1000.0 / step_ms)
    bad = np.flatnonzero(steps < 1)
    if bad.size:
        lasts = steps[bad[0]] * step_ms / 1000.0 + 0.0
        raise FormatError(
            f"{path}: {_trial(bad[0], bounds)} lasts {lasts:.6g} s, its stop is not after its start"
            f"{_and_others(bad.size)}"
        )
    if one_axis:
        _check_order(bounds, path, step_ms)


def _check_order(bounds: Array, path: Path, step_ms: float) -> None:
    bad = 1 + np.flatnonzero(bounds[1:, 0] < bounds[:-1, 1] - step_ms / 1000.0)
    if not bad.size:
        return
    start, (before, stop) = bounds[bad[0], 0], bounds[bad[0] - 1]
    what = "are not in order" if start < before else "overlap"
    raise FormatError(
        f"{path}: its trials {what}: {_trial(bad[0], bounds)} starts at {start:.10g} s, the one "
        f"before it lasts from {before:.10g} to {stop:.10g} s"
    )


def cut_evenly(
    last_s: float,
    observed_s: tuple[float, float] | None,
    path: Path,
    options: ReadingOptions,
    step_ms: float,
) -> Array:
    """(B, 2) trials of a file that knows none, s: all of one length, or a single one.

    Args:
        last_s: End of the last spike's step, s; 0 where there is none.
        observed_s: From when to when the file says that spikes were looked for, s.
        path: The file.
        options: The length of a trial, and the window.
        step_ms: Time step, ms.

    Raises:
        SpecError: nothing gives a length.
    """
    start, stop = observed_s or (0.0, last_s)
    length = options.trial_s
    if length is None and options.window_s is not None and observed_s is None:
        stop = max(stop, options.window_s[1])
    if length is None:
        length = stop - start
    if not 0 < length < np.inf:
        raise SpecError(
            f"{path}: knows no trials and holds no spikes; give the length of a trial (s), "
            "--trial-s (trial_s)"
        )
    # Where the end is known, what is left over was not observed for the length of a trial; else
    # the last trial is that of the last spike, whose time may be rounded by up to half a step.
    whole = np.floor((stop - start) / length + _ROUNDING)
    if observed_s is None:
        whole = 1.0 + np.floor((stop - start - 0.5 * step_ms / 1000.0) / length)
    starts = start + np.arange(max(1, int(whole))) * length
    return np.stack([starts, starts + length], axis=1)


def in_window(bounds: Array, path: Path, options: ReadingOptions, step_ms: float) -> Array:
    """(B, 2) the part that is wanted of each trial, s, all of one length.

    Raises:
        FormatError: trials differ in length and no window is given, or one ends before it.
        SpecError: the window is not a whole number of steps.
    """
    lengths = bounds[:, 1] - bounds[:, 0]
    shortest = float(lengths.min())
    if options.window_s is None:
        if np.ptp(lengths) > step_ms / 1000.0:
            common = np.floor(shortest * 1000.0 / step_ms + _ROUNDING) * step_ms / 1000.0
            raise FormatError(
                f"{path}: its trials last from {shortest:.6g} to {lengths.max():.6g} s; only "
                "trials of one length can be compared, so cut the same window from each, such as "
                f"--window-s 0:{common:.10g} (window_s=(0, {common:.10g}))"
            )
        return bounds
    start, stop = options.window_s
    for edge in options.window_s:
        whole_steps(edge, step_ms, "window_s")
    if stop > shortest + step_ms / 1000.0:
        raise FormatError(
            f"{path}: {_trial(int(lengths.argmin()), bounds)} lasts {shortest:.10g} s, and the "
            f"window of {start:g} to {stop:g} s reaches beyond it"
        )
    return np.stack([bounds[:, 0] + start, bounds[:, 0] + stop], axis=1)


def _trial(number: int, bounds: Array) -> str:
    return f"trial {number} of {len(bounds)} (counted from 0)"


def _and_others(count: int) -> str:
    return f"; so it is with {count - 1} more" if count > 1 else ""
