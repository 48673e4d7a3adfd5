"""A NIR graph as a spiking network."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from bridge.exchange.nir.cells import Firing, neurons_of
from bridge.exchange.nir.file import Array, Field
from bridge.exchange.nir.metadata import BIAS_ALONE, NAME, PLACE, number_in, text_in
from bridge.exchange.nir.names import ONE, Key, Names, free
from bridge.exchange.nir.nodes import CELLS, LINEAR
from bridge.exchange.nir.order import Order, in_acting_order
from bridge.exchange.nir.outputs import outputs_of
from bridge.exchange.nir.units import Arrival, Units
from bridge.spiking.filters import Direct
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.neurons import NeuronModel
from bridge.spiking.neurons.linear import Linear
from bridge.spiking.population import Population
from bridge.spiking.projection import Projection
from bridge.spiking.readouts import StateReadout
from bridge.spiking.weights import Matrix, columns_of

RECURRENT_STARTS = ("equations", "silent")
_FROM_ZERO = UniformVoltage(low_mv=0.0, high_mv=0.0)


@dataclass
class Assembly:
    """A network on its way from a graph.

    Attributes:
        order: The graph's units in their order.
        firing: What becomes of neurons that fire.
        recurrent_start: Whether the biases of what closes loops act in the first step.
        names: What its parts are called.
        outputs: The population behind each end of the graph, by the name of the end.
        loops: Pairs of cells between which a loop takes its step.
    """

    order: Order
    firing: Firing
    recurrent_start: str
    names: Names = field(init=False)
    outputs: dict[str, str] = field(default_factory=dict)
    loops: set[tuple[str, str]] = field(default_factory=set)
    _projections: dict[Key, list[Projection]] = field(default_factory=dict)
    _biases: dict[Key, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.names = Names(self.units)

    @property
    def units(self) -> Units:
        """The graph's units."""
        return self.order.units

    def made(self) -> SpikingNetwork:
        """The network.

        Raises:
            FormatError: a node cannot be represented.
        """
        inputs = self.names.all_inputs()
        alone = {
            self.names.inputs[given]
            for root, given in self.units.inputs.items()
            if BIAS_ALONE in self._kept(root)
        }
        for name in self.units.cells:
            self.names.population(Key(name))
        ends = outputs_of(self.order)
        self.outputs = {name: self.names.population(Key(unit)) for name, unit in ends.items()}
        while self.names.new:
            self._build(self.names.new.pop(0))
        order = self._in_order()
        populations = [self._population(key) for key in order]
        projections = self._in_kept_order([p for key in order for p in self._projections[key]])
        used = {part.source for part in projections}
        if any(part.source == ONE for part in projections):
            one = Population(name=ONE, size=1, neurons=Linear(bias=1.0), initial_voltage=_FROM_ZERO)
            populations.insert(0, one)
        return SpikingNetwork(
            dt_ms=self.units.dt_ms,
            populations=tuple(populations),
            projections=tuple(projections),
            readouts=tuple(self._readouts(populations)),
            inputs=tuple(part for part in inputs if part.name in used or part.name not in alone),
        )

    def _in_kept_order(self, projections: list[Projection]) -> list[Projection]:
        """Projections by the places that our metadata say, where they say all."""
        places = self.names.kept_places([part.name for part in projections])
        return projections if places is None else sorted(projections, key=lambda p: places[p.name])

    def _kept(self, unit: str) -> Mapping[str, Field]:
        """What we kept in the metadata of a node."""
        return self.units.place(unit).kept

    def _readouts(self, populations: list[Population]) -> Iterator[StateReadout]:
        """Outputs that are values; spikes are in every recording."""
        emits = {population.name: population.neurons.emits for population in populations}
        called: set[str] = set()
        for name, source in self.outputs.items():
            if emits[source] == "value":
                kept = text_in(self._kept(name), NAME) or name
                yield StateReadout(name=free(kept, called), source=source)

    def _build(self, key: Key) -> None:
        """Make the projections into a population, and its bias."""
        self._projections[key] = []
        lates, size = self._lates(key), self.units.size(key.unit)
        bias: Array = np.zeros(size)
        arrivals = self.order.arrivals(key.unit)
        for arrival in arrivals:
            if arrival.source:
                self._projections[key] += self._projected(key, arrival, lates)
                continue
            added = self.units.map(arrival.via).bias
            siblings = [each for each in arrivals if each.via == arrival.via and each.source]
            closes = self._closes(siblings, lates)
            bias = bias + self._acting(key, added, arrival.via, closes=closes)
        if self.units.place(key.unit).kind in LINEAR:
            added = self.units.map(key.unit).bias
            closes = self._closes(arrivals, lates)
            bias = bias + self._acting(key, added, key.unit, closes=closes)
        self._biases[key] = bias

    def _acting(self, key: Key, bias: Array | None, via: str, *, closes: bool) -> Array | float:
        """The bias, where it acts from the first step on; else it comes from the unit `ONE`."""
        if bias is None:
            return 0.0
        if not closes or self.recurrent_start == "equations":
            return bias
        start = Arrival(ONE, via, np.zeros(1, dtype=np.int64))
        self._projections[key].append(self._projection(key, start, bias[:, None], ONE))
        return 0.0

    def _lates(self, key: Key) -> frozenset[str]:
        """The cells whose output of the step before is taken."""
        if self.units.place(key.unit).kind not in CELLS:
            return key.late
        found = {each for each in self.order.reach(key.unit) if self.order.late(each, key.unit)}
        self.loops |= {(each, key.unit) for each in found}
        return frozenset(found)

    def _closes(self, arrivals: list[Arrival], lates: frozenset[str]) -> bool:
        """Whether nothing else arrives than what takes a step, so that a loop is closed here."""
        reached = [
            self.order.reach(arrival.source)
            if arrival.source in self.units.linear
            else frozenset({arrival.source})
            for arrival in arrivals
        ]
        return bool(reached) and all(each and each <= lates for each in reached)

    def _projected(self, key: Key, arrival: Arrival, lates: frozenset[str]) -> Iterator[Projection]:
        """An arrival as projections: what comes at once, and what is delayed."""
        via = arrival.via
        weights = self.units.map(via).weights if via else None
        if via and BIAS_ALONE in self._kept(via) and not columns_of(weights).count_nonzero():
            return
        if weights is None:
            weights = sparse.csc_array(sparse.eye_array(arrival.delays.size))
        if arrival.source in self.names.inputs:
            source = self.names.inputs[arrival.source]
            yield self._projection(key, arrival, weights, source, delays=arrival.delays)
            return
        later = arrival.delays > 0
        if not later.all():
            late = arrival.source in lates
            behind = Key(arrival.source)
            if arrival.source in self.units.linear:
                behind = Key(arrival.source, self.order.reach(arrival.source) & lates)
            kept = _columns(weights, ~later)
            yield self._projection(
                key, arrival, kept, self.names.population(behind), within=not late
            )
        if later.any():
            delays = np.maximum(arrival.delays - 1, 0)
            kept = _columns(weights, later)
            source = self.names.population(Key(arrival.source))
            yield self._projection(key, arrival, kept, source, delays=delays)

    def _projection(
        self,
        key: Key,
        arrival: Arrival,
        weights: Matrix,
        source: str,
        *,
        within: bool = False,
        delays: NDArray[np.int64] | None = None,
    ) -> Projection:
        same = delays is None or not delays.size or np.all(delays == delays[0])
        first = int(delays[0]) if delays is not None and delays.size else 0
        return Projection(
            name=self.names.projection(source, key, arrival.via),
            source=source,
            target=self.names.populations[key],
            weights=weights,
            filter=Direct(),
            within_step=within,
            delay_steps=first if same or delays is None else delays,
            scaled=False,
        )

    def _in_order(self) -> list[Key]:
        """Populations in an order in which what acts within the step acts on later ones."""
        by_name = {name: key for key, name in self.names.populations.items()}
        within = {
            self.names.populations[key]: {part.source for part in parts if part.within_step}
            for key, parts in self._projections.items()
        }
        depth: dict[str, float] = {
            name: self.order.depth[key.unit] for name, key in by_name.items()
        }
        places = {name: number_in(self._kept(key.unit), PLACE) for name, key in by_name.items()}
        kept = {name: place for name, place in places.items() if place is not None}
        if len(kept) == len(depth):
            depth = kept
        return [by_name[name] for name in in_acting_order(within, depth)]

    def _population(self, key: Key) -> Population:
        place = self.units.place(key.unit)
        bias = self._biases[key]
        neurons: NeuronModel = Linear(bias=bias)
        if place.kind in CELLS:
            shape = self.units.shapes[key.unit]
            neurons = neurons_of(place, shape, bias, self.units.dt_ms, self.firing)
        return Population(
            name=self.names.populations[key],
            size=bias.size,
            neurons=neurons,
            initial_voltage=_FROM_ZERO,
        )


def _columns(weights: Matrix, kept: NDArray[np.bool_]) -> Matrix:
    """The weights of some of the presynaptic neurons, those of others 0."""
    if kept.all():
        return weights
    if isinstance(weights, np.ndarray):
        return np.where(kept, weights, 0.0)
    return sparse.csc_array(weights @ sparse.diags_array(kept.astype(np.float64)))
