"""Scoring that several tasks share: did an output go where it should?"""

import numpy as np
from numpy.typing import NDArray

# Kim et al. 2019: an answer counts once the output is beyond HIGH; silence is to stay within LOW.
HIGH, LOW = 0.7, 0.3


def beyond(
    answer: NDArray[np.float64], side: NDArray[np.float64], *, strict: bool
) -> NDArray[np.bool_]:
    """Whether outputs go beyond +0.7 or -0.7, on the side they should, at any time.

    Args:
        answer: (T, ...) outputs in the window that counts.
        side: (...) +1 or -1.
        strict: Whether one that goes beyond the other side's threshold too, is wrong.
    """
    toward = answer * side
    right: NDArray[np.bool_] = toward.max(axis=0) > HIGH
    if strict:
        right &= toward.min(axis=0) >= -HIGH
    return right
