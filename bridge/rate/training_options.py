"""How a rate network is made and trained, checked."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from numbers import Real
from typing import Any, Literal

import numpy as np

from bridge.errors import SpecError
from bridge.rate.plain_activations import ACTIVATIONS
from bridge.rate.unit_forms import FORMS, Form
from bridge.spiking.arrays import counted
from bridge.spiking.essentials import essentials

# A thousand times the longest that anybody has used; far beyond, sigmoids of 32 bits end.
LONGEST_TAU_MS = 1e6


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a rate network is made and trained.

    The defaults are chosen to convert well: a balanced start, batches, training on until the mean
    loss is low, and noise that grows. The original's own scheme is balanced False, batch 1,
    training_noise_sd 0.1, clip_norm None, target_loss 7, min_updates 1500 (Go-NoGo), max_updates
    6000, check_every 100.

    Attributes:
        units: N.
        tau_ms: Lowest and highest time constant, ms; equal, or one number: fixed, else trained per
            unit.
        seed: Decides everything random.
        batch: Trials per update.
        activation: phi: "sigmoid", "softplus", "relu" or "tanh"; softplus and relu end at 20.
        form: "x" or "h", see `RateNetwork`: "x": units are driven by one another's activities, as
            in Kim et al. 2019; "h": their states follow the activation, as in most leaky networks.
        bias: Whether the units have a bias, which is trained, from zero on.
        initial_state: Whether the state that trials start from is trained, from zero on; otherwise
            it is zero.
        dale: Whether units keep one sign.
        inhibitory: Probability of a unit to be inhibitory.
        som: How many of the inhibitory units are somatostatin-positive: these receive nothing from
            inhibitory units (SI Fig. S3). The units are then named PYR, PV and SOM.
        balanced: The recurrent weights start with excitation and inhibition equal in sum at each
            unit; None: wherever Dale's law holds. Otherwise, with a fifth of the units inhibitory,
            excitation starts four times as strong, as in the original, and one eigenvalue lies far
            outside the others: where few units happen to be inhibitory, the network then learns
            to be so active that it does not work with spikes.
        gain: g: the recurrent weights start with s.d. g / sqrt(N p).
        sparsity: p: probability of a recurrent weight to be nonzero at the start.
        training_noise_sd: S.d. of the noise added to every state in each step of training, from
            when a network first exceeds the target accuracy; before, in evaluations, and in the
            finished network it is the original's 0.1. Filtered spikes fluctuate more than that: a
            network that has learnt to tolerate it converts at more scale factors, but cannot begin
            to learn in it.
        loss: "l2": mean over trials of sqrt(sum (o - z)^2); "l1": of sum |o - z|.
        learning_rate: Adam's; None: 0.01 under Dale's law, 0.001 without. Adam moves every weight
            by about as much in each step. Weights free to change sign, at the higher rate, grow
            together until the network is chaotic and stays so; in the context task it learns
            nothing then.
        clip_norm: Largest norm of the gradient; None: it is not clipped.
        target_loss: Training ends once the mean loss of the evaluation trials is below it (None: as
            the task says, `bridge.tasks.target_loss`), and
        target_accuracy: their accuracy above this.
        evaluation_trials: Trials of one evaluation.
        check_every: Updates between two evaluations.
        min_updates: Training does not end before.
        max_updates: Training gives up.
    """

    units: int = 200
    tau_ms: tuple[float, float] = (20.0, 100.0)
    seed: int = 0
    batch: int = 16
    activation: Literal["sigmoid", "softplus", "relu", "tanh"] = "sigmoid"
    form: Form = "x"
    bias: bool = False
    initial_state: bool = False
    dale: bool = True
    inhibitory: float = 0.2
    som: int = 0
    balanced: bool | None = None
    gain: float = 1.5
    sparsity: float = 0.2
    training_noise_sd: float = 0.3
    loss: Literal["l2", "l1"] = "l2"
    learning_rate: float | None = None
    clip_norm: float | None = 1.0
    target_loss: float | None = None
    target_accuracy: float = 0.95
    evaluation_trials: int = 100
    check_every: int = 25
    min_updates: int = 0
    max_updates: int = 2000

    __repr__ = essentials

    def __post_init__(self) -> None:
        for name in ("dale", "bias", "initial_state"):
            self._set(name, _switch(name, getattr(self, name)))
        self._choose("balanced", self.dale)
        self._set("balanced", _switch("balanced", self.balanced))
        self._choose("learning_rate", 0.01 if self.dale else 0.001)
        for name in ("units", "batch", "evaluation_trials", "check_every", "max_updates"):
            self._set(name, counted(name, getattr(self, name), least=1))
        for name in ("seed", "min_updates", "som"):
            self._set(name, counted(name, getattr(self, name)))
        if not self.dale and (self.som or self.balanced):
            raise SpecError("som and balanced: without Dale's law no unit is inhibitory")
        self._check_numbers()
        _one_of("loss", self.loss, ("l2", "l1"))
        _one_of("activation", self.activation, tuple(ACTIVATIONS))
        _one_of("form", self.form, FORMS)

    def plain(self) -> dict[str, Any]:
        """By name, as a file keeps them."""
        kept = asdict(self)
        # As in files of before there was a choice.
        for name in ("form", "bias", "initial_state"):
            if kept[name] == getattr(Options, name):
                del kept[name]
        return kept

    def _check_numbers(self) -> None:
        low, high = _ends("tau_ms", self.tau_ms)
        self._set("tau_ms", (low, high))
        if not 5.0 <= low <= high <= LONGEST_TAU_MS:
            raise SpecError(
                f"tau_ms: expected 5 <= lowest <= highest <= {LONGEST_TAU_MS:g}, "
                f"got {low:g} and {high:g}"
            )
        for name in ("gain", "training_noise_sd", "learning_rate", "clip_norm", "target_loss"):
            if getattr(self, name) is not None:
                self._set(name, _number(name, getattr(self, name)))
                if not 0 < getattr(self, name) < math.inf:
                    raise SpecError(f"{name}: must be positive, got {getattr(self, name)}")
        for name in ("sparsity", "inhibitory", "target_accuracy"):
            self._set(name, _number(name, getattr(self, name)))
        if not 0 < self.sparsity <= 1:
            raise SpecError(
                f"sparsity: must lie between 0 and 1, and be above 0, got {self.sparsity}"
            )
        for name in ("inhibitory", "target_accuracy"):
            if not 0 <= getattr(self, name) <= 1:
                raise SpecError(f"{name}: must lie between 0 and 1, got {getattr(self, name)}")

    def _choose(self, name: str, value: float) -> None:
        if getattr(self, name) is None:
            self._set(name, value)

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise SpecError(f"{name}: {' or '.join(map(repr, known))}, got {value!r}")


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise SpecError(f"{name}: expected a number, got {value!r}")
    return float(value)


def _switch(name: str, value: object) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise SpecError(f"{name}: expected True or False, got {value!r}")
    return bool(value)


def _ends(name: str, value: object) -> tuple[float, float]:
    """Lowest and highest; one number stands for both."""
    if isinstance(value, Real):
        return _number(name, value), _number(name, value)
    ends = [] if isinstance(value, str) or not isinstance(value, Iterable) else list(value)
    if len(ends) != 2:
        raise SpecError(
            f"{name}: expected one number, or the lowest and the highest, got {value!r}"
        )
    return _number(name, ends[0]), _number(name, ends[1])
