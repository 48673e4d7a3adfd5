"""How good a network is with its own feedback alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.backends import quickest, simulate
from bridge.methods.rate_targets.description import OUTPUT
from bridge.methods.scoring import SCORE, drive_of
from bridge.spiking.drive import Drive, SharedNoise
from bridge.spiking.network import SpikingNetwork
from bridge.tasks import Task, Trials, judges, nmse, spiking_correct

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Judgement:
    """Trials of a network on its own.

    Attributes:
        errors: (B,) nMSE of each; of a network that runs free after the best shift.
        rate_hz: Mean firing rate, Hz.
        shifts_ms: (B,) how much later than it should the output of each trial came, ms; None: the
            input says when trials begin.
        right: How many trials were answered rightly; None: not asked.
    """

    errors: Array
    rate_hz: float
    shifts_ms: Array | None = None
    right: int | None = None


def drive_on(trial: Trials, start_mv: Array, count: int) -> Drive:
    """One run of so many trials in a row."""
    return Drive(
        inputs=np.tile(trial.inputs, (count, 1, 1)),
        noise=SharedNoise(seed=0),
        v_initial_mv=start_mv[None],
    )


def closed_loop(
    network: SpikingNetwork, trial: Trials, start_mv: Array, count: int, *, free: bool = False
) -> Judgement:
    """Trials that follow one another: nMSE is sum (z - f)^2 / sum f^2.

    Args:
        network: What has learned.
        trial: The one trial.
        start_mv: (N,) voltages, mV.
        count: How many trials.
        free: Whether the network is not shown when a trial begins.
    """
    drive = drive_on(trial, start_mv, count)
    recording = simulate(network, drive, backend=quickest(), progress=False)
    sample_ms = network.dt_ms * network.sample_steps
    seconds = count * len(trial.targets) * sample_ms / 1000.0
    return in_a_row(
        recording.readouts[OUTPUT][:, 0],
        trial,
        sample_ms,
        rate_hz=recording.spikes.count / (network.size * seconds),
        free=free,
    )


def in_a_row(
    made: Array, trial: Trials, sample_ms: float, *, rate_hz: float = 0.0, free: bool = False
) -> Judgement:
    """What (B T, O) outputs of trials that follow one another are worth.

    Args:
        made: The outputs.
        trial: The one trial.
        sample_ms: Time between two samples, ms.
        rate_hz: Mean firing rate, Hz.
        free: Whether the network was not shown when a trial begins.
    """
    steps = len(trial.targets)
    count = len(made) // steps
    outputs = made.reshape(count, steps, -1).swapaxes(0, 1)
    wanted = np.repeat(trial.targets, count, axis=1)
    shifts_ms: Array | None = None
    if free:
        shifts = best_shifts(outputs, trial.targets[:, 0])
        shifts_ms = shifts.astype(np.float64) * sample_ms
        for number, shift in enumerate(shifts):
            wanted[:, number] = np.roll(trial.targets[:, 0], shift, axis=0)
    alike = Trials(
        inputs=np.repeat(trial.inputs, count, axis=1),
        targets=wanted,
        labels=np.repeat(trial.labels, count),
    )
    return Judgement(
        errors=nmse().values(outputs, alike),
        rate_hz=rate_hz,
        shifts_ms=shifts_ms,
    )


def apart(network: SpikingNetwork, task: Task, count: int, seed: int) -> Judgement:
    """Fresh trials of a task, each from rest and drawn voltages, as for any network."""
    trials, drive = drive_of(task, network, count, seed, SCORE)
    recording = simulate(network, drive, backend=quickest(), progress=False)
    seconds = count * task.steps * task.step_ms / 1000.0
    rate_hz = recording.spikes.count / (network.size * seconds)
    return of_fresh(task, recording.readouts[OUTPUT], trials, rate_hz=rate_hz)


def of_fresh(task: Task, outputs: Array, trials: Trials, *, rate_hz: float = 0.0) -> Judgement:
    """What (T, B, O) outputs of fresh trials of a task are worth."""
    power = np.square(trials.targets).sum(axis=(0, 2))
    # Trials whose answer is to be 0 throughout have no nMSE.
    some = power > 0
    return Judgement(
        errors=np.square(outputs - trials.targets).sum(axis=(0, 2))[some] / power[some],
        rate_hz=rate_hz,
        right=int(spiking_correct(task, outputs, trials).sum()) if judges(task) else None,
    )


def best_shifts(outputs: Array, target: Array) -> NDArray[np.int64]:
    """How many steps later than a target that repeats itself the outputs come.

    Each trial's shift is the one of the largest correlation, and of those that differ by whole
    trials the one nearest to that of the trial before: a drift is followed beyond half a trial.

    Args:
        outputs: (T, B, O), trials that follow one another.
        target: (T, O).

    Returns:
        (B,) shifts, steps.
    """
    steps = len(target)
    spectrum = np.fft.rfft(outputs, axis=0) * np.fft.rfft(target, axis=0).conj()[:, None]
    likeness = np.fft.irfft(spectrum.sum(axis=2), n=steps, axis=0)
    found, last = np.empty(outputs.shape[1], dtype=np.int64), 0
    for number, shift in enumerate(np.argmax(likeness, axis=0)):
        found[number] = last = shift + steps * round((last - int(shift)) / steps)
    return found
