"""What a graph gives, by each reading that NIR allows: our own reader and the reference backend."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from pathlib import Path

import numpy as np

from bridge.backends import simulate
from bridge.conformance.trap import Trap
from bridge.exchange.formats import ImportedGraph
from bridge.exchange.nir.file import Array, Graph, read_graph
from bridge.exchange.nir.reading import Options, network_of_graph
from bridge.spiking.drive import Drive, SharedNoise
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.population import Population


@dataclass(frozen=True)
class Reading:
    """What NIR leaves open, as it is read; the first three as in `bridge.exchange.nir.read`.

    Attributes:
        start: Where voltages start: "zero", or "leak": at v_leak.
    """

    reset: str = "value"
    threshold: str = "above"
    recurrent_start: str = "equations"
    start: str = "zero"

    @property
    def changes(self) -> tuple[str, ...]:
        """In what it differs from the one that we take."""
        chosen = (self.reset, self.threshold, self.recurrent_start, self.start)
        return tuple(_SAID[each] for each in chosen if each in _SAID)


_SAID = {
    "subtract": "reset by subtraction",
    "subtract-late": "reset by subtraction, a step late",
    "at": "fires at threshold",
    "silent": "loops silent in the first step",
    "leak": "voltages start at v_leak",
}
OURS = Reading()
"""By the equations: the reading that every other is held against."""


@dataclass
class Answers:
    """What a trap gives by each reading; computed when first asked for.

    Attributes:
        trap: The trap.
        path: Its file.
    """

    trap: Trap
    path: Path
    _known: dict[Reading, Array] = field(default_factory=dict)

    def by(self, reading: Reading) -> Array:
        """(T, B, O) what its output gives by a reading: spikes as 0 and 1, or values."""
        if reading not in self._known:
            network = self._imported(reading).network
            if reading.start == "leak":
                network = _from_leak(network)
            self._known[reading] = outputs_of(network, self.trap.inputs)
        return self._known[reading]

    @cached_property
    def readings(self) -> tuple[Reading, ...]:
        """All readings that matter to this graph, those first that differ least from ours."""
        imported = self._imported(OURS)
        neurons = [population.neurons for population in imported.network.populations]
        fires = any(hasattr(each, "reset_by") for each in neurons)
        leaks = any(np.any(getattr(each, "v_leak", 0.0)) for each in neurons)
        found = product(
            ("value", "subtract", "subtract-late") if fires else ("value",),
            ("above", "at") if fires else ("above",),
            ("equations", "silent") if "loops" in imported.assumed else ("equations",),
            ("zero", "leak") if leaks else ("zero",),
        )
        return tuple(sorted((Reading(*each) for each in found), key=lambda one: len(one.changes)))

    def each(self) -> Iterator[tuple[Reading, Array]]:
        """What it gives by these."""
        for reading in self.readings:
            yield reading, self.by(reading)

    def _imported(self, reading: Reading) -> ImportedGraph:
        dt_ms = self.trap.dt_ms if self.trap.dt_is_given else None
        options = Options(dt_ms, reading.reset, reading.threshold, reading.recurrent_start)
        return network_of_graph(self.path, self._graph, options)

    @cached_property
    def _graph(self) -> tuple[Graph, str]:
        return read_graph(self.path)


def _from_leak(network: SpikingNetwork) -> SpikingNetwork:
    """The same with voltages that start at v_leak, which traps have alike for all neurons."""

    def started(population: Population) -> Population:
        leak = float(np.max(getattr(population.neurons, "v_leak", 0.0)))
        return replace(population, initial_voltage=UniformVoltage(low_mv=leak, high_mv=leak))

    return replace(network, populations=tuple(map(started, network.populations)))


def outputs_of(network: SpikingNetwork, inputs: Array) -> Array:
    """(T, B, O) what the one output of an imported graph gives to (T, B, ...) inputs."""
    steps, trials = inputs.shape[:2]
    drive = Drive(inputs=inputs.reshape(steps, trials, -1), noise=SharedNoise(seed=0))
    (name,) = network.provenance["outputs"].values()
    valued = network.population(name).neurons.emits == "value"
    recording = simulate(network, drive, backend="reference", values=valued)
    if recording.values is not None:
        return np.asarray(recording.values[name], dtype=np.float64)
    spikes, span = recording.spikes, network.span(name)
    fired = np.zeros((steps, trials, network.size))
    fired[spikes.step, spikes.trial, spikes.neuron] = 1.0
    return fired[:, :, span]
