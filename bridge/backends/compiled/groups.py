"""Which trials take their samples in turn: those that see the same noise, which is drawn once."""

import numpy as np
from numpy.typing import NDArray

from bridge.spiking.drive import Drive, OwnNoise, SharedNoise
from bridge.spiking.network import SpikingNetwork

# How many trials take their samples in turn at most, and how many numbers of a sample's noise lie
# in a second-level cache.
_TOGETHER, _NEAR = 16, 50_000


def groups_of(
    network: SpikingNetwork, drive: Drive, keys: NDArray[np.int32], threads: int
) -> list[NDArray[np.int64]]:
    """Trials that see the same noise, in groups: it is drawn once for each of them.

    Groups are small enough that every thread has some, and that a sample's noise stays near the
    processor.
    """
    trials = np.arange(drive.n_trials)
    counted = isinstance(drive.noise, SharedNoise | OwnNoise)
    if not counted or network.size * network.sample_steps > _NEAR:
        return np.split(trials, trials[1:])
    _, which, counts = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    alike = np.split(np.argsort(which, kind="stable"), np.cumsum(counts)[:-1])
    most = max(1, min(_TOGETHER, drive.n_trials // threads))
    return [
        group[start : start + most]
        for group in sorted(alike, key=lambda trials: int(trials[0]))
        for start in range(0, group.size, most)
    ]
