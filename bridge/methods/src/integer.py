"""A trained network in whole numbers, as it was built in hardware (Harmeling et al. 2026)."""

from dataclasses import replace

import numpy as np

from bridge.arguments import of_kind
from bridge.errors import SpecError
from bridge.methods.src.description import OUTPUT
from bridge.methods.src.options import options_of
from bridge.spiking.arrays import counted
from bridge.spiking.filters import Exponential
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.neurons.integer_src import IntegerSrc
from bridge.spiking.population import Population
from bridge.spiking.projection import Projection

# Of the readout: what a step leaves is 31/32, and a cell moves its own output by 10, others by -1.
_TAU_STEPS, _FACTOR = 32, 10.0
_MOST_LEVELS = 2**15


def integer_network(network: SpikingNetwork, levels: int = 256) -> SpikingNetwork:
    """The same network with cells, weights and readout of whole numbers.

    Weights of a layer become the nearest of -levels to levels, of which the largest is the layer's
    largest weight. A cell passes on its spikes, 1 in each step in which h is at least 512, and
    takes of its current the sign alone. Bias and constants are those of the hardware for all cells,
    whatever others the network was trained with.

    Args:
        network: As `bridge.train_src` makes it.
        levels: Largest weight, from 1 on.

    Raises:
        SpecError: it is another network, or a layer has no weights.
    """
    network = of_kind("network", network, SpikingNetwork)
    counted("levels", levels, least=1, most=_MOST_LEVELS)
    options = network.provenance.get("options")
    if OUTPUT not in {part.name for part in network.populations} or options is None:
        raise SpecError("network: expected one that train_src (train-src) made")
    layers = len(options_of(dict(options)).layers)
    cells = [_cells(part) for part in network.populations[:layers]]
    between = [_rounded(part, levels) for part in network.projections[:layers]]
    return replace(
        network,
        populations=(*cells, *network.populations[layers:]),
        projections=(*between, _readout(network.projections[layers], network.dt_ms)),
        provenance={**network.provenance, "whole_numbers": levels},
    )


def _cells(part: Population) -> Population:
    return replace(part, neurons=IntegerSrc(), initial_states={})


def _rounded(part: Projection, levels: int) -> Projection:
    weights = part.synapses().toarray()
    largest = np.abs(weights).max()
    if largest == 0:
        raise SpecError(f"projection {part.name}: all its weights are 0")
    return replace(part, weights=np.rint(weights * (levels / largest)))


def _readout(part: Projection, dt_ms: float) -> Projection:
    leaky = Exponential(tau_ms=_TAU_STEPS * dt_ms, normalisation="jump", filter_step="euler")
    return replace(part, weights=np.rint(part.synapses().toarray() * _FACTOR), filter=leaky)
