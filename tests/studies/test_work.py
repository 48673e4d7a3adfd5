"""What is measured of a network, and with which options."""

import dataclasses

import numpy as np
import pytest

from bridge.methods.one_to_one import map_one_to_one
from bridge.methods.scale_search import Conversion, ScaleSearch
from bridge.methods.scoring import task_drive
from bridge.spiking.drive import derived_seed
from bridge.studies import work
from bridge.studies.study import Effort, Variant

TRAINING = {"units": 8, "batch": 2, "check_every": 2, "evaluation_trials": 4, "max_updates": 2}
EFFORT = Effort(trials=4, search_trials=6)


@pytest.fixture
def network():
    return work.train_networks("short", TRAINING, [3])[0][3]


@pytest.fixture
def asked(monkeypatch):
    """What `convert_for` is asked for; it answers that 40 is best of what it is given."""
    calls = []

    def convert_for(_task, rate, *, inverse_scales=(20.0, 40.0), trials, **options):
        calls.append({"inverse_scales": list(inverse_scales), "trials": trials, **options})
        best = len(inverse_scales) - 1
        search = ScaleSearch(
            inverse_scales=np.asarray(inverse_scales), correct=np.full(best + 1, trials),
            trials=trials, best=best, seed=0, backend="reference", seconds=0.0,
        )  # fmt: skip
        spiking = map_one_to_one(rate, inverse_scales[best])
        return Conversion(network=spiking, rate=rate, search=search)

    monkeypatch.setattr(work, "convert_for", convert_for)
    return calls


def variants(*given):
    return [dataclasses.asdict(one) for one in given]


def test_a_variant_without_a_search_takes_the_scale_factor_of_the_first(network, asked):
    given = variants(
        Variant("first", 2.0, {"refractory_ms": 2.0}),
        Variant("second", 5.0, {"refractory_ms": 5.0}, searched=False),
        Variant("third", None, {"neuron": "qif"}),
    )
    rows = work.measure_network(network, 3, given, EFFORT, "")
    assert [call["trials"] for call in asked] == [6, 1, 6]
    assert [call["inverse_scales"] for call in asked] == [[20.0, 40.0], [40.0], [20.0, 40.0]]
    assert asked[1]["refractory_ms"] == 5.0
    assert asked[2]["neuron"] == "qif"
    assert [row["variant"] for row in rows] == ["first", "second", "third"]
    assert {row["inverse_scale"] for row in rows} == {40.0}


def test_both_networks_are_scored_on_the_same_trials(network, asked):
    (row,) = work.measure_network(network, 3, variants(Variant()), EFFORT, "")
    difference = (row["spiking_only"] - row["rate_only"]) / EFFORT.trials
    assert row["accuracy"] - row["rate_accuracy"] == pytest.approx(difference)
    assert row["output_error"] > 0
    # The rate network's trials are those of its spiking network, to the last sample.
    rate = work.network_of(network)
    answers = work._answers(work.task_of(rate), rate, 3, EFFORT)
    shown, _ = task_drive(map_one_to_one(work.network_of(network), 40.0), EFFORT.trials,
                          derived_seed(3, work._FRESH))  # fmt: skip
    np.testing.assert_array_equal(answers.trials.inputs, shown.inputs)
    np.testing.assert_array_equal(answers.trials.labels, shown.labels)


def test_without_variants_the_rate_network_alone_is_measured(network, asked):
    (row,) = work.measure_network(network, 3, [], EFFORT, "")
    assert asked == []
    assert 0 <= row["rate_accuracy"] <= 1
    assert (row["variant"], row.get("accuracy")) == ("", None)


def test_scale_factors_of_ones_own_are_searched(network, asked):
    effort = dataclasses.replace(EFFORT, inverse_scales=(10.0, 15.0))
    work.measure_network(network, 3, variants(Variant()), effort, "")
    assert asked[0]["inverse_scales"] == [10.0, 15.0]


def test_fresh_trials_depend_on_the_seed_of_the_network_alone(network, asked):
    first, again = (
        work.measure_network(network, 3, variants(Variant()), EFFORT, "") for _ in range(2)
    )
    other = work.measure_network(network, 4, variants(Variant()), EFFORT, "")
    assert first[0]["rate_hz"] == again[0]["rate_hz"] != other[0]["rate_hz"]


@pytest.mark.parametrize(("kind", "size"), [("units", 8), ("components", 12)])
def test_details_have_a_line_for_each_unit_or_sample_and_condition(network, asked, kind, size):
    (row,) = work.measure_network(network, 3, variants(Variant()), EFFORT, kind)
    lengths = {len(column) for column in row["details"].values()}
    assert lengths == {2 * size}
    assert set(row["details"]["condition"]) == {"Go", "NoGo"}


def test_neurons_with_a_gain_have_no_scale_factor_in_the_table(network):
    effort = Effort(trials=4, search_trials=2, inverse_scales=(20.0, 40.0))
    given = variants(Variant("if", None, {"neuron": "if", "gain_hz": 100.0}), Variant("lif"))
    first, second = work.measure_network(network, 3, given, effort, "")
    assert (first["inverse_scale"], first["variant"]) == (None, "if")
    assert first["rate_hz"] > 0
    assert first["output_error"] is not None
    # The next is searched as if it were the first.
    assert second["inverse_scale"] in (20.0, 40.0)


def test_on_a_gpu_networks_are_converted_and_scored_there(network, asked, monkeypatch):
    given, run, scored = variants(Variant("a"), Variant("b", searched=False)), work.quick_run, []

    def run_there(found, backend, options):
        scored.append(options)
        return run(found, backend, {})

    monkeypatch.setattr(work, "quick_run", run_there)
    there = work.measure_network(
        network, 3, given, dataclasses.replace(EFFORT, device="cuda:1"), ""
    )
    assert [call["device"] for call in asked] == ["cuda:1", "cuda:1"]
    # Threads share the CPU alone.
    assert scored == [{"device": "cuda:1"}] * 2
    here = work.measure_network(network, 3, given, EFFORT, "")
    assert scored[2:] == [{"workers": 1}] * 2
    assert "device" not in asked[-1]
    assert [row["accuracy"] for row in there] == [row["accuracy"] for row in here]
