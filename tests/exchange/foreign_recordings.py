"""Recordings as other tools' writers make them, drawn at random, with what must come of each.

Most files hold what is clear, in the most different forms of HDF5, and must be read right. Of the
others each has one fault, and must be refused in a sentence that names it.
"""

import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from bridge.errors import BridgeError
from bridge.exchange.recordings import load_recording

TEXT = h5py.string_dtype()
SPELLINGS = {
    1.0: ("s", "sec", "seconds", "Second", " s ", "S"),
    1e3: ("ms", "msec", "milliseconds", "millisecond", "MS"),
    1e6: ("us", "µs", "usec", "microseconds"),
}
STORAGE: dict[str, dict[str, Any]] = {
    "contiguous": {},
    "chunked": {"chunks": True},
    "gzip": {"compression": "gzip", "fletcher32": True},
    "lzf, shuffled": {"compression": "lzf", "shuffle": True},
}


@dataclass
class Drawn:
    """A file that was drawn.

    Attributes:
        traits: What is special about it, as "units: array of one".
        fault: What its refusal must say; "": it must be read.
        spikes: (trial, step, neuron) of every spike that must be found.
        shape: Trials, steps and neurons.
        dt_ms: Its time step, ms.
        populations: Names and sizes.
        options: What `load_recording` is given.
    """

    dt_ms: float
    traits: list[str] = field(default_factory=list)
    fault: str = ""
    spikes: list[tuple[int, int, int]] = field(default_factory=list)
    shape: tuple[int, int, int] = (1, 1, 1)
    populations: dict[str, int] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)


def outcome(drawn: Drawn, path: Path) -> str:
    """What came of a file: "read", "refused", or in a sentence what is wrong about it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            found = load_recording(path, **drawn.options)
        except BridgeError as error:
            said = str(error)
            if not drawn.fault:
                return f"refused, though it is clear: {said}"
            if "\n" in said or str(path) not in said or not re.search(drawn.fault, said):
                return f"refused for another reason than {drawn.fault!r}: {said}"
            return "refused"
        # What is no sentence of ours is what is looked for.
        except Exception as error:
            return f"{type(error).__name__}: {error}"
    if drawn.fault:
        return f"read, though it must be refused ({drawn.fault})"
    spikes = found.spikes
    events = zip(spikes.trial.tolist(), spikes.step.tolist(), spikes.neuron.tolist(), strict=True)
    got = {
        "spikes": list(events),
        "shape": (spikes.n_trials, spikes.n_steps, spikes.n_neurons),
        "dt_ms": found.dt_ms,
        "populations": dict(found.populations),
    }
    wanted = {name: getattr(drawn, name) for name in got} | {"spikes": sorted(drawn.spikes)}
    other = [f"{name} {got[name]}, not {wanted[name]}" for name in got if got[name] != wanted[name]]
    return f"read wrongly: {'; '.join(other)}"[:400] if other else "read"


class Writer:
    """Draws how things are kept in HDF5, and puts it on record."""

    def __init__(self, rng: np.random.Generator, drawn: Drawn) -> None:
        self.rng, self.drawn = rng, drawn

    def one_of(self, choices: Any) -> Any:
        """One of some choices."""
        choices = list(choices)
        return choices[self.rng.integers(len(choices))]

    def trait(self, what: str, choices: Any) -> Any:
        """The same, put on record."""
        chosen = self.one_of(choices)
        self.drawn.traits.append(f"{what}: {chosen}")
        return chosen

    def in_any_order(self, makers: list[Callable[[], object]]) -> None:
        """Call all, in any order."""
        for place in self.rng.permutation(len(makers)):
            makers[place]()

    def keep(self, group: h5py.Group, name: str, values: Any, types: tuple[str, ...]) -> None:
        """A row of numbers as a data set, in one of the types, shapes and ways of storage."""
        row = np.asarray(values).astype(self.trait(f"{name} type", types))
        column = self.trait(f"{name} shape", ["(S,)", "(S,)", "(S, 1)", "(1, S)"])
        row = row.reshape({"(S,)": (-1,), "(S, 1)": (-1, 1), "(1, S)": (1, -1)}[column])
        way = self.trait("storage", STORAGE) if row.size else "contiguous"
        group.create_dataset(name, data=row, **STORAGE[way])

    def attribute(self, holder: Any, name: str, value: str | float) -> None:
        """An attribute in one of the forms of a single value."""
        forms = dict(_texts(value) if isinstance(value, str) else _numbers(value))
        holder.attrs[name] = forms[self.trait(name, forms)]

    def bad_attribute(self, holder: Any, name: str, *, text: bool) -> None:
        """The same in a form that cannot be understood."""
        several = np.array(["s", "ms"], dtype=TEXT) if text else [1e-4, 2e-4]
        forms: dict[str, tuple[Any, str]] = {
            "several values": (several, "holds 2 values"),
            "nothing": (h5py.Empty("f8"), "holds nothing"),
            "a truth value": (np.array([True]), "is neither"),
            "no values": (np.zeros(0), "holds 0 values"),
        }
        if text:
            number = self.one_of([0.001, 1000, np.array([1000])])
            forms["a number"] = (number, "must be a text, it is the number 1?")
        else:
            forms["a text"] = (
                self.one_of(["0.1", "fast", np.bytes_(b"x")]),
                "must be a number, it",
            )
        form = self.one_of(forms)
        holder.attrs[name], self.drawn.fault = forms[form]
        self.drawn.traits.append(f"fault: {name} is {form}")

    def unit(self, holder: Any, in_a_second: float) -> None:
        """The unit of time, in one of its spellings."""
        name = self.one_of(["units", "unit", "Units", "time_units"])
        self.attribute(holder, name, self.one_of(SPELLINGS[in_a_second]))

    def bad_unit(self, holder: Any, fault: str) -> None:
        """A unit that cannot be understood."""
        if fault == "unknown unit":
            holder.attrs["units"] = self.one_of(["parsec", "samples", "1/s", "0.1 ms"])
        elif fault == "two units":
            holder.attrs["units"], holder.attrs["unit"] = "s", "ms"
        else:
            self.bad_attribute(holder, "units", text=True)

    def spikes(self, neurons: int, steps: int) -> list[tuple[int, int]]:
        """(neuron, step) of spikes, at most one of a neuron in a step, in order."""
        count = min(self.one_of([0, 1, 3, 12]), neurons * steps)
        codes = self.rng.choice(neurons * steps, count, replace=False)
        return sorted((int(code) // steps, int(code) % steps) for code in codes)


def _texts(value: str) -> Iterator[tuple[str, Any]]:
    yield "text", value
    yield "array of one", np.array([value], dtype=TEXT)
    yield "(1, 1)", np.array([[value]], dtype=TEXT)
    if value.isascii():
        yield "of fixed length", np.bytes_(value.encode())
        yield "of fixed length, spaces", np.bytes_(value.encode() + b"   ")
        yield "array of one, of fixed length", np.array([value.encode()])


def _numbers(value: float) -> Iterator[tuple[str, Any]]:
    yield "number", float(value)
    yield "array of one", np.array([value], dtype=float)
    yield "(1, 1)", np.array([[value]], dtype=float)
    yield "big-endian", np.array(value, dtype=">f8")
    yield "float32", np.float32(value)
    if value == int(value):
        yield "whole", int(value)
        yield "array of one, whole", np.array([int(value)])
