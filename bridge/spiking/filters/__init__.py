"""Filters, a file each: a file that is put here is a filter that every backend runs.

`from bridge.spiking.filters import Exponential` finds each filter by the name of its class.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from bridge.spiking.filters.filter import (
    KNOWN,
    Filter,
    FilterTrace,
    Side,
    filter_start,
    filter_trace,
    known_filter,
)

if TYPE_CHECKING:
    from bridge.spiking.filters.direct import Direct
    from bridge.spiking.filters.double_exponential import DoubleExponential
    from bridge.spiking.filters.exponential import Exponential

__all__ = [
    "KNOWN",
    "Direct",
    "DoubleExponential",
    "Exponential",
    "Filter",
    "FilterTrace",
    "Side",
    "filter_start",
    "filter_trace",
    "known_filter",
]

for _file in iter_modules(__path__):
    import_module(f"{__name__}.{_file.name}")


def __getattr__(name: str) -> Any:
    for filter_ in KNOWN.values():
        if filter_.__name__ == name:
            return filter_
    raise AttributeError(f"no filter {name!r}; known are {', '.join(sorted(KNOWN))}")
