"""What a public function was given, held against what it takes: one sentence where it is not it.

What can only be meant is taken: a conversion stands for the networks that it holds.
"""

import math
import os
from collections.abc import Callable, Iterable, Mapping
from numbers import Real
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np

from bridge.errors import SpecError, written_out

Kind = TypeVar("Kind")
Function = TypeVar("Function", bound=Callable[..., Any])

# A sentence that quotes more of a text than this is hard to read.
_QUOTED = 60


@runtime_checkable
class Holder(Protocol):
    """A result that stands for the descriptions in it."""

    def held(self) -> tuple[object, ...]:
        """What may be taken in its place, no two of a kind."""


class _Words(NamedTuple):
    """Where an object of a kind comes from, and what reads one from a file."""

    maker: str
    made_of: str = ""
    reader: str = ""


_IN_WORDS = {
    "SpikingNetwork": _Words("bridge.convert", " of a rate network", "bridge.load"),
    "RateNetwork": _Words("bridge.train", reader="bridge.load"),
    "Conversion": _Words("bridge.convert", " of a rate network", "bridge.load"),
    "TargetFit": _Words("bridge.fit_targets", reader="bridge.load"),
    "TrainedNetwork": _Words("bridge.train_src", reader="bridge.load"),
    "Drive": _Words(
        "bridge.Drive(inputs=trials.inputs, noise=bridge.SharedNoise(seed=0))",
        " of trials",
        "bridge.load",
    ),
    "Recording": _Words("bridge.simulate", reader="bridge.load_recording"),
    "Agreement": _Words("bridge.compare"),
}
# Of more kinds than this it is not said where each comes from.
_MOST_KINDS = 3
# What is taken in the place of these, since it holds one.
_HELD = ("SpikingNetwork", "RateNetwork")
_HOLDER = "Conversion"


def of_kind(name: str, given: object, kind: type[Kind]) -> Kind:
    """`given` where it is of this kind, or what it holds of it.

    Args:
        name: Of the argument.
        given: What the caller gave.
        kind: What the function takes.

    Raises:
        SpecError: it is something else: names its type, what is wanted, and where that comes from.
    """
    found: Kind = of_kinds(name, given, (kind,))
    return found


def of_kinds(name: str, given: object, kinds: tuple[type[Any], ...]) -> Any:
    """`given` where it is of one of these kinds, or else what it holds of the first it can.

    Raises:
        SpecError: it is something else.
    """
    if isinstance(given, kinds):
        return given
    held = given.held() if isinstance(given, Holder) and not isinstance(given, type) else ()
    for kind in kinds:
        for part in held:
            if isinstance(part, kind):
                return part
    names = [kind.__name__ for kind in kinds]
    taken = [*names, _HOLDER] if set(names) & set(_HELD) and _HOLDER not in names else names
    raise SpecError(
        f"{name}: expected {_listed(taken)}, got {in_words(given)}{_hint(given, names)}"
    )


def _listed(names: list[str]) -> str:
    """Names with articles: "a Drive", "a RateNetwork, a Drive or a Recording"."""
    *others, last = map(_with_article, names)
    return f"{', '.join(others)} or {last}" if others else last


def _hint(given: object, names: list[str]) -> str:
    """Where the right thing comes from, after a semicolon."""
    known = {name: _IN_WORDS[name] for name in names if name in _IN_WORDS}
    if isinstance(given, str | os.PathLike):
        return _reading({name: words.reader for name, words in known.items()})
    if len(names) > _MOST_KINDS:
        return ""
    # What is made in the same way as another kind need not be said of both.
    ways = {words.maker: name for name, words in reversed(known.items())}
    told = [
        f"{maker} makes {_with_article(name) if len(ways) > 1 else 'one'}{known[name].made_of}"
        for maker, name in reversed(ways.items())
    ]
    return f"; {', '.join(told)}" if told else ""


def _reading(readers: dict[str, str]) -> str:
    """What reads one from a file, or those of the kinds that it reads."""
    reader = next(filter(None, readers.values()), "")
    if not reader:
        return ""
    read = [name for name, own in readers.items() if own == reader]
    either = len(read) == len(readers) or len(readers) > _MOST_KINDS
    return f"; {reader}(path) reads {'one' if either else _listed(read)} from a file"


def before_path(thing: object, path: object, kinds: tuple[type[Any], ...]) -> tuple[Any, Path]:
    """A thing and the path where it goes.

    Raises:
        SpecError: it is of none of these kinds, or the two are given the wrong way round.
    """
    if isinstance(thing, str | os.PathLike) and isinstance(path, kinds):
        raise SpecError(
            f"the path comes after what goes there: got {in_words(thing)}, then {in_words(path)}"
        )
    return of_kinds("thing", thing, kinds), file_path(path)


def file_path(given: object, name: str = "path") -> Path:
    """A file's path from text or an object that is a path.

    Raises:
        SpecError: it is something else, or no file can be called so.
    """
    if isinstance(given, os.PathLike):
        given = os.fspath(given)
    if not isinstance(given, str):
        raise SpecError(f"{name}: expected the path of a file as text, got {in_words(given)}")
    if not given or "\0" in given:
        raise SpecError(f"{name}: no file can be called {given!r}")
    return Path(given)


def text(name: str, given: object) -> str:
    """A text; SpecError for anything else."""
    if not isinstance(given, str):
        raise SpecError(f"{name}: expected a name as text, got {in_words(given)}")
    return given


def texts(name: str, given: object) -> tuple[str, ...]:
    """Several texts, as a list or the like; SpecError for anything else, one text included."""
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise SpecError(f"{name}: expected a list of names, got {in_words(given)}")
    return tuple(text(name, each) for each in given)


def number(name: str, given: object) -> float:
    """A finite number; SpecError for anything else. Whether it makes sense is not said here."""
    plain = given.item() if isinstance(given, np.ndarray) and given.ndim == 0 else given
    if isinstance(plain, bool) or not isinstance(plain, Real):
        raise SpecError(f"{name}: expected a number, got {in_words(given)}")
    try:
        found = float(plain)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found):
        raise SpecError(f"{name}: expected a finite number, got {in_words(given)}")
    return found


def flag(name: str, given: object) -> bool:
    """True or False. The text "no" is true to Python: it is refused, as all else is."""
    if not isinstance(given, bool | np.bool_):
        raise SpecError(f"{name}: expected True or False, got {in_words(given)}")
    return bool(given)


def options_in(kind: type[Kind], given: Mapping[str, Any]) -> Kind:
    """An object of a dataclass of training options; SpecError for a name that it does not have."""
    known = kind.__dataclass_fields__  # type: ignore[attr-defined]
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise SpecError(
            f"unknown training option {unknown[0]!r}; known are {', '.join(sorted(known))}"
        )
    return kind(**given)


def different(given: Iterable[str], chosen: object, stored: object) -> list[str]:
    """Names of options given to what goes on that are not as they were: the same may be repeated.

    Args:
        given: Names of the options that were given.
        chosen: The options with them, as an object.
        stored: Those with which it began.
    """
    return sorted(name for name in given if getattr(chosen, name) != getattr(stored, name))


def callback(name: str, given: Function | None) -> Function | None:
    """A function to call, or None; SpecError for anything else."""
    if given is not None and (isinstance(given, type) or not callable(given)):
        raise SpecError(f"{name}: expected a function, got {in_words(given)}")
    return given


def in_words(given: object) -> str:
    """What a caller gave, by its type: short, whatever it holds."""
    if given is None or isinstance(given, bool):
        return str(given)
    if isinstance(given, type):
        return f"the class {given.__name__} itself"
    if isinstance(given, str | os.PathLike):
        written = str(given)
        quoted = written if len(written) <= _QUOTED else f"{written[:_QUOTED]}..."
        return f"the {'text' if isinstance(given, str) else 'path'} {quoted!r}"
    if isinstance(given, int | float):
        return f"the number {brief(given)}"
    if isinstance(given, np.ndarray):
        return f"an array of shape {given.shape}"
    return _with_article(type(given).__name__)


def brief(given: object) -> str:
    """A plain value as Python writes it, anything else by its type: one line, never long."""
    if isinstance(given, str | int | float | np.integer | np.floating):
        written = str(given) if isinstance(given, np.generic) else written_out(given)
        return written if len(written) <= _QUOTED else f"{written[:_QUOTED]}..."
    return in_words(given)


def _with_article(name: str) -> str:
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
