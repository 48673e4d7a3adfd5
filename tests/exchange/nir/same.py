"""Whether two networks are the same, part by part and bit by bit."""

from dataclasses import fields

import numpy as np

from bridge.spiking.weights import Factored


def whole(value):
    """Numbers as they are multiplied, however they are kept."""
    if isinstance(value, Factored):
        return [whole(value.left), whole(value.right)]
    return value.toarray() if hasattr(value, "toarray") else np.asarray(value)


def assert_same(one, other):
    """Everything but what was noted on the way."""
    assert one.dt_ms == other.dt_ms
    assert one.inputs == other.inputs
    assert one.readouts == other.readouts or [vars(r) for r in one.readouts] == [
        vars(r) for r in other.readouts
    ]
    for name in ("populations", "projections"):
        mine, theirs = getattr(one, name), getattr(other, name)
        assert [part.name for part in mine] == [part.name for part in theirs], name
        for a, b in zip(mine, theirs, strict=True):
            assert_same_part(a, b, a.name)


def assert_same_part(one, other, where):
    """A population or a projection, with the model or the filter in it."""
    assert type(one) is type(other), where
    for field in fields(one):
        mine, theirs = getattr(one, field.name), getattr(other, field.name)
        place = f"{where}: {field.name}"
        if field.name in ("neurons", "filter", "initial_voltage"):
            assert_same_part(mine, theirs, place)
        elif field.name == "weights":
            np.testing.assert_array_equal(whole(mine), whole(theirs), place)
        elif field.name in ("initial_states", "cell_types"):
            assert mine == theirs, place
        else:
            np.testing.assert_array_equal(mine, theirs, place)
