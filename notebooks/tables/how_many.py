"""How many spiking neurons do as well as so many rate units that learned by the same method."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from tables.markdown import UNKNOWN, rows_of, table

NMSE, RIGHT = "nMSE", "right of 100"
# By what each task says how good an answer is; the rest have the nMSE beside it.
TASKS = {
    "four-sines": (NMSE,),
    "oscillation": (NMSE,),
    "reaching": (NMSE,),
    "context": (RIGHT, NMSE),
    "duration-xor-50ms": (RIGHT, NMSE),
    "ready-set-go": (RIGHT, NMSE),
}
COMPARISONS = [(task, by) for task, ways in TASKS.items() for by in ways]
KINDS = {"rate": "rate units", "spiking": "neurons"}
# Seeds from here on are of the networks by which the number that is trained was chosen.
CHOICE_SEED = 100
# A size with fewer networks is not told.
LEAST_SEEDS = 3
TESTED = 100


def smallest(errors: Mapping[int, Sequence[float]], wanted: float) -> int | None:
    """The smallest size with a median error of at most `wanted`; None: there is none.

    Args:
        errors: Of the networks of each size.
        wanted: An error.
    """
    return min((size for size, found in errors.items() if median(found) <= wanted), default=None)


def errors_of(task: str, kind: str, by: str = NMSE) -> dict[int, list[float]]:
    """How bad each network of a task is, by size: less is better.

    Args:
        task: Its name.
        kind: "rate" or "spiking".
        by: The median nMSE of its trials, or how many of them it answered wrongly.
    """
    found: dict[int, list[float]] = {}
    for row in rows_of("how_many_neurons.csv"):
        if (row["task"], row["kind"]) == (task, kind) and int(row["seed"]) < CHOICE_SEED:
            found.setdefault(int(row["size"]), []).append(_error(row, by))
    return {size: found[size] for size in sorted(found) if len(found[size]) >= LEAST_SEEDS}


def _error(row: Mapping[str, str], by: str) -> float:
    if by == NMSE:
        return float(row["median_nmse"])
    # A network that diverged answered nothing.
    return TESTED - float(row["right_of_100"] or 0)


def how_many() -> Iterator[str]:
    """The smallest number of neurons that do as well as each number of rate units."""
    units = {each: errors_of(each[0], "rate", each[1]) for each in COMPARISONS}
    sizes = sorted({size for found in units.values() for size in found})
    head = ("task", "judged by", *(f"as {size} units" for size in sizes))
    return table(head, (_enough_row(*each, sizes) for each in COMPARISONS))


def _enough_row(task: str, by: str, sizes: Sequence[int]) -> tuple[str, ...]:
    units, neurons = errors_of(task, "rate", by), errors_of(task, "spiking", by)

    def enough(size: int) -> str:
        if size not in units:
            return UNKNOWN
        found = smallest(neurons, median(units[size]))
        if found is None:
            return f"> {max(neurons)}"
        # Fewer were not tried.
        return f"≤ {found}" if found == min(neurons) else str(found)

    return f"`{task}`", by, *map(enough, sizes)


def how_good() -> Iterator[str]:
    """The median over seeds of each size of both kinds."""
    found = {
        (task, by, kind): errors_of(task, kind, by) for task, by in COMPARISONS for kind in KINDS
    }
    sizes = sorted({size for errors in found.values() for size in errors})
    return table(
        ("task", "judged by", "of", *map(str, sizes)),
        (
            (f"`{task}`", by, KINDS[kind], *(_told(errors.get(size), by) for size in sizes))
            for (task, by, kind), errors in found.items()
        ),
    )


def _told(errors: Sequence[float] | None, by: str) -> str:
    """The median, as the page says it."""
    if errors is None:
        return UNKNOWN
    middle = median(errors)
    return f"{middle:.2g}" if by == NMSE else f"{TESTED - middle:g}"
