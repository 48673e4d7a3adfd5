"""A NIR file as a network, with all that was assumed of what NIR leaves open."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bridge.errors import FormatError, SpecError
from bridge.exchange.formats import ImportedGraph
from bridge.exchange.nir.cells import Firing
from bridge.exchange.nir.file import Graph, read_graph
from bridge.exchange.nir.flat import flattened, shown_names
from bridge.exchange.nir.metadata import RESET, START, THRESHOLD, text_in
from bridge.exchange.nir.network import RECURRENT_STARTS, Assembly
from bridge.exchange.nir.order import Order
from bridge.exchange.nir.shapes import shapes_of
from bridge.exchange.nir.steps import step_ms
from bridge.exchange.nir.units import Units
from bridge.spiking.values import shown


@dataclass(frozen=True)
class Options:
    """What NIR leaves open, as it was chosen; see `bridge.exchange.nir.read`."""

    dt_ms: float | None
    reset: str | None
    threshold: str | None
    recurrent_start: str | None

    def __post_init__(self) -> None:
        Firing(self.reset, self.threshold)
        if self.recurrent_start not in (None, *RECURRENT_STARTS):
            raise SpecError(
                f"recurrent_start: {' or '.join(map(repr, RECURRENT_STARTS))}, got "
                f"{shown(self.recurrent_start)}"
            )


def network_of(path: Path, options: Options) -> ImportedGraph:
    """The network of a file, as `bridge.exchange.nir.read` says."""
    return network_of_graph(path, read_graph(path), options)


def network_of_graph(path: Path, read: tuple[Graph, str], options: Options) -> ImportedGraph:
    """The network of a graph that has been read from a file, with the version that the file says.

    Raises:
        FormatError: a node cannot be represented; it is named.
        SpecError: the time step is not known.
    """
    try:
        return _network(path, options, read)
    except SpecError as error:
        told = str(error)
        raise type(error)(told if told.startswith(f"{path}: ") else f"{path}: {told}") from None
    except RecursionError:
        raise FormatError(f"{path}: its chains of nodes without a state are too long") from None
    except MemoryError:
        raise FormatError(f"{path}: its synapses do not fit into memory") from None


def _network(path: Path, options: Options, read: tuple[Graph, str]) -> ImportedGraph:
    whole, version = read
    firing = Firing(options.reset, options.threshold)
    graph = flattened(whole, str(path))
    notes = list(graph.notes)
    shapes = shapes_of(graph, notes)
    dt_ms, source = step_ms(graph, options.dt_ms, str(path))
    kept = text_in(graph.kept, START)
    start = options.recurrent_start or (kept if kept in RECURRENT_STARTS else "equations")
    assembly = Assembly(Order(Units(graph, shapes, dt_ms)), firing, start)
    network = assembly.made()
    assumed = dict(_assumed(assembly, options, f"{dt_ms:g} ms, {source}"))
    provenance = {
        "source": path.name,
        "format": "NIR" + (f" {version}" if version else ""),
        **assumed,
        "nodes": {name: key.unit for key, name in assembly.names.populations.items()},
        "inputs": {name: node for node, name in assembly.names.inputs.items()},
        "outputs": assembly.outputs,
        **({"notes": notes} if notes else {}),
    }
    made = replace(network, provenance=provenance)
    return ImportedGraph(network=made, assumed=assumed, notes=tuple(notes))


_RESET = {
    "value": "to v_reset, 0 where the file has none",
    "subtract": "by subtraction of the threshold, at once",
    "subtract-late": "by subtraction of the threshold, after the leak of the next step",
}
_THRESHOLD = {"above": "strictly above threshold", "at": "at threshold and above"}


def _assumed(assembly: Assembly, options: Options, step: str) -> Iterator[tuple[str, str]]:
    """What NIR does not say and was taken so: of what, and how."""
    yield "time step", step
    yield "steps", "Euler, a filtered current first, then the membrane, which takes the new one"
    firing = [place for place in assembly.units.graph.nodes.values() if place.has("v_threshold")]
    for what, given, kept, told in (
        ("firing", options.threshold, THRESHOLD, _THRESHOLD),
        ("reset", options.reset, RESET, _RESET),
    ):
        said = sorted({text_in(place.kept, kept) for place in firing} & set(told))
        if given is None and said:
            yield what, f"{' or '.join(told[each] for each in said)}, as the metadata say"
        else:
            yield what, told[given or next(iter(told))]
    yield "start", "all states at 0"
    yield "order", "what a node gives acts on the next ones within the step"
    if assembly.loops:
        loops = [f"{a} to {b}" if a != b else f"{a} to itself" for a, b in sorted(assembly.loops)]
        yield "loops", f"a step is taken from {shown_names(loops)}"
        acts = "do not act" if assembly.recurrent_start == "silent" else "act"
        yield "first step", f"biases on the way back {acts} in it ({assembly.recurrent_start})"
    yield "units", "voltages are numbers in the unit of the thresholds, called mV in recordings"
