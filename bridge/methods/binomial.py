"""Tails of the binomial distribution, without the second and a half that scipy.stats loads for."""

from typing import Any

from scipy import special


def at_least(successes: Any, trials: Any, share: float) -> Any:
    """The chance of so many successes or more in so many trials."""
    return special.bdtrc(successes - 1.0, trials, share)


def at_most(successes: Any, trials: Any, share: float) -> Any:
    """The chance of so many successes or fewer in so many trials."""
    return special.bdtr(float(successes), trials, share)
