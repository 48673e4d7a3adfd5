"""The picture of a network shows every part, and which connections take a step."""

from itertools import combinations

import pytest
from exchange.nir_files import chain, lif, node, write_nir
from matplotlib import pyplot
from matplotlib.text import Annotation

import bridge
from bridge import plot
from bridge.errors import SpecError


def test_boxes_are_parts_and_dashed_arrows_take_a_step(tmp_path):
    nodes = {"input": node("Input", shape=[2]), "z": lif(2), "back": node("Scale", scale=1.0),
             "a": lif(2)}  # fmt: skip
    edges = [*chain("input", "z", "a"), *chain("z", "back", "z")]
    path = write_nir(tmp_path / "net.nir", nodes, edges)
    axes = plot.graph(bridge.import_network(path, dt_ms=1).network)
    said = {text.get_text().split("\n")[0]: text.get_position() for text in axes.texts}
    assert {"input", "z", "a", "back"} <= set(said)
    assert {"input\n2", "z\n2 LIF with resistance"} <= {text.get_text() for text in axes.texts}
    assert said["input"][0] < said["z"][0] < said["a"][0]
    arrows = [text.arrow_patch for text in axes.texts if isinstance(text, Annotation)]
    assert sorted(arrow.get_linestyle() for arrow in arrows) == ["-", "-", "--"]
    pyplot.close("all")


def test_a_delayed_input_takes_its_steps(tmp_path):
    nodes = {"input": node("Input", shape=[2]), "late": node("Delay", delay=0.002), "z": lif(2)}
    path = write_nir(tmp_path / "net.nir", nodes, chain("input", "late", "z"))
    axes = plot.graph(bridge.import_network(path, dt_ms=1).network)
    (arrow,) = [text.arrow_patch for text in axes.texts if isinstance(text, Annotation)]
    assert arrow.get_linestyle() == "--"
    pyplot.close("all")


def test_what_acts_a_step_later_may_stand_in_the_same_column(tmp_path):
    nodes = {"input": node("Input", shape=[2]), "z": lif(2), "late": node("Delay", delay=0.001),
             "a": lif(2)}  # fmt: skip
    path = write_nir(tmp_path / "net.nir", nodes, chain("input", "z", "late", "a"))
    axes = plot.graph(bridge.import_network(path, dt_ms=1).network)
    said = {text.get_text().split("\n")[0]: text.get_position() for text in axes.texts}
    assert said["z"][0] == said["a"][0]
    assert said["z"][1] > said["a"][1]
    pyplot.close("all")


def test_projections_with_the_same_ends_share_an_arrow_and_names_do_not_overlap(tmp_path):
    nodes = {"input": node("Input", shape=[2]), "z": lif(2), "a": lif(2),
             "late": node("Delay", delay=0.001), "later": node("Delay", delay=0.002),
             "back": node("Delay", delay=0.001)}  # fmt: skip
    edges = [*chain("input", "z", "late", "a"), *chain("z", "later", "a"), *chain("a", "back", "z")]
    path = write_nir(tmp_path / "net.nir", nodes, edges)
    axes = plot.graph(bridge.import_network(path, dt_ms=1).network)
    arrows = [text for text in axes.texts if isinstance(text, Annotation)]
    assert len(arrows) == 3
    axes.figure.canvas.draw()
    names = [text for text in axes.texts if "_to_" in text.get_text()]
    assert sorted(text.get_text() for text in names) == ["a_to_z", "input_to_z", "z_to_a, z_to_a_"]
    boxes = [text.get_window_extent() for text in names]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    pyplot.close("all")


def test_what_is_no_network_has_no_picture():
    with pytest.raises(SpecError, match="network: expected a SpikingNetwork"):
        plot.graph(3)
