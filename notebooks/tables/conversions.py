"""What rules for the scale factor and kinds of neurons give."""

from collections.abc import Iterator
from statistics import mean, median, quantiles

from tables.markdown import rows_of, table

SEARCH_HEAD = (
    "task",
    "networks",
    "output error by `faithful`",
    "by `accuracy`",
    "by `faithful`, readout refitted",
    "correct (%) by `faithful`",
    "by `accuracy`",
)
KIND = ("task", "activation", "neuron")
NEURON_HEAD = (
    *KIND,
    "networks",
    "correct (%)",
    "rate networks (%)",
    "median output error",
    "highest",
    "spikes/s",
)
PLAIN_HEAD = (
    "form",
    "networks",
    "median output error",
    "quartiles",
    "lowest",
    "highest",
    "differing spikes",
)
FRESH = 200
SEEDS = ("500", "501", "502")


def searches() -> Iterator[str]:
    """Both rules on the same networks, a row for each task."""
    rows = rows_of("searches.csv")
    tasks = dict.fromkeys(row["task"] for row in rows)
    return table(SEARCH_HEAD, (_search_row(task, rows) for task in tasks))


def _search_row(task: str, rows: list[dict[str, str]]) -> tuple[object, ...]:
    mine = [row for row in rows if row["task"] == task]

    def errors(name: str) -> str:
        return f"{median(float(row[name]) for row in mine):.2g}"

    def right(name: str) -> str:
        return f"{100 * mean(int(row[name]) for row in mine) / FRESH:.2f}"

    return (
        task,
        len(mine),
        errors("faithful_fresh_output_error"),
        errors("accuracy_fresh_output_error"),
        errors("faithful_refitted_output_error"),
        right("faithful_fresh_correct"),
        right("accuracy_fresh_correct"),
    )


def neurons() -> Iterator[str]:
    """Both kinds of neurons for the first networks of each task and activation, a row each."""
    rows = [row for row in rows_of("neurons.csv") if row["seed"] in SEEDS]
    kinds = dict.fromkeys(tuple(row[name] for name in KIND) for row in rows)
    return table(NEURON_HEAD, (_neuron_row(kind, rows) for kind in kinds))


def _neuron_row(kind: tuple[str, ...], rows: list[dict[str, str]]) -> tuple[object, ...]:
    mine = [row for row in rows if tuple(row[name] for name in KIND) == kind]
    right = (mean(int(row[name]) for row in mine) for name in ("correct", "rate_correct"))
    shares = (f"{100 * correct / FRESH:.1f}" for correct in right)
    errors = [float(row["output_error"]) for row in mine]
    told = (f"{value:.2g}" for value in (median(errors), max(errors)))
    rate = median(float(row["rate_hz"]) for row in mine)
    return (*kind, len(mine), *shares, *told, f"{rate:.1f}")


def plain() -> Iterator[str]:
    """Plain PyTorch modules as integrate-and-fire neurons, a row for each form."""
    rows = rows_of("plain_networks.csv")
    return table(PLAIN_HEAD, (_plain_row(form, rows) for form in ("h", "x")))


def _plain_row(form: str, rows: list[dict[str, str]]) -> tuple[object, ...]:
    mine = [row for row in rows if row["form"] == form]
    errors = [float(row["output_error"]) for row in mine]
    low, middle, high = quantiles(errors, method="inclusive")
    told = (f"{middle:.2g}", f"{low:.2g}, {high:.2g}", f"{min(errors):.2g}", f"{max(errors):.2g}")
    return (f"`{form}`", len(mine), *told, sum(int(row["differing"]) for row in mine))
