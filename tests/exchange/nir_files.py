"""NIR files as other tools write them: nodes by name, nested graphs, and edges."""

from itertools import pairwise

import h5py
import numpy as np


def node(kind, **fields):
    """A node of a type."""
    return {"type": kind, **fields}


def graph(nodes, edges):
    """A graph inside a graph; edges are "a b" in text or pairs."""
    return {"type": "NIRGraph", "nodes": nodes, "edges": edges}


def write_nir(path, nodes, edges, version="1.0.8"):
    """A NIR file, the oldest layout of HDF5 as h5py has it by default."""
    with h5py.File(path, "w") as file:
        if version is not None:
            file["version"] = version
        _fill(file.create_group("node"), graph(nodes, edges))
    return path


def _fill(group, content):
    for name, value in content.items():
        if name == "edges":
            pairs = [edge.split() if isinstance(edge, str) else edge for edge in value]
            words = np.array(pairs, dtype=object).reshape(-1, 2)
            group.create_dataset("edges", data=words, dtype=h5py.string_dtype())
        elif isinstance(value, dict):
            _fill(group.create_group(name), value)
        else:
            group[name] = value


def lif(size, **fields):
    """LIF neurons with numbers that matter."""
    given = {"tau": 0.01, "r": 2.0, "v_leak": 0.0, "v_threshold": 1.0} | fields
    return node("LIF", **{name: np.full(size, value) for name, value in given.items()})


def chain(*names):
    """Edges from each name to the next."""
    return list(pairwise(names))


def small(path, **changed):
    """Two inputs, three LIF neurons over an Affine, an output; nodes may be changed or added."""
    rng = np.random.default_rng(3)
    nodes = {
        "input": node("Input", shape=np.array([2])),
        "fc": node("Affine", weight=rng.normal(1, 1, (3, 2)), bias=np.array([0.1, 0.4, -0.2])),
        "lif": lif(3),
        "output": node("Output", shape=np.array([3])),
    }
    edges = changed.pop("edges", chain("input", "fc", "lif", "output"))
    version = changed.pop("version", "1.0.8")
    nodes = {name: each for name, each in (nodes | changed).items() if each is not None}
    return write_nir(path, nodes, edges, version)
