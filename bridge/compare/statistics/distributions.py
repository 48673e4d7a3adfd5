"""What is known of distributions, without the second that scipy.stats takes to load."""

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]


def chi_square_limit(share: float, freedom: float) -> float:
    """What a chi square of so many degrees of freedom exceeds in that share of the cases."""
    return float(special.chdtri(freedom, share))


def noncentral_beyond(limit: float, freedom: float, shift: float) -> float:
    """Chance of a noncentral chi square beyond a limit; `shift` is its noncentrality."""
    return float(1.0 - special.chndtr(limit, freedom, shift))


def t_below(share: float, freedom: float) -> float:
    """What Student's t of so many degrees of freedom stays below in that share of the cases."""
    return float(special.stdtrit(freedom, share))


def earth_movers_distance(one: Array, other: Array) -> float:
    """The area between the distribution functions of two samples of any size, in their unit."""
    places = np.sort(np.concatenate([one, other]))
    below = [
        np.searchsorted(np.sort(each), places[:-1], side="right") / each.size
        for each in (one, other)
    ]
    return float(np.sum(np.abs(below[0] - below[1]) * np.diff(places)))
