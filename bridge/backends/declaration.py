"""What a backend says of itself: a folder here whose `DECLARED` says it is a backend."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Any

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What others need to know of a backend before they load its simulator.

    Attributes:
        package: The distribution whose version a recording names.
        exact: Whether it fires the reference's very spikes under frozen noise.
        unless: Values of options with which it does not.
        words: What the words after the colon of its name set: values by option, in the order in
            which they are looked through; "cuda:N" stands for any number.
        own_noise_only: Whether it takes `OwnNoise` alone.
        quick: Options of its quickest form, for searches and scores.
        quickness: Place among those where searches and scores run, the quickest first; None: they
            do not, unless it is asked for.
        tools: Programs that it needs.
        device: Whether it runs on a device of the user's choice.
        on_device: Modules that it needs there.
        device_tools: Programs of which it needs one there; the environment's CC may name another.
        place: Where it comes in lists.
        paper: What to cite, as `bridge.compare.report.references` knows it.
    """

    package: str
    exact: bool
    place: int
    unless: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: NOTHING)
    words: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: NOTHING)
    own_noise_only: bool = False
    quick: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    device: bool = False
    on_device: tuple[str, ...] = ()
    device_tools: tuple[str, ...] = ()
    quickness: int | None = None
    tools: tuple[str, ...] = ()
    paper: str = ""

    def claims_exact(self, options: Mapping[str, Any]) -> bool:
        """Whether it promises the reference's spikes with these options."""
        broken = any(options.get(name) in values for name, values in self.unless.items())
        return self.exact and not broken


@cache
def declared() -> Mapping[str, Declaration]:
    """The backends there are, by name, in their order."""
    found = {}
    for entry in iter_modules(import_module("bridge.backends").__path__):
        if entry.ispkg:
            folder = import_module(f"bridge.backends.{entry.name}")
            found[entry.name] = folder.DECLARED
    return MappingProxyType(dict(sorted(found.items(), key=lambda each: each[1].place)))


def folder_digest(folder: Path, *beside: Path) -> str:
    """A hash of the sources in a folder, and of folders and files next to it: a part of cache keys.

    So what a folder makes is made anew where any of its files has changed.
    """
    digest = sha256()
    for place in (folder, *beside):
        for source in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            digest.update(source.name.encode())
            digest.update(source.read_bytes())
    return digest.hexdigest()
