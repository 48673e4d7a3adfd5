"""What rules for the scale factor and kinds of neurons give."""

from collections.abc import Iterator
from statistics import mean, median

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
NEURON_HEAD = ("task", "activation", "neuron", "correct, of 200", "output error", "spikes/s")
PLAIN_HEAD = ("form", "networks", "median output error", "lowest", "highest", "differing spikes")
FRESH = 200


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
    """Both kinds of neurons for the network of seed 500 of each task, a row for each."""
    rows = [row for row in rows_of("neurons.csv") if row["seed"] == "500"]
    return table(NEURON_HEAD, map(_neuron_row, rows))


def _neuron_row(row: dict[str, str]) -> tuple[object, ...]:
    right = f"{row['correct']} (rate network: {row['rate_correct']})"
    error, rate = f"{float(row['output_error']):.2g}", f"{float(row['rate_hz']):.1f}"
    return (row["task"], row["activation"], row["neuron"], right, error, rate)


def plain() -> Iterator[str]:
    """Plain PyTorch modules as integrate-and-fire neurons, a row for each form."""
    rows = rows_of("plain_networks.csv")
    return table(PLAIN_HEAD, (_plain_row(form, rows) for form in ("h", "x")))


def _plain_row(form: str, rows: list[dict[str, str]]) -> tuple[object, ...]:
    mine = [row for row in rows if row["form"] == form]
    errors = [float(row["output_error"]) for row in mine]
    told = (f"{value:.2g}" for value in (median(errors), min(errors), max(errors)))
    return (f"`{form}`", len(mine), *told, sum(int(row["differing"]) for row in mine))
