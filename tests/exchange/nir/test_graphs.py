"""NIR graphs drawn by chance are, bit for bit, what a plain reading of their equations gives.

`BRIDGE_NIR_GRAPHS=300 pytest tests/exchange/nir/test_graphs.py` draws 300, each in every backend.
"""

import os
from collections import Counter

import numpy as np
import pytest
from conftest import EXACT_BACKENDS
from exchange.nir.reading import Reading, convolution
from exchange.nir_files import node, write_nir
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

import bridge
from bridge.backends import simulate
from bridge.spiking.drive import Drive, SharedNoise

COUNT = int(os.environ.get("BRIDGE_NIR_GRAPHS", "30"))
# How many of the graphs run in another backend, too: a run there takes longer.
EVERY = 5 if COUNT <= 30 else 1
OTHERS = ("snntorch", "brian2-numpy")
DT_MS, STEPS = 0.5, 30
DRAWN = Counter()
FIRING = ("IF", "LIF", "CubaLIF", "Threshold")


class Drawn:
    """A graph on its way, as a file has it and as the plain reading takes it."""

    def __init__(self, draw, rng):
        self.draw, self.rng = draw, rng
        self.file, self.plain, self.edges, self.back = {}, {}, [], []
        self.count = 0

    def name(self, kind):
        # Names whose alphabetical order is not that of the graph.
        self.count += 1
        return f"{'zmbk'[self.count % 4]}{self.count}_{kind.lower()}"

    def add(self, kind, after, size, plain, **fields):
        name = self.name(kind)
        self.file[name] = node(kind, **fields)
        self.plain[name] = {"type": kind, "size": size, **plain}
        self.edges.append((after, name))
        return name


def cell(drawn, after, shape):
    """A node with a state, its numbers single ones or one for each."""
    draw, rng, size = drawn.draw, drawn.rng, int(np.prod(shape))
    # By the generator, here and below: hypothesis would draw some of them seldom.
    kind = str(rng.choice(["LIF", "CubaLIF", "IF", "LIF", "Threshold", "LI", "CubaLI", "I"]))
    single = draw(st.booleans())

    def numbers(low, high):
        return rng.uniform(low, high) if single else rng.uniform(low, high, shape)

    if kind == "Threshold":
        fields = {"threshold": numbers(0.1, 1)}
    elif kind in ("I", "IF"):
        fields = {"r": numbers(300, 900)}
    else:
        tau = "tau_mem" if "Cuba" in kind else "tau"
        fields = {tau: numbers(0.002, 0.01), "r": numbers(1, 4), "v_leak": numbers(-0.2, 0.2)}
    if "Cuba" in kind:
        fields |= {"tau_syn": numbers(0.001, 0.005), "w_in": numbers(0.5, 2)}
    if kind.endswith("IF"):
        fields["v_threshold"] = numbers(0.5, 1)
        if draw(st.booleans()):
            fields["v_reset"] = numbers(-0.5, 0.2)
    plain = {name: np.broadcast_to(value, shape).reshape(-1) for name, value in fields.items()}
    plain = {"v_reset": np.zeros(size), **plain}
    DRAWN[kind] += 1
    return drawn.add(kind, after, size, plain, **fields)


def dense(drawn, after, size, post=None):
    """A matrix, with a bias or without."""
    post = post or drawn.draw(st.integers(1, 5))
    weight = drawn.rng.normal(0, 1.5, (post, size))
    fields = {"weight": weight}
    kind = drawn.draw(st.sampled_from(["Affine", "Linear"]))
    if kind == "Affine":
        fields["bias"] = drawn.rng.normal(0.3, 0.5, post)
    plain = {"matrix": weight, "bias": fields.get("bias", 0.0)}
    DRAWN[kind] += 1
    return drawn.add(kind, after, post, plain, **fields), post


def local(drawn, after, shape):
    """A convolution or a pool, of one dimension or two."""
    draw, rng = drawn.draw, drawn.rng
    flat = len(shape) == 2
    plane = (shape[0], 1, shape[1]) if flat else shape
    kind = "Conv1d" if flat else str(rng.choice(["Conv2d", "Conv2d", "SumPool2d", "AvgPool2d"]))
    kernel = (min(2, plane[1]), min(draw(st.integers(1, 2)), plane[2]))
    stride, dilation = (1, draw(st.integers(1, 2))), (1, 1)
    padding = (0, draw(st.integers(0, 1)))
    fields = {}
    if "Pool" in kind:
        value = 1.0 / np.prod(kernel) if kind == "AvgPool2d" else 1.0
        weight, groups = np.full((plane[0], 1, *kernel), value), plane[0]
        fields["kernel_size"] = np.array(kernel)
    else:
        groups = plane[0] if draw(st.booleans()) else 1
        out = groups * draw(st.integers(1, 2))
        weight = rng.normal(0, 1, (out, plane[0] // groups, *kernel))
        fields |= {"weight": weight[:, :, 0] if flat else weight, "groups": groups,
                   "bias": rng.normal(0.2, 0.3, out)}  # fmt: skip
        dilation = (1, draw(st.integers(1, 2))) if kernel[1] == 1 else (1, 1)
        fields["dilation"] = np.array(dilation[1:] if flat else dilation)
    axes = slice(1, None) if flat else slice(None)
    fields |= {"stride": np.array(stride[axes]), "padding": np.array(padding[axes])}
    matrix, made = convolution(weight, plane, stride, padding, dilation, groups)
    bias = np.repeat(fields.get("bias", np.zeros(made[0])), made[1] * made[2])
    DRAWN[kind] += 1
    name = drawn.add(kind, after, len(bias), {"matrix": matrix, "bias": bias}, **fields)
    return name, ((made[0], made[2]) if flat else made)


def between(drawn, after, shape):
    """What lies before a cell: nothing, a node without a state, or two of them."""
    size, draw = int(np.prod(shape)), drawn.draw
    if draw(st.booleans()):
        scale = drawn.rng.normal(0, 1, size)
        drawn.count += 1
        after = drawn.add("Scale", after, size, {"matrix": np.diag(scale)},
                          scale=scale.reshape(shape))  # fmt: skip
        DRAWN["Scale"] += 1
    if len(shape) > 1 and drawn.rng.random() < 0.7:
        after, shape = local(drawn, after, shape)
        size = int(np.prod(shape))
    if len(shape) > 1 and draw(st.booleans()):
        after = drawn.add("Flatten", after, size, {}, start_dim=0, end_dim=-1)
        shape = (size,)
    if draw(st.integers(0, 3)) == 0:
        delays = drawn.rng.integers(0, 4, shape)
        if draw(st.booleans()):
            delays = np.full(shape, delays.flat[0])
        seconds = delays * DT_MS / 1000
        after = drawn.add("Delay", after, size, {"delay": seconds.reshape(-1)}, delay=seconds)
        DRAWN["Delay"] += 1
    if len(shape) == 1:
        after, size = dense(drawn, after, size)
        shape = (size,)
    return after, shape


def recurrence(drawn, name):
    """A loop from a cell to itself over a matrix."""
    size = drawn.plain[name]["size"]
    back, _ = dense(drawn, name, size, size)
    drawn.back.append((name, back))
    drawn.edges.append((back, name))
    DRAWN["loops"] += 1


@st.composite
def graphs(draw):
    """One to three layers with loops of their own, and perhaps one from the last to the first."""
    drawn = Drawn(draw, np.random.default_rng(draw(st.integers(0, 2**32 - 1))))
    shape = [(3,), (2, 5), (2, 3, 4)][drawn.rng.integers(3)]
    whole = shape
    drawn.file["source"] = node("Input", shape=np.array(shape))
    drawn.plain["source"] = {"type": "Input", "size": int(np.prod(shape))}
    after, cells, flat = "source", [], []
    for _ in range(draw(st.integers(1, 3))):
        after, shape = between(drawn, after, shape)
        after = cell(drawn, after, shape)
        cells.append(after)
        flat.append(len(shape) == 1)
        if flat[-1] and drawn.plain[after]["type"] in FIRING and draw(st.booleans()):
            recurrence(drawn, after)
    delayed = any(fields["type"] == "Delay" for fields in drawn.plain.values())
    first, last = cells[0], cells[-1]
    if (
        first != last
        and flat[0]
        and flat[-1]
        and not delayed
        and drawn.plain[last]["type"] in FIRING
    ):
        # Through all cells between: what leads back takes the step.
        back, _ = dense(drawn, last, drawn.plain[last]["size"], drawn.plain[first]["size"])
        drawn.back.append((last, back))
        drawn.edges.append((back, first))
        DRAWN["loops"] += 1
    drawn.file["sink"] = node("Output", shape=np.array(shape))
    drawn.edges.append((after, "sink"))
    options = {
        "reset": draw(st.sampled_from(["value", "subtract", "subtract-late"])),
        "threshold": draw(st.sampled_from(["above", "at"])),
        "recurrent_start": draw(st.sampled_from(["equations", "silent"])),
    }
    return drawn, cells, whole, options


def expected(drawn, cells, inputs, options):
    """What each cell gives, (K, n) by its name."""
    reading = Reading(
        drawn.plain, drawn.edges, drawn.back, DT_MS, reset=options["reset"],
        at=options["threshold"] == "at", silent=options["recurrent_start"] == "silent",
    )  # fmt: skip
    given = [reading.step({"source": row}) for row in inputs]
    return {name: np.array([step[name] for step in given]) for name in cells}


def given_by(network, recording, name):
    """The same of a recording: spikes as 0 and 1, or the values passed on."""
    found = next(pop for pop, of in network.provenance["nodes"].items() if of == name)
    if network.population(found).neurons.emits == "value":
        return recording.values[found][:, 0]
    span, spikes = network.span(found), recording.spikes
    fired = np.zeros((STEPS, network.size))
    fired[spikes.step, spikes.neuron] = 1.0
    return fired[:, span]


def every_graph_is_its_equations(folder, count, others, every):
    """Draw so many; one in `every` of them runs in other backends, too."""

    @settings(
        max_examples=count, deadline=None, derandomize=count <= 30, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(data=st.data())
    def one_is(data):
        drawn, cells, shape, options = data.draw(graphs())
        note(repr([(name, each["type"]) for name, each in drawn.plain.items()]))
        note(repr([drawn.edges, drawn.back, options]))
        path = folder / "net.nir"
        write_nir(path, drawn.file, drawn.edges)
        network = bridge.import_network(path, dt_ms=DT_MS, **options).network
        inputs = drawn.rng.uniform(0, 1, (STEPS, int(np.prod(shape))))
        drive = Drive(inputs=inputs[:, None], noise=SharedNoise(seed=0))
        wanted = expected(drawn, cells, inputs, options)
        values = any(part.neurons.emits == "value" for part in network.populations)
        DRAWN["graphs"] += 1
        for label in ("reference", *(others if DRAWN["graphs"] % every == 0 else ())):
            backend, more = EXACT_BACKENDS[label]
            recording = simulate(network, drive, backend=backend, values=values, **more)
            for name in cells:
                found = given_by(network, recording, name)
                np.testing.assert_array_equal(found, wanted[name], label)
            DRAWN[label] += 1
        DRAWN["spikes"] += recording.spikes.count

    one_is()


def test_graphs_drawn_by_chance_are_what_their_equations_give(tmp_path):
    DRAWN.clear()
    every_graph_is_its_equations(tmp_path, COUNT, OTHERS, EVERY)
    assert DRAWN["spikes"] > 20 * COUNT
    kinds = ("LIF", "CubaLIF", "IF", "Threshold", "LI", "CubaLI", "I", "Affine", "Linear", "Scale")
    local_ones = ("Conv1d", "Conv2d", "SumPool2d", "AvgPool2d", "Delay", "loops")
    assert all(DRAWN[kind] for kind in (*kinds, *local_ones)), DRAWN
    assert all(DRAWN[label] >= COUNT // EVERY for label in OTHERS)


@pytest.mark.full
def test_ten_of_them_are_in_compiled_programs_too(tmp_path):
    compiled = ("compiled", "brian2-cython", "brian2-standalone")
    DRAWN.clear()
    every_graph_is_its_equations(tmp_path, 10, compiled, 1)
    assert all(DRAWN[label] >= 10 for label in compiled)
    assert DRAWN["spikes"] > 100
