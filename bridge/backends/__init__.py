"""Simulators of one contract: `simulate(network, drive, ...) -> Recording`, a folder each.

A folder says itself what it is (`bridge.backends.declaration`), and its module `simulation` has the
function; nothing outside knows a backend by name.
"""

import inspect
import re
import shutil
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np

from bridge.arguments import flag, of_kind, text
from bridge.backends.arithmetic import plain_arithmetic
from bridge.backends.declaration import declared
from bridge.backends.kept import checked_window
from bridge.errors import SpecError
from bridge.progress import told
from bridge.spiking.arrays import counted
from bridge.spiking.drive import Drive
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.recording import Recording

# What is compared, unless others are named.
COMPARED = ("brian2", "snntorch")


def names() -> tuple[str, ...]:
    """The backends there are, the reference first."""
    return tuple(declared())


def claims_exact(name: str, options: Mapping[str, Any]) -> bool:
    """Whether a backend with these options declares that it fires the reference's very spikes.

    One that does not say so is held to no such promise.
    """
    return name in declared() and declared()[name].claims_exact(options)


def quickest(device: str | None = None) -> str:
    """The backend for searches and scores: the quickest that can run here.

    Where the quickest of all lacks a program that it needs, one warning says so.

    Args:
        device: Where it is to run; None: wherever.
    """
    ranked = [name for name in names() if declared()[name].quickness is not None]
    ranked.sort(key=lambda name: declared()[name].quickness or 0)
    if device not in (None, "cpu"):
        return next(name for name in ranked if declared()[name].device)
    able = [name for name in ranked if all(map(shutil.which, declared()[name].tools))]
    if able[0] != ranked[0]:
        tools = declared()[ranked[0]].tools
        lacking = " and ".join(tool for tool in tools if not shutil.which(tool))
        warnings.warn(
            f"{lacking} is not found, so this runs in {able[0]}, which takes several times as "
            f"long; install {lacking} to let it run in {ranked[0]}",
            stacklevel=2,
        )
    return able[0]


def why_not(name: str, network: SpikingNetwork, options: Mapping[str, Any]) -> str | None:
    """Why a backend with these options does not take a network, as a sentence; None where it does.

    Raises:
        BackendError: it cannot run here at all.
    """
    check_name(name)
    said = getattr(import_module(f"bridge.backends.{name}.simulation"), "why_not", None)
    reason: str | None = None if said is None else said(network, **options)
    return reason


def quickest_for(network: SpikingNetwork, device: str, backend: str | None = None) -> str:
    """The quickest backend that takes a network on a device; a warning says why it is not another.

    Args:
        network: What is to be run.
        device: Where.
        backend: Where to begin, with what may follow its colon, and the quicker ones left out;
            None: with the quickest.

    Raises:
        BackendError: there is no such device.
    """
    ranked = [name for name in names() if declared()[name].quickness is not None]
    ranked.sort(key=lambda name: declared()[name].quickness or 0)
    able = [name for name in ranked if declared()[name].device]
    asked, given = (None, {}) if backend is None else parse_backend(backend)
    *others, last = able[able.index(asked) if asked in able else 0 :]
    for name in others:
        options = {**(given if name == asked else {}), "device": device}
        if (reason := why_not(name, network, options)) is None:
            return str(backend) if name == asked else name
        warnings.warn(f"{reason}, so {last} takes its place", stacklevel=2)
    return str(backend) if last == asked else last


def quickest_of(network: SpikingNetwork, device: str | None) -> str:
    """The quickest backend that can run here and takes a network, on a device if one is named."""
    return quickest() if device in (None, "cpu") else quickest_for(network, str(device))


def check_name(name: str) -> None:
    """Raise SpecError unless there is a backend of that name."""
    if text("backend", name) not in declared():
        raise SpecError(f"unknown backend {name!r}; known are {', '.join(names())}")


def parse_backend(label: str, given: Mapping[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
    """A backend's name and options from "name" or "name:word", and options given otherwise.

    Args:
        label: For instance "brian2", "brian2:numpy", "snntorch:cuda:1", "nest:plain".
        given: Options of the backend; one that is None is not given.

    Raises:
        SpecError: there is no such backend, it knows no such word, or the two contradict.
    """
    name, colon, word = text("backend", label).partition(":")
    check_name(name)
    options = {key: value for key, value in (given or {}).items() if value is not None}
    if not colon:
        return name, options
    option = _option_of(name, word, label)
    if options.setdefault(option, word) != word:
        raise SpecError(
            f"backend {label!r} sets {option} to {word!r}, but {option} is also given as "
            f"{options[option]!r}; say it once"
        )
    return name, options


def _option_of(name: str, word: str, label: str) -> str:
    """The option that a word after the colon sets."""
    known_words = declared()[name].words
    if not known_words:
        raise SpecError(f"backend {name} takes no option, got {label!r}")
    for option, words in known_words.items():
        if (word in words and word != "cuda:N") or ("cuda:N" in words and _CUDA.fullmatch(word)):
            return option
    known = [f"{name}:{word}" for words in known_words.values() for word in words]
    raise SpecError(f"backend {label!r}: unknown {option} {word!r}; known are {', '.join(known)}")


_CUDA = re.compile("cuda:[0-9]+")


def load(name: str) -> Callable[..., Recording]:
    """The `simulate` function of a backend: the only place that imports a simulator."""
    check_name(name)
    simulate: Callable[..., Recording] = import_module(
        f"bridge.backends.{name}.simulation"
    ).simulate
    return simulate


def simulate(
    network: SpikingNetwork,
    drive: Drive,
    *,
    backend: str = "reference",
    on_progress: Callable[[float], None] | None = None,
    progress: bool = True,
    **options: Any,
) -> Recording:
    """Run a spiking network on a backend.

    Args:
        network: What to run, N neurons; of a conversion its spiking network.
        drive: Input (T, B, C), noise and start of B trials.
        backend: "reference", "brian2", "snntorch", "compiled" or "nest"; a target, device,
            precision or form may follow, as in "brian2:numpy", "snntorch:cuda", "compiled:float32"
            or "nest:plain". Under `SharedNoise` or `FrozenNoise` the first four fire the same
            spikes in float64; "nest" takes `OwnNoise` only, and agrees in distribution.
        on_progress: Called with the fraction done, first with 0.
        progress: Show how far it is, in a terminal or notebook, where it takes more than two
            seconds and `on_progress` is not given.
        **options: All backends: `voltages` and `margins` (bool: what else to record); "nest" has no
            `margins`. All except "nest": `values` (bool: what populations pass on at the end of
            each sample) and `window` (start_step, stop_step: every state in each of these steps).
            brian2: `target` ("numpy", "cython", "standalone"; default: standalone where there is a
            compiler), `workers`. snntorch: `dtype` ("float64", "float32"), `device` ("cpu",
            "cuda", "cuda:N"), `compiled`, `dense` (bool), `workers`. compiled: `dtype`, `workers`
            (threads). nest: `parameters` ("euler", "plain"), `workers`.

    Returns:
        Spikes as events and readouts (T, B, O).

    Raises:
        SpecError: the backend is unknown, takes no such option, or the drive does not fit; or it
            names a task that shows pictures in another way than the network learned.
        BackendError: the simulator cannot run here.
    """
    network, drive = of_kind("network", network, SpikingNetwork), of_kind("drive", drive, Drive)
    name, chosen = parse_backend(backend, options)
    drive.check(network)
    _check_encoding(network, drive)
    run = load(name)
    _check_options(name, run, chosen)
    with told("simulating", on_progress, progress) as report, plain_arithmetic():
        if report is not None:
            report(0.0)
        return _counted(network, run(network, drive, on_progress=report, **chosen))


def _check_encoding(network: SpikingNetwork, drive: Drive) -> None:
    """Raise SpecError where a drive names another encoding of pictures than a network learned."""
    learned = network.provenance.get("encoding")
    if learned is not None and drive.task:
        # Most networks never saw a picture, and need no tasks to run.
        from bridge.tasks import check_shown_by_name

        check_shown_by_name(learned, drive.task)


def _counted(network: SpikingNetwork, recording: Recording) -> Recording:
    """A recording whose spikes are those that the models of the populations count."""
    parts = network.populations
    if not any(part.neurons.onsets_alone for part in parts):
        return recording
    alone = np.repeat([p.neurons.onsets_alone for p in parts], [p.size for p in parts])
    return replace(recording, spikes=recording.spikes.onsets(alone))


def _check_options(name: str, run: Callable[..., Recording], options: dict[str, Any]) -> None:
    """Raise SpecError where a backend has no such option, or one is of another type."""
    parameters = inspect.signature(run).parameters.values()
    known = [each.name for each in parameters if each.kind is each.KEYWORD_ONLY]
    shown = [each for each in known if each != "on_progress"]
    takes_all = any(each.kind is each.VAR_KEYWORD for each in parameters)
    for option, value in options.items():
        if option not in known and not takes_all:
            raise SpecError(
                f"backend {name}: unknown option {option!r}; known are {', '.join(shown)}"
            )
        if option in _FLAGS:
            flag(option, value)
        elif option == "workers":
            counted(option, value, least=1)
        elif option == "window":
            checked_window(value)
        else:
            text(option, value)


_FLAGS = ("voltages", "margins", "values", "compiled", "dense")
