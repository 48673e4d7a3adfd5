"""The picture of answers that name a class."""

from types import SimpleNamespace

import numpy as np

from bridge.compare.report import answer_figures

LABELS = np.array([0, 0, 1, 2])
# After each of two samples, of the first side and of the other.
ONE = np.array([[2, 2, 2, 2], [0, 1, 1, 1]])
OTHER = np.array([[0, 0, 1, 2], [2, 2, 2, 0]])


def figure():
    """Of two sides that answered four trials of three classes."""
    task = SimpleNamespace(conditions=("a", "b", "c"), step_ms=500.0)
    trials = SimpleNamespace(labels=LABELS)
    shown = SimpleNamespace(task=task, frozen={}, own_trials=trials)
    return answer_figures.answer_figure(shown, {"one": ONE, "other": OTHER})


def test_the_table_has_the_last_answers_of_the_first_side_a_row_for_each_class():
    table, _ = figure().axes
    np.testing.assert_array_equal(
        answer_figures.confusion(ONE[-1], LABELS, 3), [[1, 1, 0], [0, 1, 0], [0, 1, 0]]
    )
    # Text is placed by column and row.
    written = {text.get_position(): text.get_text() for text in table.texts}
    assert written == {(0, 0): "1", (1, 0): "1", (1, 1): "1", (1, 2): "1"}
    np.testing.assert_array_equal(
        table.images[0].get_array(), [[0.5, 0.5, 0], [0, 1, 0], [0, 1, 0]]
    )


def test_the_curves_have_the_share_that_is_right_after_each_sample():
    *curves, chance = figure().axes[1].lines
    assert [curve.get_xdata().tolist() for curve in curves] == [[0.5, 1.0]] * 2
    assert [curve.get_ydata().tolist() for curve in curves] == [[25.0, 50.0], [100.0, 0.0]]
    assert chance.get_ydata()[0] == 100 / 3
