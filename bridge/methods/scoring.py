"""How well a spiking network does its task, on trials of which the seed and the use decide."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bridge.arguments import of_kind
from bridge.backends import parse_backend, quickest_of, simulate
from bridge.backends.declaration import declared
from bridge.errors import SpecError
from bridge.methods.measured import Measured, measured_of
from bridge.progress import told
from bridge.spiking.arrays import counted
from bridge.spiking.drive import Drive, SharedNoise, derived_seed
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.recording import Recording
from bridge.tasks import Task, Trials, check_shown, draw, fitting_task, judges, spiking_correct

# What a seed is used for: trials and noise of each use are from streams of their own, apart from
# those of a cross-check (its own noise has stream 3).
SEARCH = COMPARE = (0, 1)
SCORE, REFIT = (4, 5), (6, 7)
# The second stream is the rate network's noise here.
PREDICT = (8, 9)
# The rate network's noise, on trials of whatever use.
RATE_NOISE = 2


@dataclass(frozen=True, kw_only=True)
class Score:
    """How a number of trials were answered.

    Attributes:
        correct: Those answered rightly; None: the task does not say which are.
        trials: All of them.
        measured: What the task's number came to; None: it gives none.
    """

    correct: int | None
    trials: int
    measured: Measured | None = None

    @property
    def accuracy(self) -> float:
        """Share of the trials answered rightly; SpecError where the task does not say which are."""
        return self._counted() / self.trials

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson score interval of the accuracy, 95 %; SpecError as `accuracy`."""
        return wilson(self._counted(), self.trials)

    def told(self) -> str:
        """What there is to say, in words: "95% right, median nMSE 0.012 (0.004 to 0.09)"."""
        right = "" if self.correct is None else f"{self.accuracy:.0%} right"
        return ", ".join(filter(None, (right, str(self.measured or ""))))

    def _counted(self) -> int:
        if self.correct is None:
            raise SpecError("score: its task does not say which trials are right; see `measured`")
        return self.correct


def score(
    network: SpikingNetwork,
    *,
    trials: int = 100,
    seed: int = 0,
    backend: str | None = None,
    on_progress: Callable[[float], None] | None = None,
    progress: bool = True,
    **options: Any,
) -> Score:
    """Score a spiking network on fresh trials of its task: neither a search nor a refit sees them.

    Args:
        network: A network with a task; of a conversion its spiking network.
        trials: How many.
        seed: Decides trials and noise.
        backend: Where they run, as in `bridge.simulate` (snntorch takes float32 unless stated
            otherwise); None: the quickest that can run here, compiled or snntorch.
        on_progress: Called with the fraction done.
        progress: Show how far it is, in a terminal or notebook, where it takes more than two
            seconds and `on_progress` is not given.
        **options: Those of the backend, as in `bridge.simulate`.

    Raises:
        SpecError: the network has no task, or an option makes no sense.
    """
    network = of_kind("network", network, SpikingNetwork)
    task = needed_task(network)
    made, drive = drive_of(task, network, trials, seed, SCORE)
    with told("scoring", on_progress, progress) as report:
        recording = simulate(
            network, drive, on_progress=report, **quick_run(network, backend, options)
        )
    return score_of(task, made, recording)


def score_of(task: Task, trials: Trials, recording: Recording) -> Score:
    """The score of a recording of a network's task; its first readout answers.

    Raises:
        SpecError: there is no readout, or the task's scoring gives what is not a score.
    """
    if not recording.readouts:
        raise SpecError("this network has no readout, so there is no answer to score")
    outputs = next(iter(recording.readouts.values()))
    return Score(
        correct=int(spiking_correct(task, outputs, trials).sum()) if judges(task) else None,
        trials=outputs.shape[1],
        measured=measured_of(task, outputs, trials),
    )


def task_drive(
    network: SpikingNetwork, trials: int, seed: int, use: tuple[int, int] = COMPARE
) -> tuple[Trials, Drive]:
    """Trials of a network's task and the drive that shows them, of which a recording knows both.

    Args:
        network: A network with a task.
        trials: How many.
        seed: With the use, decides trials and noise.
        use: Streams of trials and noise: `COMPARE`, `SCORE`, ...

    Raises:
        SpecError: the network has no task or one that it does not fit, or `trials` is not positive.
    """
    return drive_of(needed_task(network), network, trials, seed, use)


def drive_of(
    task: Task, network: SpikingNetwork, trials: int, seed: int, use: tuple[int, int] = COMPARE
) -> tuple[Trials, Drive]:
    """As `task_drive`, of a network whose task is known already, from `needed_task`."""
    counted("trials", trials, least=1)
    counted("seed", seed)
    made = trials_of(task, trials, seed, use)
    drive = Drive(
        inputs=made.inputs,
        noise=SharedNoise(seed=derived_seed(seed, use[1])),
        labels=made.labels,
        conditions=task.conditions,
        task=network.task,
        seed=seed,
    )
    return made, drive


def trials_of(task: Task, count: int, seed: int, use: tuple[int, int]) -> Trials:
    """Trials of a task that a seed and the use decide."""
    return draw(task, count, np.random.default_rng((seed, use[0])))


def needed_task(network: SpikingNetwork) -> Task:
    """The task that trials of a network are drawn of.

    Raises:
        SpecError: the network has no task or one that it does not fit.
    """
    if not network.task:
        raise no_task(
            "draw trials of",
            "drive it yourself: bridge.simulate(network, drive), bridge.compare(network, "
            "drive=drive)",
        )
    return task_of(network)


def task_of(network: SpikingNetwork) -> Task:
    """The task that a spiking network names; its first readout answers.

    Raises:
        SpecError: there is none of that name, or it has other steps, inputs or outputs.
    """
    found = fitting_task(
        network.task,
        step_ms=network.dt_ms * network.sample_steps,
        inputs=network.input_size,
        outputs=network.outputs(network.readouts[0]) if network.readouts else None,
    )
    check_shown(network.provenance.get("encoding"), found)
    return found


def no_task(purpose: str, otherwise: str) -> SpecError:
    """What to do with a network that was made without a task."""
    return SpecError(
        f"this network names no task to {purpose}; give it one where it is made (`spikebridge "
        f"import FILE --task NAME`, in Python dataclasses.replace(network, task=NAME)), "
        f"or {otherwise}"
    )


# Without any trials a scale factor can neither be searched nor predicted.
KNOWN_SCALE = (
    "show it inputs of your own, by convert --drive FILE (in Python drive=), or map it at a scale "
    "factor that you know, by bridge.map_one_to_one"
)


def quick_run(
    network: SpikingNetwork, backend: str | None, given: Mapping[str, Any]
) -> dict[str, Any]:
    """A backend where only statistics count, the quickest unless one is named, and its options."""
    name = quickest_of(network, given.get("device")) if backend is None else backend
    return {"backend": name, **quick_options(name, given)}


def quick_options(backend: str, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Options of a backend where only statistics count: those given, else of its quickest form."""
    name, options = parse_backend(backend, given)
    return {**declared()[name].quick, **options}


def wilson(successes: int, trials: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson score interval of a share of successes; z = 1.96 for 95 %."""
    share = successes / trials
    centre = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)
