"""Readouts that each simulator computes itself: decoded ones are the same code for all of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bridge.compare.account import Parts
from bridge.compare.sides import Side
from bridge.errors import SpecError
from bridge.spiking.decoding import decode
from bridge.spiking.drive import Drive, FrozenNoise
from bridge.spiking.network import SpikingNetwork

Array = NDArray[np.float64]
# What a simulator computes otherwise, it does in every trial and soon; one that has to take each
# step by itself takes seconds for more.
TRIALS, STEPS = 2, 4000


@dataclass(frozen=True, kw_only=True)
class ComputedReadouts:
    """Readouts that two simulators computed step by step, held against each other.

    Attributes:
        trials: In how many trials.
        difference: The largest difference of two, at the end of a sample.
        from_decoded: The largest difference of one, on either side, from what decoding makes of
            that side's own spikes.
    """

    trials: int
    difference: float
    from_decoded: float


@dataclass(frozen=True)
class Outputs:
    """What a side computed in (T, B, O) readouts, and what its spikes decode to."""

    computed: dict[str, Array]
    decoded: dict[str, Array]


def run_computed(
    network: SpikingNetwork,
    drive: Drive,
    sides: tuple[Side, ...],
    on_progress: Callable[[str, float], None],
) -> dict[str, Outputs | None]:
    """Let each side compute the readouts of a network, in the first trials of a drive.

    Args:
        network: Whose decoded readouts become populations of linear units.
        drive: Its drive, with shared or frozen noise; the first `STEPS` of shared noise count.
        sides: By whom.
        on_progress: Called with what is being done and its fraction done.

    Returns:
        By the labels of the sides what came out; None where there is nothing to compute, or the
        side takes no such network.
    """
    if not network.decoded:
        return dict.fromkeys((side.label for side in sides), None)
    part = _beginning(network, drive.trials(0, min(TRIALS, drive.n_trials)))
    found = {}
    for side in sides:
        on_progress(_run_of(side), 0.0)
        found[side.label] = _outputs(network, part, side)
        on_progress(_run_of(side), 1.0)
    return found


def computed_parts(network: SpikingNetwork, sides: tuple[Side, ...]) -> Parts:
    """The parts that `run_computed` reports, in its order: few trials of each side."""
    return {_run_of(side): 0.3 for side in sides} if network.decoded else {}


def _run_of(side: Side) -> str:
    return f"{side.label}, readouts"


def _beginning(network: SpikingNetwork, drive: Drive) -> Drive:
    """A drive for the first steps only; one whose parts are given step by step stays as it is."""
    if isinstance(drive.noise, FrozenNoise) or drive.stimulation or drive.spikes:
        return drive
    return replace(drive, inputs=drive.inputs[: -(-STEPS // network.sample_steps)])


def _outputs(network: SpikingNetwork, drive: Drive, side: Side) -> Outputs | None:
    try:
        recording = side.run_computed(network, drive)
    except SpecError:
        return None
    names = [readout.name for readout in network.decoded]
    # The units come after all neurons, and never fire.
    spikes = replace(recording.spikes, n_neurons=network.size)
    return Outputs(
        computed={name: recording.readouts[name] for name in names},
        decoded=decode(network, spikes, drive.recurrent_gain),
    )


def computed_readouts(one: Outputs | None, other: Outputs | None) -> ComputedReadouts | None:
    """How far what two sides computed is apart; None where one of them computed nothing."""
    if one is None or other is None:
        return None
    trials = next(iter(one.computed.values())).shape[1]
    own = [_apart(side.computed, side.decoded) for side in (one, other)]
    return ComputedReadouts(
        trials=trials, difference=_apart(one.computed, other.computed), from_decoded=max(own)
    )


def _apart(one: dict[str, Array], other: dict[str, Array]) -> float:
    return max(float(np.abs(values - other[name]).max()) for name, values in one.items())
