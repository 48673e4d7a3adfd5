"""What the parts of a network that was a NIR graph are called: as nodes are, or as we kept it."""

import re
from dataclasses import dataclass, field

import numpy as np

from bridge.exchange.nir.metadata import (
    BIAS_PLACE,
    NAME,
    PROJECTION,
    PROJECTION_PLACE,
    number_in,
    text_in,
)
from bridge.exchange.nir.units import Units
from bridge.spiking.inputs import Input
from bridge.spiking.projection import INPUT

# A unit that always gives 1: over it a bias acts from the second step on.
ONE = "one"


@dataclass(frozen=True)
class Key:
    """A population to be: a unit, and the cells whose output of the step before it takes.

    A linear unit that lies in a loop and outside it is two populations, which differ in that.
    """

    unit: str
    late: frozenset[str] = frozenset()


@dataclass
class Names:
    """Names that are given as a network is made.

    Attributes:
        units: The graph's units.
        populations: The population of each key, by its name.
        inputs: The input of each that a graph has, by its name.
        new: Keys that have a name and are not built yet.
    """

    units: Units
    populations: dict[Key, str] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    new: list[Key] = field(default_factory=list)
    _taken: set[str] = field(default_factory=lambda: {INPUT, ONE})
    _called: set[str] = field(default_factory=set)
    _places: dict[str, float] = field(default_factory=dict)

    def all_inputs(self) -> tuple[Input, ...]:
        """The inputs of the graph; one alone is called as the one input of every network."""
        roots = self.units.inputs
        kept = {given: text_in(self.units.place(root).kept, NAME) for root, given in roots.items()}
        sizes = {given: int(np.prod(self.units.shapes[root])) for root, given in roots.items()}
        for given in sizes:
            plain = kept[given] == INPUT or (len(sizes) == 1 and not kept[given])
            if plain and INPUT not in self.inputs.values():
                self.inputs[given] = INPUT
            else:
                self.inputs[given] = free(kept[given] or given, self._taken)
        return tuple(Input(self.inputs[given], size) for given, size in sizes.items())

    def population(self, key: Key) -> str:
        """The name of a population, which is to be built."""
        if key not in self.populations:
            kept = text_in(self.units.place(key.unit).kept, NAME)
            self.populations[key] = free(kept or key.unit, self._taken)
            self.new.append(key)
        return self.populations[key]

    def projection(self, source: str, key: Key, via: str) -> str:
        """The name of a projection from a source to a population, by way of a node or of none."""
        kept = self.units.place(via or key.unit).kept
        name = text_in(kept, PROJECTION) or via or f"{source}_to_{self.populations[key]}"
        name = free(f"{name}_bias" if source == ONE else name, self._called)
        place = number_in(kept, BIAS_PLACE if source == ONE else PROJECTION_PLACE)
        if place is not None:
            self._places[name] = place
        return name

    def kept_places(self, names: list[str]) -> dict[str, float] | None:
        """Where projections stood before, if that is known of all of them."""
        return self._places if all(name in self._places for name in names) else None


def free(name: str, taken: set[str]) -> str:
    """A usable name like this one that is not taken, which it then is."""
    usable = re.sub(r"\W", "_", name)
    usable = usable if usable.isidentifier() else f"n{usable}"
    while usable in taken:
        usable += "_"
    taken.add(usable)
    return usable
