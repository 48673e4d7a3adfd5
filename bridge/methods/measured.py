"""What the number of a task came to over some trials."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from bridge.arguments import number
from bridge.errors import SpecError
from bridge.tasks import Task, Trials, measure_of, measured
from bridge.tasks.measure import Measure, check_names

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What the number of a task came to over some trials.

    Attributes:
        name: Of the measure.
        unit: Of the measure.
        better: Of the measure.
        median: Over the trials.
        lowest: Of all trials.
        highest: Of all trials.
    """

    name: str
    unit: str
    better: Literal["lower", "higher"]
    median: float
    lowest: float
    highest: float

    def __post_init__(self) -> None:
        check_names(self.name, self.unit, self.better)
        for part in ("median", "lowest", "highest"):
            value = number(f"measured {self.name}: {part}", getattr(self, part))
            object.__setattr__(self, part, value)
        if not self.lowest <= self.median <= self.highest:
            raise SpecError(
                f"measured {self.name}: expected the median between the lowest and "
                f"the highest, got {self.lowest:g}, {self.median:g} and {self.highest:g}"
            )

    @classmethod
    def of(cls, measure: Measure, values: Array) -> Self:
        """What (B,) numbers of a measure come to."""
        return cls(
            name=measure.name,
            unit=measure.unit,
            better=measure.better,
            median=float(np.median(values)),
            lowest=float(values.min()),
            highest=float(values.max()),
        )

    @classmethod
    def read(cls, plain: object) -> Self | None:
        """From plain values, as `plain` gives them; None where they are none."""
        if not isinstance(plain, Mapping):
            return None
        try:
            return cls(**plain)
        except (SpecError, TypeError):
            return None

    def plain(self) -> dict[str, Any]:
        """By the names of its fields, for a provenance."""
        return asdict(self)

    @property
    def spread(self) -> str:
        """Median and range in figures: "0.012 (0.004 to 0.09)", with the unit if there is one."""
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.median:.3g}{unit} ({self.lowest:.3g} to {self.highest:.3g}{unit})"

    def __str__(self) -> str:
        """In words: "median nMSE 0.012 (0.004 to 0.09)"."""
        return f"median {self.name} {self.spread}"


def measured_of(task: Task | None, outputs: Array, trials: Trials) -> Measured | None:
    """What the number of a task comes to in (T, B, O) outputs; None for a task without one."""
    if task is None:
        return None
    measure, values = measure_of(task), measured(task, outputs, trials)
    return None if measure is None or values is None else Measured.of(measure, values)
