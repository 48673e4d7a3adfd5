"""Formats of other tools, each a module of this room, found by its name or by a file's ending.

Such a module has a `SUFFIX`, a function `read(path, **options) -> Imported` and a function
`encode(thing) -> Encoded`. A new format is a new file, and its name in `NAMES`.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from bridge.arguments import before_path, brief, file_path, flag, text
from bridge.errors import SpecError
from bridge.exchange.files import check_no_pickle
from bridge.exchange.hdf5 import check_writable, write_bytes
from bridge.methods.one_to_one import ORIGINAL, map_one_to_one
from bridge.methods.scale_search import Conversion
from bridge.rate.network import RateNetwork
from bridge.spiking.essentials import essentials
from bridge.spiking.network import SpikingNetwork

if TYPE_CHECKING:
    from bridge.exchange.store import Stored

NAMES = ("matlab", "safetensors", "nir")
RECORDINGS = "nwb or sonata"
"""Formats that hold no network: `bridge.exchange.recordings` has them."""
RECORDED = (".nwb", ".h5", ".hdf5")
"""Endings of files that may hold recordings of others."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Imported:
    """A rate network of another tool, and what its file says of the way to spikes.

    Attributes:
        rate: The network; its task is "" where the file does not make it certain.
        inverse_scale: 1/lambda that a search kept in the file has chosen, if there is one.
        task_doubt: Why its task is not certain, or "": it is, or is none for certain.
        notes: What a user should know, a sentence each.
    """

    rate: RateNetwork
    inverse_scale: float | None = None
    task_doubt: str = ""
    notes: tuple[str, ...] = ()

    __repr__ = essentials

    def held(self) -> tuple[RateNetwork]:
        """What it stands for where a rate network is wanted."""
        return (self.rate,)

    def spiking(self) -> SpikingNetwork:
        """The spiking network that the authors' code makes, at the scale factor of the file.

        Raises:
            SpecError: the file names none.
        """
        if self.inverse_scale is None:
            raise SpecError(
                "the file holds no chosen scale factor (opt_scaling_factor); convert searches one"
            )
        network = map_one_to_one(self.rate, self.inverse_scale, ORIGINAL)
        source = str(self.rate.provenance.get("source", ""))
        provenance = {**network.provenance, "scale_chosen_by": f"the search kept in {source}"}
        return replace(network, provenance=provenance)


@dataclass(frozen=True, kw_only=True, eq=False)
class ImportedGraph:
    """A spiking network that another tool describes.

    Attributes:
        network: The network.
        assumed: What the format leaves open, and how it was taken; the provenance has it, too.
        notes: What a user should know, a sentence each.
    """

    network: SpikingNetwork
    assumed: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    __repr__ = essentials

    def held(self) -> tuple[SpikingNetwork]:
        """What it stands for where a spiking network is wanted."""
        return (self.network,)


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """A file of another tool: its bytes, and what a user should know, a sentence each."""

    content: bytes
    notes: tuple[str, ...] = ()

    __repr__ = essentials


class Format(Protocol):
    """What the module of a format offers."""

    SUFFIX: str

    def read(self, path: Path, **options: Any) -> Imported | ImportedGraph:
        """The network of a file; FormatError where it holds none."""

    def encode(self, thing: "Stored") -> Encoded:
        """A network as a file; SpecError where the format cannot hold it."""


def load_format(name: str) -> Format:
    """The module of a format; SpecError if there is none of that name."""
    if text("format", name) not in NAMES:
        raise SpecError(
            f"unknown format {name!r}; known are {', '.join(NAMES)}; of a recording {RECORDINGS}"
        )
    return cast(Format, import_module(f"bridge.exchange.{name}"))


def format_of(path: Path, advice: Callable[[Path], str]) -> Format:
    """The format whose files end like this one; SpecError, with advice, if there is none."""
    known = {load_format(name).SUFFIX: load_format(name) for name in NAMES}
    if path.suffix.lower() not in known:
        raise SpecError(
            f"{path}: its ending names no known format ({', '.join(known)}); {advice(path)}"
        )
    return known[path.suffix.lower()]


# How files begin that people take for networks, and what they are.
_BEGINNINGS = {
    b"\x89HDF\r\n\x1a\n": "it is an HDF5 file: a recording is read by bridge.load_recording "
    "(import --from nwb or sonata), a file of spikebridge itself by bridge.load",
    b"PK\x03\x04": "it is an archive, as PyTorch and NumPy write them: open it there, and give its "
    "arrays to bridge.RateNetwork.from_arrays",
    b"\x93NUMPY": "it is an array of NumPy: give the arrays of a network to "
    "bridge.RateNetwork.from_arrays",
}


def _written_else(path: Path) -> str:
    """What can be done about a file to be written with another ending."""
    if path.suffix.lower() in RECORDED:
        return "that is one of recordings: `spikebridge run` makes one of the network"
    return f"say which it is to be, by to or --to: {', '.join(NAMES)}"


def _else(path: Path) -> str:
    """What a file of another ending is, and what can be done about it."""
    if path.is_dir():
        return "it is a folder, and networks are read from files"
    if path.is_file():
        with path.open("rb") as file:
            start = file.read(8)
        for beginning, what in _BEGINNINGS.items():
            if start.startswith(beginning):
                return what
    return (
        f"say which it is, by format or --from: {', '.join(NAMES)}, or of a recording "
        f"{RECORDINGS}; arrays of other files are taken by bridge.RateNetwork.from_arrays"
    )


def import_network(
    path: str | Path, *, format: str | None = None, **options: Any
) -> Imported | ImportedGraph:
    """Read a network that another tool has made; nothing in the file is executed.

    Args:
        path: The file.
        format: "matlab", "safetensors" or "nir"; None: by the ending of the file.
        **options: matlab: `task`, `activation`, `relu`, `dt_ms`. The first two are names, for
            files that do not make them certain; the task "" is none. `relu` (bool) sets negative
            raw weights to zero, and `dt_ms` is the step, if not the authors' 5 ms. safetensors:
            `dt_ms` and `activation`; `tau_ms`, `form`, `highest_rate`, `task`, and by their names
            `recurrent`, `w_in`, `readout`, `b_out`, `bias`, `initial_state`, see
            `bridge.exchange.safetensors`. nir: `dt_ms`, where the file does not make it certain;
            `reset` ("value", "subtract", "subtract-late"), `threshold` ("above", "at") and
            `recurrent_start` ("equations", "silent"), see `bridge.exchange.nir.read`.

    Returns:
        A rate network, the scale factor that the file may hold, and notes; of a NIR graph its
        spiking network, what was assumed of it, and notes.

    Raises:
        FormatError: the file is missing, damaged, foreign, or holds no such network.
        SpecError: an unknown format or option, or one that makes no sense.
    """
    file = file_path(path)
    if format is None:
        check_no_pickle(file)
    chosen = format_of(file, _else) if format is None else load_format(format)
    _check_options(chosen, options)
    return chosen.read(file, **options)


def _check_options(chosen: Format, options: dict[str, Any]) -> None:
    known = [name for name in inspect.signature(chosen.read).parameters if name != "path"]
    for name, value in options.items():
        if name not in known:
            raise SpecError(
                f"unknown option {name!r} of importing a network; known are {', '.join(known)}"
            )
        wanted = _KINDS.get(name, "")
        if wanted and value is not None and not _is_a(value, wanted):
            raise SpecError(f"{name}: expected {wanted}, got {brief(value)}")


# What the options that formats share are.
_KINDS = {
    "task": "a name",
    "activation": "a name",
    "relu": "True or False",
    "dt_ms": "a step in ms",
    **dict.fromkeys(("recurrent", "w_in", "readout", "b_out", "initial_state"), "a name"),
    **dict.fromkeys(("form", "orientation", "reset", "threshold", "recurrent_start"), "a name"),
    "bias": "names",
    "tau_ms": "times in ms",
}


def _is_a(value: object, wanted: str) -> bool:
    if wanted == "a name":
        return isinstance(value, str)
    if wanted == "True or False":
        return isinstance(value, bool)
    if wanted == "names":
        return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
    if wanted == "times in ms" and not isinstance(value, int | float):
        return isinstance(value, str)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0 < cast(float, value) < math.inf


def export_network(
    thing: "Stored", path: str | Path, *, to: str | None = None, force: bool = False
) -> tuple[str, ...]:
    """Write a network in the format of another tool, whole or not at all.

    Args:
        thing: A RateNetwork or a Conversion; for NIR a SpikingNetwork or what stands for one.
        path: Where to.
        to: "matlab", "safetensors" or "nir"; None: by the ending of the file.
        force: Replace a file that is there.

    Returns:
        What the format could not hold and what a user should know, a sentence each.

    Raises:
        SpecError: the format cannot hold this network.
        OutputError: the file exists, or cannot be written.
    """
    thing, file = before_path(thing, path, (RateNetwork, SpikingNetwork, Conversion))
    flag("force", force)
    encoded = (format_of(file, _written_else) if to is None else load_format(to)).encode(thing)
    check_writable(file, overwrite=force)
    write_bytes(file, encoded.content)
    return encoded.notes
