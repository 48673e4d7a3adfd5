"""Every importer, every graph: run and judged."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np

from bridge.conformance import importers, processes
from bridge.conformance.graphs import write
from bridge.conformance.judging import Verdict, judged
from bridge.conformance.processes import Importer, Written
from bridge.conformance.readings import Answers
from bridge.conformance.trap import Trap
from bridge.conformance.traps import traps
from bridge.errors import SpecError
from bridge.temporary import temporary_folder

LIMIT_S = 60.0
_LONGEST_LIMIT_S = 3600.0


@dataclass(frozen=True)
class Found:
    """What was found of an importer.

    Attributes:
        title: Its name.
        version: Its version.
        others: Versions of the packages that read for it, in words.
        missing: Packages that are not installed; if there are any, nothing was run.
        install: How it is installed.
        verdicts: What is said of each graph, by its name.
    """

    title: str
    version: str
    others: str
    missing: tuple[str, ...]
    install: str
    verdicts: Mapping[str, Verdict]


def chosen_importers(
    names: Sequence[str] = (), pythons: Sequence[str] = ()
) -> tuple[Importer, ...]:
    """The importers of those names, each with the Python that runs it.

    Args:
        names: As "norse"; none: all of them.
        pythons: "NAME=PATH" each: the Python of another environment for an importer.

    Raises:
        SpecError: a name is not known, or a Python is not a file.
    """
    others = dict(map(_python_of, pythons))
    for name in (*names, *others):
        if name not in importers.KNOWN:
            raise SpecError(
                f"importer {name!r} is not known; known are {', '.join(importers.KNOWN)}"
            )
    for name in others:
        if names and name not in names:
            raise SpecError(f"--python {name}=...: {name} is not among the importers asked for")
    asked = [name for name in importers.KNOWN if not names or name in names]
    return tuple(_importer(name, others) for name in asked)


def _importer(name: str, others: Mapping[str, str]) -> Importer:
    module = f"{importers.__name__}.{name}"
    return Importer(name, module, others[name]) if name in others else Importer(name, module)


def _python_of(text: str) -> tuple[str, str]:
    name, equals, path = text.partition("=")
    if not equals or not name:
        raise SpecError(
            f"--python: expected NAME=PATH, such as sinabs=venv/bin/python, got {text!r}"
        )
    found = Path(path).expanduser()
    if not found.is_file():
        raise SpecError(f"--python {text}: there is no such file")
    return name, str(found.absolute())


def chosen_traps(names: Sequence[str] = ()) -> tuple[Trap, ...]:
    """The graphs of those names, none: all of them.

    Raises:
        SpecError: a name is not known.
    """
    every = {trap.name: trap for trap in traps()}
    for name in names:
        if name not in every:
            raise SpecError(f"graph {name!r} is not known; known are {', '.join(every)}")
    return tuple(trap for trap in every.values() if not names or trap.name in names)


def run(
    chosen: Sequence[Importer],
    graphs: Sequence[Trap],
    *,
    limit_s: float = LIMIT_S,
    on_progress: Callable[[float, str], None] = lambda fraction, note: None,
) -> tuple[Found, ...]:
    """Run graphs through importers, and judge what they give.

    Args:
        chosen: The importers.
        graphs: The graphs.
        limit_s: How long an importer may take for each graph.
        on_progress: Called with the fraction done and the importer that is being run.

    Raises:
        SpecError: the limit makes no sense, or the Python of an importer cannot run it.
    """
    if not 0 < limit_s <= _LONGEST_LIMIT_S:
        raise SpecError(
            f"--limit-s: expected more than 0 and at most {_LONGEST_LIMIT_S:g} s, got {limit_s:g}"
        )
    with temporary_folder("conformance") as folder:
        written = [_written(trap, folder) for trap in graphs]
        answers = {each.trap.name: Answers(each.trap, each.graph) for each in written}
        found = []
        for number, importer in enumerate(chosen):
            place = folder / f"by {number}"
            place.mkdir()
            tell = _Teller(on_progress, number, len(chosen), importer)
            versions, given = processes.run(importer, written, place, limit_s, tell.ran)
            verdicts: dict[str, Verdict] = {}
            for name, outcome in given.items():
                tell.judged(len(verdicts) / len(given))
                verdicts[name] = (
                    outcome if isinstance(outcome, Verdict) else judged(outcome, answers[name])
                )
            found.append(_found(importer, versions, verdicts))
    return tuple(found)


@dataclass(frozen=True)
class _Teller:
    """Says how far one of the importers is: running it and judging it take about as long."""

    on_progress: Callable[[float, str], None]
    number: int
    count: int
    importer: Importer

    def ran(self, share: float) -> None:
        """A share of the graphs has been run."""
        note = f"running {_module(self.importer).TITLE}"
        self.on_progress((self.number + share / 2) / self.count, note)

    def judged(self, share: float) -> None:
        """A share of them has been judged."""
        note = f"judging {_module(self.importer).TITLE}"
        self.on_progress((self.number + 0.5 + share / 2) / self.count, note)


def _written(trap: Trap, folder: Path) -> Written:
    graph, inputs = folder / f"{trap.name}.nir", folder / f"{trap.name}.npy"
    write(graph, trap.graph)
    np.save(inputs, trap.inputs.astype(np.float32))
    return Written(trap, graph, inputs)


def _module(importer: Importer) -> importers.Reader:
    return import_module(importer.module)


def _found(
    importer: Importer, versions: Mapping[str, str], verdicts: Mapping[str, Verdict]
) -> Found:
    module = _module(importer)
    own, *others = module.PACKAGES
    told = ", ".join(f"{name} {versions[name]}" for name in others if name in versions)
    missing = tuple(name for name in module.PACKAGES if name not in versions)
    return Found(module.TITLE, versions.get(own, ""), told, missing, module.INSTALL, verdicts)
