"""The output error of a conversion: how far its output is from the rate network's own.

Squared deviations from the output that the rate network gives without noise on the same trials,
summed over trials, samples and channels, as a share of the summed squared deviation of that output
from its mean in each channel. 0 is the same output, 1 is no better than a constant one.
"""

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FAITHFUL = 0.2
"""Up to this output error the output counts as kept."""


def squared_errors(outputs: Array, wanted: Array) -> Array:
    """(B,) squared deviations of (T, B, O) outputs from those wanted, summed in each trial."""
    errors: Array = np.square(outputs - wanted).sum(axis=(0, 2))
    return errors


def variation(wanted: Array) -> float:
    """Summed squared deviation of (T, B, O) outputs from the mean of each channel."""
    return float(np.square(wanted - wanted.mean(axis=(0, 1))).sum())


def output_error(outputs: Array, wanted: Array) -> float:
    """The output error of (T, B, O) outputs.

    Args:
        outputs: Of the spiking network.
        wanted: Of the rate network, without noise, on the same trials.

    Returns:
        NaN where the rate network's output never varies, so that there is no scale to measure by.
    """
    whole = variation(wanted)
    return float(squared_errors(outputs, wanted).sum()) / whole if whole > 0 else math.nan
