"""What a fit to rate dynamics gives: the network, how good it is, and where to go on."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.methods.rate_targets.checkpoint import FitCheckpoint
from bridge.methods.rate_targets.judgement import drive_on
from bridge.methods.scoring import SCORE, task_drive
from bridge.rate.network import RateNetwork
from bridge.spiking.arrays import counted, frozen_array
from bridge.spiking.drive import Drive
from bridge.spiking.essentials import several, told
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.values import known_model, number
from bridge.tasks import Trials

Array = NDArray[np.float64]

FINISHED, INTERRUPTED = "finished", "interrupted"


@dataclass(frozen=True, kw_only=True, eq=False)
class TargetFit:
    """A spiking network that has learned, and how good it is without its teacher.

    Attributes:
        network: The network; its synapses start as they were when learning ended.
        start_mv: (N,) voltages when learning ended, mV; None where trials differ.
        trial: The one trial of the task, over and over; None: trials differ, and each begins
            anew, at rest and with voltages that are drawn.
        learning_errors: (L,) nMSE of each trial of learning. It is small long before the network
            can do without its teacher, and says nothing about it.
        errors: (B,) nMSE of each trial after learning, with the network's own feedback; of one
            that runs free after the best shift. Trials whose answer is to be 0 throughout have
            none; of no trials, where learning was not finished.
        rate_hz: Mean firing rate in these trials, Hz.
        shifts_ms: (B,) how much later than it should the output of each of these trials came, ms,
            where the network runs free; None: the input says when trials begin.
        right: How many of these trials were answered rightly, where trials differ and the task
            says which are right.
        teacher: The trained network that was the teacher; None: one was drawn.
        checkpoint: Where to go on learning; None: it is not kept.
    """

    network: SpikingNetwork
    start_mv: Array | None
    trial: Trials | None
    learning_errors: Array
    errors: Array
    rate_hz: float
    shifts_ms: Array | None = None
    right: int | None = None
    teacher: RateNetwork | None = None
    checkpoint: FitCheckpoint | None = None

    def __post_init__(self) -> None:
        size = known_model("network", self.network, (SpikingNetwork,)).size
        shapes = {"start_mv": (size,), "learning_errors": (None,), "errors": (None,)}
        for name, shape in shapes.items():
            if getattr(self, name) is not None:
                object.__setattr__(self, name, frozen_array(name, getattr(self, name), shape))
        object.__setattr__(self, "rate_hz", number("rate_hz", self.rate_hz, least=0))
        if self.shifts_ms is not None:
            shifts = frozen_array("shifts_ms", self.shifts_ms, self.errors.shape)
            object.__setattr__(self, "shifts_ms", shifts)
        self._check_values()
        if (self.trial is None) != (self.start_mv is None):
            raise SpecError("start_mv and trial: there are both, or trials differ and neither is")
        if self.trial is not None:
            self._check_trial(self.trial)
        if self.teacher is not None:
            known_model("teacher", self.teacher, (RateNetwork,))
        if self.checkpoint is not None:
            self._check_checkpoint(self.checkpoint)

    def _check_values(self) -> None:
        for name in ("learning_errors", "errors"):
            if np.any(getattr(self, name) < 0):
                raise SpecError(f"{name}: must not be negative")
        if self.right is not None:
            counted("right", self.right)

    def _check_checkpoint(self, checkpoint: FitCheckpoint) -> None:
        size = known_model("checkpoint", checkpoint, (FitCheckpoint,)).bias_mv.size
        if size != self.network.size:
            raise SpecError(
                f"checkpoint: is of {size} neurons, the network has {self.network.size}"
            )

    def _check_trial(self, trial: Trials) -> None:
        given = known_model("trial", trial, (Trials,))
        inputs = frozen_array("trial: inputs", given.inputs, (None, 1, self.network.input_size))
        targets = frozen_array("trial: targets", given.targets, (len(inputs), 1, None))
        labels = frozen_array("trial: labels", given.labels, (1,), np.int64)
        checked = Trials(inputs=inputs, targets=targets, labels=labels)
        object.__setattr__(self, "trial", checked)

    def __repr__(self) -> str:
        size = several(self.network.size, "neuron")
        return told(self, size, self.told(), f"{self.rate_hz:.3g} Hz" if self.errors.size else "")

    def told(self) -> str:
        """How good the network is on its own, in words."""
        count = len(self.errors)
        error = f"nMSE {self.error:.3g} in {several(count, 'trial')}" if count else ""
        right = ""
        if self.right is not None:
            # All trials are answered, but only some may have an nMSE.
            right = f"{several(self.right, 'answer')} right"
            error = error and f"{error} with output to give"
        if not self.judged:
            learned = several(len(self.learning_errors), "trial")
            return f"{self.stopped} after {learned} of learning, not judged"
        told_ = f"{' and '.join(filter(None, (right, error)))} on its own"
        if self.shifts_ms is None:
            return told_
        return f"{told_} after the best shift, drift {self.drift_ms:.3g} ms"

    def held(self) -> tuple[object, ...]:
        """What may be taken in its place: the network."""
        return (self.network,)

    @property
    def judged(self) -> bool:
        """Whether it was run on its own in a trial at least."""
        return self.right is not None or bool(self.errors.size)

    @property
    def stopped(self) -> str:
        """Why learning ended ("finished", "interrupted"), or how it diverged."""
        return str(self.network.provenance.get("stopped", FINISHED))

    @property
    def error(self) -> float:
        """Median of `errors`, by which the network is judged; NaN where it was not."""
        return float(np.median(self.errors)) if self.errors.size else math.nan

    @property
    def drift_ms(self) -> float:
        """How much later than it should the last trial came, ms; SpecError if it cannot drift."""
        if self.shifts_ms is None or not self.shifts_ms.size:
            raise SpecError("drift_ms: only a network that runs free, and was judged, has a drift")
        return float(self.shifts_ms[-1])

    def drive(self, trials: int) -> Drive:
        """The drive of one run of so many trials in a row, from the end of learning on.

        Where trials differ, it is of so many fresh trials of the task.
        """
        if self.trial is None or self.start_mv is None:
            return task_drive(self.network, trials, 0, SCORE)[1]
        return drive_on(self.trial, self.start_mv, counted("trials", trials, least=1))
