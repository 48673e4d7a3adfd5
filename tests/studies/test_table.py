import csv

import numpy as np
import pytest

from bridge.errors import FormatError
from bridge.studies.csv_files import read_csv, write_csv
from bridge.studies.details import principal_components
from bridge.studies.study import Cell, Study, Variant
from bridge.studies.table import lines, summaries

STUDY = Study(
    "x",
    "An example",
    "ms",
    2,
    (
        Cell("long", "go-nogo", {}, 2.0, (Variant("a"), Variant("b"))),
        Cell("short", "go-nogo", {}, 1.0),
    ),
    {"b": "90 %"},
)


def row(cell, variant, seed, accuracy, **fields):
    return {
        "cell": cell, "variant": variant, "seed": seed, "accuracy": accuracy, "stopped": "target",
        "rate_accuracy": 1.0, "inverse_scale": 30.0, "rate_hz": 10.0, **fields,
    }  # fmt: skip


ROWS = [
    row("long", "a", 0, 0.95),
    row("long", "a", 1, 0.945, stopped="max_updates"),
    row("long", "b", 0, 1.0),
    row("short", "", 0, None, stopped=None, failed="training diverged"),
]


def test_a_network_succeeds_from_95_percent_on():
    found = {(one.cell, one.variant): one for one in summaries(STUDY, ROWS)}
    assert found["long", "a"].successes == 1
    assert found["long", "b"].successes == 1


def test_summaries_lie_in_the_order_of_the_axis():
    assert [one.name for one in summaries(STUDY, ROWS)] == ["short", "long, a", "long, b"]


def test_a_network_whose_training_failed_counts_as_no_success():
    failed = summaries(STUDY, ROWS)[0]
    assert (len(failed.rows), failed.successes, failed.accuracies) == (1, 0, [])


def test_the_summary_says_mean_and_spread_beside_the_paper():
    shown = lines(STUDY, ROWS)
    assert shown[1][:5] == ("long, a", 2, 1, 1, "94.8 +- 0.2")
    assert shown[2][-1] == "90 %"


def test_a_table_comes_back_as_it_was_written(tmp_path):
    rows = [{"name": "a", "x": 0.5, "none": None, "yes": True, "seed": 2**53 + 1}]
    write_csv(tmp_path / "t.csv", tuple(rows[0]), rows)
    assert read_csv(tmp_path / "t.csv") == rows
    with (tmp_path / "t.csv").open() as file:
        assert next(csv.reader(file)) == ["name", "x", "none", "yes", "seed"]


def test_text_that_looks_like_a_number_stays_text(tmp_path):
    rows = [{"cell": "35", "variant": "", "condition": "nan", "type": "True", "made": "1e5"}]
    write_csv(tmp_path / "t.csv", tuple(rows[0]), rows)
    assert read_csv(tmp_path / "t.csv") == rows


def test_a_table_that_is_not_there_is_said(tmp_path):
    with pytest.raises(FormatError, match="no table of a study"):
        read_csv(tmp_path / "t.csv")


def test_principal_components_are_the_eigenvectors_of_the_covariance():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(200, 6)) @ rng.normal(size=(6, 6))
    scores, shares = principal_components(values, 3)
    eigenvalues = np.linalg.eigvalsh(np.cov(values.T))[::-1]
    np.testing.assert_allclose(shares, eigenvalues[:3] / eigenvalues.sum(), rtol=1e-10)
    # Scores are uncorrelated, and spread as the eigenvalues say.
    np.testing.assert_allclose(np.cov(scores.T), np.diag(eigenvalues[:3]), atol=1e-10)
