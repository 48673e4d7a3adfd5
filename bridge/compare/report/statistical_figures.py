"""The pictures of the statistical level: two simulators under noise of their own."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bridge.compare.report.panels import legend_above, panels, short_names
from bridge.compare.statistics.comparison import StatisticalComparison
from bridge.compare.statistics.design import NOTABLE_Z
from bridge.compare.statistics.quantities import CORRELATION_BIN_MS, TIME_COURSE_BIN_MS
from bridge.compare.statistics.settled import from_ms_of, settled
from bridge.compare.statistics.spike_statistics import count_correlations, resampled_correlations
from bridge.plot.agreements import MANY_DOTS, diagonal
from bridge.plot.spikes import mean_rates, time_course
from bridge.plot.style import COLOURS, INK, QUIET, in_report_style, plain_label
from bridge.spiking.firing import intervals_ms
from bridge.spiking.recording import Recording


@in_report_style
def own_rates(found: StatisticalComparison) -> Figure:
    """Rates of B and of A' against A, and how far B's lie off in standard errors."""
    figure, (left, right) = panels(2, square=True)
    names = short_names(found.labels)
    _plot_rates(left, found, names)
    first = found.quantities[0]
    z = np.clip(first.z[np.isfinite(first.z)], -_WIDEST_Z, _WIDEST_Z)
    if z.size:
        bins = np.linspace(-_WIDEST_Z, _WIDEST_Z, 41).tolist()
        right.hist(z, bins=bins, density=True, color=COLOURS[0])
    grid = np.linspace(-_WIDEST_Z, _WIDEST_Z, 200)
    right.plot(grid, np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi), color=INK)
    right.set(
        xlabel="difference of a neuron's rate (standard errors)",
        ylabel="density (per standard error)",
        title=f"{100 * first.notable:.1f} % beyond 1.96 (alike: 5 %)",
    )
    legend_above(figure, left)
    return figure


def _plot_rates(axes: Axes, found: StatisticalComparison, names: Mapping[str, str]) -> None:
    """Rates of B and of A' against A, with the band of 95 % of A'."""
    rates = [mean_rates(each) for each in found.sets]
    top = diagonal(axes, *rates)
    reach = NOTABLE_Z * found.quantities[0].rmse_yardstick
    axes.fill_between([0, top], [-reach, top - reach], [reach, top + reach], color=QUIET, alpha=0.2)
    pixels = rates[0].size > MANY_DOTS
    if len(rates) == 3:
        axes.plot(rates[0], rates[1], "o", color=QUIET, label="the first, again", rasterized=pixels)
    axes.plot(
        rates[0], rates[-1], "o", alpha=0.7, color=COLOURS[0], rasterized=pixels,
        label=plain_label(names[found.labels[1]]),
    )  # fmt: skip
    axes.set(
        xlabel=f"{plain_label(names[found.labels[0]])}: rate (Hz)",
        ylabel="rate (Hz)",
        xlim=(0, top),
        ylim=(0, top),
    )


# What lies further off is drawn at the edge.
_WIDEST_Z = 8.0


@in_report_style
def distributions(found: StatisticalComparison, from_ms: float | None = None) -> Figure:
    """Rates over time, intervals between spikes and correlations of counts, of A, A' and B.

    Intervals and correlations are of what `bridge.compare.statistics.settled` leaves.
    """
    figure, (course, left, right) = panels(3)
    short = short_names(found.labels)
    ends = short[found.labels[0]], short[found.labels[1]]
    again = [("the first, again", QUIET)] if len(found.sets) == 3 else []
    looks = [(ends[0], INK), *again, (ends[1], COLOURS[0])]
    for whole, (name, colour) in zip(found.sets, looks, strict=True):
        _plot_time_course(course, whole, name, colour)
        recording = settled(whole, from_ms_of(from_ms, whole))
        intervals, _ = intervals_ms(recording.spikes, recording.dt_ms)
        correlations = count_correlations(recording.spikes, recording.dt_ms, CORRELATION_BIN_MS)
        for axes, values, bins in (
            (left, intervals, _interval_bins(intervals)),
            (right, correlations, _CORRELATIONS),
        ):
            if values.size:
                axes.hist(values, bins=bins, density=True, histtype="step", color=colour)
    first = found.sets[0]
    _shade_correlations(right, settled(first, from_ms_of(from_ms, first)))
    course.set(xlabel="time (s)", ylabel="mean rate of a neuron (Hz)", ylim=(0, None))
    left.set(xlabel="interval (ms)", ylabel="density (1/ms)", xscale="log")
    right.set(xlabel="correlation of counts in 20 ms", ylabel="density (no unit)", yscale="log")
    legend_above(figure, course)
    return figure


_CORRELATIONS = np.linspace(-0.5, 1.0, 76).tolist()
_RESAMPLED = 40


def _plot_time_course(axes: Axes, recording: Recording, name: str, colour: str) -> None:
    """The mean rate of a neuron over the trial."""
    edges_s, rates = time_course(recording, recording.spikes, TIME_COURSE_BIN_MS)
    middle_s = (edges_s[1:] + edges_s[:-1]) / 2
    axes.plot(middle_s, rates, color=colour, linewidth=1.2, label=plain_label(name))


def _shade_correlations(axes: Axes, recording: Recording) -> None:
    """In grey where 95 % of the histograms lie that other trials of A might have given."""
    drawn = resampled_correlations(
        recording.spikes, recording.dt_ms, CORRELATION_BIN_MS, _RESAMPLED, np.random.default_rng(0)
    )
    if not all(values.size for values in drawn):
        return
    heights = [np.histogram(values, bins=_CORRELATIONS, density=True)[0] for values in drawn]
    low, high = np.quantile(heights, [0.025, 0.975], axis=0)
    axes.stairs(high, _CORRELATIONS, baseline=low, fill=True, color=QUIET, alpha=0.35)


def _interval_bins(intervals: NDArray[np.float64]) -> list[float]:
    if not intervals.size:
        return [1.0, 2.0]
    edges: list[float] = np.geomspace(0.9 * intervals.min(), 1.1 * intervals.max(), 61).tolist()
    return edges
