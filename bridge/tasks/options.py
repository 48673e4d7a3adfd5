"""Options of a task, as they stand after its name: `flip-flop:bits=2,strict`."""

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.errors import SpecError


@dataclass(frozen=True)
class Option:
    """A field of a task that its name can set.

    Attributes:
        name: Of the field, and in the task's name.
        default: False: it is a flag, written without a value; else a whole number.
        meaning: One line for a person.
    """

    name: str
    default: int
    meaning: str

    @property
    def is_flag(self) -> bool:
        """Whether it is written without a value."""
        return isinstance(self.default, bool)

    def written(self, value: int) -> str:
        """As it stands in a name."""
        return self.name if self.is_flag else f"{self.name}={value}"


STRICT = Option(
    "strict", default=False, meaning="an output that goes beyond both +0.7 and -0.7 is wrong"
)


def full_name(family: str, options: Sequence[Option], task: object) -> str:
    """The name of a task with its options, in their order; those at their default are left out.

    So one task has one name. Files hold these names: a default must never change.
    """
    values = [(option, getattr(task, option.name)) for option in options]
    parts = [option.written(value) for option, value in values if value != option.default]
    return f"{family}:{','.join(parts)}" if parts else family


def read_options(name: str, parts: Sequence[str], options: Sequence[Option]) -> dict[str, int]:
    """The options given in a task's name.

    Args:
        name: The whole name, for errors.
        parts: What stands between the commas.
        options: Those that the task has.

    Raises:
        SpecError: an option is unknown, given twice, or has no sensible value.
    """
    known = {option.name: option for option in options}
    read: dict[str, int] = {}
    for part in parts:
        key, _, _ = part.partition("=")
        if key not in known:
            listed = ", ".join(option.written(option.default) for option in options)
            raise SpecError(f"task {name!r}: unknown option {key!r}; known are {listed}")
        if key in read:
            raise SpecError(f"task {name!r}: option {key} is given twice")
        read[key] = _value(name, part, known[key])
    return read


def _value(name: str, part: str, option: Option) -> int:
    _, equals, text = part.partition("=")
    if option.is_flag:
        if equals:
            raise SpecError(f"task {name!r}: option {option.name} takes no value")
        return True
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise SpecError(
            f"task {name!r}: option {option.name} needs a whole number, "
            f"as {option.written(option.default)}"
        )
    return int(text)


def check_range(task: str, option: str, value: int, least: int, most: int) -> None:
    """Raise SpecError unless an option lies between two bounds, both included."""
    if not least <= value <= most:
        raise SpecError(f"task {task}: {option} must lie between {least} and {most}, got {value}")
