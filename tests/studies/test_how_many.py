"""The smallest network that does as well as another, on record and by itself."""

import pytest
from tables import how_many
from tables.how_many import CHOICE_SEED, KINDS, NMSE, RIGHT, TASKS, errors_of, smallest

import bridge

# Of one task: right answers and nMSE of three networks of each size, and of one of 20 units.
ROWS = [
    ("rate", 10, [(90, 0.5), (80, 0.1), (95, 0.2)]),
    ("rate", 20, [(99, 0.05)]),
    ("rate", 30, [(100, 0.01)] * 3),
    ("spiking", 50, [("", float("inf"))] * 3),
    ("spiking", 100, [(95, 0.3)] * 3),
    ("spiking", 200, [(90, 0.2)] * 3),
]


@pytest.fixture
def rows(monkeypatch):
    made = [
        {
            **{"task": "made", "kind": kind, "size": str(size), "seed": str(seed)},
            **{"right_of_100": str(right), "median_nmse": str(nmse)},
        }
        for kind, size, networks in ROWS
        for seed, (right, nmse) in enumerate(networks)
    ]
    made += [{**made[0], "seed": str(CHOICE_SEED + seed), "median_nmse": "9"} for seed in range(3)]
    monkeypatch.setattr(how_many, "rows_of", lambda _: made)
    monkeypatch.setattr(how_many, "COMPARISONS", [("made", RIGHT), ("made", NMSE)])
    return made


def test_the_smallest_size_is_that_whose_median_is_low_enough():
    errors = {300: [0.1, 0.2, 0.3], 50: [0.9, 0.1, 0.9], 100: [0.5, 0.2, 0.1]}
    # At 50 one network is good enough, and half of them are not.
    assert smallest(errors, 0.2) == 100
    assert smallest(errors, 0.9) == 50
    assert smallest(errors, 0.19) is None
    # What is larger may do worse again.
    assert smallest({50: [1.0], 100: [0.2], 300: [float("inf")]}, 0.2) == 100
    assert smallest({}, 1.0) is None


@pytest.mark.usefixtures("rows")
def test_errors_are_wrong_answers_or_the_nmse_of_the_networks_that_are_compared():
    assert errors_of("made", "rate") == {10: [0.5, 0.1, 0.2], 30: [0.01] * 3}
    assert errors_of("made", "rate", RIGHT) == {10: [10, 20, 5], 30: [0] * 3}
    # What diverged answered nothing.
    assert errors_of("made", "spiking", RIGHT) == {50: [100] * 3, 100: [5] * 3, 200: [10] * 3}


@pytest.mark.usefixtures("rows")
def test_the_tables_say_what_is_enough_and_how_good_it_is():
    head, _, *lines = how_many.how_many()
    assert head == "| task | judged by | as 10 units | as 30 units |"
    assert lines == ["| `made` | right of 100 | 100 | > 200 |", "| `made` | nMSE | 200 | > 200 |"]
    head, _, *lines = how_many.how_good()
    assert head == "| task | judged by | of | 10 | 30 | 50 | 100 | 200 |"
    assert lines == [
        "| `made` | right of 100 | rate units | 90 | 100 | - | - | - |",
        "| `made` | right of 100 | neurons | - | - | 0 | 95 | 90 |",
        "| `made` | nMSE | rate units | 0.2 | 0.01 | - | - | - |",
        "| `made` | nMSE | neurons | - | - | inf | 0.3 | 0.2 |",
    ]


def test_the_fewest_that_were_tried_are_enough_at_most(rows):
    rows[:] = [row for row in rows if row["size"] != "50"]
    _, _, *lines = how_many.how_many()
    assert lines == ["| `made` | right of 100 | ≤ 100 | > 200 |", "| `made` | nMSE | 200 | > 200 |"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("task", TASKS)
def test_every_size_on_record_has_as_many_seeds(task, kind):
    counts = {size: len(found) for size, found in errors_of(task, kind).items()}
    assert len(counts) >= 3
    assert len(set(counts.values())) == 1, counts


@pytest.mark.parametrize("task", TASKS)
def test_a_task_is_judged_first_by_what_it_says_itself(task):
    measure = getattr(bridge.task(task.removesuffix("-50ms")), "measure", None)
    of_nmse = measure is not None and measure.name == NMSE
    assert TASKS[task][0] == (NMSE if of_nmse else RIGHT)
