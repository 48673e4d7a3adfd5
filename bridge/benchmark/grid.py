"""Which cases a benchmark measures, how long each trial is, and what is left out."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from bridge.backends.workers import available_processes
from bridge.benchmark.case import PARTS, STEP_MS, Case
from bridge.errors import SpecError

_SIZES = (100, 200, 500, 1000, 2000)
_BATCHES = (1, 10, 100, 1000)
_USUAL = 200
_LARGE = (500, 1000, 2000, 5000)
# What a run may be estimated to take, s; shorter trials are tried before a case is left out.
_BOUND_S, _QUICK_BOUND_S = 3.0, 1.5
_TRIALS_S = (1.0, 0.5, 0.2, 0.1, 0.05)
_FLOOR_S, _QUICK_FLOOR_S = 0.3, 0.05
# Starting Python and loading torch or Brian2.
_START_S = 4.0
# Fewer neuron-steps than this are not worth a process of their own.
_WORTH_A_PROCESS = 5e8

Points = list[tuple[int, int]]


@dataclass(frozen=True)
class Kind:
    """A way to simulate, and about what it costs: only estimates, to decide what is left out.

    Attributes:
        backend: As those up to `mode` the case's.
        per_step_s: Of a step, whatever its size, s.
        per_neuron_s: Of a neuron in a step, s.
        per_run_s: Of a run (standalone: of a trial), s.
        compile_s: Of the first run, s.
    """

    backend: str
    target: str = ""
    dtype: str = "float64"
    mode: str = ""
    per_step_s: float = 0.0
    per_neuron_s: float = 0.0
    per_run_s: float = 0.0
    compile_s: float = 0.0


_REFERENCE = Kind("reference", per_step_s=3e-4, per_neuron_s=7e-8)
_NUMPY = Kind("brian2", "numpy", per_step_s=2e-4, per_neuron_s=1e-7)
_CYTHON = Kind("brian2", "cython", per_step_s=1.5e-5, per_neuron_s=2e-8, compile_s=80)
_STANDALONE = Kind("brian2", "standalone", per_neuron_s=7e-9, per_run_s=0.01, compile_s=10)
_FLOAT32 = Kind("snntorch", "", "float32", "compiled", 2e-5, 1.5e-9, compile_s=30)
_FLOAT64 = Kind("snntorch", "", "float64", "compiled", 2e-5, 4e-9, compile_s=30)
_LOOP = Kind("compiled", "", "float64", per_neuron_s=2.5e-9, compile_s=2)
_LOOP32 = Kind("compiled", "", "float32", per_neuron_s=1.5e-9, compile_s=2)
# As the kernel's prototype took on an H100.
_KERNEL = Kind("compiled", "", "float64", "", 1.5e-6, 6e-12, compile_s=10)
_KERNEL32 = Kind("compiled", "", "float32", "", 1.2e-6, 5e-12, compile_s=10)
_EAGER32 = Kind("snntorch", "", "float32", "eager", 5e-4, 2.5e-8)
_EAGER64 = Kind("snntorch", "", "float64", "eager", 5e-4, 4e-8)


def cases(
    *,
    quick: bool,
    parts: Sequence[str] = PARTS,
    repeats: int = 3,
    devices: Sequence[str] = ("cpu",),
) -> list[Case]:
    """All cases of these parts, in the order in which they are measured.

    Args:
        quick: Few of them, and short.
        parts: Some of `PARTS`.
        repeats: Timed runs of each; fewer of what takes long.
        devices: Where torch runs.

    Raises:
        SpecError: there is no such part.
    """
    unknown = [part for part in parts if part not in PARTS]
    if unknown or not parts:
        raise SpecError(
            f"unknown part {', '.join(unknown) or 'none'!r}; known are {', '.join(PARTS)}"
        )
    made = {
        "backends": list(_backends(devices, repeats, quick=quick)),
        "training": list(_training(devices, repeats, quick=quick)),
        "search": list(_search(devices, quick=quick)),
        "large": list(_large(devices, repeats, quick=quick)),
    }
    made["floor"] = list(_floors([*made["backends"], *made["large"]], repeats, quick=quick))
    return [case for part in PARTS if part in parts for case in made[part]]


def _points(sizes: Iterable[int], batches: Iterable[int]) -> Points:
    """Every size alone, and the usual size at every batch."""
    return sorted({(n, 1) for n in sizes} | {(_USUAL, batch) for batch in batches})


def _grid(kind: Kind) -> Points:
    """At which N and batch a kind is measured."""
    if kind == _LOOP:
        return sorted({(n, b) for n in _SIZES for b in (1, 100, 1000)} | {(_USUAL, 10)})
    if kind in (_FLOAT32, _FLOAT64, _STANDALONE, _REFERENCE):
        several = {(n, 100) for n in _SIZES[1::2]} if kind == _FLOAT64 else set()
        return sorted({*_points(_SIZES, _BATCHES), *several})
    if kind == _EAGER64:
        return [(_USUAL, 1), (_USUAL, 100)]
    return _points((_USUAL, 500, 2000), _BATCHES)


_QUICK_KINDS = (_REFERENCE, _NUMPY, _STANDALONE, _LOOP, _FLOAT32, _EAGER32, _KERNEL)
_QUICK_POINTS = [(100, 1), (200, 1), (200, 10), (100, 100), (200, 100)]
# Cython last: it compiles for minutes.
_ON_CPU = (
    *(_STANDALONE, _LOOP, _LOOP32, _FLOAT32, _FLOAT64),
    *(_EAGER32, _EAGER64, _REFERENCE, _NUMPY, _CYTHON),
)
# On CUDA snnTorch's steps run uncompiled.
_ON_GPU = (_KERNEL, _KERNEL32, _EAGER32, _EAGER64)


def _backends(devices: Sequence[str], repeats: int, *, quick: bool) -> Iterator[Case]:
    for device in devices:
        for kind in _ON_CPU if device == "cpu" else _ON_GPU:
            if quick and kind not in _QUICK_KINDS:
                continue
            for n, batch in _QUICK_POINTS if quick else _grid(kind):
                yield _simulation("backends", kind, (n, batch, device), repeats, quick=quick)


def _large(devices: Sequence[str], repeats: int, *, quick: bool) -> Iterator[Case]:
    for device in devices:
        kind = _FLOAT32 if device == "cpu" else _EAGER32
        for n in _LARGE[:2] if quick else _LARGE:
            for batch in (1, 10):
                yield _simulation("large", kind, (n, batch, device), repeats, quick=quick)
            for each in (_STANDALONE, _LOOP) if device == "cpu" else ():
                yield _simulation("large", each, (n, 1, device), repeats, quick=quick)


def _simulation(
    part: str, kind: Kind, where: tuple[int, int, str], repeats: int, *, quick: bool
) -> Case:
    """The case of a simulation, its trials as long as the bound on a run allows."""
    n, batch, device = where
    case = Case(
        part=part,
        backend=kind.backend,
        target=kind.target,
        dtype=kind.dtype,
        mode=kind.mode,
        device=device,
        n=n,
        batch=batch,
        processes=_processes(kind, where, STEP_MS[part]),
    )
    bound_s = _QUICK_BOUND_S if quick else _BOUND_S
    runs_s = {trial_s: _run_s(kind, case, trial_s) for trial_s in _TRIALS_S}
    # A standalone program is compiled for trials of one length.
    trials_s = _TRIALS_S[:1] if kind == _STANDALONE else _TRIALS_S
    fitting = [trial_s for trial_s in trials_s if runs_s[trial_s] <= bound_s]
    if not fitting:
        shortest = trials_s[-1]
        note = f"left out: about {runs_s[shortest]:.1g} s for {shortest:g} s of trials"
        return replace(case, note=note, left_out=True, estimate_s=0.0)
    run_s = runs_s[fitting[0]]
    return replace(
        case,
        simulated_s=fitting[0],
        repeats=repeats,
        estimate_s=_START_S + repeats * run_s + _compiling_s(kind, n, batch),
    )


def _run_s(kind: Kind, case: Case, trial_s: float) -> float:
    """About how long a run takes, s."""
    steps = trial_s * 1000 / STEP_MS[case.part]
    work = steps * case.n * case.batch * kind.per_neuron_s
    runs = case.batch if kind == _STANDALONE else 1
    # Spikes at 10 Hz over a fifth of all connections, some nanoseconds each.
    arrivals = 2e-8 * case.batch * trial_s * case.n**2 * (2 if case.part == "backends" else 0.05)
    shared = (work + arrivals + runs * kind.per_run_s) / case.processes
    return shared + steps * kind.per_step_s


def _compiling_s(kind: Kind, n: int, batch: int) -> float:
    """About how long it takes to compile what no case before had compiled, s."""
    if kind == _STANDALONE:
        return kind.compile_s if batch == 1 else 0.0
    return kind.compile_s if (n, batch) in (_QUICK_POINTS[0], (_USUAL, 1)) else 0.0


def _processes(kind: Kind, where: tuple[int, int, str], step_ms: float) -> int:
    """How many processes a backend itself would share the trials among."""
    n, batch, device = where
    most = min(available_processes(), batch)
    if kind in (_STANDALONE, _LOOP, _LOOP32):
        return most
    if kind.backend != "snntorch" or device != "cpu":
        return 1
    return min(most, 1 + int(batch * n * 1000 / step_ms / _WORTH_A_PROCESS))


def _floors(simulations: Iterable[Case], repeats: int, *, quick: bool) -> Iterator[Case]:
    """The floor of every size that is measured, for the same number of processes."""
    measured = [case for case in simulations if not case.left_out]
    places = sorted({(case.device, case.n, case.batch, case.processes) for case in measured})
    for device, n, batch, processes in places:
        targets = ["counter noise"]
        if n == _USUAL and processes == min(available_processes(), batch):
            targets.append("torch normal_")
        for target in targets:
            step_s = 2e-6 + batch * n * 2e-9 / processes
            calls = max(10, round((_QUICK_FLOOR_S if quick else _FLOOR_S) / step_s / 10))
            yield Case(
                part="floor",
                backend="floor",
                target=target,
                dtype="float32",
                mode="compiled" if target == "counter noise" and device == "cpu" else "eager",
                device=device,
                n=n,
                batch=batch,
                processes=processes,
                simulated_s=min(calls, 2000) * 10 * STEP_MS["floor"] / 1000,
                repeats=repeats,
                estimate_s=_START_S,
            )


def _training(devices: Sequence[str], repeats: int, *, quick: bool) -> Iterator[Case]:
    for device in devices:
        for networks in (1,) if quick else (1, 4):
            yield Case(
                part="training",
                backend="bridge.train",
                target=f"K={networks}",
                dtype="float32",
                device=device,
                n=50 if quick else _USUAL,
                batch=32,
                repeats=repeats,
                estimate_s=_START_S + (repeats + 1) * networks,
            )


def _search(devices: Sequence[str], *, quick: bool) -> Iterator[Case]:
    for device in devices:
        for target in ("halving",) if quick else ("exhaustive", "halving"):
            yield Case(
                part="search",
                backend="bridge.convert",
                target=target,
                dtype="float32",
                device=device,
                n=_USUAL,
                batch=12 * (20 if quick else 100),
                estimate_s=_START_S + (4 if quick else 20),
            )
