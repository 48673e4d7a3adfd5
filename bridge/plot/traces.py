"""Pictures of voltages: at samples of the whole trial, or in each step of a window."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from bridge.arguments import of_kind
from bridge.errors import SpecError
from bridge.plot.spikes import spans_of
from bridge.plot.style import axes_or_new, colour, legend_beside, note
from bridge.plot.trials import checked_trial, told_trial
from bridge.spiking.arrays import counted
from bridge.spiking.recording import Recording

Array = NDArray[np.float64]

_MOST_NEURONS = 5
VOLTAGE = "v"


def voltages(
    recording: Recording,
    ax: Axes | None = None,
    *,
    trial: int = 0,
    neurons: Sequence[int] | None = None,
) -> Axes:
    """Voltages of some neurons in a trial; marks above them are their spikes.

    Args:
        recording: With voltages at samples (`simulate(..., voltages=True)`), or with each step of a
            window (`window=(start_step, stop_step)`), which is drawn where both are there.
        ax: Where to draw; None: on a new figure.
        trial: Number of the trial.
        neurons: Their numbers through all populations; None: the five that fire most in the trial.

    Returns:
        The axes: time in s, the end of each step or sample, and the voltage in mV.

    Raises:
        SpecError: no voltages were recorded, or there is no such trial or neuron.
    """
    recording = of_kind("recording", recording, Recording)
    trial = checked_trial(recording, trial)
    found = _held(recording, trial)
    size = recording.spikes.n_neurons
    chosen = _busiest(recording, trial) if neurons is None else _checked(neurons, size)
    if not np.isfinite(found.values[:, chosen]).any():
        raise SpecError("neurons: no voltages of these were recorded")
    axes = axes_or_new(ax)
    for place, neuron in enumerate(chosen):
        axes.plot(
            found.times_s, found.values[:, neuron], color=colour(place), linewidth=1.0,
            label=f"neuron {neuron}", marker="o" if len(found.times_s) == 1 else "",
        )  # fmt: skip
    _mark_spikes(axes, recording, trial, chosen, found)
    axes.set(xlabel="time (s)", ylabel="membrane voltage (mV)")
    count = f"{len(chosen)} of {size:,} neurons" if len(chosen) < size else ""
    note(axes, told_trial(recording, trial), count, found.told)
    legend_beside(axes)
    return axes


class _Held(NamedTuple):
    """Voltages of a trial, (T, N), NaN where they are not known, and the ends of their steps."""

    times_s: Array
    values: Array
    start_s: float
    told: str


def _held(recording: Recording, trial: int) -> _Held:
    window, dt_s = recording.window, recording.dt_ms / 1000
    if window is not None:
        values: Array = np.full((window.n_steps, recording.spikes.n_neurons), np.nan)
        for name, span in spans_of(recording):
            states = window.states.get(name, {})
            # Of neurons without a voltage their first state is what is recorded as one.
            state = VOLTAGE if VOLTAGE in states else next(iter(states), None)
            if state is not None:
                values[:, span] = states[state][:, trial]
        ends = np.arange(window.start_step + 1, window.stop_step + 1, dtype=np.float64)
        told = f"each step of {recording.dt_ms:g} ms"
        return _Held(np.asarray(ends * dt_s), values, window.start_step * dt_s, told)
    if recording.voltages_mv is None:
        raise SpecError(
            "recording: it holds no voltages; bridge.simulate(network, drive, voltages=True) "
            "records them"
        )
    values = recording.voltages_mv[:, trial]
    times_s = np.arange(1, len(values) + 1) * recording.sample_ms / 1000
    return _Held(times_s, values, 0.0, f"sampled every {recording.sample_ms:g} ms")


def _busiest(recording: Recording, trial: int) -> list[int]:
    """Numbers, ascending, of the neurons that fire most."""
    spikes = recording.spikes
    counts = np.bincount(spikes.neuron[spikes.trial == trial], minlength=spikes.n_neurons)
    found: list[int] = np.sort(np.argsort(-counts, kind="stable")[:_MOST_NEURONS]).tolist()
    return found


def _checked(neurons: Sequence[int], size: int) -> list[int]:
    chosen = [counted("neurons", neuron) for neuron in neurons]
    if not chosen or max(chosen) >= size:
        raise SpecError(f"neurons: expected numbers from 0 to {size - 1}, at least one")
    return chosen


def _mark_spikes(
    axes: Axes, recording: Recording, trial: int, chosen: Sequence[int], found: _Held
) -> None:
    """Above all voltages a row of marks for each neuron, the first on top."""
    drawn = found.values[:, chosen]
    high, low = float(np.nanmax(drawn)), float(np.nanmin(drawn))
    row = max(0.06 * (high - low), 1e-9)
    spikes = recording.spikes
    for place, neuron in enumerate(chosen):
        mine = spikes.step[(spikes.trial == trial) & (spikes.neuron == neuron)]
        # At the end of their step, where the voltage is that after the reset.
        times_s = (mine + 1) * recording.dt_ms / 1000
        inside = (times_s > found.start_s) & (times_s <= found.times_s[-1])
        height = np.full(int(inside.sum()), high + row * (len(chosen) - place))
        axes.plot(times_s[inside], height, "|", color=colour(place), markersize=6)
    axes.set_xlim(found.start_s, float(found.times_s[-1]))
