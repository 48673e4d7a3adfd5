"""The picture of a benchmark: how cost and memory grow, and how far the floor is."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter, NullFormatter

from bridge.benchmark.case import Row, name_of
from bridge.exchange.hdf5 import write_bytes

_INK, _QUIET = "#1b2a41", "#8d99ae"
_COLOURS = {
    "reference": _INK,
    "brian2 numpy": "#f2a65a",
    "brian2 cython": "#d1495b",
    "brian2 standalone": "#8c2f39",
    "compiled float64": "#2e933c",
    "compiled float32": "#a5cc6b",
    "snntorch float32 compiled": "#00798c",
    "snntorch float64 compiled": "#66a182",
    "snntorch float32 eager": "#7b9fd4",
    "snntorch float64 eager": "#9d8cc4",
}
_MARKERS = {"reference": "s", "brian2": "^", "snntorch": "o", "compiled": "D"}
_COST = "wall s per second of each trial"
_MEMORY = "peak memory (MB)"
_USUAL = 200

Points = list[tuple[float, float]]
Value = Callable[[Row], float | None]


def draw(rows: Sequence[Row], path: Path) -> None:
    """Write the picture of all rows as PNG."""
    figure = Figure(figsize=(15, 8.6), layout="constrained")
    (by_n, by_many, by_batch), (memory, large, large_memory) = figure.subplots(2, 3)
    small = [row for row in rows if row.part == "backends"]
    batches = _batches(small)
    for axes, batch in ((by_n, batches[0]), (by_many, batches[-1])):
        _curves(axes, [row for row in small if row.batch == batch], _size, _cost)
        trials = "one trial at a time" if batch == 1 else f"{batch} trials at once"
        axes.set(title=f"Cost against size, {trials}", xlabel="neurons N", ylabel=_COST)
    usual = [row for row in small if row.n == _USUAL]
    _curves(by_batch, usual, _batch, _cost)
    by_batch.set(title=f"Cost against batch, N = {_USUAL}", xlabel="trials at once", ylabel=_COST)
    _curves(memory, usual, _batch, _peak)
    memory.set(title=f"Memory against batch, N = {_USUAL}", xlabel="trials at once", ylabel=_MEMORY)
    _large(large, large_memory, [row for row in rows if row.part == "large"])
    _legend(figure)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=110)
    write_bytes(path, content.getvalue())


def _size(row: Row) -> float:
    return row.n


def _batch(row: Row) -> float:
    return row.batch


def _synapses(row: Row) -> float | None:
    return row.synapses


def _cost(row: Row) -> float | None:
    return row.wall_s_per_trial_s


def _peak(row: Row) -> float | None:
    return row.peak_mb


def _batches(rows: Sequence[Row]) -> list[int]:
    """Of the batches measured at several N the smallest and the largest; one of them twice."""
    sizes: dict[int, set[int]] = {}
    for row in rows:
        if row.wall_s_median is not None:
            sizes.setdefault(row.batch, set()).add(row.n)
    several = sorted(batch for batch, found in sizes.items() if len(found) > 1)
    return several or sorted(sizes) or [1]


def _large(cost: Axes, memory: Axes, rows: Sequence[Row]) -> None:
    for axes, value, label in ((cost, _cost, _COST), (memory, _peak, _MEMORY)):
        for batch in sorted({row.batch for row in rows}):
            mine = [row for row in rows if row.batch == batch]
            _curves(axes, mine, _synapses, value, suffix="" if batch == 1 else f", {batch} trials")
        axes.set(xlabel="synapses", ylabel=label)
    cost.set_title("Large networks, 1 % of all connections")
    memory.set_title("Their memory")


def _curves(axes: Axes, rows: Sequence[Row], x: Value, y: Value, suffix: str = "") -> None:
    """A curve for each backend, and for costs the floor; both axes logarithmic."""
    curves: dict[str, Points] = {}
    for row in rows:
        across, up = x(row), y(row)
        if across and up:
            curves.setdefault(name_of(row) + suffix, []).append((across, up))
    for name, points in sorted(curves.items()):
        axes.plot(*zip(*sorted(points), strict=True), label=name, **_style(name))
    if y is _cost:
        _floor(axes, rows, x)
    axes.set(xscale="log", yscale="log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(1, 0.5)))
    if curves:
        axes.set_xticks(sorted({across for points in curves.values() for across, _ in points}))
    axes.grid(visible=True, color=_QUIET, alpha=0.25, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    if not axes.lines:
        axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", color=_QUIET)


def _floor(axes: Axes, rows: Sequence[Row], x: Value) -> None:
    """The lowest floor at each place: that of the most processes."""
    lowest: dict[float, float] = {}
    for row in rows:
        across, ratio, cost = x(row), row.ratio_to_floor, _cost(row)
        if across and ratio and cost:
            lowest[across] = min(cost / ratio, lowest.get(across, cost / ratio))
    if lowest:
        label = "floor: noise, and state once a step"
        style: dict[str, Any] = {"color": _QUIET, "linestyle": ":", "linewidth": 2.2}
        axes.plot(*zip(*sorted(lowest.items()), strict=True), label=label, **style)


def _style(name: str) -> dict[str, Any]:
    kind = name.split(",")[0].removesuffix(" cuda")
    several, eager, cuda = "trials" in name, "eager" in name, name.endswith("cuda")
    return {
        "color": _COLOURS.get(kind, _QUIET),
        "marker": "*" if cuda else _MARKERS.get(kind.split()[0], "D"),
        "markersize": 5,
        "linewidth": 1.5,
        "linestyle": "--" if eager else "-." if several else "-",
    }


def _legend(figure: Figure) -> None:
    """One for all panels, below them."""
    entries: dict[str, Artist] = {}
    for axes in figure.axes:
        handles, labels = axes.get_legend_handles_labels()
        entries.update(zip(labels, handles, strict=True))
    if entries:
        figure.legend(
            list(entries.values()),
            list(entries),
            loc="outside lower center",
            ncols=5,
            frameon=False,
        )
