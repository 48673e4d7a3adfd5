"""What a statistical test is asked, of which numbers, and what it finds of each."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.spiking.essentials import essentials

Array = NDArray[np.float64]

DRAWS = 4000
# How many draws a p value of alpha should be worth, for each statistic.
_DRAWS_AT_ALPHA = 20
# Below, the draws would take minutes: they are as many as `_DRAWS_AT_ALPHA` / alpha.
LEAST_ALPHA = 0.001
# A unit counts where two simulators that are alike would exceed it in 5 % of the units.
NOTABLE_Z = 1.959964
LEAST_TRIALS = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class Quantity:
    """One kind of number, of every unit in every trial, on the three sides.

    Attributes:
        name: What it is, such as "firing rate".
        unit: Its unit, such as "Hz", or "".
        values: (3, B, F) numbers of A, A' and B, or (2, B, F) of A and B; NaN where a trial has
            none.
    """

    name: str
    unit: str
    values: Array

    __repr__ = essentials

    def __post_init__(self) -> None:
        if self.values.ndim != 3 or len(self.values) not in (2, 3):
            raise SpecError(f"{self.name}: expected (3, B, F) values, got {self.values.shape}")


@dataclass(frozen=True, kw_only=True, eq=False)
class QuantityResult:
    """What was found for one quantity.

    Attributes:
        name: What it is.
        unit: Its unit.
        z: (F,) difference of B from A, or from the mean of A and A', in standard errors; NaN where
            there is too little to conclude anything.
        z_yardstick: (F,) the same of A' from A; all NaN where there is no A'.
        rmse: Root mean square over features of the difference of the means of A and B.
        rmse_yardstick: The same of A and A'; what is to be expected of it where there is no A'.
        p_spread: Chance that a difference spread over all units is as large as this one.
        p_single: Chance that the largest of a single unit is as large.
    """

    name: str
    unit: str
    z: Array
    z_yardstick: Array
    rmse: float
    rmse_yardstick: float
    p_spread: float
    p_single: float

    __repr__ = essentials

    @property
    def notable(self) -> float:
        """Share of the units with |z| above 1.96; alike simulators have about 0.05."""
        return _share_notable(self.z)

    @property
    def notable_yardstick(self) -> float:
        """The same of A' against A."""
        return _share_notable(self.z_yardstick)

    @property
    def largest_z(self) -> float:
        """Largest |z| of any unit."""
        known = np.abs(self.z[np.isfinite(self.z)])
        return float(known.max()) if known.size else 0.0

    @property
    def ratio(self) -> float:
        """RMSE(A, B) / RMSE(A, A'): about 1 where B is like A; NaN where A' equals A."""
        return self.rmse / self.rmse_yardstick if self.rmse_yardstick > 0 else float("nan")


@dataclass(frozen=True, kw_only=True)
class Design:
    """What a test is asked, and what that takes.

    Attributes:
        sets: 3 with A', else 2.
        quantities: How many quantities are compared; each has two statistics.
        alpha: Chance of a false alarm of them all together.
    """

    sets: int
    quantities: int
    alpha: float

    @property
    def alpha_each(self) -> float:
        """The share of the false alarms of one statistic."""
        return self.alpha / (2 * self.quantities)

    @property
    def draws(self) -> int:
        """How often labels are permuted so that a difference in one quantity alone can be found."""
        return max(DRAWS, math.ceil(_DRAWS_AT_ALPHA / self.alpha_each))

    @property
    def least_trials(self) -> int:
        """Fewest trials with which a difference, however large, can be found.

        There are sets^B ways to name B trials, and the same statistic comes up where all names are
        changed alike: no p value of a statistic is below sets^(1 - B), and each has its own.
        """
        needed = 1 + math.log(2 / self.alpha_each) / math.log(self.sets)
        return max(LEAST_TRIALS, math.ceil(needed))


def _share_notable(z: Array) -> float:
    known = np.isfinite(z)
    return float((np.abs(z[known]) > NOTABLE_Z).mean()) if known.any() else 0.0
