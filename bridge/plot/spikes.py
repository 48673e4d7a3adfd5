"""Pictures of spikes: which neuron fires when, and how often populations do."""

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from bridge.arguments import of_kind
from bridge.compare.statistics.quantities import TIME_COURSE_BIN_MS
from bridge.compare.statistics.spike_statistics import time_course_hz
from bridge.plot.style import INK, axes_or_new, colour, legend_beside, note, plain_label, some
from bridge.plot.trials import checked_trial, told_trial
from bridge.spiking.essentials import several
from bridge.spiking.firing import rates_hz
from bridge.spiking.recording import Recording, Spikes
from bridge.spiking.values import number

# More marks than this cannot be distinguished, and take minutes to draw.
_MOST_SPIKES = 100_000
_MOST_NAMED = 8


def raster(recording: Recording, ax: Axes | None = None, *, trial: int = 0) -> Axes:
    """The spikes of a trial: a mark each, a row for each neuron, a colour for each population.

    Args:
        recording: Of any number of neurons; of more than 100,000 spikes so many are drawn, chosen
            at random, and the picture says so.
        ax: Where to draw; None: on a new figure.
        trial: Number of the trial.

    Returns:
        The axes: time in s, and the neurons numbered through all populations.

    Raises:
        SpecError: there is no such trial.
    """
    recording = of_kind("recording", recording, Recording)
    trial = checked_trial(recording, trial)
    axes = axes_or_new(ax)
    time_s, neuron = events_of(recording, trial)
    count = several(len(neuron), "spike")
    if len(neuron) > _MOST_SPIKES:
        chosen = np.random.default_rng(0).choice(len(neuron), _MOST_SPIKES, replace=False)
        time_s, neuron = time_s[chosen], neuron[chosen]
        count = f"{_MOST_SPIKES:,} of {count}, chosen at random"
    size = _mark_size(axes, recording.spikes.n_neurons)
    mark_populations(axes, recording, time_s, neuron, size)
    axes.set(xlabel="time (s)", ylabel="neuron (number)")
    spans = list(spans_of(recording))
    note(
        axes, told_trial(recording, trial), count, some(spans, _MOST_NAMED, "populations named")[1]
    )
    legend_beside(axes)
    return axes


def mark_populations(
    axes: Axes,
    recording: Recording,
    time_s: NDArray[np.float64],
    neuron: NDArray[np.int32],
    size: float,
    *,
    pixels_from: int | None = None,
) -> None:
    """A mark for each of some spikes of a recording, a colour for each population, and the limits.

    Args:
        axes: Where to draw.
        recording: Whose spikes they are.
        time_s: Time of each, s.
        neuron: Neuron of each.
        size: Height of a mark, points.
        pixels_from: From so many spikes on they are pixels; None: from 2,000 on.
    """
    several_populations = len(recording.populations) > 1
    pixels = len(neuron) > (_MANY if pixels_from is None else pixels_from)
    # The last population stands on top, in the picture and in the legend.
    for place, (name, span) in reversed(list(enumerate(spans_of(recording)))):
        mine = (neuron >= span.start) & (neuron < span.stop)
        axes.plot(
            time_s[mine], neuron[mine], "|", markersize=size, markeredgewidth=0.6,
            color=colour(place) if several_populations else INK, rasterized=pixels,
            label=plain_label(name) if place < _MOST_NAMED else None,
        )  # fmt: skip
    axes.set(xlim=(0, recording.trial_s), ylim=(-0.5, recording.spikes.n_neurons - 0.5))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True, min_n_ticks=1))


# So many marks, each an element, make a file of some hundred kilobytes.
_MANY = 2000


def events_of(recording: Recording, trial: int) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Time in s, and neuron, of each spike of a trial."""
    mine = recording.spikes.trial == trial
    steps = recording.spikes.step[mine]
    return steps * recording.dt_ms / 1000, recording.spikes.neuron[mine]


def _mark_size(axes: Axes, rows: int) -> float:
    """As high as a row, in points, as far as that can be seen."""
    height = axes.get_window_extent().height * 72 / axes.figure.dpi
    return float(np.clip(0.8 * height / rows, 2.0, 12.0))


def rates(
    recording: Recording, ax: Axes | None = None, *, bin_ms: float = TIME_COURSE_BIN_MS
) -> Axes:
    """The mean rate of a neuron of each population over the trial, over all trials (PSTH).

    Args:
        recording: `recording.chosen(recording.trials_of("Go"))` is that of one condition.
        ax: Where to draw; None: on a new figure.
        bin_ms: Length of a bin, ms; so many as come nearest to it fill the trial.

    Returns:
        The axes: time in s, rate in Hz.

    Raises:
        SpecError: the length of a bin makes no sense.
    """
    recording = of_kind("recording", recording, Recording)
    bin_ms = number("bin_ms", bin_ms, recording.dt_ms)
    axes = axes_or_new(ax)
    shown, left_out = some(list(spans_of(recording)), _MOST_NAMED, "populations")
    for place, (name, span) in enumerate(shown):
        edges_s, course = time_course(recording, _of_population(recording.spikes, span), bin_ms)
        axes.stairs(
            course, edges_s, baseline=None, linewidth=1.4, label=plain_label(name),
            color=colour(place) if len(shown) > 1 else INK,
        )  # fmt: skip
    axes.set(xlabel="time (s)", ylabel="mean rate of a neuron (Hz)")
    axes.set(xlim=(0, recording.trial_s), ylim=(0, None))
    trials = several(recording.spikes.n_trials, "trial")
    bin_told = f"bins of {1000 * (edges_s[1] - edges_s[0]):.3g} ms"
    note(axes, f"mean of {trials}", bin_told, left_out)
    legend_beside(axes)
    return axes


def time_course(
    recording: Recording, spikes: Spikes, bin_ms: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Edges of bins that fill a trial, s, and the mean rate of a neuron in each, Hz."""
    bins = max(1, min(spikes.n_steps, round(recording.trial_s * 1000 / bin_ms)))
    edges_s = np.asarray(np.linspace(0.0, recording.trial_s, bins + 1), dtype=np.float64)
    return edges_s, time_course_hz(spikes, recording.trial_s, bins)


def spans_of(recording: Recording) -> Iterator[tuple[str, slice]]:
    """Populations by name, and where their neurons lie among all."""
    start = 0
    for name, size in recording.populations.items():
        if size:
            yield name, slice(start, start + size)
        start += size


def _of_population(spikes: Spikes, span: slice) -> Spikes:
    """The spikes of some of the neurons, numbered from 0."""
    mine = (spikes.neuron >= span.start) & (spikes.neuron < span.stop)
    shape = (spikes.n_trials, spikes.n_steps, span.stop - span.start)
    neuron = spikes.neuron[mine] - span.start
    return Spikes.gather(spikes.trial[mine], spikes.step[mine], neuron, shape)


def mean_rates(recording: Recording) -> NDArray[np.float64]:
    """(N,) mean rate of each neuron, Hz."""
    found: NDArray[np.float64] = rates_hz(recording.spikes, recording.trial_s).mean(axis=0)
    return found
