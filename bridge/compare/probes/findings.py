"""What a probe found: a number that follows from a formula, and the number that came out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.compare.explanation import unit_name
from bridge.spiking.network import SpikingNetwork

Array = NDArray[np.float64]

# 0.1 %: what a peak or an area may differ by, and what integrating otherwise does not make.
RELATIVE = 1e-3


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One quantity held against its formula, where it differed most.

    Attributes:
        quantity: What was measured.
        where: Where it differed most.
        expected: What the formula says there.
        found: What the backend gave there.
        error: By how much they differ, and
        tolerance: may differ, in the measure of the quantity.
        measure: What error and tolerance are in: "relative", "steps", "standard errors".
        count: How many were held against the formula.
    """

    quantity: str
    where: str
    expected: float
    found: float
    error: float
    tolerance: float
    measure: str
    count: int

    @property
    def passed(self) -> bool:
        """Whether it lies within the tolerance."""
        return bool(self.error <= self.tolerance)


def worst(
    quantity: str,
    places: list[str],
    expected: Array,
    found: Array,
    *,
    tolerance: float,
    measure: str,
    scale: Array | float | None = None,
) -> list[Finding]:
    """The finding of the place where a quantity differs most; none where there are no places.

    Args:
        quantity: What was measured.
        places: Names of the P places.
        expected: (P,) by the formula.
        found: (P,) by the backend; NaN counts as wrong.
        tolerance: What |found - expected| / scale may be.
        measure: What that is in.
        scale: (P,) or one number; None: |expected|.
    """
    if not places:
        return []
    size = np.abs(expected) if scale is None else np.broadcast_to(scale, expected.shape)
    apart = np.abs(found - expected)
    error = np.divide(apart, size, out=np.where(apart > 0, np.inf, 0.0), where=size > 0)
    error = np.where(np.isfinite(found), error, np.inf)
    place = int(np.argmax(error))
    return [
        Finding(
            quantity=quantity,
            where=places[place],
            expected=float(expected[place]),
            found=float(found[place]),
            error=float(error[place]),
            tolerance=tolerance,
            measure=measure,
            count=len(places),
        )
    ]


def units_of(network: SpikingNetwork, neurons: NDArray[np.int64]) -> list[str]:
    """Names of neurons, numbered through all populations."""
    return [unit_name(network, int(neuron)) for neuron in neurons]
