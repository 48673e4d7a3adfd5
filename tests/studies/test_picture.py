"""What the figures of studies show, drawn from tables as they come back from files."""

from pathlib import Path

import numpy as np
import pytest

from bridge.studies.catalog import STUDIES, find
from bridge.studies.cell_summaries import summaries
from bridge.studies.csv_files import read_csv
from bridge.studies.picture import figure_of

RECORD = Path(__file__).parents[2] / "data" / "studies"


def drawn(name):
    home = RECORD / name
    rows = read_csv(home / "table.csv")
    details = read_csv(home / "details.csv") if (home / "details.csv").exists() else []
    return figure_of(find(name), rows, details), rows, details


def points(axes):
    return sum(len(line.get_xdata()) for line in axes.lines)


@pytest.mark.parametrize("name", ["s1", "s3"])
def test_every_unit_of_every_network_is_a_dot(name):
    figure, _, details = drawn(name)
    for axes in figure.axes:
        # Of a study of several cells the first is shown.
        cell, condition = details[0]["cell"], axes.get_title()
        mine = [row for row in details if (row["cell"], row["condition"]) == (cell, condition)]
        assert points(axes) == len(mine) >= 1000
        shown = np.concatenate([line.get_ydata() for line in axes.lines])
        assert sorted(shown) == sorted(row["rate_hz"] for row in mine)


def test_units_of_each_type_have_a_colour_and_a_name():
    figure, _, _ = drawn("s3")
    names = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert names == ["PV", "PYR", "SOM"]
    assert len({line.get_color() for line in figure.axes[0].lines}) == 3


@pytest.mark.parametrize("name", ["6a", "7"])
def test_every_network_is_a_dot_and_every_cell_says_how_many_succeed(name):
    figure, rows, _ = drawn(name)
    accuracies, shares = figure.axes[:2]
    dots = [line.get_ydata() for line in accuracies.lines if line.get_marker() == "o"]
    assert sorted(np.concatenate(dots)) == sorted(100 * row["accuracy"] for row in rows)
    found = summaries(STUDIES[name], rows)
    said = [text.get_text() for text in shares.texts]
    assert said == [f"{one.successes}/{len(one.rows)}" for one in found]


@pytest.mark.parametrize("name", ["7-if", "7"])
def test_a_title_fits_its_figure(name):
    """Few cells make a narrow figure; it cut the title off on both sides."""
    figure, _, _ = drawn(name)
    figure.draw_without_rendering()
    extent = figure._suptitle.get_window_extent()
    assert 0 <= extent.x0 < extent.x1 <= figure.bbox.width
