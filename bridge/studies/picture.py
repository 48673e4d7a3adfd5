"""A study's figure: every network a dot, the mean and s.d. next to them."""

import io
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bridge.exchange.hdf5 import write_bytes
from bridge.studies.cell_summaries import SUCCESS, Summary, summaries
from bridge.studies.study import Study
from bridge.studies.work import Row

# Of a title, so that a narrow figure breaks it instead of cutting it off.
_LETTERS_PER_INCH = 10

DOTS, BARS, MEAN, RATE, QUIET = "#00798c", "#a8d5dc", "#1b2a49", "#d1495b", "#8d99ae"


def draw(study: Study, rows: Sequence[Row], details: Sequence[Row], path: Path) -> None:
    """Write the figure of a study as PNG, whole or not at all."""
    buffer = io.BytesIO()
    figure_of(study, rows, details).savefig(buffer, format="png", dpi=130)
    write_bytes(path, buffer.getvalue())


def figure_of(study: Study, rows: Sequence[Row], details: Sequence[Row] = ()) -> Figure:
    """The figure of a study.

    Args:
        study: What was done.
        rows: Its table.
        details: Of its networks, where it keeps any.
    """
    if study.details == "units" and details:
        figure = _units(details)
    elif study.details == "components" and details:
        figure = _components(details)
    else:
        figure = _accuracies(study, rows)
    figure.suptitle(fill(study.title, width=int(_LETTERS_PER_INCH * figure.get_figwidth())))
    return figure


def _accuracies(study: Study, rows: Sequence[Row]) -> Figure:
    found = summaries(study, rows)
    width = max(5.0, min(12.0, 1.0 + 0.9 * len(found)))
    figure = Figure(figsize=(width, 5.2), layout="constrained")
    above, below = figure.subplots(2, 1, height_ratios=(3, 1), sharex=True)
    for place, one in enumerate(found):
        _dots(above, place, one)
        count = one.successes if one.spiking else one.trained
        below.bar(place, 100 * count / len(one.rows), width=0.5, color=BARS)
        below.text(place, 4, f"{count}/{len(one.rows)}", ha="center", fontsize=8)
    above.axhline(100 * SUCCESS, color=QUIET, linewidth=0.8, linestyle=":")
    lowest = 100 * min((value for one in found for value in one.accuracies), default=0.0)
    above.set(ylabel="accuracy on fresh trials (%)", ylim=(min(80.0, lowest - 3), 101.5))
    below.set_xlim(-0.7, max(len(found), 3) - 0.3)
    spiking = all(one.spiking for one in found)
    counted = f"at least\n{100 * SUCCESS:.0f} % (%)" if spiking else "trained (%)"
    below.set(ylabel=counted, ylim=(0, 105), xlabel=study.axis)
    labels = [_label(study, one) for one in found]
    turn = 30 if len(found) > 6 else 0
    below.set_xticks(range(len(found)), labels, rotation=turn, ha="right" if turn else "center")
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _label(study: Study, one: Summary) -> str:
    return f"{one.value:g}" if study.axis and one.value is not None else one.name


def _dots(axes: Axes, place: int, one: Summary) -> None:
    values = 100 * np.asarray(one.accuracies)
    if not values.size:
        return
    # Side by side where they would hide each other.
    spread = np.linspace(-0.22, 0.22, values.size) if values.size > 1 else np.zeros(1)
    axes.plot(place + spread, np.sort(values), "o", color=DOTS, alpha=0.6, markersize=4)
    axes.errorbar(
        place + 0.32, values.mean(), values.std(), fmt="s", color=MEAN, markersize=4, capsize=2
    )


def _units(details: Sequence[Row]) -> Figure:
    # Where a study has several cells, these are the networks of the first.
    details = [row for row in details if row["cell"] == details[0]["cell"]]
    conditions = sorted({row["condition"] for row in details})
    types = sorted({row["type"] for row in details})
    figure = Figure(figsize=(4.2 * len(conditions), 4.2), layout="constrained")
    panels = figure.subplots(1, len(conditions), sharey=True, squeeze=False)
    colours = dict(zip(types, (DOTS, RATE, MEAN, QUIET), strict=False))
    for axes, condition in zip(panels[0], conditions, strict=True):
        for kind in types:
            mine = [row for row in details if row["condition"] == condition and row["type"] == kind]
            x, y = ([row[name] for row in mine] for name in ("activity", "rate_hz"))
            axes.plot(x, y, "o", color=colours.get(kind, DOTS), markersize=3, alpha=0.5, label=kind)
        axes.set(title=condition, xlabel="mean activity of the rate unit")
        axes.spines[["top", "right"]].set_visible(False)
    panels[0, 0].set_ylabel("firing rate of its neuron (Hz)")
    if any(types):
        panels[0, 0].legend(frameon=False)
    return figure


def _components(details: Sequence[Row]) -> Figure:
    first = details[0]["seed"]
    mine = [row for row in details if row["seed"] == first]
    conditions = sorted({row["condition"] for row in mine})
    figure = Figure(figsize=(10, 5), layout="constrained")
    panels = figure.subplots(2, 3, sharex=True, squeeze=False)
    for line, (kind, name) in enumerate((("rate", "rate units"), ("lif", "neurons"))):
        for number in range(3):
            axes, column = panels[line, number], f"{kind}_pc{number + 1}"
            for condition, colour in zip(conditions, (DOTS, RATE, MEAN, QUIET) * 4, strict=False):
                values = [row[column] for row in mine if row["condition"] == condition]
                axes.plot(values, color=colour, label=condition)
            share = mine[0][f"{kind}_share{number + 1}"]
            axes.set_title(f"{name}, PC {number + 1}: {100 * share:.0f} %", fontsize=9)
            axes.spines[["top", "right"]].set_visible(False)
    panels[0, 0].legend(frameon=False, fontsize=8)
    for axes in panels[1]:
        axes.set_xlabel("sample")
    return figure
