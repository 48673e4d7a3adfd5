"""The one description of a spiking network that every method makes and every backend runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.spiking.arrays import counted
from bridge.spiking.essentials import names, of_task, several, source, told
from bridge.spiking.limits import LONGEST_WAIT_STEPS, MOST_NEURONS
from bridge.spiking.population import Population
from bridge.spiking.projection import INPUT, Projection
from bridge.spiking.readouts import Channel, Readout, StateReadout
from bridge.spiking.values import frozen_provenance, known_model, shown, text, time_step_ms

__all__ = ["Channel", "Readout", "SpikingNetwork", "StateReadout"]


@dataclass(frozen=True, kw_only=True, eq=False)
class SpikingNetwork:
    """Populations, the projections between them, and the readouts, at one time step.

    Neurons are numbered through all populations in their order: N is the sum of the sizes.
    The order of events within a step is the contract that `bridge.backends.reference.simulation`
    spells out.

    Attributes:
        dt_ms: Time step, ms.
        populations: At least one; names unique.
        projections: Their currents are summed in this order.
        readouts: Sampled at the end of each `sample_steps`-th step: sums of filtered spikes, or
            states of populations.
        input_size: Number of analog input channels C.
        sample_steps: Steps between two samples of the input and of the readouts; at most 10^6.
        sample_offset_steps: How many steps before its time an input sample begins to act: step k
            uses sample (k + sample_offset_steps) // sample_steps; at most 10^6.
        task: Name of the task it was made for, or "".
        provenance: How it was made: plain values under string keys.
    """

    dt_ms: float
    populations: tuple[Population, ...]
    projections: tuple[Projection, ...]
    readouts: tuple[Readout | StateReadout, ...] = ()
    input_size: int = 0
    sample_steps: int = 1
    sample_offset_steps: int = 0
    task: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        kinds = {type(part.neurons).__name__ for part in self.populations}
        return told(
            self,
            f"{several(self.size, 'neuron')} in {names(part.name for part in self.populations)}",
            " and ".join(sorted(kinds)),
            several(len(self.projections), "projection"),
            f"readouts {names(part.name for part in self.readouts)}" if self.readouts else "",
            several(self.input_size, "input"),
            f"step {self.dt_ms:g} ms",
            of_task(self.task),
            source(self.provenance),
        )

    def __post_init__(self) -> None:
        parts: dict[str, tuple[type, ...]] = {
            "populations": (Population,),
            "projections": (Projection,),
            "readouts": (Readout, StateReadout),
        }
        for name, kinds in parts.items():
            object.__setattr__(self, name, tuple(getattr(self, name)))
            for part in getattr(self, name):
                known_model(name, part, kinds)
        object.__setattr__(self, "provenance", frozen_provenance(self.provenance))
        object.__setattr__(self, "dt_ms", time_step_ms("dt_ms", self.dt_ms))
        counted("input_size", self.input_size, most=MOST_NEURONS)
        counted("sample_steps", self.sample_steps, least=1, most=LONGEST_WAIT_STEPS)
        counted("sample_offset_steps", self.sample_offset_steps, most=LONGEST_WAIT_STEPS)
        text("task", self.task)
        _check_names(self)
        _check_projections(self)
        _check_order(self)
        _check_readouts(self)

    @property
    def size(self) -> int:
        """Number of neurons N of all populations."""
        return sum(population.size for population in self.populations)

    def population(self, name: str) -> Population:
        """The population of that name; SpecError if there is none."""
        for population in self.populations:
            if population.name == name:
                return population
        known = ", ".join(population.name for population in self.populations)
        raise SpecError(f"no population {shown(name)}; this network has {known}")

    def span(self, name: str) -> slice:
        """Where the neurons of a population lie among all N."""
        start = 0
        for population in self.populations:
            if population.name == name:
                return slice(start, start + population.size)
            start += population.size
        raise SpecError(f"no population {name!r}")

    def emits(self, source: str) -> str:
        """What a projection's source hands on: the "spikes" or "value" of a population or input."""
        return "value" if source == INPUT else self.population(source).neurons.emits

    @property
    def decoded(self) -> tuple[Readout, ...]:
        """The readouts that are sums of filtered spikes."""
        return tuple(part for part in self.readouts if isinstance(part, Readout))

    @property
    def shown_states(self) -> tuple[StateReadout, ...]:
        """The readouts that are states of populations, as the simulator shows them."""
        return tuple(part for part in self.readouts if isinstance(part, StateReadout))

    def outputs(self, readout: Readout | StateReadout) -> int:
        """Number of outputs O of a readout."""
        if isinstance(readout, Readout):
            return readout.size
        return self.population(readout.source).size

    def noise_mv(self) -> NDArray[np.float64]:
        """S.d. of the noise of every neuron, (N,), mV."""
        return np.concatenate([np.asarray(p.noise_mv) for p in self.populations])

    def input_sample(self, step: int, n_samples: int) -> int:
        """Which of `n_samples` input samples acts in a step; the last one is held."""
        return min((step + self.sample_offset_steps) // self.sample_steps, n_samples - 1)


def _check_names(network: SpikingNetwork) -> None:
    if not network.populations:
        raise SpecError("a network needs at least one population")
    if network.size > MOST_NEURONS:
        raise SpecError(
            f"a network of {network.size:,} neurons is too large; at most {MOST_NEURONS:,} fit"
        )
    for kind in ("populations", "projections", "readouts"):
        names = [part.name for part in getattr(network, kind)]
        for name in names:
            if not name.isidentifier() or name == INPUT:
                raise SpecError(f"{kind}: {shown(name)} is no usable name (letters, digits, _)")
        if len(set(names)) != len(names):
            raise SpecError(f"{kind}: names must be unique, got {names}")


def _check_projections(network: SpikingNetwork) -> None:
    for projection in network.projections:
        source = network.input_size
        if projection.source != INPUT:
            source = network.population(projection.source).size
        expected = (network.population(projection.target).size, source)
        if projection.shape != expected:
            raise SpecError(
                f"projection {projection.name}: expected weights of shape {expected} "
                f"(post, pre), got {projection.shape}"
            )


def _check_order(network: SpikingNetwork) -> None:
    """What acts within the step acts on populations that come later."""
    order = {population.name: place for place, population in enumerate(network.populations)}
    within = [p for p in network.projections if p.within_step and p.source != INPUT]
    for projection in network.projections:
        if network.emits(projection.source) == "nothing":
            raise SpecError(
                f"projection {projection.name}: population {projection.source} emits nothing"
            )
    for projection in within:
        if order[projection.source] < order[projection.target]:
            continue
        loop = _way(within, projection.target, projection.source)
        if loop is not None:
            names = " to ".join([projection.source, *loop])
            raise SpecError(
                f"projections within the step form a loop, {names}: one of them has to take a step"
            )
        raise SpecError(
            f"projection {projection.name} acts within the step: population {projection.target} "
            f"has to come after {projection.source}"
        )


def _way(projections: list[Projection], start: str, end: str) -> list[str] | None:
    """Populations on a way along projections, both ends included; None: there is none."""
    ways = [[start]]
    seen = {start}
    while ways:
        way = ways.pop()
        if way[-1] == end:
            return way
        for each in projections:
            if each.source == way[-1] and each.target not in seen:
                seen.add(each.target)
                ways.append([*way, each.target])
    return None


def _check_readouts(network: SpikingNetwork) -> None:
    for read in network.shown_states:
        neurons = network.population(read.source).neurons
        if read.state is not None and read.state not in neurons.states:
            raise SpecError(
                f"readout {read.name}: population {read.source} has no state {shown(read.state)}; "
                f"{neurons.title} has {', '.join(neurons.states)}"
            )
    for readout in network.decoded:
        for channel in readout.channels:
            if network.emits(channel.source) != "spikes":
                raise SpecError(
                    f"readout {readout.name}: population {channel.source} hands on no spikes; "
                    "read it by a StateReadout, or by a population of its own"
                )
            got = channel.weights.shape[1]
            expected = network.population(channel.source).size
            if got != expected:
                raise SpecError(
                    f"readout {readout.name}: reads {got} neurons of {channel.source!r}, "
                    f"which has {expected}"
                )
