"""Files of our own, changed at one place, with a fitting checksum, and what becomes of them.

`data/mutants.py` runs the same on many more.
"""

import copy
import signal
import warnings
from contextlib import contextmanager

import numpy as np
from exchange.test_store import THINGS, parts

from bridge.describe import describe
from bridge.errors import FormatError
from bridge.exchange.hdf5 import read_tree, write_tree
from bridge.exchange.store import load, save

# Nothing that is read here is large.
LONGEST_S = 10
NUMBERS = (
    -1, 0, 1, 7, -3, 2**31, 10**12, 2**62, -(2**62), 0.5, -0.0, np.nan, np.inf, -np.inf, 1e308,
    5e-324, 1e-9, "word", "", "3", True, np.zeros(3), np.array(1.0), {},
)  # fmt: skip
TEXTS = (
    "", "word", "two\nlines", "[]", "{}", "null", "[1, 2]", '{"a": NaN}', '"text"', "nan",
    "[" * 9999, "a" * 100_000, 3, np.nan, np.zeros((2, 2)), {},
)  # fmt: skip
ENTRIES = (np.nan, np.inf, -np.inf, -1.0, -0.5, 0.0, 1e308, 1e-320, 2.0**40, 2.0**31)
DTYPES = ("i1", "u8", "i8", "f2", "f4", "f8", "?")


def places(tree, above=()):
    """The path to every part of a tree, groups included."""
    for name, value in tree.items():
        yield (*above, name)
        if isinstance(value, dict):
            yield from places(value, (*above, name))


def chosen(rng, options):
    return options[int(rng.integers(len(options)))]


def with_entry(array, rng):
    """One of its numbers changed, as far as its type allows."""
    changed = np.array(array)
    if changed.size:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            new = np.asarray(chosen(rng, ENTRIES)).astype(changed.dtype)
        changed.flat[int(rng.integers(changed.size))] = new
    return changed


def with_type(array, rng):
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return array.astype(chosen(rng, DTYPES))


ARRAYS = (
    with_entry,
    with_entry,
    with_entry,
    with_type,
    lambda array, _: -array if array.dtype.kind in "if" else ~array,
    lambda array, _: array[:-1] if array.ndim else array,
    lambda array, _: array[..., :-1] if array.ndim else array,
    lambda array, _: np.concatenate([array, array[-1:]]) if array.ndim else array,
    lambda array, _: array.T.copy(),
    lambda array, _: array[None],
    lambda array, _: array.ravel(),
    lambda array, _: array[::-1].copy() if array.ndim else array,
    lambda array, _: np.zeros_like(array),
    lambda array, _: array.ravel()[:0],
    lambda array, _: np.array(0.5),
    lambda array, _: 0.5,
    lambda array, _: "word",
    lambda array, _: {"inside": array},
)


def mutant(tree, rng):
    """A copy of a tree, changed at one place, and what was done."""
    tree = copy.deepcopy(tree)
    *above, name = chosen(rng, list(places(tree)))
    group = tree
    for step in above:
        group = group[step]
    act = rng.choice(("change", "change", "change", "remove", "rename", "swap", "add"))
    if act == "change":
        group[name] = changed_value(group[name], rng)
    elif act == "remove":
        del group[name]
    elif act == "rename":
        group[chosen(rng, (name + "x", name[:-1] or "y", name.upper(), "000", "999"))] = group.pop(
            name
        )
    elif act == "swap":
        other = chosen(rng, list(group))
        group[name], group[other] = group[other], group[name]
    else:
        group[name + "_2"] = copy.deepcopy(group[name])
    return tree, f"{act} {'/'.join((*above, name))}"


def changed_value(value, rng):
    if isinstance(value, np.ndarray):
        return chosen(rng, ARRAYS)(value, rng)
    if isinstance(value, dict):
        return chosen(rng, ({}, np.zeros(3), "word", 1, {**value, "more": 1}))
    return chosen(rng, TEXTS if isinstance(value, str) else NUMBERS)


@contextmanager
def in_time(seconds):
    """TimeoutError where the block takes longer."""

    def late(*_):
        raise TimeoutError(f"takes longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def fate(path):
    """ "refused" in one sentence, or "loaded" as something whole; whatever else happens escapes."""
    with in_time(LONGEST_S):
        try:
            thing = load(path)
        except FormatError as error:
            told = str(error)
            assert told.startswith(f"{path}: "), told
            assert "\n" not in told, told
            assert len(told) < len(str(path)) + 400, told
            return "refused"
        title, rows = describe(thing)
        assert title
        assert all(isinstance(name, str) for name in rows)
        assert repr(thing)
        again = save(thing, path.with_suffix(".again.h5"), force=True)
        assert parts(load(again)) == parts(thing)
        return "loaded"


def tree(folder, name):
    """The content of a file of a kind."""
    return read_tree(save(THINGS[name](), folder / "whole.h5", force=True))


def fates(folder, numbers):
    """What becomes of the mutants of these numbers: (number, kind, what was done, fate)."""
    whole, names = {}, list(THINGS)
    for number in numbers:
        name = names[number % len(names)]
        whole[name] = whole.get(name) or tree(folder, name)
        changed, what = mutant(whole[name], np.random.default_rng((13, number)))
        path = folder / "mutant.h5"
        write_tree(path, changed, overwrite=True)
        try:
            yield number, name, what, fate(path)
        # Whatever it is, it is what is looked for.
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt | GeneratorExit):
                raise
            yield number, name, what, f"{type(error).__name__}: {error}"
