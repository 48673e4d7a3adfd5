"""Sparse arrays of SciPy, which takes as long to load as all else of a short command together."""

import sys
from typing import Any, TypeGuard


def is_sparse(value: object) -> TypeGuard[Any]:
    """Whether it is an array or matrix of `scipy.sparse`."""
    # Where nobody has loaded the module there is none.
    loaded = sys.modules.get("scipy.sparse")
    return loaded is not None and bool(loaded.issparse(value))
