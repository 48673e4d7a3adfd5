"""The graphs of the table as the plain reading takes them: flat, every map a matrix."""

import numpy as np
from exchange.nir.reading import Reading, convolution

from bridge.conformance.traps import traps
from bridge.exchange.nir.file import Graph

TRAPS = {trap.name: trap for trap in traps()}
# What leads back in a loop, by the last part of its name.
BACK = ("l2_back", "l5_back", "w_rec")


class Watched(Reading):
    """Knows how near voltages came to their thresholds."""

    def __init__(self, *given, **named):
        super().__init__(*given, **named)
        self.distances = []

    def fires(self, v, threshold):
        self.distances.append(np.abs(v - threshold))
        return super().fires(v, threshold)


def flat(graph, above=""):
    """Nodes and edges without graphs in graphs."""
    nodes, edges = {}, []
    for name, part in graph.nodes.items():
        if isinstance(part, Graph):
            inner = flat(part, f"{above}{name}.")
            nodes |= inner[0]
            edges += inner[1]
        else:
            nodes[f"{above}{name}"] = part
    for source, target in graph.edges:
        ends = (_end(graph, source, "Output", above), _end(graph, target, "Input", above))
        edges.append(ends)
    return nodes, edges


def _end(graph, name, kind, above):
    part = graph.nodes[name]
    if not isinstance(part, Graph):
        return f"{above}{name}"
    (door,) = (each for each, node in part.nodes.items() if node.kind == kind)
    return f"{above}{name}.{door}"


def plain_node(node, shape):
    """Its fields with one number for each neuron, and the shape of what it gives."""
    kind, of = node.kind, node.fields
    if kind in ("Input", "Output"):
        shape = tuple(of["shape"])
        return {"type": kind, "size": int(np.prod(shape))}, shape
    if kind == "Affine":
        size = len(of["weight"])
        fields = {"matrix": of["weight"], "bias": of["bias"]}
        return {"type": kind, "size": size, **fields}, (size,)
    if kind.startswith("Conv") or "Pool" in kind:
        return _local(node, shape)
    size = int(np.prod(shape))
    if kind == "Flatten":
        return {"type": kind, "size": size}, (size,)
    spread = {name: np.broadcast_to(value, shape).reshape(-1) for name, value in of.items()}
    return {"type": kind, "size": size, "v_reset": np.zeros(size), **spread}, shape


def _local(node, shape):
    of, kind = node.fields, node.kind
    padding = of["padding"]
    if kind == "Conv2d":
        weight, groups, dilation = of["weight"], int(of["groups"]), of["dilation"]
        # Of a kernel of 3 x 3.
        padding = (1, 1) if isinstance(padding, str) else padding
    else:
        value = 1.0 if kind == "SumPool2d" else 0.25
        weight, groups, dilation = np.full((shape[0], 1, 2, 2), value), shape[0], (1, 1)
    matrix, made = convolution(weight, shape, of["stride"], padding, dilation, groups)
    return {"type": kind, "size": len(matrix), "matrix": matrix}, made


def reading_of(graph, dt_ms, **options):
    """The plain reading of a graph, at rest."""
    nodes, edges = flat(graph)
    made, shapes = {}, {}
    while len(made) < len(nodes):
        for name, node in nodes.items():
            before = [a for a, b in edges if b == name and a in shapes]
            if name not in made and (before or not any(b == name for _, b in edges)):
                made[name], shapes[name] = plain_node(node, shapes[before[0]] if before else ())
    back = [(a, b) for a, b in edges if b.rpartition(".")[2] in BACK]
    return Watched(made, edges, back, dt_ms, **options)


def outputs(trap, *, graph=None, dt_ms=None, starts_at_leak=False, distances=None, **options):
    """(T, B, O) what a trap gives by the plain reading; `graph`: in place of its own."""
    given = []
    for trial in trap.inputs.swapaxes(0, 1):
        reading = reading_of(graph or trap.graph, dt_ms or trap.dt_ms, **options)
        for name, node in reading.nodes.items():
            if starts_at_leak and "v_leak" in node:
                reading.v[name] = np.array(node["v_leak"])
        ends = {kind: _port(reading, kind) for kind in ("Input", "Output")}
        steps = [reading.step({ends["Input"]: step.reshape(-1)}) for step in trial]
        given.append([step[ends["Output"]] for step in steps])
        if distances is not None:
            distances += reading.distances
    return np.array(given).swapaxes(0, 1)


def _port(reading, kind):
    """The input or the output of the whole graph, not of one in it."""
    leads = {a for a, _ in reading.edges} if kind == "Output" else {b for _, b in reading.edges}
    (name,) = (each for each, node in reading.nodes.items()
               if node["type"] == kind and each not in leads)  # fmt: skip
    return name
