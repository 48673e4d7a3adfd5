"""A spiking network fitted to rate dynamics, and judged with its own feedback alone."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.backends import quickest, simulate
from bridge.blas_threads import threads_for
from bridge.errors import SpecError
from bridge.methods.rate_targets.description import OUTPUT, described
from bridge.methods.rate_targets.learner import TAU_FAST_MS, Learner, draw_fixed
from bridge.methods.rate_targets.options import TargetOptions
from bridge.methods.rate_targets.targets import Lessons, project
from bridge.methods.rate_targets.teacher import Course, draw_teacher
from bridge.progress import told as reported
from bridge.spiking.arrays import counted, frozen_array
from bridge.spiking.drive import Drive, SharedNoise
from bridge.spiking.essentials import several, told
from bridge.spiking.network import SpikingNetwork
from bridge.tasks import Task, Trials, check_task, draw, nmse
from bridge.tasks import task as task_named

Array = NDArray[np.float64]
Progress = Callable[[float], None]

METHOD = "rate dynamics as targets (DePasquale et al. 2016)"

# What is drawn for the teacher, for the spiking network, and for learning: a stream each.
_TEACHER, _SPIKING, _LEARNING = 0, 1, 2


@dataclass(frozen=True, kw_only=True, eq=False)
class TargetFit:
    """A spiking network that has learned, and how good it is without its teacher.

    Attributes:
        network: The network; its synapses start as they were when learning ended.
        start_mv: (N,) voltages when learning ended, mV.
        trial: The one trial of the task, over and over.
        learning_errors: (L,) nMSE of each trial of learning. It is small long before the network
            can do without its teacher, and says nothing about it.
        errors: (B,) nMSE of each trial after learning, with the network's own feedback.
        rate_hz: Mean firing rate in these trials, Hz.
    """

    network: SpikingNetwork
    start_mv: Array
    trial: Trials
    learning_errors: Array
    errors: Array
    rate_hz: float

    def __repr__(self) -> str:
        size = several(self.network.size, "neuron")
        judged = f"nMSE {self.error:.3g} in {several(len(self.errors), 'trial')} on its own"
        return told(self, size, judged, f"{self.rate_hz:.3g} Hz")

    def held(self) -> tuple[object, ...]:
        """What may be taken in its place: the network."""
        return (self.network,)

    @property
    def error(self) -> float:
        """Median of `errors`, by which the network is judged."""
        return float(np.median(self.errors))

    def drive(self, trials: int) -> Drive:
        """The drive of one run of so many trials in a row, from the end of learning on."""
        return _drive_on(self.trial, self.start_mv, counted("trials", trials, least=1))


def fit_targets(
    task: str | Task,
    *,
    on_progress: Progress | None = None,
    progress: bool = True,
    **options: Any,
) -> TargetFit:
    """Let a spiking network learn a task by following the dynamics of a rate network.

    This is the method of DePasquale et al. 2016. The desired output drives a continuous network.
    The components of its currents are the targets of a spiking network. It learns them in its slow
    and fast connections from some of the neurons, by recursive least squares.

    Args:
        task: "four-sines", or another task whose trials are all alike, in samples of at most
            2.5 ms.
        on_progress: Called with the fraction done.
        progress: Show how far it is, in a terminal or notebook, where it takes more than two
            seconds and `on_progress` is not given.
        **options: Fields of `bridge.methods.rate_targets.options.TargetOptions`: units, trained,
            learn_trials, seed, ...

    Raises:
        SpecError: an option or the task makes no sense.
        TrainingError: learning diverged.
    """
    chosen = _options(options)
    kind = task_named(task) if isinstance(task, str) else check_task(task)
    trial = _the_trial(kind)
    with reported("fitting", on_progress, progress) as report, threads_for(0):
        return _fitted(kind, trial, chosen, report or _silent)


def _silent(_: float) -> None:
    """Nobody looks."""


def _options(given: dict[str, Any]) -> TargetOptions:
    known = TargetOptions.__dataclass_fields__
    for name in given:
        if name not in known:
            raise SpecError(f"unknown option {name!r}; known are {', '.join(known)}")
    return TargetOptions(**given)


def _the_trial(task: Task) -> Trials:
    """The one trial of a task; SpecError where trials differ, or are too coarse."""
    if task.step_ms > TAU_FAST_MS / 2:
        raise SpecError(
            f"task {task.name!r}: its samples of {task.step_ms:g} ms are too coarse for synapses "
            f"of {TAU_FAST_MS:g} ms; expected {TAU_FAST_MS / 2:g} ms at most"
        )
    one, other = (draw(task, 1, np.random.default_rng(seed)) for seed in (0, 1))
    same = np.array_equal(one.inputs, other.inputs) and np.array_equal(one.targets, other.targets)
    if not same:
        raise SpecError(
            f"task {task.name!r}: its trials differ, and this fit takes tasks with trials that "
            "are all alike"
        )
    if not one.targets.any():
        raise SpecError(f"task {task.name!r}: its targets are 0 throughout")
    return one


def _fitted(task: Task, trial: Trials, options: TargetOptions, report: Progress) -> TargetFit:
    rngs = [np.random.default_rng((options.seed, part)) for part in range(3)]
    teacher = draw_teacher(options, (task.input_size, task.output_size), rngs[_TEACHER])
    course = Course(teacher, trial, task.step_ms)
    targets = project(teacher, course, options, rngs[_TEACHER])
    lessons = Lessons(targets, course, trial)
    fixed = draw_fixed(options, targets, rngs[_SPIKING])
    learner = Learner(fixed, targets.onto, task.output_size, task.step_ms)
    phases = [options.settle_trials, options.learn_trials, 1]
    if learner.is_random:
        phases += [options.settle_trials, options.mean_trials]
    done = _Counter(sum(phases), report)
    if learner.is_random:
        _balance(learner, lessons, options, done)
    learner.forced_trials(lessons, options.settle_trials, done)
    learned = _learn(learner, lessons, options, rngs[_LEARNING], done)
    network = described(
        learner,
        targets,
        dt_ms=task.step_ms,
        task=task.name,
        factored=options.factored,
        provenance={
            "method": METHOD,
            "options": asdict(options),
            "components": targets.onto.shape[1],
        },
    )
    errors, rate_hz = closed_loop(network, trial, learner.v, options.test_trials)
    done()
    return TargetFit(
        network=network,
        start_mv=frozen_array("start_mv", learner.v, (None,)),
        trial=trial,
        learning_errors=learned,
        errors=errors,
        rate_hz=rate_hz,
    )


class _Counter:
    """Reports how many of all trials are done."""

    def __init__(self, total: int, report: Progress) -> None:
        self._total, self._report, self._done = total, report, 0
        report(0.0)

    def __call__(self) -> None:
        """One more is done."""
        self._done += 1
        self._report(self._done / self._total)


def _balance(
    learner: Learner, lessons: Lessons, options: TargetOptions, done: Callable[[], None]
) -> None:
    """Take the mean of the random currents off the bias, and start again."""
    learner.forced_trials(lessons, options.settle_trials, done)
    mean = learner.forced_trials(lessons, options.mean_trials, done)
    learner.fixed = replace(learner.fixed, bias=learner.fixed.bias - mean)
    learner.restart()


def _learn(
    learner: Learner,
    lessons: Lessons,
    options: TargetOptions,
    rng: np.random.Generator,
    done: Callable[[], None],
) -> Array:
    """(L,) nMSE of each trial of learning."""
    errors = np.empty(options.learn_trials)
    for number in range(options.learn_trials):
        lesson = lessons.next()
        wanted = lesson.desired[:, lesson.signals.shape[1] :]
        chosen = rng.random(len(wanted)) < options.update_chance
        outputs = learner.learning_trial(lesson, chosen, number)
        errors[number] = np.square(outputs - wanted).sum() / np.square(wanted).sum()
        done()
    return errors


def closed_loop(
    network: SpikingNetwork, trial: Trials, start_mv: Array, count: int
) -> tuple[Array, float]:
    """How good a network is with its own feedback alone, in trials that follow one another.

    Returns:
        (B,) nMSE of each trial, sum (z - f)^2 / sum f^2; and the mean firing rate, Hz.
    """
    drive = _drive_on(trial, start_mv, count)
    recording = simulate(network, drive, backend=quickest(), progress=False)
    steps = len(trial.targets)
    outputs = recording.readouts[OUTPUT][:, 0].reshape(count, steps, -1).swapaxes(0, 1)
    alike = Trials(
        inputs=np.repeat(trial.inputs, count, axis=1),
        targets=np.repeat(trial.targets, count, axis=1),
        labels=np.repeat(trial.labels, count),
    )
    seconds = count * steps * network.dt_ms / 1000.0
    return nmse().values(outputs, alike), recording.spikes.count / (network.size * seconds)


def _drive_on(trial: Trials, start_mv: Array, count: int) -> Drive:
    """One run of so many trials in a row."""
    return Drive(
        inputs=np.tile(trial.inputs, (count, 1, 1)),
        noise=SharedNoise(seed=0),
        v_initial_mv=start_mv[None],
    )
