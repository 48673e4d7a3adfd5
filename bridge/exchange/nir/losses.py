"""What of a network a NIR graph cannot hold, in words."""

from collections.abc import Iterator, Mapping

import numpy as np

from bridge.exchange.nir.populations import Cell
from bridge.spiking.essentials import several
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.population import Population


def losses(network: SpikingNetwork, cells: Mapping[str, Cell]) -> list[str]:
    """What is not in the file, or in its metadata alone, a sentence each.

    Args:
        network: What is written.
        cells: What became of its populations.
    """
    found: dict[str, list[str]] = {}
    for population in network.populations:
        cell = cells.get(population.name)
        for told in _of_population(population, cell):
            found.setdefault(told, []).append(population.name)
    whole = [f"{_named(names)}: {what}" for what, names in found.items()]
    return [*whole, *_of_network(network)]


def _named(names: list[str]) -> str:
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return ("population " if len(names) == 1 else "populations ") + ", ".join(names[:4]) + more


def _of_population(population: Population, cell: Cell | None) -> Iterator[str]:
    neurons = population.neurons
    if cell is not None and cell.said:
        yield cell.said
    if neurons.refractory_steps:
        yield f"{several(neurons.refractory_steps, 'refractory step')} after a spike: not held"
    if neurons.initial_refractory_steps:
        yield f"{several(neurons.initial_refractory_steps, 'refractory step')} at first: not held"
    if np.any(population.noise_mv):
        yield f"noise of up to {np.max(population.noise_mv):g} mV: not held"
    if cell is not None and cell.kind != "Threshold" and not _starts_at_zero(population, cell):
        yield "initial voltages: not held, readers begin at 0"
    if any(np.any(value) for value in population.initial_states.values()):
        yield "initial states: not held, readers begin at 0"
    if population.cell_types is not None:
        yield "cell types: not held"
    if cell is not None and {"reset", "threshold"} & set(cell.kept):
        yield "what a spike does, or whether v = threshold fires: in the metadata alone"


def _starts_at_zero(population: Population, cell: Cell) -> bool:
    start = population.initial_voltage
    return (
        isinstance(start, UniformVoltage)
        and start.low_mv == start.high_mv
        and bool(np.all(cell.shift == start.low_mv))
    )


def _of_network(network: SpikingNetwork) -> Iterator[str]:
    starts = [(part.name, part.initial_states) for part in network.projections]
    for read in network.decoded:
        starts += [(read.name, channel.initial_states) for channel in read.channels]
    started = dict.fromkeys(name for name, states in starts if any(map(np.any, states.values())))
    if started:
        named = ", ".join([*started][:4])
        yield f"initial states of filters ({named}): not held, readers begin at 0"
    if any(part.scaled and not network.is_input(part.source) for part in network.projections):
        yield "which projections the gain of a drive acts on: not held"
    if network.sample_steps != 1 or network.sample_offset_steps:
        yield (
            f"an input sample lasts {several(network.sample_steps, 'step')} and begins "
            f"{network.sample_offset_steps} before its time: not held, readers take one in each "
            "step as it comes"
        )
    for part in network.spiking_inputs():
        yield f"input {part.name}: its spikes are to be given as 1, and 0 where there is none"
