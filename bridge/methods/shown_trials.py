"""The trials that a search shows its networks: those of a task, or those of a drive.

A search of whatever kind asks its `TrialSource` for trials of a use, and learns with them how they
are judged: by a task, or, where there is none, by the rate network's own output alone.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bridge.methods.scoring import trials_of
from bridge.spiking.arrays import counted
from bridge.spiking.drive import Drive, SharedNoise, derived_seed
from bridge.tasks import Task, Trials

Array = NDArray[np.float64]
Use = tuple[int, int]


@dataclass(frozen=True, kw_only=True, eq=False)
class Shown:
    """Trials that a rate network and its spiking networks are shown.

    Attributes:
        task: What judges the answers; None: nothing does, and the output error alone decides.
        trials: B of them; targets are the task's, or, where nothing judges, what the rate network
            answers without noise.
        noise: That of the spiking networks: trial b has number b in its sequence.
    """

    task: Task | None
    trials: Trials
    noise: SharedNoise

    @property
    def count(self) -> int:
        """Number of trials B."""
        return self.trials.inputs.shape[1]

    def drive(self) -> Drive:
        """What shows them to a spiking network."""
        return Drive(inputs=self.trials.inputs, noise=self.noise)

    def repeated(self, numbers: NDArray[np.int64], gain: Array | None = None) -> Drive:
        """As `drive`, of trials by their numbers, which may occur again at another gain.

        Args:
            numbers: (M,) of trials, each with its own noise wherever it stands.
            gain: (M,) `Drive.recurrent_gain`.
        """
        return Drive(
            inputs=self.trials.inputs[:, numbers],
            noise=self.noise,
            recurrent_gain=gain,
            trial_numbers=numbers,
        )


class TrialSource(Protocol):
    """Where the trials of a search come from."""

    @property
    def count(self) -> int:
        """Trials that a search does at each candidate."""

    def shown(self, use: Use, most: int | None = None) -> Shown:
        """Trials of a use, with the noise of that use.

        Args:
            use: Streams of trials and noise, as `bridge.methods.scoring` names them.
            most: How many are wanted, if not `count`; there may be fewer.
        """


@dataclass(frozen=True, kw_only=True, eq=False)
class TaskTrials:
    """Trials drawn of a task: those of each use are others.

    Attributes:
        task: The task.
        count: Trials of a search.
        seed: With the use, decides trials and noise.
    """

    task: Task
    count: int
    seed: int

    def __post_init__(self) -> None:
        counted("trials", self.count, least=1)
        counted("seed", self.seed)

    def shown(self, use: Use, most: int | None = None) -> Shown:
        """As `TrialSource.shown`."""
        count = self.count if most is None else most
        return Shown(
            task=self.task,
            trials=trials_of(self.task, count, self.seed, use),
            noise=SharedNoise(seed=derived_seed(self.seed, use[1])),
        )
