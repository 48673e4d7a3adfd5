"""Figures as vector graphics: short, whole, and with the colours and names of a page."""

import re
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from bridge.compare.report.vector import shortened, vector, within_page
from bridge.plot.style import COLOURS, DARK, INK, REPORT

SVG = "{http://www.w3.org/2000/svg}"
TIMES = np.linspace(0.125, 0.875, 7)


@pytest.fixture(scope="module")
def svg():
    with mpl.rc_context(REPORT):
        figure = Figure(figsize=(3.5, 2))
        axes = figure.subplots()
        axes.plot(TIMES, np.arange(7), "|", color=INK, markersize=4)
        axes.plot(TIMES, np.arange(7), "o", color=COLOURS[0])
        axes.set(title="0.123456 <a & b>", xlim=(0, 1), ylim=(0, 7))
        return vector(figure, "seven spikes")


def test_a_figure_is_xml_with_its_title_and_its_letters_as_letters(svg):
    root = ElementTree.fromstring(svg)
    assert root.find(f"{SVG}title").text == "seven spikes"
    # Places are rounded, what is written is not.
    assert "0.123456 <a & b>" in [text.text for text in root.iter(f"{SVG}text")]
    assert not re.search(r'\b(?:x|y|d)="[^"]*\.\d{3}', svg)


def test_each_spike_is_a_bar_of_one_path_at_its_place(svg):
    (bars,) = re.findall(r'<path d="((?:M[\d.]+ [\d.]+v-[\d.]+){7})"', svg)
    places = re.findall(r"M([\d.]+) ([\d.]+)v-([\d.]+)", bars)
    x, y, heights = np.array(places, dtype=float).T
    # matplotlib's axes lie from 0.125 to 0.9 of a figure of 3.5 inches of 72 points; places have
    # two decimals.
    np.testing.assert_allclose(x, 3.5 * 72 * (0.125 + 0.775 * TIMES), atol=0.006)
    # And from 0.11 to 0.88 of a height of 2; they begin half a mark below their neuron.
    middle = 2 * 72 * (1 - 0.11 - 0.77 * np.arange(7) / 7)
    np.testing.assert_allclose(y, middle + 2, atol=0.006)
    assert heights.tolist() == [4.0] * 7


def test_dots_share_one_style_and_none_is_lost(svg):
    (group,) = re.findall(r'<g style="[^"]*#0072b2[^"]*">((?:<use [^>]*/>)+)</g>', svg)
    assert group.count("<use ") == 7
    assert "style" not in group


def test_marks_of_several_kinds_stay_as_they_are():
    marks = "".join(
        f'<use xlink:href="#m{kind}" x="1" y="2" style="fill: #000000"/>\n' for kind in "ab"
    )
    assert shortened(marks) == marks


def test_the_same_figure_is_the_same_file(svg):
    assert "dc:date" not in svg
    assert "DejaVu Sans" in svg


def test_within_a_page_names_are_its_own_and_colours_those_of_its_ground(svg):
    drawn = within_page(svg, "rasters")
    assert not re.search(r'(?:\bid="|href="#|url\(#)(?!rasters-)', drawn)
    assert f"stroke: var(--c1b2a41,{INK})" in drawn
    for colour in DARK:
        assert not re.search(rf": {colour}", drawn)
    # Nothing is asked of the net, and what a file says of itself stays there.
    assert "http" not in drawn
    # Where `var` is unknown, the colours of the file stand there.
    back = re.sub(r"var\(--\w+,(#\w+)\)", r"\1", drawn).replace("rasters-", "")
    assert back.count(INK) == svg.count(INK)
