"""A spiking network beside its rate network on trials that both were shown."""

import math

import numpy as np
from numpy.typing import NDArray

from bridge.methods.chance import chance_level
from bridge.methods.faithfulness import Faithfulness
from bridge.methods.output_error import output_error
from bridge.methods.scoring import RATE_NOISE, task_of
from bridge.methods.unit_correlations import unit_correlations
from bridge.rate.network import RateNetwork
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.recording import Recording
from bridge.tasks import Trials, rate_correct, spiking_correct

Array = NDArray[np.float64]


def beside(
    rate: RateNetwork, network: SpikingNetwork, trials: Trials, recording: Recording, seed: int
) -> Faithfulness:
    """Accuracy, output error and correlation of the units, each beside the rate network's.

    Args:
        rate: The rate network.
        network: The spiking network that was made from it.
        trials: Of its task.
        recording: What the spiking network did in these.
        seed: Decides the noise in which the rate network is scored; its output is without noise.
    """
    task, outputs = task_of(network), next(iter(recording.readouts.values()))
    noisy, _ = rate.run(trials.inputs, np.random.default_rng((seed, RATE_NOISE)))
    wanted, activity = rate.run(trials.inputs, None)
    right, rate_right = spiking_correct(task, outputs, trials), rate_correct(task, noisy, trials)
    error = output_error(outputs, wanted)
    return Faithfulness(
        trials=right.size,
        correct=int(right.sum()),
        lost=int((rate_right & ~right).sum()),
        gained=int((right & ~rate_right).sum()),
        output_error=None if math.isnan(error) else error,
        unit_correlation=_unit_correlation(network, recording, activity),
        chance=chance_level(task, outputs, trials),
    )


def _unit_correlation(
    network: SpikingNetwork, recording: Recording, activity: Array
) -> float | None:
    """The median over units; None where neurons do not stand for units one to one."""
    one_to_one = len(network.populations) == 1 and len(network.readouts[0].channels) == 1
    if not one_to_one:
        return None
    return float(np.median(unit_correlations(network, recording.spikes, activity)))
