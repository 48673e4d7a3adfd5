"""Trials of a drive, for a search without a task: what was shown, and what the rate network says.

A task judges the answers as well, where the rate network names one that says which are right and
the drive has conditions of that name: a condition of a drive wants what the task wants in it. A
task that wants something else in each trial, as the flip-flop does, cannot infer from a condition
what is wanted.
"""

import hashlib
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.methods.readout import LEAST_TRIALS
from bridge.methods.scoring import REFIT, SCORE, SEARCH
from bridge.methods.shown_trials import Shown, Use
from bridge.rate.network import RateNetwork
from bridge.rate.network_task import known_task_of
from bridge.spiking.drive import Drive, FrozenNoise, SharedNoise, derived_seed
from bridge.spiking.essentials import names, several
from bridge.tasks import Task, Trials, draw, judges

Array = NDArray[np.float64]

# Seed and number of the trials from which it is learnt what a task wants in each condition.
_WANTED_SEED, _WANTED_TRIALS = 10, 8
# An output that varies by no more than rounding does, as a share of its size, is constant.
_ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class DrivenTrials:
    """The trials of a drive, in an order that the seed decides.

    All of them are searched on. A readout is fitted on every other one, and scored on the rest.

    Attributes:
        task: What judges the answers; None: nothing does.
        trials: All trials, as `bridge.methods.shown_trials.Shown` has them.
        seed: Decides their order, and noise.
    """

    task: Task | None
    trials: Trials
    seed: int

    @property
    def count(self) -> int:
        """Number of trials."""
        return self.trials.inputs.shape[1]

    def shown(self, use: Use, most: int | None = None) -> Shown:
        """As `bridge.methods.shown_trials.TrialSource.shown`."""
        # The first trials of a search decide which scale factors go on: they must be of all kinds.
        order = np.random.default_rng((self.seed, SEARCH[0])).permutation(self.count)
        parts = {REFIT: slice(0, None, 2), SCORE: slice(1, None, 2)}
        chosen = order[parts.get(use, slice(None))][:most]
        return Shown(
            task=self.task,
            trials=self.trials.chosen(chosen),
            noise=SharedNoise(seed=derived_seed(self.seed, use[1])),
        )

    def check_refit(self) -> None:
        """Raise SpecError where there are too few trials to fit a readout on half of them."""
        needed = 2 * LEAST_TRIALS - 1
        if self.count < needed:
            raise SpecError(
                f"refit_readout (--refit-readout): it is fitted on half of a drive's trials and "
                f"scored on the rest, which takes at least {needed}, and this drive has "
                f"{self.count}"
            )

    def told(self) -> dict[str, Any]:
        """What a provenance says of them: the SHA-256 of the inputs, float64, (T, B, C)."""
        inputs = np.ascontiguousarray(self.trials.inputs, dtype="<f8")
        return {"drive_sha256": hashlib.sha256(inputs.tobytes()).hexdigest()}


def driven_trials(rate: RateNetwork, drive: Drive, seed: int) -> DrivenTrials:
    """The trials of a drive that a rate network can be shown, judged as far as that can be.

    Raises:
        SpecError: the drive does not fit the network or holds what a rate network cannot take, or
            what the network answers gives nothing to go by.
    """
    _check(rate, drive)
    with np.errstate(over="ignore", invalid="ignore"):
        outputs, _ = rate.run(drive.inputs, None)
    _check_outputs(outputs)
    task, made = _judge(rate, drive), None
    if task is not None:
        made, why = _wanted(task, drive)
        if why:
            warnings.warn(
                f"drive: task {task.name!r} cannot judge these trials, since {why}; the output "
                "error alone decides",
                stacklevel=2,
            )
    if made is None:
        labels = np.zeros(drive.n_trials, dtype=np.int64)
        made, task = Trials(inputs=drive.inputs, targets=outputs, labels=labels), None
    return DrivenTrials(task=task, trials=made, seed=seed)


def _check(rate: RateNetwork, drive: Drive) -> None:
    """Raise SpecError unless all that a drive holds can be shown to a rate network."""
    if drive.spikes:
        raise SpecError(
            f"drive: holds spikes of {names(drive.spikes)} as events, and a rate network takes "
            "values alone; counts of the spikes in each sample are such values"
        )
    held = {
        "stimulation": bool(drive.stimulation),
        "recurrent_gain": drive.recurrent_gain is not None,
        "v_initial_mv": drive.v_initial_mv is not None,
        "frozen noise": isinstance(drive.noise, FrozenNoise),
    }
    for name, there in held.items():
        if there:
            raise SpecError(
                f"drive: holds {name}, which is for spiking neurons; a conversion takes inputs and "
                "labels, and its seed decides the rest"
            )
    samples, _, channels = drive.inputs.shape
    if channels != rate.input_size:
        raise SpecError(
            f"drive: the rate network takes {several(rate.input_size, 'input channel')}, the drive "
            f"has {channels}"
        )
    if samples < 2:
        raise SpecError(
            "drive: has one sample, and an input acts from the next sample on; give at least two"
        )


def _check_outputs(outputs: Array) -> None:
    """Raise SpecError unless (T, B, O) outputs are something to measure errors by."""
    if not np.isfinite(outputs).all():
        raise SpecError(
            "drive: what the rate network answers is not finite; its inputs are too large for it"
        )
    spread = float(np.ptp(outputs, axis=(0, 1)).max(initial=0.0))
    if spread <= _ROUNDING * float(np.abs(outputs).max(initial=0.0)):
        raise SpecError(
            "drive: the rate network's output never varies in these trials, so there is no output "
            "error to go by; give inputs that it answers"
        )


def _judge(rate: RateNetwork, drive: Drive) -> Task | None:
    """The rate network's task, where it may judge what a drive shows: it says what is right."""
    if drive.labels is None or not rate.task:
        return None
    task = known_task_of(rate)
    return task if task is not None and judges(task) else None


def _wanted(task: Task, drive: Drive) -> tuple[Trials | None, str]:
    """A drive's trials as a task's, by their conditions; None where they are not, and why."""
    if drive.labels is None or len(drive.inputs) != task.steps:
        return None, f"its own have {task.steps} samples, these {len(drive.inputs)}"
    known = {name: label for label, name in enumerate(task.conditions)}
    targets, found = _targets(task), []
    for name in drive.conditions:
        label = known.get(name)
        if label is None:
            return None, f"it has no condition {name!r}"
        if label not in targets:
            return None, f"what it wants in condition {name!r} is not the same in all trials"
        found.append(label)
    labels = np.array(found, dtype=np.int64)[drive.labels]
    wanted = np.stack([targets[label] for label in labels.tolist()], axis=1)
    return Trials(inputs=drive.inputs, targets=wanted, labels=labels), ""


def _targets(task: Task) -> dict[int, Array]:
    """(T, O) what a task wants, by label; without labels whose trials want this or that."""
    count = _WANTED_TRIALS * len(task.conditions)
    made = draw(task, count, np.random.default_rng(_WANTED_SEED))
    found: dict[int, Array] = {}
    for label in np.unique(made.labels).tolist():
        of = made.targets[:, made.labels == label]
        if np.array_equal(of, np.broadcast_to(of[:, :1], of.shape)):
            found[label] = of[:, 0]
    return found
