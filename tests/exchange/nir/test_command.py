"""`spikebridge import model.nir`, and what follows it: run and compare, driven by its input."""

import numpy as np
from exchange.nir_files import chain, lif, node, small, write_nir

import bridge


def test_a_graph_is_imported_run_and_compared_by_command(command, tmp_path):
    path = small(tmp_path / "net.nir", lif=lif(3, tau=0.02, r=4.0))
    net = tmp_path / "net.h5"
    outcome = command("import", path, "--out", net, "--dt-ms", 1, "--recurrent-start", "silent")
    assert outcome.status == 0
    for line in ("time step: 1 ms, given", "firing: strictly above threshold", "reset: to v_reset"):
        assert line in outcome.out
    assert f"{net}: spiking network of 3 neurons" in outcome.out
    assert bridge.load(net).provenance["reset"].startswith("to v_reset")
    assert "to v_reset" in command("info", "--all", net).out
    drive = tmp_path / "in.npz"
    np.savez(drive, inputs=np.random.default_rng(0).uniform(0, 2, (100, 2, 2)))
    ran = command(
        "run", net, "--drive", drive, "--backend", "reference", "--out", tmp_path / "r.h5"
    )
    assert ran.status == 0
    assert bridge.load(tmp_path / "r.h5").spikes.count > 10
    report = tmp_path / "r.html"
    compared = command(
        "compare", net, "--drive", drive, "--backends", "reference,brian2:numpy", "--out", report
    )
    assert compared.status == 0
    assert "none differing" in compared.out
    assert "lif" in report.read_text()
    # Its graph is among the figures, with the names of its nodes.
    drawn = (tmp_path / "r_figures" / "network.svg").read_text()
    assert all(f">{word}<" in drawn for word in ("input", "lif", "fc", "3 LIF with resistance"))


def test_what_is_not_for_graphs_is_refused(refused, tmp_path):
    path = small(tmp_path / "net.nir")
    net = tmp_path / "net.h5"
    given = ("--activation", "relu")
    assert "unknown option 'activation'" in refused("import", path, "--out", net, *given)
    assert "--out-lif: for rate networks only" in refused(
        "import", path, "--out", net, "--dt-ms", 1, "--out-lif", tmp_path / "lif.h5"
    )
    assert "its time step is not known" in refused("import", path, "--out", net)


def test_what_is_chosen_by_options_is_in_the_file(command, tmp_path):
    nodes = {"input": node("Input", shape=np.array([1])), "lif": lif(1),
             "back": node("Affine", weight=np.eye(1), bias=np.ones(1))}  # fmt: skip
    path = write_nir(tmp_path / "net.nir", nodes, chain("input", "lif", "back", "lif"))
    net = tmp_path / "net.h5"
    chosen = ("--reset", "subtract-late", "--threshold", "at", "--recurrent-start", "silent")
    assert command("import", path, "--out", net, "--dt-ms", 1, *chosen).status == 0
    network = bridge.load(net)
    neurons = network.population("lif").neurons
    assert (neurons.reset_by, neurons.fires_where) == ("late_subtraction", "at_threshold")
    assert [part.name for part in network.populations] == ["one", "lif"]


def test_notes_are_told_and_a_file_that_is_there_stays(command, refused, tmp_path):
    path = small(tmp_path / "net.nir", input=node("Input", shape=np.array([9, 2])))
    net = tmp_path / "net.h5"
    outcome = command("import", path, "--out", net, "--dt-ms", 1)
    assert "its shape (9, 2) is taken as (2,)" in outcome.err
    assert str(net) in refused("import", path, "--out", net, "--dt-ms", 1)
    assert command("import", path, "--out", net, "--dt-ms", 1, "--force").status == 0
