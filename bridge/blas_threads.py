"""NumPy's matrix products on one thread, where they are small.

BLAS waits for its threads by spinning. While other work runs, small products then take ten times as
long on two threads as on one; on a machine of its own they gain nothing from the second.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController

LARGE_PRODUCT = 2e8
"""From so many multiplications on a product is worth several threads."""


@contextmanager
def threads_for(multiplications: float) -> Iterator[None]:
    """One thread for products of so many multiplications each, unless they are large."""
    if multiplications >= LARGE_PRODUCT:
        yield
        return
    with _controller().limit(limits=1, user_api="blas"):
        yield


@cache
def _controller() -> ThreadpoolController:
    # Looking for the libraries takes long, and NumPy's is there from the first.
    return ThreadpoolController()
