"""Do other importers of NIR run what `export --to nir` writes?

    python data/nir_exports.py [NAME=PATH ...]

Writes nir_exports.csv. Each network is exported, run by each importer, and held against what its
graph gives here, as `spikebridge conformance` does it with graphs written by hand. NAME=PATH is the
Python of another environment for an importer: `snntorch=venv/bin/python`.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import bridge
from bridge.conformance import output
from bridge.conformance.running import chosen_importers, run
from bridge.conformance.table import summary
from bridge.conformance.trap import Trap
from bridge.exchange.nir.exporting import graph_of
from bridge.spiking.filters import Direct, Exponential, Filter
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import SpikingNetwork, StateReadout
from bridge.spiking.neurons import Lif, NeuronModel
from bridge.spiking.neurons.cuba_lif import CubaLif
from bridge.spiking.neurons.integrate_and_fire import IntegrateAndFire
from bridge.spiking.neurons.leaky_integrator import LeakyIntegrator
from bridge.spiking.neurons.resistive_lif import ResistiveLif
from bridge.spiking.population import Population
from bridge.spiking.projection import Projection

PATH = Path(__file__).with_suffix(".csv")
IMPORTERS = ("snntorch", "norse", "spikingjelly")
# snnTorch takes no other time step.
DT_MS, STEPS, TRIALS, SIZE, CHANNELS = 0.1, 200, 4, 20, 5

Array = NDArray[np.float64]


def layer(name: str, neurons: NeuronModel, start_mv: float = 0.0) -> Population:
    """Neurons that start where NIR's readers begin."""
    start = UniformVoltage(low_mv=start_mv, high_mv=start_mv)
    return Population(name=name, size=SIZE, neurons=neurons, initial_voltage=start)


def between(
    source: str, target: str, seed: int, sd: float, *, delay: int = 0, filter_: Filter | None = None
) -> Projection:
    """Random weights; within the step where they lead on, a step later where they lead back."""
    shape = (SIZE, CHANNELS if source == "input" else SIZE)
    on = source != "input" and target > source and not delay
    return Projection(
        name=f"{source}_to_{target}", source=source, target=target, filter=filter_ or Direct(),
        weights=np.random.default_rng(seed).normal(0.3 * sd, sd, shape),
        delay_steps=delay, within_step=on, scaled=False,
    )  # fmt: skip


def network(*parts: Population | Projection, read: bool = False) -> SpikingNetwork:
    """Populations and projections of a network; its last population may be read."""
    populations = [part for part in parts if isinstance(part, Population)]
    last = populations[-1].name
    return SpikingNetwork(
        dt_ms=DT_MS, populations=populations, input_size=CHANNELS,
        projections=[part for part in parts if isinstance(part, Projection)],
        readouts=[StateReadout(name="output", source=last)] if read else [],
    )  # fmt: skip


def summing(tau_ms: float = 2.0) -> ResistiveLif:
    """LIF whose step adds its input as it is, r = tau / dt, as of networks in discrete time."""
    return ResistiveLif(tau_mem_ms=tau_ms, r=tau_ms / DT_MS, v_threshold=1.0, bias=0.02)


def filtered() -> CubaLif:
    """The same with a filtered current."""
    return CubaLif(
        tau_mem_ms=1.0, tau_syn_ms=0.5, r=1.0 / DT_MS, w_in=0.5 / DT_MS, v_threshold=1.0, bias=0.02
    )


def networks() -> Iterator[tuple[str, str, SpikingNetwork, float]]:
    """A name, what it is, the network, and how large its input is."""
    yield from gained()
    yield from plain()
    mv = Lif(membrane_step="exact", tau_mem_ms=10.0, v_rest_mv=-65.0, v_threshold_mv=-50.0,
             v_reset_mv=-65.0)  # fmt: skip
    start = between("input", "a", 1, 0.3)
    yield "mv", "`Lif` in mV with an exact step", network(layer("a", mv, -65.0), start), 400.0
    yield "go-nogo", "`go_nogo_n200_lif`", shipped(), 20.0


def gained() -> Iterator[tuple[str, str, SpikingNetwork, float]]:
    """Networks with the gains of discrete time."""
    start, loop = between("input", "a", 1, 0.3), between("a", "a", 2, 0.15)
    on, cells, filters = between("a", "b", 3, 0.3), layer("a", summing()), layer("a", filtered())
    taus = replace(summing(), tau_mem_ms=np.linspace(1, 4, SIZE), r=np.linspace(10, 40, SIZE))
    whole = network(cells, layer("b", summing()), start, on)
    yield "lif-gain", "two layers of LIF, r = τ/dt", whole, 1.0
    yield "lif-loop", "LIF with a loop, r = τ/dt", network(cells, start, loop), 1.0
    whole = network(filters, layer("b", filtered()), start, loop, on)
    yield "cubalif-loop", "CubaLIF with a loop, then CubaLIF, r = τ/dt", whole, 0.4
    whole = network(layer("a", taus), start)
    yield "each-neuron", "LIF with a τ for each neuron, r = τ/dt", whole, 1.0


def plain() -> Iterator[tuple[str, str, SpikingNetwork, float]]:
    """Networks of LIF with r = 1, which every importer takes, and one thing more."""
    start, on, back = between("input", "a", 1, 6), between("a", "b", 3, 6), between("b", "a", 4, 4)
    one = replace(summing(), r=1.0, bias=0.4)
    first, second = layer("a", one), layer("b", one)
    yield "lif", "two layers of LIF, r = 1", network(first, second, start, on), 1.0
    whole = network(layer("a", replace(one, v_reset=-0.4, v_leak=0.2)), start)
    yield "reset", "LIF reset to -0.4, v_leak 0.2", whole, 1.0
    neurons = IntegrateAndFire(tau_mem_ms=1.0, v_threshold_mv=1.0)
    yield "if", "IF", network(layer("a", neurons), start), 0.2
    whole = network(first, layer("b", LeakyIntegrator(tau_mem_ms=5.0)), start, on, read=True)
    yield "readout", "LIF, then LI", whole, 1.0
    yield "two-in-a-loop", "a loop of two populations", network(first, second, start, on, back), 1.0
    whole = network(first, second, start, between("a", "b", 3, 6, delay=3))
    yield "delay", "a delay of three steps", whole, 1.0
    slow = between("a", "a", 2, 0.4, filter_=Exponential(tau_ms=3.0, normalisation="jump"))
    yield "synapses", "LIF with a loop over exponential synapses", network(first, start, slow), 1.0


def shipped() -> SpikingNetwork:
    """The conversion that ships with the package, without what NIR cannot hold."""
    whole: SpikingNetwork = bridge.load("go_nogo_n200_lif").network  # type: ignore[union-attr]
    (units,) = whole.populations
    reset = float(units.neurons.v_reset_mv[0])  # type: ignore[attr-defined]
    neurons = replace(units.neurons, refractory_steps=0, initial_refractory_steps=0)
    start = UniformVoltage(low_mv=reset, high_mv=reset)
    units = replace(units, neurons=neurons, initial_voltage=start, noise_mv=0.0)
    return replace(whole, populations=(units,), sample_steps=1, sample_offset_steps=0)


def trap(name: str, what: str, whole: SpikingNetwork, size: float) -> Trap:
    """A network as a graph with its input."""
    rng = np.random.default_rng(5)
    inputs: Array = size * rng.integers(0, 65, (STEPS, TRIALS, whole.input_size)) / 64.0
    graph, _ = graph_of(whole)
    return Trap(name=name, what=what, graph=graph, inputs=inputs, dt_ms=whole.dt_ms)


def main(pythons: list[str]) -> None:
    """Export, run, and record."""
    traps = [trap(*each) for each in networks()]
    found = run(chosen_importers(IMPORTERS, pythons), traps)
    if lacking := [summary(each) for each in found if each.missing]:
        sys.exit("\n".join(lacking))
    output.write(PATH, found, traps)
    print(f"{PATH}: {len(traps)} networks in {len(found)} importers")


if __name__ == "__main__":
    main(sys.argv[1:])
