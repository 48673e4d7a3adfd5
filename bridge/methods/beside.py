"""A spiking network compared with its rate network on trials that both were shown."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.methods.chance import chance_level
from bridge.methods.faithfulness import Faithfulness
from bridge.methods.measured import Measured, measured_of
from bridge.methods.output_error import output_error
from bridge.methods.scoring import RATE_NOISE
from bridge.methods.unit_correlations import unit_correlations
from bridge.rate.network import RateNetwork
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.recording import Recording
from bridge.tasks import Task, Trials, judges, not_judged, rate_correct, spiking_correct

Array = NDArray[np.float64]


@dataclass(frozen=True)
class RateAnswers:
    """What a rate network does in trials, of its task or of a drive.

    Attributes:
        task: What judges the answers; None: nothing does.
        trials: The trials.
        right: (B,) which of them it answers rightly, with its noise; None: the task does not say.
        measured: What the task's number comes to, with its noise; None: there is none.
        outputs: (T, B, O) without noise.
        activity: (T, B, N) without noise.
    """

    task: Task | None
    trials: Trials
    right: NDArray[np.bool_] | None
    measured: Measured | None
    outputs: Array
    activity: Array

    @property
    def accuracy(self) -> float:
        """Share of the trials answered rightly; SpecError where the task does not say which are."""
        if self.task is None:
            raise SpecError("accuracy: no task judges the answers in these trials")
        if self.right is None:
            raise not_judged(self.task, "an accuracy")
        return float(self.right.mean())

    @classmethod
    def of(cls, rate: RateNetwork, task: Task | None, trials: Trials, seed: int) -> "RateAnswers":
        """The answers of a rate network to trials; the seed decides its noise."""
        if task is None:
            return cls(None, trials, None, None, *rate.run(trials.inputs, None))
        rng = np.random.default_rng((seed, RATE_NOISE))
        noisy, _ = rate.run(trials.inputs, rng)
        right = rate_correct(task, noisy, trials) if judges(task) else None
        found = measured_of(task, noisy, trials)
        return cls(task, trials, right, found, *rate.run(trials.inputs, None))


def beside(rate: RateAnswers, network: SpikingNetwork, recording: Recording) -> Faithfulness:
    """Scores, output error and correlation of the units, each compared with the rate network's.

    Args:
        rate: What the rate network does.
        network: The spiking network that was made from it.
        recording: What that did in the same trials.
    """
    outputs = next(iter(recording.readouts.values()))
    error = output_error(outputs, rate.outputs)
    return Faithfulness(
        trials=outputs.shape[1],
        **_paired(rate, outputs),
        output_error=None if math.isnan(error) else error,
        unit_correlation=_unit_correlation(network, recording, rate.activity),
        chance=chance_level(rate.task, outputs, rate.trials),
        measured=measured_of(rate.task, outputs, rate.trials),
        rate_measured=rate.measured,
    )


def _paired(rate: RateAnswers, outputs: Array) -> dict[str, int | None]:
    """How many trials are right, and how many in one network alone; None where nothing says so."""
    if rate.task is None or rate.right is None:
        return dict.fromkeys(("correct", "lost", "gained"))
    right = spiking_correct(rate.task, outputs, rate.trials)
    counted = {"correct": right, "lost": rate.right & ~right, "gained": right & ~rate.right}
    return {name: int(which.sum()) for name, which in counted.items()}


def _unit_correlation(
    network: SpikingNetwork, recording: Recording, activity: Array
) -> float | None:
    """The median over units; None where neurons do not stand for units one to one."""
    channels = [len(readout.channels) for readout in network.decoded[:1]]
    if len(network.populations) != 1 or channels != [1]:
        return None
    return float(np.median(unit_correlations(network, recording.spikes, activity)))
