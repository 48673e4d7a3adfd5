"""NIR files changed at one place, in what they say or in their bytes, and what becomes of them."""

from contextlib import suppress

import numpy as np
from exchange.mutants import changed_value, chosen, in_time, places
from exchange.nir_files import chain, graph, lif, node, write_nir

import bridge
from bridge.errors import BackendError, FormatError, SpecError
from bridge.spiking.drive import Drive, SharedNoise

LONGEST_S = 20
WORDS = ("", "lif", "Affine", "NIRGraph", "input", "output", "a\nb", "\u00e9", "fc.lif", "x" * 300)


def trees():
    """Graphs of every kind of node."""
    rng = np.random.default_rng(2)
    dense = {
        "input": node("Input", shape=np.array([2])),
        "fc": node("Affine", weight=rng.normal(size=(3, 2)), bias=np.ones(3)),
        "rec": graph(
            {"input": node("Input", shape=np.array([3])), "n": lif(3),
             "w": node("Linear", weight=rng.normal(size=(3, 3))),
             "output": node("Output", shape=np.array([3]))},
            [*chain("input", "n", "w", "n"), ("n", "output")],
        ),
        "late": node("Delay", delay=np.array([0.0, 0.001, 0.002])),
        "cuba": node("CubaLIF", tau_mem=np.full(3, 0.01), tau_syn=0.005, r=np.ones(3), v_leak=0.0,
                     v_threshold=1.0, w_in=2.0),
        "shown": node("CubaLI", tau_mem=0.01, tau_syn=0.005, r=1.0, v_leak=0.1),
        "output": node("Output", shape=np.array([3])),
    }  # fmt: skip
    edges = [chain("input", "fc", "rec", "late", "cuba", "shown", "output")]
    local = {
        "input": node("Input", shape=np.array([1, 2, 6, 6])),
        "conv": node("Conv2d", weight=rng.normal(size=(2, 2, 3, 3)), bias=np.zeros(2), stride=1,
                     padding=np.array([1, 1]), dilation=1, groups=1, input_shape=np.array([6, 6])),
        "if": node("IF", r=np.ones((1, 2, 6, 6)), v_threshold=np.ones((1, 2, 6, 6))),
        "sum": node("SumPool2d", kernel_size=np.array([2, 2]), stride=np.array([2, 2]), padding=0),
        "mean": node("AvgPool2d", kernel_size=2, stride=1, padding=0),
        "flat": node("Flatten", start_dim=1, end_dim=-1, input_type=np.array([1, 2, 2, 2])),
        "scale": node("Scale", scale=np.arange(8.0)),
        "z": node("Threshold", threshold=0.5),
        "li": node("LI", tau=0.01, r=1.0, v_leak=0.0),
        "i": node("I", r=1.0),
        "output": node("Output", shape=np.array([8])),
    }  # fmt: skip
    names = ("input", "conv", "if", "sum", "mean", "flat", "scale", "z", "li", "i", "output")
    return [(dense, edges[0]), (local, chain(*names))]


def changed_tree(nodes, edges, rng):
    """The nodes and edges, one of them another."""
    if rng.random() < 0.25:
        edges = [list(edge) for edge in edges]
        edge = edges[int(rng.integers(len(edges)))]
        names = [*nodes, *WORDS]
        act = int(rng.integers(4))
        if act == 0:
            edges.remove(edge)
        elif act == 1:
            edges.append([chosen(rng, names), chosen(rng, names)])
        else:
            edge[act - 2] = chosen(rng, names)
        return nodes, [tuple(edge) for edge in edges]
    where = list(places(nodes))
    *above, name = chosen(rng, where)
    group = nodes
    for step in above:
        group = group[step]
    if rng.random() < 0.2:
        del group[name]
    elif rng.random() < 0.2 and isinstance(group[name], str):
        group[name] = chosen(rng, WORDS)
    elif isinstance(group[name], list):
        group[name] = group[name][:-1]
    else:
        whole = isinstance(group[name], dict | str)
        group[name] = changed_value(group[name] if whole else np.asarray(group[name]), rng)
    return nodes, edges


def mutant(folder, number):
    """A changed file."""
    rng = np.random.default_rng((31, number))
    nodes, edges = trees()[number % 2]
    path = folder / "mutant.nir"
    if number % 5 < 4:
        nodes, edges = changed_tree(nodes, edges, rng)
        path.unlink(missing_ok=True)
        # What HDF5 itself cannot write is half a file.
        with suppress(TypeError, ValueError, OSError):
            write_nir(path, nodes, edges)
        return path
    write_nir(path, nodes, edges)
    content = bytearray(path.read_bytes())
    if rng.random() < 0.2:
        del content[int(rng.integers(len(content))) :]
    else:
        for _ in range(int(rng.integers(1, 4))):
            content[int(rng.integers(len(content)))] = int(rng.integers(256))
    path.write_bytes(content)
    return path


def fate(path):
    """ "refused" in one sentence, or "read" as a network that runs; what else happens escapes."""
    with in_time(LONGEST_S):
        try:
            network = bridge.import_network(path, dt_ms=0.5).network
        except (FormatError, SpecError) as error:
            told = str(error)
            assert told.startswith(f"{path}: "), told
            assert "\n" not in told, told
            assert len(told) < len(str(path)) + 500, told
            return "refused"
        given = Drive(inputs=np.zeros((3, 1, network.input_size)), noise=SharedNoise(seed=0))
        # Numbers may overflow, which is one sentence, too.
        with suppress(BackendError):
            bridge.simulate(network, given)
        return "read"


def fates(folder, numbers):
    """What becomes of the mutants of these numbers: (number, fate)."""
    for number in numbers:
        path = mutant(folder, number)
        try:
            yield number, fate(path)
        # Whatever it is, it is what is looked for.
        except Exception as error:
            yield number, f"{type(error).__name__}: {error}"
