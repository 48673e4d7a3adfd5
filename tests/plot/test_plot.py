"""Pictures show what is in the object, with units on every axis, and say what they leave out."""

import subprocess
import sys
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from conftest import drive_for, kim_network
from exchange.test_store import conversion
from matplotlib import pyplot

import bridge
from bridge.errors import SpecError
from bridge.methods.error_curve import ErrorCurve
from bridge.methods.gain_search import GainSearch
from bridge.plot import spikes as plot_spikes
from bridge.spiking.recording import Recording, Spikes


@pytest.fixture(autouse=True)
def _no_window():
    backend = mpl.get_backend()
    pyplot.switch_backend("Agg")
    yield
    pyplot.close("all")
    pyplot.switch_backend(backend)


def recording(**fields):
    """Two populations in two trials of 100 ms: spikes at given (trial, step, neuron)."""
    events = np.array([(0, 10, 0), (0, 20, 0), (0, 20, 2), (1, 99, 1)])
    given = {
        "spikes": Spikes.gather(*events.T, (2, 100, 3)),
        "readouts": {"out": np.arange(20.0).reshape(10, 2, 1)},
        "dt_ms": 1.0, "sample_ms": 10.0, "populations": {"exc": 2, "_inh$": 1},
    }  # fmt: skip
    return Recording(**{**given, **fields})


def marks(axes):
    """All (x, y) of lines that are marks of spikes, sorted."""
    lines = [line for line in axes.lines if line.get_marker() == "|"]
    return sorted(tuple(point) for line in lines for point in line.get_xydata().tolist())


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def drawn(axes):
    """A picture that can be drawn whole, with something written on both axes."""
    axes.figure.canvas.draw()
    assert axes.get_xlabel()
    assert axes.get_ylabel()
    return axes


def test_a_raster_marks_each_spike_of_the_trial_at_its_time_and_neuron():
    axes = drawn(bridge.plot.raster(recording()))
    assert marks(axes) == [(0.01, 0), (0.02, 0), (0.02, 2)]
    assert axes.get_xlabel() == "time (s)"
    assert axes.get_xlim() == (0, 0.1)
    assert axes.get_ylim() == (-0.5, 2.5)
    assert axes.get_title("left") == "trial 0; 3 spikes"
    assert legend(axes) == [r" _inh\$", "exc"]


def test_pictures_are_drawn_on_the_axes_that_are_given():
    _, row = pyplot.subplots(1, 2)
    assert bridge.plot.raster(recording(), row[1], trial=1) is row[1]
    assert marks(row[1]) == [(0.099, 1)]
    assert not row[0].lines


def test_a_legend_stands_beside_the_axes_and_hides_nothing():
    axes = drawn(bridge.plot.rates(recording()))
    box = axes.get_legend().get_window_extent()
    assert box.x0 > axes.get_window_extent().x1


def test_a_raster_of_too_many_spikes_draws_some_and_says_so(monkeypatch):
    monkeypatch.setattr(plot_spikes, "_MOST_SPIKES", 2)
    axes = bridge.plot.raster(recording())
    assert len(marks(axes)) == 2
    assert set(marks(axes)) < {(0.01, 0), (0.02, 0), (0.02, 2)}
    assert axes.get_title("left") == "trial 0; 2 of 3 spikes, chosen at random"


def test_many_spikes_are_pixels_in_a_vector_graphic():
    codes = np.arange(0, 100_000 * 10, 10)
    many = recording(
        spikes=Spikes.gather(*np.unravel_index(codes, (1, 1000, 1000)), (1, 1000, 1000)),
        readouts={}, populations={"all": 1000},
    )  # fmt: skip
    (line,) = drawn(bridge.plot.raster(many)).lines
    assert len(line.get_xdata()) == 100_000
    assert line.get_rasterized()


def test_one_neuron_has_one_tick():
    one = recording(
        spikes=Spikes.gather([0], [3], [0], (1, 100, 1)), readouts={}, populations={"a": 1}
    )
    axes = drawn(bridge.plot.raster(one))
    assert [tick for tick in axes.get_yticks() if -0.5 <= tick <= 0.5] == [0]


def test_rates_are_spikes_over_neurons_trials_and_time():
    axes = drawn(bridge.plot.rates(recording(), bin_ms=50.0))
    exc, inh = (patch.get_data() for patch in axes.patches)
    # Population exc: 2 spikes in the first 50 ms and 1 after, of 2 neurons in 2 trials.
    assert exc.values.tolist() == pytest.approx([2 / (2 * 2 * 0.05), 1 / (2 * 2 * 0.05)])
    assert inh.values.tolist() == pytest.approx([1 / (2 * 0.05), 0.0])
    assert exc.edges.tolist() == pytest.approx([0, 0.05, 0.1])
    assert "Hz" in axes.get_ylabel()


def test_bins_are_never_shorter_than_a_step():
    with pytest.raises(SpecError, match="bin_ms"):
        bridge.plot.rates(recording(), bin_ms=0.5)


def test_readouts_are_the_mean_of_each_condition():
    named = recording(labels=np.array([1, 0]), conditions=("go", "stop"))
    axes = drawn(bridge.plot.readouts(named))
    assert legend(axes) == ["go", "stop"]
    go, stop = axes.lines
    assert go.get_ydata().tolist() == list(np.arange(1.0, 20, 2))
    assert stop.get_ydata().tolist() == list(np.arange(0.0, 20, 2))
    # The end of each sample.
    assert go.get_xdata()[[0, -1]].tolist() == pytest.approx([0.01, 0.1])


def test_readouts_of_one_trial_are_as_they_are():
    axes = drawn(bridge.plot.readouts(recording(), trial=1))
    assert axes.lines[0].get_ydata().tolist() == list(np.arange(1.0, 20, 2))
    assert not axes.collections


def test_of_many_outputs_some_are_drawn_and_the_picture_says_so():
    wide = recording(readouts={"out": np.zeros((10, 2, 7))})
    axes = drawn(bridge.plot.readouts(wide))
    assert len(axes.lines) == 5
    assert "the first 5 of 7 outputs" in axes.get_title("left")


def run(**options):
    return bridge.simulate(kim_network(), drive_for(kim_network(), 3), **options)


def test_voltages_are_those_recorded_and_marks_are_the_spikes():
    whole = run(voltages=True)
    axes = drawn(bridge.plot.voltages(whole, neurons=[2], trial=1))
    trace = axes.lines[0]
    assert trace.get_ydata().tolist() == whole.voltages_mv[:, 1, 2].tolist()
    spikes = whole.spikes
    steps = spikes.step[(spikes.trial == 1) & (spikes.neuron == 2)]
    assert len(steps) > 0
    assert [x for x, _ in marks(axes)] == pytest.approx((steps + 1) * whole.dt_ms / 1000)
    assert min(y for _, y in marks(axes)) > trace.get_ydata().max()
    assert "(mV)" in axes.get_ylabel()


def test_voltages_of_a_window_are_drawn_step_by_step():
    whole = run(window=(40, 60))
    axes = drawn(bridge.plot.voltages(whole))
    name = next(iter(whole.populations))
    assert len(axes.lines[0].get_ydata()) == 20
    assert axes.lines[0].get_ydata().tolist() in whole.window.states[name]["v"][:, 0].T.tolist()
    assert axes.get_xlim() == pytest.approx((40 * whole.dt_ms / 1000, 60 * whole.dt_ms / 1000))


def test_a_search_shows_what_it_measured_at_what_it_tried():
    found = conversion().search
    axes = drawn(bridge.plot.scale_curve(found))
    line = axes.lines[0]
    assert line.get_xdata().tolist() == found.inverse_scales.tolist()
    assert line.get_ydata().tolist() == pytest.approx((100 * found.accuracies()).tolist())
    assert any(set(each.get_xdata()) == {found.best_inverse_scale} for each in axes.lines)
    assert drawn(bridge.plot.scale_curve(conversion())).get_xlabel() == axes.get_xlabel()


def gain_search():
    return GainSearch(
        gains_hz=[50.0, 100.0], dt_ms=[1.0, 1.0], rates_hz=[5.0, 10.0], readout_lag_ms=[0.0, 0.0],
        trials=4, best=1, seed=0, backend="reference", seconds=1.0, output_error=[0.3, 0.1],
    )  # fmt: skip


def test_a_search_for_a_gain_shows_how_often_neurons_fire():
    found = gain_search()
    axes = drawn(bridge.plot.scale_curve(found))
    assert axes.get_xlabel() == "mean rate of a neuron (Hz)"
    assert axes.lines[0].get_xydata().tolist() == [[5.0, 0.3], [10.0, 0.1]]


def test_each_kind_of_neuron_has_its_curve_of_error_against_spikes_and_its_chosen_one():
    one = conversion(rates_hz=[2.0, 8.0], output_error=[3.0, 0.25])
    other = ErrorCurve(neuron="IF", rates_hz=[5.0, 10.0], output_error=[0.3, 0.1], best=0)
    axes = drawn(bridge.plot.error_curves(replace(one, others=(other,))))
    lif, lif_ring, gain, gain_ring = axes.lines[:4]
    assert lif.get_xydata().tolist() == [[2.0, 3.0], [8.0, 0.25]]
    assert gain.get_xydata().tolist() == [[5.0, 0.3], [10.0, 0.1]]
    assert lif_ring.get_xydata().tolist() == [[8.0, 0.25]]
    assert gain_ring.get_xydata().tolist() == [[5.0, 0.3]]
    assert lif.get_marker() != gain.get_marker()
    assert legend(axes) == ["LIF", "IF"]
    assert legend(drawn(bridge.plot.error_curves(replace(conversion(), others=(other, other)))))


def agreement():
    network = kim_network()
    return bridge.compare(
        network, backends=["reference", "snntorch"], levels=["exact"],
        drive=drive_for(network, 3),
    )  # fmt: skip


def test_an_agreement_shows_the_rates_of_both_sides():
    found = agreement()
    axes = drawn(bridge.plot.agreement(found))
    dots = axes.lines[-1].get_xydata()
    one, _ = found.frozen.values()
    counts = np.bincount(one.spikes.neuron, minlength=one.spikes.n_neurons)
    expected = counts / (one.spikes.n_trials * one.trial_s)
    assert dots[:, 0].tolist() == pytest.approx(expected.tolist())
    assert dots[:, 1].tolist() == dots[:, 0].tolist()
    assert axes.get_title("left").startswith("agreed")
    assert axes.get_ylabel() == "snntorch: rate (Hz)"


@pytest.mark.parametrize(
    ("draw", "sentence"),
    [
        (lambda: bridge.plot.raster(recording(), trial=2), "trial: expected a number from 0 to 1"),
        (lambda: bridge.plot.raster("run.h5"), "expected a Recording"),
        (lambda: bridge.plot.readouts(recording(readouts={})), "has none to draw"),
        (lambda: bridge.plot.readouts(recording(), readout="in"), "known are out"),
        (lambda: bridge.plot.voltages(recording()), "voltages=True"),
        (lambda: bridge.plot.voltages(run(voltages=True), neurons=[10**6]), "numbers from 0 to"),
        (lambda: bridge.plot.scale_curve(recording()), "search"),
        (lambda: bridge.plot.error_curves(conversion()), "did not measure both output error"),
        (lambda: bridge.plot.error_curves(gain_search()), "found: expected a Conversion"),
        (lambda: bridge.plot.scale_curve(conversion(), quantity="loss"), "known are score"),
        (lambda: bridge.plot.agreement(replace(agreement(), frozen={})), "no recordings of two"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_sentence(draw, sentence):
    with pytest.raises(SpecError, match=sentence):
        draw()
    assert not pyplot.get_fignums(), "no empty figure is left"


def test_matplotlib_is_loaded_with_the_first_picture():
    code = (
        "import sys, bridge; before = 'matplotlib' in sys.modules; bridge.plot.raster; "
        "print(before, 'matplotlib' in sys.modules, 'matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True", "False"]
