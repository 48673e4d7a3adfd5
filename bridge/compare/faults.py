"""Faults that a simulator could have, put in on purpose: a comparison is worth what it sees.

Each takes a network and its drive, and gives those that a faulty simulator would in truth run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from bridge.compare.changed_weights import asymmetric, outgoing, times, turned
from bridge.errors import SpecError
from bridge.spiking.drive import Drive
from bridge.spiking.filters import Filter, Side
from bridge.spiking.network import Channel, Readout, SpikingNetwork
from bridge.spiking.population import Population
from bridge.spiking.projection import Projection
from bridge.spiking.spikes import Spikes

Changed = tuple[SpikingNetwork, Drive]


@dataclass(frozen=True)
class Fault:
    """A fault of a simulator.

    Attributes:
        name: As the command takes it.
        meaning: What is wrong, in a few words.
        change: What is run in place of a network and its drive; SpecError where the network has
            nothing that the fault could touch.
        of_readouts: Whether it is one of readouts that the simulator itself computes.
    """

    name: str
    meaning: str
    change: Callable[[SpikingNetwork, Drive], Changed]
    of_readouts: bool = False


def find_fault(name: str) -> Fault:
    """The fault of that name.

    Raises:
        SpecError: there is none.
    """
    if name not in FAULTS:
        raise SpecError(f"unknown fault {name!r}; known are {', '.join(FAULTS)}")
    return FAULTS[name]


def _refractory(period_ms: float) -> Callable[[SpikingNetwork, Drive], Changed]:
    def change(network: SpikingNetwork, drive: Drive) -> Changed:
        steps = round(period_ms / network.dt_ms)
        if all(part.neurons.refractory_steps == steps for part in network.populations):
            raise SpecError(f"the refractory period of this network is {period_ms:g} ms already")

        def shortened(population: Population) -> Population:
            neurons = replace(population.neurons, refractory_steps=steps)
            return replace(population, neurons=neurons)

        return _populations(network, shortened), drive

    return change


def _noise(factor: float) -> Callable[[SpikingNetwork, Drive], Changed]:
    def change(network: SpikingNetwork, drive: Drive) -> Changed:
        if not network.noise_mv().any():
            raise SpecError("this network has no noise")

        def quieter(population: Population) -> Population:
            return replace(population, noise_mv=factor * np.asarray(population.noise_mv))

        return _populations(network, quieter), drive

    return change


def _weights(factor: float) -> Callable[[SpikingNetwork, Drive], Changed]:
    return _projections(lambda part: replace(part, weights=times(part.weights, factor)))


def _delay(delay_ms: float) -> Callable[[SpikingNetwork, Drive], Changed]:
    def change(network: SpikingNetwork, drive: Drive) -> Changed:
        # A step where the time is shorter than one.
        more = max(1, round(delay_ms / network.dt_ms))

        def later(part: Projection) -> Projection:
            return replace(part, delay_steps=part.delay_steps + more)

        return _projections(later)(network, drive)

    return change


def _transposed(network: SpikingNetwork, drive: Drive) -> Changed:
    within = [part.weights for part in network.projections if _within(part)]
    if not within:
        raise SpecError("this network has no projection from a population to itself")
    if not any(map(asymmetric, within)):
        raise SpecError("this network has symmetric weights, which transposing does not change")

    def across(part: Projection) -> Projection:
        return replace(part, weights=turned(part.weights)) if _within(part) else part

    return _projections(across)(network, drive)


def _within(part: Projection) -> bool:
    return part.source == part.target


def _sign_flipped(network: SpikingNetwork, drive: Drive) -> Changed:
    """The unit whose outgoing weights are largest in sum."""
    sums = {
        part.name: outgoing(part.weights)
        for part in network.projections
        if not network.is_input(part.source)
    }
    if not sums:
        raise SpecError("this network has no projection between populations")
    chosen = max(sums, key=lambda name: float(np.max(sums[name])))
    unit = int(np.argmax(sums[chosen]))

    def flipped(part: Projection) -> Projection:
        if part.name != chosen:
            return part
        signs = np.ones(part.shape[1])
        signs[unit] = -1.0
        return replace(part, weights=times(part.weights, signs[None, :]))

    return _projections(flipped)(network, drive)


def _averaged(network: SpikingNetwork, drive: Drive) -> Changed:
    """Every time constant of the filters between populations becomes their mean."""
    between = [part for part in network.projections if not network.is_input(part.source)]
    varied = [part for part in between if _decays(part.filter)]
    if not any(np.ptp(np.asarray(_decays(part.filter))) > 0 for part in varied):
        raise SpecError("in this network all neurons have the same synaptic time constants")

    def alike(part: Projection) -> Projection:
        decays = _decays(part.filter)
        return replace(part, filter=_decaying(part.filter, np.mean(decays))) if decays else part

    return _projections(alike)(network, drive)


def _other_side(network: SpikingNetwork, drive: Drive) -> Changed:
    """Filters take the time constants of the neuron at the other end of the synapse."""

    def sided(part: Projection) -> bool:
        return _within(part) and bool(_decays(part.filter))

    if not any(sided(part) and np.ptp(_decays(part.filter)) > 0 for part in network.projections):
        raise SpecError(
            "this network has no projection from a population to itself with time constants that "
            "differ from neuron to neuron"
        )

    def turned(part: Projection) -> Projection:
        if not sided(part):
            return part
        side: Side = "post" if part.filter.side == "pre" else "pre"
        return replace(part, filter=replace(part.filter, side=side))

    return _projections(turned)(network, drive)


def _input_late(network: SpikingNetwork, drive: Drive) -> Changed:
    if not network.input_size and drive.spikes:
        return network, replace(drive, spikes={n: _later(s) for n, s in drive.spikes.items()})
    if not network.input_size:
        raise SpecError("this network has no input")
    if network.sample_offset_steps:
        return replace(network, sample_offset_steps=network.sample_offset_steps - 1), drive
    # One step late from no offset: one sample late, and all but one of its steps too early. The
    # last sample is then never reached.
    inputs = np.concatenate([drive.inputs[:1], drive.inputs[:-1]])
    late = replace(network, sample_offset_steps=network.sample_steps - 1)
    return late, replace(drive, inputs=inputs)


def _later(spikes: Spikes) -> Spikes:
    """The spikes a step later; those of the last step are lost."""
    kept = spikes.step < spikes.n_steps - 1
    return replace(
        spikes, trial=spikes.trial[kept], step=spikes.step[kept] + 1, neuron=spikes.neuron[kept]
    )


def _readout_filter(network: SpikingNetwork, drive: Drive) -> Changed:
    """The decay of every readout is a fifth too long."""
    channels = [channel for readout in network.decoded for channel in readout.channels]
    if not any(_decays(channel.filter) for channel in channels):
        raise SpecError("this network has no filtered readout")

    def slower(channel: Channel) -> Channel:
        decays = _decays(channel.filter)
        if not decays:
            return channel
        return replace(channel, filter=_decaying(channel.filter, 1.2 * np.asarray(decays)))

    readouts = tuple(
        replace(readout, channels=tuple(slower(channel) for channel in readout.channels))
        if isinstance(readout, Readout)
        else readout
        for readout in network.readouts
    )
    return replace(network, readouts=readouts), drive


def _readout_late(network: SpikingNetwork, drive: Drive) -> Changed:
    """What is computed of the spikes of a step is shown in the next one."""
    units = {part.source for part in network.shown_states}
    if not any(part.within_step and part.target in units for part in network.projections):
        raise SpecError("this network computes no readouts within the step")
    projections = (
        replace(part, within_step=False) if part.target in units else part
        for part in network.projections
    )
    return replace(network, projections=tuple(projections)), drive


def _decays(filter_: Filter) -> list[float]:
    """The time constants by which a filter fades; none where it has none."""
    slowest: list[float] = [] if filter_.slowest_ms is None else filter_.slowest_ms.tolist()
    return slowest


def _decaying(filter_: Filter, tau_ms: ArrayLike) -> Filter:
    """The filter with other decay times."""
    return filter_.slowed(np.broadcast_to(tau_ms, len(_decays(filter_))))


def _populations(
    network: SpikingNetwork, change: Callable[[Population], Population]
) -> SpikingNetwork:
    return replace(network, populations=tuple(change(part) for part in network.populations))


def _projections(
    change: Callable[[Projection], Projection],
) -> Callable[[SpikingNetwork, Drive], Changed]:
    """A change of every projection between populations."""

    def changed(network: SpikingNetwork, drive: Drive) -> Changed:
        if all(network.is_input(part.source) for part in network.projections):
            raise SpecError("this network has no projection between populations")
        parts = (
            part if network.is_input(part.source) else change(part) for part in network.projections
        )
        return replace(network, projections=tuple(parts)), drive

    return changed


FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        fault.name: fault
        for fault in (
            Fault("refractory-1ms", "refractory period 1 ms", _refractory(1.0)),
            Fault("refractory-0", "no refractory period", _refractory(0.0)),
            Fault("decays-averaged", "every synaptic decay is their mean", _averaged),
            Fault("decays-presynaptic", "synaptic decay of the other side", _other_side),
            Fault("weights-0.98", "recurrent weights x 0.98", _weights(0.98)),
            Fault("weights-0.95", "recurrent weights x 0.95", _weights(0.95)),
            Fault("noise-0.8", "noise x 0.8", _noise(0.8)),
            Fault("delay-1step", "one step more delay", _delay(0.0)),
            Fault("delay-1ms", "1 ms more delay", _delay(1.0)),
            Fault("transposed", "recurrent weights transposed", _transposed),
            Fault("input-late", "input one step late", _input_late),
            Fault("readout-filter", "readout decay x 1.2", _readout_filter),
            Fault(
                "readout-late", "computed readouts one step late", _readout_late, of_readouts=True
            ),
            Fault("sign-flipped", "sign of one unit flipped", _sign_flipped),
        )
    }
)
