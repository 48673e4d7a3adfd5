import csv

import numpy as np
import pytest
from scipy import stats

from bridge.errors import FormatError
from bridge.studies.cell_summaries import HEADERS, paper_lines, summaries, table_of
from bridge.studies.csv_files import read_csv, write_csv
from bridge.studies.details import principal_components
from bridge.studies.study import Cell, Study, Variant

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
    shown = table_of(STUDY, ROWS).rows
    assert shown[1][:5] == ("long, a", 2, 1, 1, "94.8 +- 0.2")
    assert len(shown[2]) == len(HEADERS)
    assert paper_lines(STUDY, ROWS) == ["the paper: long, b: 90 %"]


def test_the_difference_from_the_rate_network_is_paired_and_tested():
    # Of 200 trials: 6 lost, which is significant; 1 lost and 1 won; 10 won, which is no loss.
    paired = [
        row("long", "a", 0, 0.97, rate_accuracy=1.0, rate_only=6, spiking_only=0),
        row("long", "a", 1, 1.0, rate_accuracy=1.0, rate_only=1, spiking_only=1),
        row("long", "a", 2, 1.0, rate_accuracy=0.95, rate_only=0, spiking_only=10),
    ]
    (one,) = summaries(STUDY, paired)
    # 0.97 - 1 is not -0.03 to the last bit.
    np.testing.assert_allclose(one.differences, [-0.03, 0.0, 0.05], atol=1e-15)
    assert one.worse == 1
    told = dict(zip(HEADERS, table_of(STUDY, paired).rows[0], strict=True))
    mean = stats.ttest_1samp(100 * one.differences, 0.0)
    low, high = mean.confidence_interval(0.95)
    assert told["difference (points)"] == "+0.67"
    assert told["95 % interval (points)"] == f"{low:+.1f} to {high:+.1f}"
    assert told["worse"] == "1 of 3"
    # A record of before both were scored on the same trials says nothing of it.
    old = dict(zip(HEADERS, table_of(STUDY, ROWS).rows[1], strict=True))
    unknown = ("difference (points)", "95 % interval (points)", "worse", "output error")
    assert [old[name] for name in unknown] == ["-"] * 4


def test_where_rate_networks_are_all_that_is_measured_their_accuracy_counts():
    alone = Study("y", "Rate networks", "", 2, (Cell("ten", "go-nogo", {}, None, ()),))
    rows = [
        row("ten", "", seed, None, stopped=why, rate_accuracy=share)
        for seed, why, share in ((0, "target", 1.0), (1, "max_updates", 0.5))
    ]
    (one,) = summaries(alone, rows)
    assert (one.trained, one.accuracies, one.successes) == (1, [1.0, 0.5], 1)


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
