"""The smallest network that does as well as another, on record and by itself."""

import pytest
from tables.how_many import TASKS, errors_of, smallest


def test_the_smallest_size_is_that_whose_median_is_low_enough():
    errors = {300: [0.1, 0.2, 0.3], 50: [0.9, 0.1, 0.9], 100: [0.5, 0.2, 0.1]}
    # At 50 one network is good enough, and half of them are not.
    assert smallest(errors, 0.2) == 100
    assert smallest(errors, 0.9) == 50
    assert smallest(errors, 0.19) is None
    # What is larger may do worse again.
    assert smallest({50: [1.0], 100: [0.2], 300: [float("inf")]}, 0.2) == 100
    assert smallest({}, 1.0) is None


@pytest.mark.parametrize("kind", ["rate", "spiking"])
@pytest.mark.parametrize("task", TASKS)
def test_every_size_on_record_has_as_many_seeds(task, kind):
    counts = {size: len(found) for size, found in errors_of(task, kind).items()}
    assert len(counts) >= 5
    assert len(set(counts.values())) == 1, counts
    assert min(counts.values()) >= 3
