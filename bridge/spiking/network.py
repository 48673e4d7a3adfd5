"""The one description of a spiking network that every method makes and every backend runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from bridge.errors import SpecError
from bridge.spiking.arrays import counted, frozen_array, per_neuron
from bridge.spiking.essentials import brief, clipped, names, of_task, several, source, told
from bridge.spiking.filters import Filter, filter_trace, known_filter
from bridge.spiking.limits import LONGEST_DELAY_STEPS, LONGEST_WAIT_STEPS, MOST_NEURONS
from bridge.spiking.population import Population
from bridge.spiking.values import frozen_provenance, known_model, shown, text, time_step_ms

INPUT = "input"
"""The name under which a projection takes the analog input of the drive as its source."""

Weights: TypeAlias = NDArray[np.float64] | sparse.csc_array


@dataclass(frozen=True, kw_only=True, eq=False)
class Projection:
    """Weighted connections from a population, or from the input, to a population.

    Attributes:
        name: Unique among the projections of a network.
        source: Name of the presynaptic population, or `INPUT`.
        target: Name of the postsynaptic population.
        weights: (post, pre), dense or any scipy.sparse array (kept as CSC, sorted). mV per unit
            of what the filter gives: mV/Hz for unit area, mV for unit jump and direct.
        filter: What the weighted arrivals pass before they become a current; with side "pre" what
            arrivals pass before they are weighted.
        delay_steps: Whole steps by which spikes arrive later; 0: they enter the filter in the
            step they are fired in, and by which the input acts later; before, nothing arrives. At
            most 10^5.
        within_step: What the source emits enters the filter before the target, which comes later
            in the order of the populations, sums its current: it acts one step earlier.
    """

    name: str
    source: str
    target: str
    weights: Weights
    filter: Filter
    delay_steps: int = 0
    within_step: bool = False

    def __repr__(self) -> str:
        return told(
            self,
            f"{clipped(self.name, 40)}: {clipped(self.source, 40)} to {clipped(self.target, 40)}",
            f"weights {brief(self.weights)}",
            type(self.filter).__name__,
            f"delay {several(self.delay_steps, 'step')}" if self.delay_steps else "",
            "within the step" if self.within_step else "",
        )

    def __post_init__(self) -> None:
        for part in ("name", "source", "target"):
            text(f"projection: {part}", getattr(self, part))
        name = f"projection {self.name}"
        delay = counted(f"{name}: delay_steps", self.delay_steps, most=LONGEST_DELAY_STEPS)
        object.__setattr__(self, "delay_steps", delay)
        if not isinstance(self.within_step, bool):
            raise SpecError(f"{name}: within_step: expected true or false")
        if self.within_step and delay and self.source != INPUT:
            raise SpecError(f"{name}: what acts within the step has no delay")
        weights: Weights = self.weights
        if sparse.issparse(weights):
            weights = frozen_sparse(name, weights)
        else:
            weights = frozen_array(f"{name}: weights", weights, (None, None))
        object.__setattr__(self, "weights", weights)
        post, pre = weights.shape
        size = pre if known_filter(name, self.filter).side == "pre" else post
        object.__setattr__(self, "filter", self.filter.sized(size))

    @property
    def shape(self) -> tuple[int, int]:
        """(post, pre)."""
        post, pre = self.weights.shape
        return post, pre

    @property
    def acts_within_step(self) -> bool:
        """Whether it acts in the step in which its source emits; the unfiltered input does."""
        return self.within_step or (self.source == INPUT and self.filter.memoryless)

    @property
    def lag_steps(self) -> int:
        """Steps from an emission, or an input sample, to the first current that it changes."""
        if self.source == INPUT and self.filter.memoryless:
            return self.delay_steps
        return self.delay_steps + filter_trace(self.filter).lag - (1 if self.within_step else 0)

    def synapses(self) -> sparse.csc_array:
        """The nonzero weights as CSC: column j lists the targets of presynaptic neuron j."""
        return sparse.csc_array(self.weights) if not sparse.issparse(self.weights) else self.weights


def frozen_sparse(name: str, weights: Any) -> sparse.csc_array:
    """A read-only CSC copy, duplicates summed, targets sorted, finite."""
    if weights.dtype.kind not in "fiub" or len(weights.shape) != 2:
        raise SpecError(f"{name}: expected a sparse matrix of numbers, got {shown(weights)}")
    csc = sparse.csc_array(weights, dtype=np.float64, copy=True)
    csc.sum_duplicates()
    csc.sort_indices()
    if not np.isfinite(csc.data).all():
        raise SpecError(f"{name}: weights hold NaN or infinite values")
    for part in (csc.data, csc.indices, csc.indptr):
        part.flags.writeable = False
    return csc


@dataclass(frozen=True, kw_only=True, eq=False)
class Channel:
    """One weighted, filtered view of a population inside a readout.

    Attributes:
        source: Name of the population that is read.
        weights: (O, pre), units of the output per unit of the filtered spikes.
        filter: Filter of the spikes of each neuron, with that neuron's time constants.
            Its `side` means nothing here, and is not kept.
    """

    source: str
    weights: NDArray[np.float64]
    filter: Filter

    def __repr__(self) -> str:
        kind = type(self.filter).__name__
        return told(self, f"{clipped(self.source, 60)}: weights {brief(self.weights)}", kind)

    def __post_init__(self) -> None:
        text("readout: source", self.source)
        weights = frozen_array("readout weights", self.weights, (None, None))
        object.__setattr__(self, "weights", weights)
        known_filter("readout", self.filter)
        filter_ = self.filter.of_readout().sized(weights.shape[1])
        object.__setattr__(self, "filter", filter_)


@dataclass(frozen=True, kw_only=True, eq=False)
class Readout:
    """Outputs o = bias + sum over channels of W filtered(spikes).

    Attributes:
        name: Unique among the readouts of a network.
        channels: What is summed, in order; all with the same number of outputs O.
        bias: One number or (O,).
    """

    name: str
    channels: tuple[Channel, ...]
    bias: ArrayLike = 0.0

    def __repr__(self) -> str:
        read = names(channel.source for channel in self.channels)
        return told(self, f"{clipped(self.name, 60)}: {several(self.size, 'output')} from {read}")

    def __post_init__(self) -> None:
        text("readout: name", self.name)
        object.__setattr__(self, "channels", tuple(self.channels))
        for channel in self.channels:
            known_model(f"readout {self.name}: channel", channel, (Channel,))
        sizes = {channel.weights.shape[0] for channel in self.channels}
        if len(sizes) != 1:
            raise SpecError(f"readout {self.name}: channels disagree on the outputs: {sizes}")
        bias = per_neuron(f"readout {self.name}: bias", self.bias, min(sizes))
        object.__setattr__(self, "bias", bias)

    @property
    def size(self) -> int:
        """Number of outputs O."""
        return int(np.shape(self.bias)[0])


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
        readouts: Sampled at the end of each `sample_steps`-th step.
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
    readouts: tuple[Readout, ...] = ()
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
        parts = {"populations": Population, "projections": Projection, "readouts": Readout}
        for name, kind in parts.items():
            object.__setattr__(self, name, tuple(getattr(self, name)))
            for part in getattr(self, name):
                known_model(name, part, (kind,))
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
    for readout in network.readouts:
        for channel in readout.channels:
            if network.emits(channel.source) != "spikes":
                raise SpecError(
                    f"readout {readout.name}: population {channel.source} hands on no spikes; "
                    "read it by a population of its own"
                )
            got = channel.weights.shape[1]
            expected = network.population(channel.source).size
            if got != expected:
                raise SpecError(
                    f"readout {readout.name}: reads {got} neurons of {channel.source!r}, "
                    f"which has {expected}"
                )
