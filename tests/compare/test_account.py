"""A comparison tells how much of all its parts is done."""

from bridge.compare.account import Account
from bridge.compare.sides import sides_of
from bridge.compare.statistics.comparison import statistical_parts


def test_parts_add_up_by_their_lengths():
    told = []
    account = Account(
        {"a run": 3.0, "tests": 1.0}, lambda part, fraction: told.append((part, fraction))
    )
    account("a run", 0.5)
    account("looking closer", 0.5)
    account("tests", 1.0)
    account("a run", 1.0)
    assert told == [
        ("part 1 of 2: a run, 50%", 0.375),
        ("looking closer", 0.375),
        ("part 2 of 2: tests, 100%", 0.625),
        ("part 1 of 2: a run, 100%", 1.0),
    ]


def test_a_part_that_grows_does_not_go_back():
    told = []
    account = Account({"a run": 1.0}, lambda _, fraction: told.append(fraction))
    for fraction in (0.5, 1.0, 0.4, 1.0):
        account("a run", fraction)
    assert told == [0.5, 1.0, 1.0, 1.0]


def test_the_first_simulator_is_run_twice_for_all_others():
    parts = statistical_parts(sides_of(("reference", "snntorch", "compiled"), None))
    assert list(parts) == [
        "reference, own noise (A)",
        "reference, own noise (A')",
        "snntorch, own noise (B)",
        "reference and snntorch, tests",
        "compiled, own noise (B)",
        "reference and compiled, tests",
    ]
