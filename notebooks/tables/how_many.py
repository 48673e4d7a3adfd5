"""How many spiking neurons do as well as so many rate units that learned by the same method."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from tables.markdown import UNKNOWN, rows_of, table

HEAD = (
    "task",
    "size",
    "nMSE of rate units",
    "lowest to highest",
    "nMSE of neurons",
    "lowest to highest",
    "neurons that do as well as the units",
)
TASKS = ("four-sines", "oscillation")
# Seeds from here on are of the networks by which the number that is trained was chosen.
CHOICE_SEED = 100


def smallest(errors: Mapping[int, Sequence[float]], wanted: float) -> int | None:
    """The smallest size with a median error of at most `wanted`; None: there is none.

    Args:
        errors: Of the networks of each size.
        wanted: An error.
    """
    return min((size for size, found in errors.items() if median(found) <= wanted), default=None)


def errors_of(task: str, kind: str) -> dict[int, list[float]]:
    """Median nMSE of each network of a task, by size.

    Args:
        task: Its name.
        kind: "rate" or "spiking".
    """
    found: dict[int, list[float]] = {}
    for row in rows_of("how_many_neurons.csv"):
        if (row["task"], row["kind"]) == (task, kind) and int(row["seed"]) < CHOICE_SEED:
            found.setdefault(int(row["size"]), []).append(float(row["median_nmse"]))
    return dict(sorted(found.items()))


def how_many() -> Iterator[str]:
    """Errors of both kinds by size, and the neurons that do as well as the rate units."""
    return table(HEAD, (line for task in TASKS for line in _lines(task)))


def _lines(task: str) -> Iterator[tuple[object, ...]]:
    units, neurons = errors_of(task, "rate"), errors_of(task, "spiking")
    for size in sorted({*units, *neurons}):
        enough: object = UNKNOWN
        if size in units:
            enough = smallest(neurons, median(units[size])) or f"none up to {max(neurons)}"
        yield f"`{task}`", size, *_told(units.get(size)), *_told(neurons.get(size)), enough


def _told(errors: Sequence[float] | None) -> tuple[str, str]:
    """The median, and the ends."""
    if errors is None:
        return UNKNOWN, UNKNOWN
    return f"{median(errors):.2g}", f"{min(errors):.2g} to {max(errors):.2g}"
