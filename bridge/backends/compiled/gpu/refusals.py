"""What a kernel does not take, by name; snnTorch runs it on a GPU."""

from bridge.errors import UnsuitedError
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.population import Population
from bridge.spiking.projection import Projection

TOO_LARGE = "a trial has more state than the registers of the GPU hold"


def reason_of(network: SpikingNetwork) -> str | None:
    """What of a network no kernel takes; None where nothing stands in its way."""
    for population in network.populations:
        if reason := _of_population(population):
            return f"population {population.name!r} {reason}"
    for projection in network.projections:
        if reason := _of_projection(projection):
            return f"projection {projection.name!r} {reason}"
    return None


def _of_population(population: Population) -> str:
    return "passes on values" if population.neurons.emits == "value" else ""


def _of_projection(projection: Projection) -> str:
    if projection.filter.side == "pre" and not projection.filter.memoryless:
        return "has a filter of the presynaptic side"
    return "has factored weights" if projection.rank else ""


def unsuited(reason: str, device: str) -> UnsuitedError:
    """Says why a network is not run, and who runs it."""
    said = f"{reason}, which backend compiled does not run on a GPU"
    return UnsuitedError(said, f"use snntorch:{device}")
