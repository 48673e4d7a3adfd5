"""What is measured once: a case, described before and as a row of the table after."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, get_type_hints

PARTS = ("floor", "backends", "training", "search", "large")
# Steps of the networks of each part, ms.
STEP_MS = dict.fromkeys(PARTS, 0.05) | {"large": 0.1}

Key = tuple[object, ...]


@dataclass(frozen=True, kw_only=True)
class Case:
    """Something to measure.

    Attributes:
        part: One of `PARTS`.
        backend: Name of a backend, or "floor", "bridge.train", "bridge.convert".
        target: Brian2's target, or which of several ways.
        dtype: "float32" or "float64".
        mode: "compiled" or "eager".
        device: "cpu" or "cuda".
        n: Neurons or units.
        batch: Trials at once.
        processes: How many share the trials.
        simulated_s: Length of a trial, s.
        repeats: Timed runs.
        estimate_s: About how long the whole case takes, s.
        note: Why it is left out, or what is special about it.
        left_out: It is not measured.
    """

    part: str
    backend: str
    target: str = ""
    dtype: str = "float64"
    mode: str = ""
    device: str = "cpu"
    n: int
    batch: int
    processes: int = 1
    simulated_s: float = 1.0
    repeats: int = 1
    estimate_s: float = 1.0
    note: str = ""
    left_out: bool = False

    @property
    def key(self) -> Key:
        """What distinguishes it from other cases."""
        return _key(self)

    @property
    def label(self) -> str:
        """What it is, in a few words."""
        size = f"N {self.n}, batch {self.batch}"
        return f"{name_of(self)}, {size}"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A measured case, a line of benchmark.csv; None where there is nothing to say.

    Attributes:
        part: As those up to `processes` the case's own.
        synapses: Nonzero recurrent weights.
        rate_hz: Mean firing rate, Hz.
        simulated_s: Length of a trial, s.
        repeats: Timed runs; of those the median is taken.
        wall_s_median: Wall time of a run, s.
        wall_s_per_trial_s: The same for each second of each trial.
        cpu_s_per_trial_s: CPU time, user and system, of all processes, likewise.
        trial_s_per_wall_s: Seconds of trials in a second.
        peak_mb: Largest memory of all its processes together, shared pages counted once, MB.
        first_run_s: From the start of a process to its first result, with nothing compiled
            before, s; None where everything had been compiled for an earlier case.
        start_s: The same with everything compiled.
        floor_noise_s: Wall time that drawing the noise alone would take, s.
        floor_state_s: Wall time to read and write the state once each step, s.
        ratio_to_floor: wall_s_median / (floor_noise_s + floor_state_s).
        note: What is special about it.
    """

    part: str
    backend: str
    target: str
    dtype: str
    mode: str
    device: str
    n: int
    batch: int
    processes: int
    synapses: int | None = None
    rate_hz: float | None = None
    simulated_s: float | None = None
    repeats: int = 0
    wall_s_median: float | None = None
    wall_s_per_trial_s: float | None = None
    cpu_s_per_trial_s: float | None = None
    trial_s_per_wall_s: float | None = None
    peak_mb: float | None = None
    first_run_s: float | None = None
    start_s: float | None = None
    floor_noise_s: float | None = None
    floor_state_s: float | None = None
    ratio_to_floor: float | None = None
    note: str = ""

    @property
    def key(self) -> Key:
        """That of its case."""
        return _key(self)

    @property
    def steps(self) -> float:
        """Steps of a trial."""
        return (self.simulated_s or math.nan) * 1000 / STEP_MS[self.part]

    def plain(self) -> dict[str, str]:
        """Its fields as text."""
        return {name: _text(value) for name, value in asdict(self).items()}

    @classmethod
    def read(cls, line: Mapping[str, str]) -> "Row":
        """From text; KeyError or ValueError where it is not such a line."""
        kinds = get_type_hints(cls)
        return cls(**{entry.name: _value(line, entry.name, kinds) for entry in fields(cls)})


def name_of(what: Case | Row) -> str:
    """Backend, and what of it is not the only one there is."""
    several = what.backend in ("snntorch", "compiled")
    parts = [what.backend, what.target, what.dtype if several else "", what.mode]
    if what.device != "cpu":
        parts.append(what.device)
    return " ".join(part for part in parts if part)


def row_of(case: Case, **measured: Any) -> Row:
    """The row of a case; nothing measured: only its note."""
    names = ("part", "backend", "target", "dtype", "mode", "device", "n", "batch", "processes")
    row = Row(**{name: getattr(case, name) for name in names}, note=case.note)
    return replace(row, **measured)


def _key(what: Case | Row) -> Key:
    names = ("part", "backend", "target", "dtype", "mode", "device", "n", "batch", "processes")
    return tuple(getattr(what, name) for name in names)


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _value(line: Mapping[str, str], name: str, kinds: Mapping[str, Any]) -> Any:
    text, kind = line[name], kinds[name]
    if kind is str:
        return text
    if text == "" and kind is not int:
        return None
    return int(text) if kind in (int, int | None) else float(text)
