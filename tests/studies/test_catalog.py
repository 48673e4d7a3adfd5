from dataclasses import fields

import pytest

from bridge.errors import SpecError
from bridge.methods.one_to_one import SpikingOptions
from bridge.rate.training_options import Options
from bridge.studies.catalog import STUDIES, find
from bridge.studies.study import Effort
from bridge.tasks import task

SPIKING = {entry.name for entry in fields(SpikingOptions)}
ALL = pytest.mark.parametrize("study", STUDIES.values(), ids=list(STUDIES))


@ALL
def test_every_cell_can_be_trained_and_made_to_spike(study):
    names = [cell.name for cell in study.cells]
    assert len(set(names)) == len(names)
    for cell in study.cells:
        assert task(cell.task).name == cell.task
        assert cell.options(seed=3).seed == 3
        assert all(variant.searched for variant in cell.variants[:1])
        for variant in cell.variants:
            named = {name: variant.spiking[name] for name in SPIKING & set(variant.spiking)}
            SpikingOptions(**named)
            # The rest is for the search, or of `convert` itself.
            known = {"inverse_scales", "scale", "refit_readout", "rule"}
            assert set(study.spiking(variant)) - SPIKING <= known


@ALL
def test_what_the_paper_reports_is_said_of_something_that_is_done(study):
    done = {name for cell in study.cells for name in (cell.name, *(v.name for v in cell.variants))}
    assert set(study.paper) <= {"", *done}


@ALL
def test_an_axis_has_a_value_for_everything_on_it(study):
    for cell in study.cells:
        for variant in cell.variants:
            value = cell.value if variant.value is None else variant.value
            assert (value is not None) == bool(study.axis)


@pytest.mark.parametrize(
    ("said", "name"), [("2C", "2c"), ("fig4D/E", "4de"), ("4e", "4de"), ("Fig. S3", "s3")]
)
def test_figures_are_found_as_people_write_them(said, name):
    assert find(said).name == name


def test_an_unknown_figure_is_refused_with_those_known():
    with pytest.raises(SpecError, match="unknown study '9'; known are 1c, 2c, 2e"):
        find("9")


@ALL
def test_what_reruns_the_paper_chooses_scale_factors_as_the_paper_does(study):
    ours = study.name == "7-faithful"
    for cell in study.cells:
        for variant in cell.variants:
            options = study.spiking(variant)
            assert (options.get("rule"), options.get("output_bias")) == (
                (variant.spiking.get("rule"), None) if ours else ("accuracy", False)
            )


def test_the_original_scheme_trains_as_the_paper_and_its_code_do():
    cells = {cell.name: cell for cell in find("7").cells} | {"c": find("6a").cells[0]}
    effort = Effort(scheme="original")
    # Kim et al. 2019 and their public code.
    asked = {
        "batch": 1, "clip_norm": None, "training_noise_sd": 0.1, "learning_rate": 0.01,
        "target_loss": 7.0, "target_accuracy": 0.95, "check_every": 100, "evaluation_trials": 100,
        "max_updates": 6000, "balanced": False, "min_updates": 1500,
    }  # fmt: skip
    made = effort.training(cells["relu"], 3)
    assert {name: made[name] for name in asked} == asked
    assert (made["activation"], made["seed"]) == ("relu", 3)
    # Only in Go-NoGo the first 1,500 trials do not end it.
    assert effort.training(cells["c"], 3)["min_updates"] == 0
    assert Options(**made).clip_norm is None
    short = Effort(scheme="original", max_updates=40).training(cells["relu"], 3)
    assert (short["min_updates"], short["max_updates"]) == (40, 40)
    assert effort.folder_of(find("7")) == "7-original"
    assert Effort().folder_of(find("7")) == "7"
    with pytest.raises(SpecError, match="scheme: 'ours' or 'original', got 'theirs'"):
        Effort(scheme="theirs")


def test_figure_6a_takes_its_scale_factor_from_the_refractory_period_of_the_paper():
    first, *others = find("6a").cells[0].variants
    assert first.spiking == {"refractory_ms": 2.0}
    assert not any(variant.searched for variant in others)
    values = sorted([first.value, *(variant.value for variant in others)])
    expected = [0.5 * n for n in range(11)] + [5.0 * n for n in range(2, 11)]
    assert values == expected


def test_a_study_takes_other_neurons_under_a_name_of_its_own():
    for study in (find("7", "if"), find("7-if")):
        assert (study.name, Effort().folder_of(study)) == ("7-if", "7-if")
        assert study.paper["relu"] == "0 of 100 (59.7 +- 9.5 %), with its own neurons"
        # The same networks.
        assert [cell.training for cell in study.cells] == [c.training for c in find("7").cells]
        for cell in study.cells:
            for variant in cell.variants:
                # How the paper chose a scale factor says nothing to these.
                assert study.spiking(variant) == {"neuron": "if"}
    qif = find("7", "qif")
    options = qif.spiking(qif.cells[0].variants[0])
    assert options == {"neuron": "qif", "rule": "accuracy", "output_bias": False}


@pytest.mark.parametrize(
    ("name", "neuron", "said"),
    [
        ("6a", "if", "study 6a varies refractory_ms, which neurons 'if' do not have"),
        ("s7", "if", "study s7 compares neurons itself: leave --neuron out"),
        ("7", "hh", "neuron: 'lif', 'qif' or 'if', got 'hh'"),
    ],
)
def test_a_study_refuses_neurons_that_lack_what_it_varies(name, neuron, said):
    with pytest.raises(SpecError, match=said):
        find(name, neuron)
