"""A picture of a network: its inputs and populations, and the connections between them."""

from collections import Counter
from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.text import Text

from bridge.arguments import of_kind
from bridge.plot.style import ACCENT, INK, PAPER, QUIET, axes_or_new, colour, note, plain_label
from bridge.spiking.network import SpikingNetwork

Places = Mapping[str, tuple[float, float]]


def graph(network: SpikingNetwork, ax: Axes | None = None) -> Axes:
    """Inputs and populations as boxes, in the order in which they act, and arrows between them.

    Args:
        network: A spiking network.
        ax: Where to draw; None: on a new figure.

    Returns:
        The axes. Solid arrows act within the step, dashed ones a step later or more.
    """
    network = of_kind("network", network, SpikingNetwork)
    axes = axes_or_new(ax)
    places = _places(network)
    boxes = {
        part.name: _box(axes, places[part.name], part.name, f"{part.size:,}", QUIET)
        for part in network.inputs
    }
    for number, population in enumerate(network.populations):
        said = f"{population.size:,} {population.neurons.title}"
        place = places[population.name]
        boxes[population.name] = _box(axes, place, population.name, said, colour(number))
    for (source, target, at_once), names in _connections(network).items():
        _arrow(axes, (source, target), ", ".join(names), places, boxes, at_once=at_once)
    across = [x for x, _ in places.values()]
    down = [y for _, y in places.values()]
    axes.set_xlim(min(across) - 0.6, max(across) + 0.6)
    back = [places[p.source][0] - places[p.target][0] for p in network.projections]
    # Arrows that lead back bend below the boxes.
    axes.set_ylim(min(down) - 0.7 - 0.3 * max(0.0, *back, 0.0), max(down) + 0.9)
    axes.set_axis_off()
    note(axes, "solid: within the step; dashed: later")
    return axes


def _places(network: SpikingNetwork) -> dict[str, tuple[float, float]]:
    """Where the middle of each box lies: a column further than all that acts on it at once."""
    columns = {part.name: 0 for part in network.inputs}
    for population in network.populations:
        before = [
            columns[part.source]
            for part in network.projections
            if part.target == population.name and network.acts_within_step(part)
        ]
        columns[population.name] = 1 + max(before, default=0)
    taken: Counter[int] = Counter()
    places = {}
    for name, column in columns.items():
        places[name] = (1.6 * column, -1.3 * taken[column])
        taken[column] += 1
    return places


def _connections(network: SpikingNetwork) -> dict[tuple[str, str, bool], list[str]]:
    """Names of the projections with the same ends: several arrows would lie upon each other."""
    found: dict[tuple[str, str, bool], list[str]] = {}
    for part in network.projections:
        at_once = network.acts_within_step(part) and not part.longest_delay_steps
        found.setdefault((part.source, part.target, at_once), []).append(plain_label(part.name))
    return found


def _box(axes: Axes, at: tuple[float, float], name: str, said: str, edge: str) -> Text:
    return axes.text(
        *at, f"{plain_label(name)}\n{said}", ha="center", va="center", fontsize="small", color=INK,
        bbox={"boxstyle": "round,pad=0.4", "facecolor": PAPER, "edgecolor": edge}, zorder=3,
    )  # fmt: skip


def _arrow(
    axes: Axes,
    ends: tuple[str, str],
    label: str,
    places: Places,
    boxes: Mapping[str, Text],
    *,
    at_once: bool,
) -> None:
    """An arrow from box to box; one to itself goes around, one that leads back bends below."""
    start, end = (places[name] for name in ends)
    across, itself = end[0] - start[0], start == end
    patches = [boxes[name].get_bbox_patch() for name in ends]
    bend, above = (0.0, 0.12) if across > 0 else (-0.25, 0.17 * across - 0.12)
    beside = 0.0
    if itself:
        start, end = (start[0] + 0.2, start[1] + 0.25), (end[0] - 0.2, end[1] + 0.25)
        # Inside the arrow, which is narrow.
        label, bend, above = label.replace(", ", "\n"), 1.2, 0.4
        patches = [None, None]
    elif not across:
        # Within a column the arrow down bends to the right, and the one up to the left.
        beside, above = (0.12 if start[1] > end[1] else -0.12), 0.0
    axes.annotate(
        "", xy=end, xytext=start,
        arrowprops={
            "arrowstyle": "->", "color": INK if at_once else ACCENT, "shrinkA": 0, "shrinkB": 1,
            "patchA": patches[0], "patchB": patches[1], "linestyle": "-" if at_once else "--",
            "connectionstyle": f"arc3,rad={bend}",
        },
        zorder=4,
    )  # fmt: skip
    middle = ((start[0] + end[0]) / 2 + beside, (start[1] + end[1]) / 2 + above)
    align = "center" if not beside else "left" if beside > 0 else "right"
    axes.text(*middle, label, ha=align, va="center", fontsize="x-small", color=QUIET, zorder=5)
