"""What we keep in the metadata of a graph: what NIR has no field for, and others pass over.

A file means the same without it. With it our own reader finds the network that was written: its
names and its order, the numbers in ms that no number of seconds gives, and what NIR leaves open.
"""

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Field: TypeAlias = NDArray[np.float64] | str

OURS = "spikebridge"
"""The group of a node's metadata, or of a graph's, that is ours."""

# Of the whole graph.
DT_MS, START, LOST = "dt_ms", "recurrent_start", "lost"
# Of a node that is a population, an input or an output: its name, and its place among them.
NAME, PLACE = "name", "place"
# Of what a projection passes last: its name, and its place; that of the bias of a silent start.
PROJECTION, PROJECTION_PLACE, BIAS_PLACE = "projection", "projection_place", "bias_place"
# Of a population that fires.
RESET, THRESHOLD = "reset", "threshold"
# Of weights that are sparse in the network; and of what is there for a bias alone.
SPARSE, BIAS_ALONE = "sparse", "bias_alone"
TAUS_MS = {"tau": "tau_ms", "tau_mem": "tau_mem_ms", "tau_syn": "tau_syn_ms"}

_OF_GRAPH = (DT_MS, START)
_OF_NODES = (NAME, PLACE, PROJECTION, PROJECTION_PLACE, BIAS_PLACE, RESET, THRESHOLD)
KNOWN = (*_OF_GRAPH, *_OF_NODES, SPARSE, BIAS_ALONE, *TAUS_MS.values())
"""What is read of it."""


def text_in(kept: Mapping[str, Field], name: str) -> str:
    """A text; "" where there is none."""
    found = kept.get(name, "")
    return found if isinstance(found, str) else ""


def number_in(kept: Mapping[str, Field], name: str) -> float | None:
    """A single number; None where there is none."""
    found = kept.get(name)
    return float(found) if isinstance(found, np.ndarray) and found.shape == () else None


def single(number: float) -> Field:
    """A number as it is kept."""
    return np.array(float(number))


def milliseconds(seconds: NDArray[np.float64], kept: Field | None) -> NDArray[np.float64]:
    """Seconds in ms: the numbers in the metadata, where they differ by rounding alone."""
    ms = seconds * 1000.0
    if not isinstance(kept, np.ndarray) or kept.shape not in ((), ms.shape):
        return ms
    return np.where(np.abs(kept - ms) <= 2 * np.spacing(ms), kept, ms)


def seconds_of(ms: NDArray[np.float64]) -> NDArray[np.float64]:
    """The numbers of seconds that are read as these ms, those of few digits first.

    Of float32 a number that float32 has, else one of few digits: as others write them, so that what
    was read from a file goes out as it was. Some ms have none; they get the nearest.
    """
    nearest = ms / 1000.0
    around = [nearest, np.nextafter(nearest, 0.0), np.nextafter(nearest, np.inf)]
    found = nearest.copy()
    for each in (nearest, around[2], around[1]):
        digits = [float(f"{value:.12g}") for value in each.ravel()]
        short = np.array(digits).reshape(ms.shape)
        for known in (short, each.astype(np.float32).astype(np.float64)):
            found = np.where((known == each) & (known * 1000.0 == ms), known, found)
    fits = found * 1000.0 == ms
    for each in around:
        found = np.where(~fits & (each * 1000.0 == ms), each, found)
    return found
