"""The 1797 digits of 8 x 8 pixels that come with scikit-learn."""

from functools import lru_cache

import numpy as np

from bridge.errors import SpecError
from bridge.tasks.images.pictures import Pictures

SIZE = 64
_BRIGHTEST = 16.0
# The same 360 digits are held out for ever: what is on record was found on them.
_HELD_OUT, _SPLIT_SEED = 360, 2023


@lru_cache(maxsize=2)
def digits(part: str) -> Pictures:
    """The "training" digits, 1437, or the "held out" ones, 360.

    Raises:
        SpecError: scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise SpecError(
            "task digits: they come with scikit-learn, which is not installed; pip install "
            "'spikebridge[digits]'"
        ) from None
    values, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(_SPLIT_SEED).permutation(len(labels))
    mine = order[_HELD_OUT:] if part == "training" else order[:_HELD_OUT]
    return Pictures((values[mine] / _BRIGHTEST).astype(np.float32), labels[mine].astype(np.int64))
