"""What a small file may claim: graphs without end, numbers beyond all memory, parts elsewhere."""

import os
import signal

import h5py
import numpy as np
import pytest
from exchange.nir_files import chain, graph, lif, node, small, write_nir

import bridge
from bridge.errors import FormatError, SpecError
from bridge.exchange.nir import file as nir_file
from bridge.exchange.nir import maps
from bridge.exchange.nir.network import Assembly
from bridge.spiking.limits import LONGEST_DELAY_STEPS

DT_MS = 0.5


def refused(path):
    with pytest.raises(FormatError) as caught:
        bridge.import_network(path, dt_ms=DT_MS)
    told = str(caught.value)
    assert "\n" not in told
    return told


def test_a_graph_that_holds_itself_is_refused(tmp_path):
    path = small(tmp_path / "net.nir")
    with h5py.File(path, "a") as file:
        file["node/nodes/again"] = file["node"]
    assert "deeper graphs than 8" in refused(path)


def test_more_nodes_than_are_read_are_refused(tmp_path, monkeypatch):
    # Four nodes, and the graph.
    path = small(tmp_path / "net.nir")
    monkeypatch.setattr(nir_file, "_MOST_NODES", 5)
    assert bridge.import_network(path, dt_ms=DT_MS).network.size == 3
    monkeypatch.setattr(nir_file, "_MOST_NODES", 4)
    assert "claims more than 4 nodes" in refused(path)


def test_edges_that_lie_in_another_file_are_not_fetched(tmp_path):
    (tmp_path / "raw").write_bytes(b"inputlif\0\0")
    path = small(tmp_path / "net.nir")
    with h5py.File(path, "a") as file:
        del file["node/edges"]
        outside = [(str(tmp_path / "raw"), 0, 10)]
        file["node"].create_dataset("edges", shape=(1, 2), dtype="S5", external=outside)
    assert "its edges are not pairs of names" in refused(path)


def test_a_type_is_one_text(tmp_path):
    for number, kind in enumerate((3.0, np.array([b"Affine", b"Affine"]))):
        path = small(tmp_path / f"{number}.nir", fc={"type": kind})
        assert refused(path).endswith("node/nodes/fc/type must be a text")


def test_a_graph_of_an_empty_graph_is_refused_with_the_name_of_the_file(tmp_path):
    path = write_nir(tmp_path / "net.nir", {"empty": graph({}, [])}, [])
    with pytest.raises(SpecError, match="a network needs at least one population") as caught:
        bridge.import_network(path, dt_ms=DT_MS)
    assert str(caught.value).startswith(f"{path}: ")


def test_what_does_not_fit_into_memory_is_refused(tmp_path, monkeypatch):
    def too_large(_):
        raise MemoryError

    monkeypatch.setattr(Assembly, "made", too_large)
    assert "its synapses do not fit into memory" in refused(small(tmp_path / "net.nir"))


def test_a_file_that_crashes_the_hdf5_library_is_refused(tmp_path, monkeypatch):
    here = os.getpid()

    def crashes_in_a_child(_):
        assert os.getpid() != here
        os.kill(os.getpid(), signal.SIGSEGV)

    monkeypatch.setattr(nir_file, "_read", crashes_in_a_child)
    assert "damaged: reading it crashes the HDF5 library" in refused(small(tmp_path / "net.nir"))


@pytest.mark.parametrize("name", ["a\nb", "n" * 101])
def test_names_that_cannot_be_printed_are_refused(name, tmp_path):
    told = refused(small(tmp_path / "a.nir", **{name: lif(3)}))
    assert "is not a name that can be printed" in told
    told = refused(small(tmp_path / "b.nir", edges=[("input", "fc"), ("fc", name)]))
    assert "its graph: edges: " in told


def test_two_nodes_of_one_whole_name_are_refused(tmp_path):
    path = small(tmp_path / "a.nir", sub=graph({"n": lif(3)}, []), **{"sub.n": lif(3)})
    assert "two nodes are called 'sub.n'" in refused(path)


def test_more_synapses_than_fit_are_refused_before_they_are_made(tmp_path, monkeypatch):
    options = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
    nodes = {
        "input": node("Input", shape=np.array([2, 5])),
        "line": node("Conv1d", weight=np.ones((4, 2, 2)), **options),
        "map": node("Linear", weight=np.ones((5, 4))),
    }
    # A kernel of 16 numbers at 4 places, and a matrix of 20 on 4 rows.
    for last, synapses in (("line", 64), ("map", 80)):
        names = ("input", "line", "map")[: 2 + (last == "map")]
        used = {name: nodes[name] for name in names}
        path = write_nir(tmp_path / f"{last}.nir", used, chain(*names))
        monkeypatch.setattr(maps, "_MOST_SYNAPSES", synapses)
        made = bridge.import_network(path, dt_ms=DT_MS).network.projections[-1]
        assert made.synapses().nnz == synapses
        monkeypatch.setattr(maps, "_MOST_SYNAPSES", synapses - 1)
        told = f"): {synapses} synapses are too many; {synapses - 1} are read"
        assert refused(path).endswith(told)


def test_numbers_beyond_all_memory_are_refused(tmp_path):
    shape = np.array([10**5, 10**4, 2])
    told = refused(small(tmp_path / "a.nir", input=node("Input", shape=shape)))
    assert "node input (Input): shape: (100000, 10000, 2) is no shape that can be taken" in told
    fields = {"weight": np.ones((1, 1, 2)), "padding": 0, "dilation": 1, "groups": 1}
    nodes = {"input": node("Input", shape=np.array([1, 2])),
             "fc": node("Conv1d", stride=2.0**40, **fields)}  # fmt: skip
    path = write_nir(tmp_path / "b.nir", nodes, chain("input", "fc"))
    assert "node fc (Conv1d): stride: 1.09951e+12 is too large" in refused(path)


def test_the_longest_delay_is_the_longest_that_networks_have(tmp_path):
    edges = chain("input", "late", "fc", "lif", "output")
    for steps, name in ((LONGEST_DELAY_STEPS, "a.nir"), (LONGEST_DELAY_STEPS + 1, "b.nir")):
        late = node("Delay", delay=np.array([0.0, steps * DT_MS / 1000]))
        path = small(tmp_path / name, late=late, edges=edges)
        if steps == LONGEST_DELAY_STEPS:
            (projection,) = bridge.import_network(path, dt_ms=DT_MS).network.projections
            assert projection.longest_delay_steps == steps
        else:
            assert f"is longer than {LONGEST_DELAY_STEPS:,} steps" in refused(path)


def test_delays_are_whole_steps_as_far_as_float32_tells(tmp_path):
    edges = chain("input", "late", "fc", "lif", "output")
    stored = node("Delay", delay=np.array([0.0035, 0.0005], dtype=np.float32))
    got = bridge.import_network(small(tmp_path / "a.nir", late=stored, edges=edges), dt_ms=DT_MS)
    assert got.network.projections[0].longest_delay_steps == 7
    beside = node("Delay", delay=np.array([0.00351, 0.0005]))
    path = small(tmp_path / "b.nir", late=beside, edges=edges)
    assert "delay of 0.00351 s is not a whole number of steps" in refused(path)
