"""The figures of a report: nothing hidden, long names as letters, both kinds of neurons in one."""

import json
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from conftest import drive_for, longer_steps_network

import bridge
from bridge.compare.agreement import Agreement
from bridge.compare.report import spike_figures
from bridge.compare.report.panels import legend_above, panels, short_names, told_names
from bridge.compare.report.pictures import pictures_of
from bridge.methods.error_curve import ErrorCurve
from bridge.plot.style import COLUMN_IN, PAGE_IN, REPORT

LONG = ("sub-01_run-01_desc-preprocessed_spikes.nwb", "short.h5")


def nothing(**fields):
    return Agreement(network=None, labels=LONG, frozen={}, seconds={}, seed=0, **fields)


def curve(neuron, *error):
    rates = np.arange(1.0, 1 + len(error))
    return ErrorCurve(neuron=neuron, rates_hz=rates, output_error=error, best=0)


@pytest.fixture(scope="module")
def agreement():
    network = longer_steps_network(size=6)
    return bridge.compare(
        network, backends=["reference"] * 2, drive=drive_for(network, 40), inject="weights-0.95"
    )


def test_long_names_are_letters_in_figures_and_stand_in_the_caption():
    names = short_names(LONG)
    assert names == {LONG[0]: "A", LONG[1]: "B"}
    assert told_names(names) == f" A: {LONG[0]}; B: {LONG[1]}."
    assert short_names(("one", "other")) == {"one": "one", "other": "other"}
    assert told_names(short_names(("one", "other"))) == ""


def test_a_legend_of_many_names_stands_above_all_panels_within_the_figure():
    with mpl.rc_context(REPORT):
        figure, row = panels(2)
        for number in range(9):
            row[0].plot([0, 1], [number, 0], label=f"a name of thirty letters ... {number}")
        legend_above(figure, row[0])
        figure.draw_without_rendering()
        box = figure.legends[0].get_window_extent()
    assert box.y0 > max(axes.get_tightbbox().y1 for axes in row)
    assert box.x1 <= figure.bbox.x1


def test_few_spikes_are_vectors_and_too_many_for_a_file_are_pixels(agreement, monkeypatch):
    def pixels():
        lines = [line for axes in spike_figures.rasters(agreement).axes for line in axes.lines]
        return {line.get_rasterized() for line in lines if line.get_marker() == "|"}

    assert pixels() == {False}
    monkeypatch.setattr(spike_figures, "_MOST_VECTORS", 0)
    monkeypatch.setattr(spike_figures, "_LEAST_SHARE", 1)
    assert True in pixels()


def test_the_trial_of_the_first_difference_is_shown_once(agreement):
    trials = [trial for _, trial in spike_figures.shown_trials(agreement)]
    assert len(trials) == len(set(trials))
    assert agreement.exact[0].first.trial in trials


def test_those_that_differ_are_among_the_sides_shown(agreement):
    first, other = agreement.labels
    recordings = {first: agreement.frozen[first]}
    recordings |= {f"same {number}": agreement.frozen[first] for number in range(5)}
    many = replace(agreement, frozen={**recordings, other: agreement.frozen[other]})
    shown = spike_figures.sides_shown(many)
    assert list(shown) == [first, "same 0", "same 1", other]
    pictures = {picture.name: picture for picture in pictures_of(many)}
    assert "Drawn are 4 of 7 sides." in pictures["rasters"].caption


def test_all_figures_are_as_wide_as_a_column_or_a_page(agreement):
    pictures = pictures_of(agreement)
    assert {picture.width_in for picture in pictures} == {COLUMN_IN, PAGE_IN}
    for picture in pictures:
        assert f'width="{72 * picture.width_in:g}pt"' in picture.svg


def test_curves_of_both_kinds_of_neurons_stand_in_one_figure_and_in_the_file(tmp_path):
    found = nothing(curves=(curve("LIF", 3.0, 0.5), curve("IF", 0.25)))
    page, machine, picture = bridge.report(found, tmp_path / "page.html")
    assert picture.name == "errors.svg"
    assert "Output error against spikes: LIF and IF" in page.read_text()
    kept = json.loads(machine.read_text())["error_curves"]
    assert kept == [
        {"neuron": "LIF", "rates_hz": [1.0, 2.0], "output_error": [3.0, 0.5], "best": 0},
        {"neuron": "IF", "rates_hz": [1.0], "output_error": [0.25], "best": 0},
    ]


def test_a_single_point_is_no_curve():
    assert pictures_of(nothing(curves=(curve("LIF", 0.5),))) == []
