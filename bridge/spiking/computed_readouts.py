"""Readouts as populations of linear units: the simulator itself computes what `decode` would."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from bridge.spiking.drive import Array, Drive, FrozenNoise
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import Readout, SpikingNetwork, StateReadout
from bridge.spiking.neurons.linear import Linear
from bridge.spiking.population import Population
from bridge.spiking.projection import Projection


def with_computed_readouts(network: SpikingNetwork) -> SpikingNetwork:
    """The same network with its decoded readouts computed step by step inside the simulator.

    Each becomes a population of linear units with the readout's bias, which come after all others,
    and each of its channels a projection within the step, whose filter is that of the neurons that
    are read. A `StateReadout` of the readout's name then shows the units. Spikes stay what they
    are, under noise that is shared or given; what is computed is what `bridge.spiking.decoding`
    makes of them, except for the order of sums.
    """
    taken = [part.name for part in network.populations]
    populations, projections, shown = [], [], {}
    for readout in network.decoded:
        unit = _free(readout.name, taken)
        taken.append(unit)
        populations.append(_units(unit, readout))
        shown[readout.name] = StateReadout(name=readout.name, source=unit)
        projections += _channels(unit, readout)
    names = [part.name for part in network.projections]
    for number, part in enumerate(projections):
        names.append(_free(part.name, names))
        projections[number] = replace(part, name=names[-1])
    return replace(
        network,
        populations=(*network.populations, *populations),
        projections=(*network.projections, *projections),
        readouts=tuple(shown.get(part.name, part) for part in network.readouts),
    )


def with_computed_units(drive: Drive, network: SpikingNetwork) -> Drive:
    """The drive of a network for the same with computed readouts, `network`.

    Where noise or voltages are given number by number, those of the units that came last are 0.
    """
    noise, v_mv = drive.noise, drive.v_initial_mv
    if isinstance(noise, FrozenNoise):
        noise = FrozenNoise(values_mv=_widened(noise.values_mv, network.size))
    if v_mv is not None:
        v_mv = _widened(v_mv, network.size)
    return replace(drive, noise=noise, v_initial_mv=v_mv)


def _units(name: str, readout: Readout) -> Population:
    return Population(
        name=name,
        size=readout.size,
        neurons=Linear(bias=readout.bias),
        initial_voltage=UniformVoltage(low_mv=0.0, high_mv=0.0),
    )


def _channels(unit: str, readout: Readout) -> list[Projection]:
    return [
        Projection(
            name=f"{unit}_from_{channel.source}",
            source=channel.source,
            target=unit,
            weights=channel.weights,
            filter=replace(channel.filter, side="pre"),
            within_step=True,
            initial_states=channel.initial_states,
        )
        for channel in readout.channels
    ]


def _free(name: str, taken: Iterable[str]) -> str:
    """The name, with as many "_" behind it as it takes to be another than those."""
    known = set(taken)
    while name in known:
        name += "_"
    return name


def _widened(values: Array, size: int) -> Array:
    """(..., size) values, 0 where there were none."""
    wide = np.zeros((*values.shape[:-1], size))
    wide[..., : values.shape[-1]] = values
    return wide
