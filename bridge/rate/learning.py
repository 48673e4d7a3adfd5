"""What training leaves with a rate network: how it went, and where to go on."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.spiking.arrays import counted, frozen_array
from bridge.spiking.essentials import essentials

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class History:
    """How training went, one entry for each evaluation.

    Attributes:
        update: (E,) number of updates made before it.
        loss: (E,) mean loss of the evaluation trials.
        accuracy: (E,) share of them answered rightly.
    """

    update: NDArray[np.int64]
    loss: Array
    accuracy: Array

    __repr__ = essentials

    def __post_init__(self) -> None:
        update = frozen_array("history: update", self.update, (None,), np.int64)
        object.__setattr__(self, "update", update)
        for name in ("loss", "accuracy"):
            values = frozen_array(f"history: {name}", getattr(self, name), update.shape)
            object.__setattr__(self, name, values)
        if np.any(update < 0) or np.any(np.diff(update) <= 0):
            raise SpecError("history: update must be numbers of updates, ascending")
        if np.any(self.loss < 0):
            raise SpecError(f"history: loss must not be negative, got {self.loss.min():g}")
        if np.any((self.accuracy < 0) | (self.accuracy > 1)):
            raise SpecError("history: accuracy must lie between 0 and 1")


@dataclass(frozen=True, kw_only=True, eq=False)
class Checkpoint:
    """What is needed to go on training where it stopped, in addition to the options.

    Attributes:
        updates: Updates made so far.
        parameters: The trained parameters before any constraint, by name.
        moment1: Adam's running mean of each gradient, by name.
        moment2: Adam's running mean of each squared gradient, by name.
    """

    updates: int
    parameters: Mapping[str, NDArray[np.float32]]
    moment1: Mapping[str, NDArray[np.float32]]
    moment2: Mapping[str, NDArray[np.float32]]

    __repr__ = essentials

    def __post_init__(self) -> None:
        counted("checkpoint: updates", self.updates)
        for part in ("parameters", "moment1", "moment2"):
            if not isinstance(getattr(self, part), Mapping):
                raise SpecError(f"checkpoint: {part} must be arrays under names")
        if not set(self.parameters) == set(self.moment1) == set(self.moment2):
            raise SpecError("checkpoint: parameters and moments differ in their names")
        for part in ("parameters", "moment1", "moment2"):
            kept = {
                name: frozen_array(
                    f"checkpoint: {part} {name}",
                    values,
                    np.shape(self.parameters[name]),
                    np.float32,
                )
                for name, values in getattr(self, part).items()
            }
            object.__setattr__(self, part, MappingProxyType(kept))
        if any(np.any(squares < 0) for squares in self.moment2.values()):
            raise SpecError("checkpoint: moment2 holds squares, which cannot be negative")

    def check_fits(self, expected: Mapping[str, tuple[int, ...]], history: History | None) -> None:
        """Raise SpecError unless its parameters have these shapes, and `history` ends before it."""
        got = {name: values.shape for name, values in self.parameters.items()}
        if got != expected:
            raise SpecError(f"checkpoint: does not fit the network: {got}, expected {expected}")
        done = [] if history is None else history.update.tolist()
        if done and done[-1] > self.updates:
            raise SpecError(
                f"checkpoint: made after {self.updates} updates, the history has {done[-1]}"
            )
