"""Cell types and the mask of the motif of somatostatin units (Kim et al. 2019, SI Fig. S3).

Some of the inhibitory units are SOM, the others PV. The motif is kept as a mask of the weights,
(post, pre), whose zeros are a block between the SOM units and all inhibitory ones. In the authors'
files its rows are the SOM units: nothing inhibitory reaches them, and so it is here. Files in which
it is the other way round (they reach nothing inhibitory), as our own were once, are understood too.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

PYR, PV, SOM = "PYR", "PV", "SOM"


def som_units(mask: Array, inhibitory: Flags) -> Flags | None:
    """(N,) who is SOM by the zeros of a mask, (N, N); None where they are not such a block."""
    closed = mask == 0
    post, pre = closed.any(axis=1), closed.any(axis=0)
    for som, others in ((post, pre), (pre, post)):
        block = np.outer(post, pre)
        if closed.any() and np.array_equal(closed, block) and np.array_equal(others, inhibitory):
            return som if np.all(inhibitory[som]) else None
    return None


def types_of(som: Flags, inhibitory: Flags) -> tuple[str, ...]:
    """(N) names of the kinds of units."""
    return tuple(np.where(som, SOM, np.where(inhibitory, PV, PYR)).tolist())


def mask_of(recurrent: Array, som: Flags, inhibitory: Flags) -> Array | None:
    """(N, N) mask that closes what the motif closes, as the authors' files keep it or turned.

    None where the weights are open in both directions: then they do not follow the motif.
    """
    for post, pre in ((som, inhibitory), (inhibitory, som)):
        block = np.outer(post, pre)
        if not np.any(recurrent[block]):
            return np.where(block, 0.0, 1.0)
    return None
