"""What neuron models and filters have in common: parameters that are checked, sized and stored.

A model is a frozen dataclass whose fields are made by `each` (a number for every neuron), `choice`
(one of a few words) and `steps` (a whole number). From that it is checked, spread over the neurons
of a population, written to files and compared, without another word about it anywhere.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.spiking.arrays import counted, per_neuron
from bridge.spiking.essentials import essentials
from bridge.spiking.limits import LONGEST_WAIT_STEPS
from bridge.spiking.values import shown

Array = NDArray[np.float64]
# Shorter than every time constant.
_SHORT_STEP_MS = 1e-9
Check = Callable[[str, Array], None]


def each(default: Any = MISSING, *, check: Check | None = None, since: int = 1) -> Any:
    """A field that holds one number for all neurons, or (N,) numbers; `check` raises SpecError.

    One that came later, `since` a version of the format, is not in files where it is as by default.
    """
    return field(default=default, metadata={"role": "each", "check": check, "since": since})


def choice(*words: str, default: Any = MISSING, since: int = 1) -> Any:
    """A field that holds one of a few words.

    One that came later, `since` a version of the format, is not in files where it is as by default.
    """
    return field(default=default, metadata={"role": "choice", "words": words, "since": since})


def steps(default: Any = MISSING) -> Any:
    """A field that holds a number of time steps, at most 10^6."""
    return field(default=default, metadata={"role": "steps"})


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Part:
    """A neuron model or a filter.

    Attributes:
        kind: Its name in files; a class without one of its own is abstract, or a stranger.
        title: Its name for people.
        format_version: Of the files that can hold it, the oldest version.
    """

    kind: ClassVar[str] = ""
    title: ClassVar[str] = ""
    format_version: ClassVar[int] = 4

    def __repr__(self) -> str:
        # Its own words before those of every model.
        return essentials(self, first=tuple(vars(type(self)).get("__annotations__", ())))

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            role = entry.metadata.get("role")
            if role == "choice":
                _check_choice(entry.name, value, entry.metadata["words"])
            elif role == "steps":
                counts = counted(entry.name, value, most=LONGEST_WAIT_STEPS)
                object.__setattr__(self, entry.name, counts)

    @classmethod
    def named(cls, role: str) -> tuple[str, ...]:
        """The names of the fields made by `each`, `choice` or `steps`, in their order."""
        return tuple(entry.name for entry in fields(cls) if entry.metadata.get("role") == role)

    @classmethod
    def by_default(cls) -> set[str]:
        """The names of the fields that need not be given."""
        return {entry.name for entry in fields(cls) if entry.default is not MISSING}

    @classmethod
    def added(cls) -> set[str]:
        """The names of the fields that came later than the part itself."""
        return {entry.name for entry in fields(cls) if entry.metadata.get("since", 1) > 1}

    def needs_version(self) -> int:
        """The oldest version of the format that can hold it."""
        said = self.said_later()
        later: list[int] = [e.metadata["since"] for e in fields(self) if e.name in said]
        return max([self.format_version, *later])

    def said_later(self) -> set[str]:
        """The words and numbers that came later and are not as by default."""
        return {
            entry.name
            for entry in fields(self)
            if entry.metadata.get("since", 1) > 1
            and np.any(np.asarray(getattr(self, entry.name)) != np.asarray(entry.default))
        }

    def stored(self) -> dict[str, Any]:
        """What a file holds of it: its words and numbers."""
        left_out = self.added() - self.said_later()
        held = self.chosen() | self.arrays()
        return {name: value for name, value in held.items() if name not in left_out}

    def chosen(self) -> dict[str, Any]:
        """The words and whole numbers that were chosen: what is the same for all neurons."""
        names = (*self.named("choice"), *self.named("steps"))
        return {name: getattr(self, name) for name in names}

    def arrays(self) -> dict[str, Array]:
        """The numbers of the neurons, by name."""
        return {name: np.asarray(getattr(self, name)) for name in self.named("each")}

    def sized(self, size: int) -> Self:
        """The same with every number as an (N,) array, checked.

        Raises:
            SpecError: a number does not fit.
        """
        values: dict[str, Array] = {}
        for entry in fields(self):
            if entry.metadata.get("role") != "each":
                continue
            # What came later stays one number where nobody set it: files do not hold it.
            if entry.name in self.added() - self.said_later():
                continue
            values[entry.name] = per_neuron(entry.name, getattr(self, entry.name), size)
            if entry.metadata["check"] is not None:
                entry.metadata["check"](entry.name, values[entry.name])
        made = replace(self, **values)
        made.check()
        return made

    def constants(self, dt_ms: float) -> dict[str, Array]:
        """What a step uses, computed once: (n,) each, or one number for all."""
        raise self.lacks("constants")

    def named_constants(self) -> tuple[str, ...]:
        """The names of the constants."""
        return tuple(self.constants(_SHORT_STEP_MS))

    def constants_of(self, size: int, dt_ms: float) -> dict[str, Array]:
        """The same, (size,) each and read-only.

        Raises:
            SpecError: one is not such an array, or not finite.
        """
        title = f"{self.title or type(self).__name__}, constant"
        return {
            name: per_neuron(f"{title} {name}", value, size)
            for name, value in self.constants(dt_ms).items()
        }

    def operations(self) -> str:
        """A hash of what it does in a step, whatever its text."""
        raise self.lacks("operations")

    def lacks(self, function: str) -> SpecError:
        """The error of a class that leaves out what every one of its kind must say."""
        return SpecError(f"{type(self).__name__}: its class has no function {function}")

    @property
    def foreign(self) -> bool:
        """Whether its class is not of this package, so that a file cannot know what it does."""
        return type(self).__module__.partition(".")[0] != __name__.partition(".")[0]

    def check(self) -> None:
        """Raise SpecError unless numbers that belong together fit; they are (N,) arrays."""


Kind = TypeVar("Kind", bound=Part)


def register(known: dict[str, type[Kind]], part: type[Kind], what: str) -> None:
    """Add a class that names a kind of its own to those known; SpecError where another has it."""
    kind = vars(part).get("kind", "")
    if not kind:
        return
    before = known.get(kind)
    # A notebook defines its class again each time its cell is run.
    again = before is not None and _place(before) == _place(part)
    if before is not None and not again:
        raise SpecError(f"{what} {kind!r}: {before.__name__} has that kind already")
    known[kind] = part


def _place(part: type[Part]) -> tuple[str, str]:
    return part.__module__, part.__qualname__


class Prototype(Generic[Kind]):
    """A part whose numbers do not count: all of one class with the same words are equal."""

    def __init__(self, part: Kind) -> None:
        self.part = part
        self._alike = (id(type(part)), tuple(part.chosen().items()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Prototype) and self._alike == other._alike

    def __hash__(self) -> int:
        return hash(self._alike)


def _check_choice(name: str, value: object, words: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in words:
        known = " or ".join(repr(word) for word in words)
        raise SpecError(f"{name}: {known}, got {shown(value)}")


def known_part(name: str, value: Any, known: Mapping[str, type[Part]]) -> Any:
    """`value`, if its class itself is one of those known; SpecError if not.

    A subclass may act otherwise than its parent, and nothing here knows how.
    """
    if type(value) not in known.values():
        names = ", ".join(sorted(part.__name__ for part in known.values()))
        raise SpecError(f"{name}: unknown class {type(value).__name__}; known are {names}")
    return value
