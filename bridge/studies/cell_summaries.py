"""The networks of each cell of a study summarised, with what the paper reports."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.compare.statistics.distributions import t_below
from bridge.methods.paired import LEVEL, mcnemar
from bridge.studies.study import Study, Variant
from bridge.studies.work import Row
from bridge.tables import Table

Array = NDArray[np.float64]

UNKNOWN = "-"

SUCCESS = 0.95
"""The paper counts a network as a success from this accuracy on."""


@dataclass(frozen=True)
class Summary:
    """The networks of one cell and variant."""

    name: str
    cell: str
    variant: str
    value: float | None
    rows: tuple[Row, ...]
    paper: str
    spiking: bool = True

    @property
    def accuracies(self) -> list[float]:
        """Of the spiking networks, or of the rate networks where there are no others.

        One whose training failed has none.
        """
        name = "accuracy" if self.spiking else "rate_accuracy"
        return [row[name] for row in self.rows if row.get(name) is not None]

    @property
    def trained(self) -> int:
        """Networks that reached the target of their training."""
        return sum(row["stopped"] == "target" for row in self.rows)

    @property
    def differences(self) -> Array:
        """Accuracy of each spiking network less that of its rate network, on the same trials.

        Of networks of before both were scored on the same trials there is none.
        """
        paired = [row for row in self.rows if row.get("rate_only") is not None]
        return np.array([row["accuracy"] - row["rate_accuracy"] for row in paired])

    @property
    def worse(self) -> int:
        """Spiking networks that are right less often than their rate network, significantly."""
        return sum(
            row["rate_only"] > row["spiking_only"]
            and mcnemar(row["rate_only"], row["spiking_only"]) < LEVEL
            for row in self.rows
            if row.get("rate_only") is not None
        )

    def values(self, name: str) -> list[float]:
        """A column of the table, where it is known."""
        return [row[name] for row in self.rows if row.get(name) is not None]

    @property
    def successes(self) -> int:
        """Networks with an accuracy of at least `SUCCESS`."""
        return sum(value >= SUCCESS for value in self.accuracies)


def summaries(study: Study, rows: Sequence[Row]) -> list[Summary]:
    """One for each cell and variant that has networks, in the study's order."""
    found = []
    for cell in study.cells:
        for variant in cell.variants or (Variant(),):
            mine = tuple(
                row
                for row in rows
                if row["cell"] == cell.name and (row["variant"] or "") == variant.name
            )
            if mine:
                value = cell.value if variant.value is None else variant.value
                paper = study.paper.get(variant.name or cell.name, "")
                several = variant.name and len(study.cells) > 1
                name = f"{cell.name}, {variant.name}" if several else variant.name or cell.name
                spiking = bool(cell.variants)
                found.append(Summary(name, cell.name, variant.name, value, mine, paper, spiking))
    return sorted(found, key=lambda one: (one.value is not None, one.value or 0.0))


HEADERS = (
    "cell",
    "networks",
    "trained",
    "succeed",
    "accuracy (%)",
    "rate network (%)",
    "difference (points)",
    "95 % interval (points)",
    "worse",
    "output error",
    "1/lambda",
    "rate (Hz)",
)
"""Accuracies in %, mean and s.d. over networks; the difference of the spiking network from its rate
network in points, mean and 95 % interval (Student's t) over networks; in how many it is significant
(McNemar's exact test, 5 %); the median output error."""


def table_of(study: Study, rows: Sequence[Row]) -> Table:
    """The summary as a table."""
    return Table(
        headers=HEADERS,
        rows=[_line(one) for one in summaries(study, rows)],
        words=("cell",),
        essential=(
            "cell",
            "networks",
            "succeed",
            "accuracy (%)",
            "difference (points)",
            "output error",
            "rate (Hz)",
        ),
    )


def _line(one: Summary) -> tuple[object, ...]:
    accuracies = 100 * np.asarray(one.accuracies or [np.nan])
    errors = one.values("output_error")
    return (
        one.name,
        len(one.rows),
        one.trained,
        one.successes,
        f"{accuracies.mean():.1f} +- {accuracies.std():.1f}",
        _mean(one, "rate_accuracy", 100.0, 1),
        *paired(one),
        f"{np.median(errors):.2g}" if errors else UNKNOWN,
        _mean(one, "inverse_scale", 1.0, 0),
        _mean(one, "rate_hz", 1.0, 1),
    )


def paper_lines(study: Study, rows: Sequence[Row]) -> list[str]:
    """What the paper reports of what is summarised, a line each."""
    named = [f"{one.name}: {one.paper}" for one in summaries(study, rows) if one.paper]
    return [f"the paper: {said}" for said in (*named, study.paper.get("", "")) if said]


def paired(one: Summary) -> tuple[str, str, str]:
    """Mean difference from the rate network in points, its interval, and how often significant."""
    differences = 100 * one.differences
    if not differences.size:
        return UNKNOWN, UNKNOWN, UNKNOWN
    low, high = _interval(differences)
    told = f"{low:+.1f} to {high:+.1f}" if np.isfinite(low) else UNKNOWN
    return f"{differences.mean():+.2f}", told, f"{one.worse} of {differences.size}"


def _interval(values: Array) -> tuple[float, float]:
    """95 % interval of a mean by Student's t; NaN for a single value."""
    if values.size < 2:
        return float("nan"), float("nan")
    error = values.std(ddof=1) / np.sqrt(values.size)
    reach = t_below(0.975, values.size - 1) * float(error)
    return float(values.mean() - reach), float(values.mean() + reach)


def _mean(one: Summary, name: str, unit: float, digits: int) -> str:
    values = one.values(name)
    return f"{unit * float(np.mean(values)):.{digits}f}" if values else UNKNOWN
