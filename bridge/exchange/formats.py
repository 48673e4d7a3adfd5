"""Formats of other tools, each a module of this room, found by its name or by a file's ending.

Such a module has a `SUFFIX`, a function `read(path, **options) -> Imported` and a function
`encode(thing) -> Encoded`. A new format is a new file, and its name in `NAMES`.
"""

import inspect
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from bridge.arguments import before_path, file_path, flag, text
from bridge.errors import SpecError
from bridge.exchange.hdf5 import check_writable, write_bytes
from bridge.methods.one_to_one import map_one_to_one
from bridge.methods.scale_search import Conversion
from bridge.rate.network import RateNetwork
from bridge.spiking.network import SpikingNetwork

if TYPE_CHECKING:
    from bridge.exchange.store import Stored

NAMES = ("matlab",)


@dataclass(frozen=True, kw_only=True, eq=False)
class Imported:
    """A rate network of another tool, and what its file says of the way to spikes.

    Attributes:
        rate: The network; its task is "" where the file does not make it certain.
        inverse_scale: 1/lambda that a search kept in the file has chosen, if there is one.
        notes: What a user should know, a sentence each.
    """

    rate: RateNetwork
    inverse_scale: float | None = None
    notes: tuple[str, ...] = ()

    def held(self) -> tuple[RateNetwork]:
        """What it stands for where a rate network is wanted."""
        return (self.rate,)

    def spiking(self) -> SpikingNetwork:
        """The spiking network at the scale factor of the file, without a search.

        Raises:
            SpecError: the file names none.
        """
        if self.inverse_scale is None:
            raise SpecError(
                "the file holds no chosen scale factor (opt_scaling_factor); convert searches one"
            )
        network = map_one_to_one(self.rate, self.inverse_scale)
        source = str(self.rate.provenance.get("source", ""))
        provenance = {**network.provenance, "scale_chosen_by": f"the search kept in {source}"}
        return replace(network, provenance=provenance)


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """A file of another tool: its bytes, and what a user should know, a sentence each."""

    content: bytes
    notes: tuple[str, ...] = ()


class Format(Protocol):
    """What the module of a format offers."""

    SUFFIX: str

    def read(self, path: Path, **options: Any) -> Imported:
        """The rate network of a file; FormatError where it holds none."""

    def encode(self, thing: "Stored") -> Encoded:
        """A network as a file; SpecError where the format cannot hold it."""


def load_format(name: str) -> Format:
    """The module of a format; SpecError if there is none of that name."""
    if text("format", name) not in NAMES:
        raise SpecError(f"unknown format {name!r}; known are {', '.join(NAMES)}")
    return cast(Format, import_module(f"bridge.exchange.{name}"))


def format_of(path: Path) -> Format:
    """The format whose files end like this one; SpecError if there is none."""
    known = {load_format(name).SUFFIX: load_format(name) for name in NAMES}
    if path.suffix.lower() not in known:
        raise SpecError(
            f"{path}: its ending names no known format ({', '.join(known)}); say which it is, "
            f"one of {', '.join(NAMES)}"
        )
    return known[path.suffix.lower()]


def import_network(path: str | Path, *, format: str | None = None, **options: Any) -> Imported:
    """Read a rate network that another tool has made; nothing in the file is executed.

    Args:
        path: The file.
        format: "matlab"; None: by the ending of the file.
        **options: matlab: `task` and `activation` (names, where the file does not make them
            certain), `relu` (bool: set negative raw weights to zero).

    Returns:
        The network, the scale factor that the file may hold, and notes.

    Raises:
        FormatError: the file is missing, damaged, foreign, or holds no such network.
        SpecError: the format has no such option.
    """
    file = file_path(path)
    chosen = format_of(file) if format is None else load_format(format)
    _check_options(chosen, options)
    return chosen.read(file, **options)


def _check_options(chosen: Format, options: dict[str, Any]) -> None:
    """Raise SpecError where a format has no such option, or one is of another type."""
    known = list(inspect.signature(chosen.read).parameters)[1:]
    for name, value in options.items():
        if name not in known:
            raise SpecError(f"no option of this format is {name!r}; known are {', '.join(known)}")
        if name in _FLAGS:
            flag(name, value)
        elif value is not None:
            text(name, value)


_FLAGS = ("relu",)


def export_network(
    thing: "Stored", path: str | Path, *, to: str | None = None, force: bool = False
) -> tuple[str, ...]:
    """Write a network in the format of another tool, whole or not at all.

    Args:
        thing: A RateNetwork or a Conversion.
        path: Where to.
        to: "matlab"; None: by the ending of the file.
        force: Replace a file that is there.

    Returns:
        What the format could not hold and what a user should know, a sentence each.

    Raises:
        SpecError: the format cannot hold this network.
        OutputError: the file exists, or cannot be written.
    """
    thing, file = before_path(thing, path, (RateNetwork, SpikingNetwork, Conversion))
    flag("force", force)
    encoded = (format_of(file) if to is None else load_format(to)).encode(thing)
    check_writable(file, overwrite=force)
    write_bytes(file, encoded.content)
    return encoded.notes
