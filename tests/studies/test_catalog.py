from dataclasses import fields

import pytest

from bridge.errors import SpecError
from bridge.methods.one_to_one import SpikingOptions
from bridge.studies.catalog import STUDIES, find
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
        assert cell.variants[0].searched
        for variant in cell.variants:
            named = {name: variant.spiking[name] for name in SPIKING & set(variant.spiking)}
            SpikingOptions(**named)
            # The rest is for the search, or of `convert` itself.
            assert set(variant.spiking) - SPIKING <= {"inverse_scales", "scale", "refit_readout"}


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
    with pytest.raises(SpecError, match="unknown study '9'; known are 2c, 2e"):
        find("9")


def test_figure_6a_takes_its_scale_factor_from_the_refractory_period_of_the_paper():
    first, *others = find("6a").cells[0].variants
    assert first.spiking == {"refractory_ms": 2.0}
    assert not any(variant.searched for variant in others)
    values = sorted([first.value, *(variant.value for variant in others)])
    expected = [0.5 * n for n in range(11)] + [5.0 * n for n in range(2, 11)]
    assert values == expected
