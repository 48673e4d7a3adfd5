"""Where the voltages of a population start."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.spiking.values import number


@dataclass(frozen=True, kw_only=True)
class UniformVoltage:
    """Initial voltages drawn evenly between two values, mV."""

    low_mv: float
    high_mv: float

    def __post_init__(self) -> None:
        for name in ("low_mv", "high_mv"):
            value = number(f"initial voltage: {name}", getattr(self, name))
            object.__setattr__(self, name, value)
        # Their difference too is to be a number.
        if not 0 <= self.high_mv - self.low_mv < np.inf:
            raise SpecError(
                f"initial voltage: {self.low_mv:g} to {self.high_mv:g} mV is not a range"
            )

    def draw(self, rng: np.random.Generator, size: int) -> NDArray[np.float64]:
        """(size,) voltages, mV."""
        return rng.uniform(self.low_mv, self.high_mv, size)


@dataclass(frozen=True, kw_only=True)
class NormalVoltage:
    """Initial voltages drawn from a normal distribution, mV."""

    mean_mv: float
    sd_mv: float

    def __post_init__(self) -> None:
        mean = number("initial voltage: mean_mv", self.mean_mv)
        object.__setattr__(self, "mean_mv", mean)
        object.__setattr__(self, "sd_mv", number("initial voltage: sd_mv", self.sd_mv, least=0))

    def draw(self, rng: np.random.Generator, size: int) -> NDArray[np.float64]:
        """(size,) voltages, mV."""
        return self.mean_mv + self.sd_mv * rng.standard_normal(size)

    @property
    def high_mv(self) -> float:
        """What one voltage in a thousand exceeds, mV."""
        return self.mean_mv + 3.09 * self.sd_mv


InitialVoltage = UniformVoltage | NormalVoltage
INITIAL_VOLTAGES = (UniformVoltage, NormalVoltage)
