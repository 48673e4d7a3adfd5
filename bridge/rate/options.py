"""How a rate network is made and trained, checked."""

import math
from dataclasses import dataclass
from typing import Literal

from bridge.errors import SpecError
from bridge.spiking.arrays import counted


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a rate network is made and trained.

    The defaults are chosen to convert well: batches, and training on until the mean loss is low.
    The original's own scheme is batch 1, target_loss 7, min_updates 1500, max_updates 6000,
    check_every 100.

    Attributes:
        units: N.
        tau_ms: Lowest and highest time constant, ms; equal: fixed, else trained per unit.
        seed: Decides everything random.
        batch: Trials per update.
        dale: Whether units keep one sign.
        inhibitory: Probability of a unit to be inhibitory.
        gain: g: the recurrent weights start with s.d. g / sqrt(N p).
        sparsity: p: probability of a recurrent weight to be nonzero at the start.
        loss: "l2": mean over trials of sqrt(sum (o - z)^2); "l1": of sum |o - z|.
        learning_rate: Adam's.
        clip_norm: Largest norm of the gradient.
        target_loss: Training ends once the mean loss of the evaluation trials is below it, and
        target_accuracy: their accuracy above this.
        evaluation_trials: Trials of one evaluation.
        check_every: Updates between two evaluations.
        min_updates: Training does not end before.
        max_updates: Training gives up.
    """

    units: int = 200
    tau_ms: tuple[float, float] = (20.0, 100.0)
    seed: int = 0
    batch: int = 32
    dale: bool = True
    inhibitory: float = 0.2
    gain: float = 0.8
    sparsity: float = 0.2
    loss: Literal["l2", "l1"] = "l2"
    learning_rate: float = 0.01
    clip_norm: float = 1.0
    target_loss: float = 0.9
    target_accuracy: float = 0.95
    evaluation_trials: int = 100
    check_every: int = 25
    min_updates: int = 0
    max_updates: int = 2000

    def __post_init__(self) -> None:
        for name in ("units", "batch", "evaluation_trials", "check_every", "max_updates"):
            counted(name, getattr(self, name), least=1)
        counted("seed", self.seed)
        counted("min_updates", self.min_updates)
        low, high = self.tau_ms
        if not 5.0 <= low <= high < math.inf:
            raise SpecError(f"tau_ms: expected 5 <= lowest <= highest, got {low} and {high}")
        if self.loss not in ("l2", "l1"):
            raise SpecError(f"loss: 'l2' or 'l1', got {self.loss!r}")
        for name in ("gain", "learning_rate", "clip_norm", "target_loss"):
            if not 0 < getattr(self, name) < math.inf:
                raise SpecError(f"{name}: must be positive, got {getattr(self, name)}")
        for name in ("inhibitory", "sparsity", "target_accuracy"):
            if not 0 <= getattr(self, name) <= 1:
                raise SpecError(f"{name}: must lie between 0 and 1, got {getattr(self, name)}")
