"""The search for the gain of integrate-and-fire neurons, and `convert` by it."""

import dataclasses
import math

import numpy as np
import pytest
from methods.short_task import SHORT_TASK
from methods.test_integrate_and_fire import rate_network
from methods.wave_task import rate_network as wave_network
from methods.wave_task import wave_task

import bridge
from bridge.backends import simulate
from bridge.describe import describe
from bridge.errors import FormatError, SpecError
from bridge.exchange.hdf5 import read_tree, write_tree
from bridge.exchange.store import format_version
from bridge.methods.driven_trials import driven_trials
from bridge.methods.gain_search import GainSearch
from bridge.methods.integrate_and_fire import map_integrate_and_fire
from bridge.methods.output_error import output_error
from bridge.methods.scale_search import Conversion
from bridge.methods.scoring import SEARCH, quick_run
from bridge.methods.search_gain import default_gains
from bridge.rate.network import RateNetwork
from bridge.search_tables import search_table, sides_table
from bridge.spiking.drive import Drive, SharedNoise
from bridge.tasks import go_nogo

WHERE = {"backend": "compiled"}


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(go_nogo, "GoNoGo", SHORT_TASK)


def drive():
    """Input that goes in steps of 60 ms."""
    inputs = np.random.default_rng(0).normal(0, 1, (5, 6, 2)).repeat(12, axis=0)
    return Drive(inputs=inputs, noise=SharedNoise(seed=0))


def of_task(activation="sigmoid", **fields):
    """A network for a task that says what is right."""
    rng = np.random.default_rng(1)
    given = {
        "recurrent": rng.normal(0, 0.2, (10, 10)), "w_in": rng.normal(0, 1, (10, 1)),
        "w_out": rng.normal(0, 1, (1, 10)), "b_out": np.zeros(1),
        "tau_ms": rng.uniform(20, 100, 10), "task": "go-nogo", "activation": activation,
    }  # fmt: skip
    return RateNetwork(**given | fields)


def search(**fields):
    """Two gains in 10 trials."""
    given = {
        "gains_hz": [10.0, 20.0], "dt_ms": [0.5, 0.5], "rates_hz": [3.0, 6.0],
        "readout_lag_ms": [0.0, 20.0], "trials": 10, "best": 1, "seed": 0, "backend": "compiled",
        "seconds": 1.0, "output_error": [0.2, 0.05], "correct": [9, 10], "lost": [1, 0],
        "gained": [0, 0], "chance": 0.5,
    }  # fmt: skip
    return GainSearch(**given | fields)


def test_the_grid_goes_from_2_to_40_spikes_in_a_median_time_constant():
    rate = of_task(tau_ms=np.array([50.0] * 6 + [20.0] * 4))
    gains = default_gains(rate, 1.0)
    assert (gains[0], gains[-1], len(gains)) == (40.0, 800.0, 8)
    # Gains are told with two digits, 5 % apart at the least: two of them make up to 8 % of a step.
    np.testing.assert_allclose(np.diff(np.log(gains)), np.log(20) / 7, rtol=0.08)


def test_the_grid_ends_where_a_neuron_would_fire_more_than_once_a_step():
    # The shortest step is 0.0625 ms: 16,000 spikes a second.
    rate = of_task("relu", tau_ms=np.full(10, 50.0))
    for highest in (40.0, 100.0):
        gains = default_gains(rate, highest)
        assert gains == [gain for gain in default_gains(rate, 1.0) if gain * highest <= 16_000]
        assert gains
    with pytest.raises(SpecError, match=r"at 40 Hz an activation of 500 asks for more than one"):
        default_gains(rate, 500.0)
    # A shorter step takes more of them.
    assert default_gains(rate, 500.0, 0.1)


@pytest.mark.parametrize(
    ("errors", "lost", "best"),
    [
        ([0.3, 0.09, 0.05, 0.01], [0, 0, 0, 0], 1),
        # Too few right answers: by 3 points, while 2 are allowed.
        ([0.3, 0.09, 0.05, 0.01], [0, 3, 2, 0], 2),
        ([0.3, 0.2, 0.15, 0.4], [0, 0, 0, 0], None),
    ],
)
def test_the_fewest_spikes_that_are_enough_win(errors, lost, best):
    found = search(
        gains_hz=[10.0, 20, 30, 40], dt_ms=[0.5] * 4, rates_hz=[1.0, 2, 3, 4],
        readout_lag_ms=[0.0] * 4, trials=100, output_error=errors, best=best or 2,
        correct=100 - np.array(lost), lost=lost, gained=[0] * 4,
    )  # fmt: skip
    enough = np.flatnonzero(found.enough())
    assert (enough[0] if enough.size else None) == best
    said = "the fewest spikes with an output error of at most 0.1" if best else "none tried has"
    assert said in found.told_rule()


def test_each_gain_is_measured_as_its_network_does_by_itself():
    rate = rate_network("x", "relu")
    made = bridge.convert(rate, drive=drive(), neuron="if", gain_hz=[60, 300], **WHERE)
    found = made.search
    np.testing.assert_array_equal(found.gains_hz, [60, 300])
    assert found.output_error[1] < found.output_error[0]
    # The same trials from the same voltages.
    shown = driven_trials(rate, drive(), 0).shown(SEARCH)
    wanted, _ = rate.run(shown.trials.inputs, None)
    for number, gain in enumerate(found.gains_hz):
        network = map_integrate_and_fire(
            rate, gain_hz=gain, readout_lag_ms=found.readout_lag_ms[number] or None
        )
        recording = simulate(network, shown.drive(), **quick_run(network, "compiled", {}))
        again = output_error(recording.readouts["output"], wanted)
        # Sums in the same order: nothing but the means over all trials may round apart.
        assert again == pytest.approx(found.output_error[number], rel=1e-12)
        fired = recording.spikes.count / (6 * rate.size * recording.trial_s)
        assert fired == pytest.approx(found.rates_hz[number], rel=1e-12)
    made_of = made.network.provenance
    assert made_of["gain_hz"] == found.best_gain_hz
    assert made_of["readout_lag_ms"] in (found.best_readout_lag_ms, "each unit's own")
    assert made.faithfulness().output_error == pytest.approx(found.output_error[found.best])


@pytest.mark.parametrize(("form", "activation"), [("x", "tanh"), ("h", "relu")])
def test_more_spikes_are_taken_where_few_are_not_enough(form, activation):
    rate = rate_network(form, activation, size=30)
    made = bridge.convert(rate, drive=drive(), **WHERE)
    found = made.search
    assert found.enough()[found.best]
    assert not found.enough()[: found.best].any()
    # In form h by shares of a sample.
    lags_ms = {
        "x": (0, 10, 15, 20, 30, 50),
        "h": rate.dt_ms * np.array([0, 1 / 8, 1 / 4, 1 / 2, 1]),
    }
    assert np.isin(found.readout_lag_ms, lags_ms[form]).all()


def test_with_a_task_answers_count():
    made = bridge.convert(of_task(), neuron="if", gain_hz=[100, 400], trials=6, **WHERE)
    found, faithful = made.search, made.faithfulness()
    assert found.correct.tolist() == [found.correct[0], faithful.correct]
    assert (faithful.trials, faithful.judged) == (6, True)
    assert made.network.task == "go-nogo"


@pytest.mark.parametrize(
    ("fields", "options", "wanted"),
    [
        ({}, {}, "Lif"),
        ({"activation": "softplus"}, {}, "Lif"),
        ({"activation": "relu"}, {}, "ActivationIf"),
        ({"activation": "tanh"}, {}, "ActivationIf"),
        ({"form": "h"}, {}, "ActivationIf"),
        ({"initial_state": 0.3}, {}, "ActivationIf"),
        ({}, {"gain_hz": 50.0}, "ActivationIf"),
        # What only a scale factor has says which road is meant.
        ({"activation": "relu"}, {"inverse_scales": [10.0]}, "Lif"),
        ({"activation": "relu"}, {"refractory_ms": 1.0}, "Lif"),
        ({"activation": "relu"}, {"neuron": "qif"}, "Qif"),
    ],
)
def test_the_neuron_by_default_is_one_that_can_stand_for_the_units(fields, options, wanted):
    if wanted == "ActivationIf":
        options = {"gain_hz": 50.0} | options
    elif "inverse_scales" not in options:
        options = options | {"inverse_scales": [30.0]}
    if fields.get("activation") in ("tanh", "relu") and wanted == "ActivationIf":
        options = {}
    made = bridge.convert(of_task(**fields), trials=1, **options, **WHERE)
    assert type(made.network.populations[0].neurons).__name__ == wanted


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"neuron": "if", "inverse_scales": [30.0]}, "inverse_scales: no option of neuron 'if', "),
        ({"neuron": "if", "scale": "predicted"}, "scale: no option of neuron 'if'"),
        ({"neuron": "if", "synapse": "single"}, "synapse: no option of neuron 'if'"),
        ({"neuron": "lif", "gain_hz": 5.0}, "gain_hz: no option of neuron 'lif', which takes"),
        ({"gain_hz": -5.0}, "gain_hz: needs at least one value, all positive"),
        ({"gain_hz": 1e6}, "gain_hz: at 1e[+]06 Hz an activation of 1 asks for more than one"),
        ({"gain_hz": 50.0, "dt_ms": 0.0}, "dt_ms: must be positive, got 0"),
        ({"neuron": "hh"}, "neuron: 'lif', 'qif' or 'if', got 'hh'"),
    ],
)
def test_options_of_the_other_road_and_those_without_sense_are_refused(options, said):
    with pytest.raises(SpecError, match=said):
        bridge.convert(of_task(), trials=1, **options, **WHERE)


def test_a_shorter_step_takes_a_higher_gain():
    options = {"gain_hz": 2e4, "trials": 1, **WHERE}
    with pytest.raises(SpecError, match=r"a step of 0\.05 ms would do"):
        bridge.convert(of_task(), **options)
    assert bridge.convert(of_task(), dt_ms=0.05, **options).network.dt_ms == 0.05


def test_a_readout_is_fitted_to_their_spikes_too():
    rate = of_task("relu", initial_state=0.3)
    made = bridge.convert(rate, gain_hz=50.0, refit_readout=True, trials=5, **WHERE)
    told = made.network.provenance
    assert told["readout"] == "ridge regression on filtered spikes"
    assert made.refitted
    # What the filters hold at the start stays.
    channels = [network.decoded[0].channels[0] for network in (made.network, mapped(made))]
    np.testing.assert_array_equal(*(channel.initial_states["x"] for channel in channels))


def mapped(made):
    tau_ms = made.search.best_readout_lag_ms
    return map_integrate_and_fire(made.rate, gain_hz=50.0, readout_lag_ms=tau_ms)


def test_kinds_of_neurons_stand_side_by_side_on_the_same_trials():
    options = {"gain_hz": 50.0, "inverse_scales": [30.0], "trials": 4, "seed": 5}
    sides = bridge.convert_each(of_task(), ["lif", "if"], **options, **WHERE)
    assert [side.neuron for side in sides] == ["lif", "if"]
    kinds = ("LIF", "IF with activation")
    for side in sides:
        assert (side.conversion.search.trials, side.conversion.search.seed) == (4, 5)
        # Each keeps what the other came to, and its own stands in its search.
        (own, other) = side.conversion.error_curves()
        assert own.rates_hz == pytest.approx([side.rate_hz])
        assert own.output_error.tolist() == side.conversion.search.output_error.tolist()
        assert (own.neuron, other.neuron) == kinds
        kinds = kinds[::-1]
        assert side.conversion.others == (other,)
    assert sides[0].conversion.others[0].rates_hz == pytest.approx([sides[1].rate_hz])
    alone = bridge.convert(of_task(), gain_hz=50.0, trials=4, seed=5, **WHERE)
    assert alone.others == ()
    assert sides[1].rate_hz == pytest.approx(alone.search.rates_hz[0])
    table = sides_table(sides)
    assert table.headers == ("neuron", "at", "right", "output error", "rate (Hz)")
    assert [row[0] for row in table.rows] == ["lif", "if"]
    assert table.rows[0][1] == "1/lambda = 30"


@pytest.mark.parametrize(
    ("neurons", "options", "said"),
    [
        (["if", "if"], {}, "neurons: expected each kind once, got if, if"),
        ([], {}, "neurons: expected a list of kinds"),
        (["if"], {"rule": "accuracy"}, "rule: no option of neuron 'if'"),
        (["lif", "if"], {"no_such": 1}, "unknown option of a conversion 'no_such'"),
        (["lif", "hh"], {}, "neuron: 'lif', 'qif' or 'if', got 'hh'"),
    ],
)
def test_kinds_that_do_not_fit_are_refused_before_any_search(neurons, options, said):
    with pytest.raises(SpecError, match=said):
        bridge.convert_each(of_task(), neurons, **options)


def test_a_conversion_is_stored_with_its_search(tmp_path):
    made = bridge.convert(of_task("relu"), gain_hz=[50, 100], trials=3, **WHERE)
    back = bridge.load(bridge.save(made, tmp_path / "if.h5"))
    assert format_version(back) == 5
    assert type(back.search) is GainSearch
    for name, value in vars(made.search).items():
        np.testing.assert_array_equal(getattr(back.search, name), value)
    assert back.faithfulness() == made.faithfulness()
    _, rows = describe(back)
    assert rows["chosen gain"].startswith(f"{made.search.best_gain_hz:g} Hz")
    table = search_table(back.search)
    assert table.headers[:3] == ("gain (Hz)", "fires (Hz)", "step (ms)")
    assert [line[-1] for line in table.rows].index("<") == made.search.best


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("gains_hz", [20.0, 10.0], "gains_hz: expected positive numbers, each once, ascending"),
        ("gains_hz", [0.0, 10.0], "gains_hz: expected positive numbers"),
        ("dt_ms", [0.5, 0.0], "dt_ms: must be positive"),
        ("rates_hz", [1.0, -2.0], "rates_hz: must lie between 0 and inf"),
        ("rates_hz", [1.0], r"rates_hz: expected shape \(2\)"),
        ("readout_lag_ms", [0.0, np.nan], "readout_lag_ms: holds NaN"),
        ("output_error", [0.1, -0.1], "output_error: must lie between 0 and inf"),
        ("correct", [9, 11], "correct: must lie between 0 and the trials tested"),
        ("lost", None, "correct: needs lost and gained, too"),
        ("lost", [2, 0], "lost: does not fit the trials answered rightly"),
        ("best", 2, "best: 2 is not an index into 2 gains"),
        ("trials", 0, "trials: expected a whole number of at least 1"),
        ("chance", 1.5, "chance: must lie between 0 and 1"),
        ("unit_correlations", [[0.1], [2.0]], "unit_correlations: must lie between -1 and 1"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(name, value, said):
    with pytest.raises(SpecError, match=said):
        search(**{name: value})


def test_a_file_with_a_search_that_makes_no_sense_is_refused(tmp_path):
    made = bridge.convert(of_task("relu"), gain_hz=[50, 100], trials=2, **WHERE)
    file = bridge.save(made, tmp_path / "if.h5")
    for name, value, said in (
        ("gains_hz", np.array([100.0, 50.0]), "gains_hz: expected positive numbers"),
        ("rule", "faithful", "missing or misplaced parts"),
        ("inverse_scales", np.array([1.0, 2.0]), "missing or misplaced parts"),
        ("rates_hz", None, "missing or misplaced parts"),
    ):
        tree = {key: dict(part) if isinstance(part, dict) else part
                for key, part in read_tree(file).items()}  # fmt: skip
        tree["search"] |= {name: value}
        if value is None:
            del tree["search"][name]
        write_tree(tmp_path / "wrong.h5", tree, overwrite=True)
        with pytest.raises(FormatError, match=said):
            bridge.load(tmp_path / "wrong.h5")


def test_the_format_of_the_authors_holds_no_such_network(tmp_path):
    # A rate network that it would hold.
    rate = of_task()
    made = bridge.convert(rate, gain_hz=50.0, trials=2, **WHERE)
    with pytest.raises(SpecError, match="the format matlab holds LIF networks as the authors'"):
        bridge.export_network(made, tmp_path / "if.mat")


def test_a_conversion_is_told_in_a_line():
    made = bridge.convert(of_task("relu"), gain_hz=50.0, trials=2, **WHERE)
    assert "gain 50 Hz" in repr(made)
    assert repr(search()).startswith("GainSearch(20 Hz of 10 to 20 (2), 100.0% of 10 trials right")
    assert search().told_choice() == "gain = 20 Hz, read with 20 ms"
    assert search(best=0).told_choice() == "gain = 10 Hz"
    assert isinstance(made, Conversion)


def test_what_else_may_be_tried_is_said():
    good = search(output_error=[0.05, 0.02], lost=[0, 0], correct=[10, 10], best=0)
    assert "a lower one may be enough" in good.told_further()[1]
    poor = search(output_error=[0.5, 0.2])
    assert "a higher one may be better" in poor.told_further()[1]
    assert len(search().told_further()) == 1
    assert not math.isnan(dataclasses.replace(poor, best=0).faithfulness().output_error)


def test_a_task_of_numbers_alone_is_judged_by_the_output(tmp_path):
    bridge.register_task(wave_task())
    rate = wave_network()
    made = bridge.convert(rate, gain_hz=[100, 800], trials=5, **WHERE)
    found = made.search
    assert found.correct is None
    assert found.measured[found.best].name == "nMSE"
    assert len(found.measured) == 2
    assert made.faithfulness().rate_measured.median == found.rate_measured.median
    back = bridge.load(bridge.save(made, tmp_path / "wave.h5"))
    assert back.search.measured == found.measured
    with pytest.raises(SpecError, match="its task gives numbers alone"):
        found.accuracies()
