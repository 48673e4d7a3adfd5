"""The one description of a spiking network that every method makes and every backend runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.spiking.arrays import counted
from bridge.spiking.essentials import as_table, in_a_line, names, of_task, several, source
from bridge.spiking.inputs import Input, is_plain, settled_inputs
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
        input_size: Number of the channels C of all analog inputs; None: as many as `inputs` have.
        sample_steps: Steps between two samples of the input and of the readouts; at most 10^6.
        sample_offset_steps: How many steps before its time an input sample begins to act: step k
            uses sample (k + sample_offset_steps) // sample_steps; at most 10^6.
        task: Name of the task it was made for, or "".
        provenance: How it was made: plain values under string keys.
        inputs: What comes from outside, under names that projections may have as their source.
            Analog ones share `Drive.inputs`, their channels in this order. None are given: one
            analog input, named `INPUT`, of `input_size` channels.
    """

    dt_ms: float
    populations: tuple[Population, ...]
    projections: tuple[Projection, ...]
    readouts: tuple[Readout | StateReadout, ...] = ()
    # Always a number once it is made.
    input_size: int = None  # type: ignore[assignment]
    sample_steps: int = 1
    sample_offset_steps: int = 0
    task: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[Input, ...] = ()

    __repr__ = in_a_line
    _repr_html_ = as_table

    def rows_told(self) -> dict[str, str]:
        """Its essentials, as `bridge.spiking.essentials.Rows` says."""
        called = names(part.name for part in self.populations)
        readouts = names(part.name for part in self.readouts)
        kinds = {type(part.neurons).__name__ for part in self.populations}
        return {
            "size": f"{several(self.size, 'neuron')} in {called}",
            "model": " and ".join(sorted(kinds)),
            "connections": several(len(self.projections), "projection"),
            "readouts": readouts and f"readouts {readouts}",
            "inputs": self._inputs_told(),
            "step": f"step {self.dt_ms:g} ms",
            "task": of_task(self.task),
            "made by": source(self.provenance),
        }

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
        inputs, size = settled_inputs(self.inputs, self.input_size)
        object.__setattr__(self, "inputs", inputs)
        object.__setattr__(self, "input_size", size)
        counted("sample_steps", self.sample_steps, least=1, most=LONGEST_WAIT_STEPS)
        counted("sample_offset_steps", self.sample_offset_steps, most=LONGEST_WAIT_STEPS)
        text("task", self.task)
        _check_names(self)
        _check_projections(self)
        _check_order(self)
        _check_readouts(self)

    def _inputs_told(self) -> str:
        if is_plain(self.inputs):
            return several(self.input_size, "input")
        return f"inputs {names(part.name for part in self.inputs)}"

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
        if not is_plain(self.inputs):
            known += f", and the inputs {', '.join(part.name for part in self.inputs)}"
        raise SpecError(f"no population {shown(name)}; this network has {known}")

    def span(self, name: str) -> slice:
        """Where the neurons of a population lie among all N."""
        start = 0
        for population in self.populations:
            if population.name == name:
                return slice(start, start + population.size)
            start += population.size
        raise SpecError(f"no population {name!r}")

    def input_named(self, name: str) -> Input | None:
        """The input of that name; None: there is none."""
        for part in self.inputs:
            if part.name == name:
                return part
        # Of no channels at all, where no inputs are given.
        return Input(INPUT, 0) if name == INPUT and not self.inputs else None

    def is_input(self, name: str) -> bool:
        """Whether an input has that name."""
        return self.input_named(name) is not None

    def is_analog(self, name: str) -> bool:
        """Whether an analog input has that name."""
        part = self.input_named(name)
        return part is not None and not part.spiking

    def spiking_inputs(self) -> tuple[Input, ...]:
        """The inputs that emit spikes, in their order."""
        return tuple(part for part in self.inputs if part.spiking)

    def channels(self, name: str) -> slice:
        """Which channels of `Drive.inputs` are those of an analog input."""
        start = 0
        for part in self.inputs:
            if part.name == name and not part.spiking:
                return slice(start, start + part.size)
            start += 0 if part.spiking else part.size
        if self.is_analog(name):
            return slice(0, 0)
        raise SpecError(f"no analog input {shown(name)}")

    def emits(self, source: str) -> str:
        """What a projection's source sends: the "spikes" or "value" of a population or input."""
        part = self.input_named(source)
        return self.population(source).neurons.emits if part is None else part.emits

    def acts_within_step(self, projection: Projection) -> bool:
        """Whether a projection acts in the step in which its source emits."""
        return projection.acts_within_step(analog=self.is_analog(projection.source))

    def filter_lag_steps(self, projection: Projection) -> int:
        """Steps from an arrival to the first current that it changes."""
        return projection.filter_lag_steps(analog=self.is_analog(projection.source))

    def lag_steps(self, projection: Projection) -> int:
        """Steps from an emission, or an input sample, to the first current that it changes."""
        return projection.lag_steps(analog=self.is_analog(projection.source))

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
    for part in network.inputs:
        if any(part.name == population.name for population in network.populations):
            raise SpecError(f"inputs: {part.name} is the name of a population")
    for kind in ("populations", "projections", "readouts"):
        names = [part.name for part in getattr(network, kind)]
        for name in names:
            if not name.isidentifier() or name == INPUT:
                raise SpecError(f"{kind}: {shown(name)} is not a usable name (letters, digits, _)")
        if len(set(names)) != len(names):
            raise SpecError(f"{kind}: names must be unique, got {names}")


def _check_projections(network: SpikingNetwork) -> None:
    for projection in network.projections:
        source = network.input_named(projection.source) or network.population(projection.source)
        expected = (network.population(projection.target).size, source.size)
        if projection.shape != expected:
            raise SpecError(
                f"projection {projection.name}: expected weights of shape {expected} "
                f"(post, pre), got {projection.shape}"
            )


def _check_order(network: SpikingNetwork) -> None:
    """What acts within the step acts on populations that come later."""
    order = {population.name: place for place, population in enumerate(network.populations)}
    within = [p for p in network.projections if p.within_step and not network.is_input(p.source)]
    for projection in network.projections:
        if network.emits(projection.source) == "nothing":
            raise SpecError(
                f"projection {projection.name}: population {projection.source} emits nothing"
            )
    for projection in within:
        if projection.longest_delay_steps:
            raise SpecError(f"projection {projection.name}: what acts within the step has no delay")
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
                    f"readout {readout.name}: population {channel.source} passes on no spikes; "
                    "read it by a StateReadout, or by a population of its own"
                )
            got = channel.weights.shape[1]
            expected = network.population(channel.source).size
            if got != expected:
                raise SpecError(
                    f"readout {readout.name}: reads {got} neurons of {channel.source!r}, "
                    f"which has {expected}"
                )
