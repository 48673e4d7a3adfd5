"""Compiled Brian2 programs: taken from the cache or built, and run once for each trial.

Nothing here imports Brian2: a program that is there starts at once.
"""

import errno
import json
import os
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.backends import cache, compiler
from bridge.backends.brian2 import toolchain
from bridge.backends.brian2.build import (
    MANIFEST,
    PROGRAM,
    STATIC,
    VALUES,
    build_program,
    digest,
    table_name,
)
from bridge.backends.brian2.form import Form
from bridge.backends.brian2.formed import form_of
from bridge.backends.brian2.results import Left, Results
from bridge.backends.brian2.values import (
    Values,
    constant_values,
    delay_values,
    input_values,
    start_values,
    train,
    window_values,
)
from bridge.backends.declaration import folder_digest
from bridge.backends.kept import Wanted
from bridge.backends.processes import Children, each
from bridge.errors import BackendError
from bridge.spiking import noise as noise_module
from bridge.spiking.drive import Drive, NoiseStream
from bridge.spiking.network import SpikingNetwork
from bridge.temporary import temporary_folder
from bridge.versions import version

KIND = "brian2"
FORMAT = 1
# What a trial leaves, in a folder of its own.
LEFT = "results"


@dataclass(frozen=True)
class Program:
    """A compiled trial of one form.

    Attributes:
        path: What to start.
        arguments: Types of the variables that can be set on its command line, by name.
        files: Shapes of the float64 arrays that it reads from `static_arrays`, by name.
        results: Types of the arrays that it leaves, by name.
        fixed: More files that it reads from `static_arrays`, the same in every run.
    """

    path: Path
    arguments: dict[str, str]
    files: dict[str, list[int]]
    results: dict[str, str]
    fixed: list[Path]


def program_for(form: Form) -> Program:
    """The compiled program of a form, from the cache or new.

    Raises:
        BackendError: it does not compile, or cannot be kept anywhere.
    """
    return cache.fetch(KIND, _key(form), partial(build_program, form), _read, "Brian2's program")


def _key(form: Form) -> dict[str, Any]:
    return {
        "form": form.plain(),
        "generator": folder_digest(Path(__file__).parent, Path(noise_module.__file__)),
        "brian2": version("brian2"),
        "flags": toolchain.strict_flags(),
        "compiler": compiler.compiler_identity(),
    }


def _read(entry: Path) -> Program | None:
    """The program of an entry; None where there is none or it is damaged."""
    try:
        manifest = json.loads((entry / MANIFEST).read_bytes())
        contents = dict(manifest["sha256"])
        if manifest["format"] != FORMAT or PROGRAM not in contents:
            return None
        if any(digest(entry / name) != wanted for name, wanted in contents.items()):
            return None
        tables = {name: dict(manifest[name]) for name in ("arguments", "files", "results")}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not os.access(entry / PROGRAM, os.X_OK):
        raise PermissionError(errno.EACCES, "programs cannot be started from it", str(entry))
    fixed = [entry / name for name in contents if name != PROGRAM]
    return Program(path=entry / PROGRAM, fixed=fixed, **tables)


def run(
    network: SpikingNetwork,
    drive: Drive,
    results: Results,
    workers: int,
    report: Callable[[float], None],
) -> None:
    """Run all trials, `workers` at once, each in a process of its own."""
    form = replace(form_of(network, drive, results.kept.wanted, counted=True), trials=1)
    program = program_for(form)
    with temporary_folder("run") as folder:
        trials = _Trials(program, network, drive, form, results.kept.wanted, folder)
        with closing(each(trials.run, drive.n_trials, workers)) as done:
            for count, (trial, left) in enumerate(done, start=1):
                for number, part in enumerate(left):
                    results.take(number, trial, 1, part)
                report(count / drive.n_trials)


class _Trials:
    """The trials of a drive, each run in its own folder next to the values of all."""

    def __init__(
        self,
        program: Program,
        network: SpikingNetwork,
        drive: Drive,
        form: Form,
        wanted: Wanted,
        folder: Path,
    ) -> None:
        self.program, self.network, self.drive, self.form = program, network, drive, form
        self.folder = folder
        (folder / VALUES).mkdir()
        self.common = [
            argument
            for number in range(len(form.populations))
            for argument in self._arguments(number, self._constants(number, wanted), VALUES)
        ]
        for number, projection in enumerate(form.projections):
            if projection.connected:
                self._write_synapses(number)
            if projection.late:
                self._write_delays(number)

    def _constants(self, number: int, wanted: Wanted) -> Values:
        constants = constant_values(self.network, self.form, number)
        return constants | window_values(self.form, number, wanted)

    def _write_synapses(self, number: int) -> None:
        for factor, columns in enumerate(self.network.projections[number].factors):
            for name, table in (("first", columns.indptr), ("post", columns.indices)):
                file = self.folder / VALUES / table_name(name, number, factor)
                table.astype(np.int32).tofile(file)
            synapses = "outer" if factor else "synapses"
            self.common += self._argument(f"{synapses}_{number}.w", columns.data, VALUES)

    def _write_delays(self, number: int) -> None:
        delays = delay_values(self.network, self.form, number)
        delays.tofile(self.folder / VALUES / f"delays_{number}")
        name = f"relay_{number}.delay"
        if name in self.program.arguments:
            self.common += self._argument(name, delays * (self.form.dt_ms / 1000.0), VALUES)

    def _arguments(self, number: int, values: Values, folder: str) -> list[str]:
        return [
            argument
            for name, value in values.items()
            for argument in self._argument(f"neurons_{number}.{name}", value, folder)
        ]

    def _argument(self, name: str, value: NDArray[Any], folder: str) -> list[str]:
        """Command line of a variable: a single whole number itself, an array by a file."""
        if np.ndim(value) == 0:
            return [f"{name}={int(value)}"]
        value.astype(self.program.arguments[name]).tofile(self.folder / folder / name)
        return [f"{name}=../{folder}/{name}"]

    def run(self, trial: int, family: Children) -> list[Left]:
        """Run a trial and read what it left, population by population.

        Raises:
            BackendError: the program failed.
        """
        drive = self.drive.trials(trial, trial + 1)
        folder = self.folder / f"trial-{trial}"
        for part in (STATIC, LEFT):
            (folder / part).mkdir(parents=True)
        try:
            arguments = [*self.common]
            for number in range(len(self.form.populations)):
                values = start_values(self.network, self.form, number, drive)
                arguments += self._arguments(number, values, folder.name)
            self._write_tables(drive, folder / STATIC)
            self._start(arguments, folder, family)
            return [self._left(number, folder / LEFT) for number in self.form.neurons]
        finally:
            # Frozen noise takes 32 MB a trial: many would fill the disk.
            shutil.rmtree(folder, ignore_errors=True)

    def _write_tables(self, drive: Drive, folder: Path) -> None:
        """What the trial reads of input, noise and pushes, rows of samples and of steps."""
        for path in self.program.fixed:
            shutil.copy2(path, folder / path.name)
        noise = None
        kicks = drive.kicks().take(range(self.form.steps)) if drive.stimulation else np.empty(0)
        for name in self.program.files:
            kind, number = name.removesuffix("_values").split("_")
            if kind == "u":
                rows = input_values(self.network, int(number), drive)
            elif kind == "kick":
                rows = kicks[:, int(number)]
            else:
                if noise is None:
                    noise = NoiseStream(self.network, drive).take(self.form.steps)
                population = self.network.populations[int(number)]
                rows = noise[:, 0, self.network.span(population.name)]
            np.ascontiguousarray(rows).tofile(folder / name)
        for place in range(len(self.form.neurons), len(self.form.populations)):
            table, _ = train(self.network, place, drive)
            table.tofile(folder / f"train_{place}")

    def _start(self, arguments: list[str], folder: Path, family: Children) -> None:
        command = [str(self.program.path), "--results_dir", f"{LEFT}/", *arguments]
        status, printed = family.run(command, folder)
        # It has nothing to say, and goes on after a file that it could not read.
        if status or printed:
            said = printed.strip().splitlines()
            reason = said[0] if said else f"it ended with status {status}"
            if reason.endswith("cannot be written"):
                raise OSError(errno.ENOSPC, reason, str(folder))
            raise BackendError(f"Brian2's compiled program failed: {reason}")

    def _left(self, number: int, folder: Path) -> Left:
        def read(file: str) -> NDArray[Any]:
            if file not in self.program.results:
                # A population without threshold.
                return np.empty(0)
            return np.fromfile(folder / file, dtype=self.program.results[file])

        mine = self.form.populations[number]
        samples = {name: read(f"samples_{number}_{name}") for name in mine.sampled}
        return Left(
            fired=read(f"fired_{number}"),
            times_s=read(f"times_{number}"),
            samples={name: rows.reshape(-1, mine.size) for name, rows in samples.items()},
            final={
                name: read(f"final_{number}_{name}")
                for name in dict.fromkeys((*mine.states, *mine.sampled))
            },
            window={name: read(f"window_{number}_{name}") for name in mine.stepped},
            margins_mv=read(f"margins_{number}") if self.form.margins else None,
        )
