"""Two networks on the same trials: is one of them right more often?"""

from bridge.methods.binomial import at_most

# Below this a difference is called significant.
LEVEL = 0.05


def mcnemar(lost: int, gained: int) -> float:
    """P of the two-sided exact test of McNemar (Psychometrika 12:153, 1947).

    Trials that both answer alike say nothing; of the others each is as likely to fall to either
    network, if the two are equally good.

    Args:
        lost: Trials that only the first of the two answers rightly.
        gained: Trials that only the second does.
    """
    if lost == gained:
        return 1.0
    tail = at_most(min(lost, gained), lost + gained, 0.5)
    return min(1.0, 2.0 * float(tail))
