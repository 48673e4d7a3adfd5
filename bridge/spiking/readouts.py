"""What is read of a network: sums of filtered spikes, or a state that the simulator shows."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridge.errors import SpecError
from bridge.spiking.arrays import frozen_array, per_neuron
from bridge.spiking.essentials import brief, clipped, names, several, told
from bridge.spiking.filters import Filter, filter_start, known_filter
from bridge.spiking.values import known_model, text


@dataclass(frozen=True, kw_only=True, eq=False)
class Channel:
    """One weighted, filtered view of a population inside a readout.

    Attributes:
        source: Name of the population that is read.
        weights: (O, pre), units of the output per unit of the filtered spikes.
        filter: Filter of the spikes of each neuron, with that neuron's time constants.
            Its `side` means nothing here, and is not kept.
        initial_states: Where states of the filter start, by name; one number or (pre,). Those that
            are not named start at 0.
    """

    source: str
    weights: NDArray[np.float64]
    filter: Filter
    initial_states: Mapping[str, ArrayLike] = field(default_factory=dict)

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
        start = filter_start("readout", filter_, self.initial_states, weights.shape[1])
        object.__setattr__(self, "initial_states", start)


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
class StateReadout:
    """Outputs that are a state of a population, as the simulator itself holds it.

    There is an output for each neuron. `Readout` is computed from the spikes, by the same code for
    every simulator; this is not, so what two simulators show can differ.

    Attributes:
        name: Unique among the readouts of a network.
        source: Name of the population that is read, at the end of each sample.
        state: Name of the state; None: the one that is recorded as its voltage.
    """

    name: str
    source: str
    state: str | None = None

    def __repr__(self) -> str:
        state = "" if self.state is None else f"state {clipped(self.state, 60)}"
        return told(self, f"{clipped(self.name, 60)}: of {clipped(self.source, 60)}", state)

    def __post_init__(self) -> None:
        text("readout: name", self.name)
        text("readout: source", self.source)
        if self.state is not None:
            text(f"readout {self.name}: state", self.state)
