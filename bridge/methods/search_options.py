"""How the scale factor is searched."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np

from bridge.arguments import flag
from bridge.backends import parse_backend, quickest, quickest_for
from bridge.backends.declaration import declared
from bridge.errors import SpecError
from bridge.methods.scale_choice import check_rule
from bridge.methods.scoring import quick_options
from bridge.spiking.arrays import counted, frozen_array
from bridge.spiking.essentials import essentials
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.values import text

INVERSE_SCALES = tuple(float(scale) for scale in range(20, 80, 5))
# For activations without an upper end.
UNBOUNDED_INVERSE_SCALES = tuple(float(scale) for scale in range(4, 28, 2))


@dataclass(frozen=True, kw_only=True)
class SearchOptions:
    """How the scale factor is searched.

    Attributes:
        inverse_scales: Values of 1/lambda to try, kept in ascending order, and no others; None:
            those of the rate network's activation, `default_inverse_scales`, and what the rule
            adds to them.
        rule: "faithful": the least output error among the scale factors that are right about as
            often as the best; "score": the best median of the task's number among them;
            "accuracy": the highest accuracy, as in the paper. None: "faithful", or "score" where
            the task gives numbers alone. See `bridge.methods.scale_choice`.
        trials: Trials at each that stays in.
        seed: Decides trials and noise.
        backend: Where it runs, with what may follow a colon in `bridge.simulate`; None: the
            quickest that can run here, "compiled" where there is a C++ compiler, else "snntorch".
        device: "cpu" or "cuda", for compiled and snntorch; None: "cpu", or what follows the
            backend's colon. What compiled does not run there, snntorch does, and a warning says so.
        exhaustive: Do all trials at every scale factor.
    """

    inverse_scales: Sequence[float] | None = None
    rule: Literal["faithful", "accuracy", "score"] | None = None
    trials: int = 100
    seed: int = 0
    backend: str | None = None
    device: str | None = None
    exhaustive: bool = False

    __repr__ = essentials

    def __post_init__(self) -> None:
        if self.inverse_scales is not None:
            scales = np.unique(frozen_array("inverse_scales", self.inverse_scales, (None,)))
            if scales.size == 0 or scales[0] <= 0:
                raise SpecError("inverse_scales: needs at least one value, all positive")
            object.__setattr__(self, "inverse_scales", tuple(scales.tolist()))
        if self.rule is not None:
            check_rule(self.rule)
        counted("trials", self.trials, least=1)
        counted("seed", self.seed)
        if self.device is not None:
            text("device", self.device)
        if self.backend is None:
            object.__setattr__(self, "backend", quickest(self.device))
        name, _ = parse_backend(self.where, {"device": self.device})
        if not declared()[name].device and self.device not in (None, "cpu"):
            having = " and ".join(each for each, known in declared().items() if known.device)
            raise SpecError(
                f"backend {self.backend} has no device {self.device!r}; only {having} have devices"
            )
        flag("exhaustive", self.exhaustive)

    @property
    def elsewhere(self) -> bool:
        """Whether a device was named that is not the CPU."""
        return self.device not in (None, "cpu")

    def suited(self, network: SpikingNetwork) -> Self:
        """The same in a backend that takes a network on the device, if one was named."""
        if not self.elsewhere:
            return self
        suited = quickest_for(network, text("device", self.device), text("backend", self.backend))
        return replace(self, backend=suited)

    @property
    def where(self) -> str:
        """The backend."""
        return text("backend", self.backend)

    def quick_options(self) -> dict[str, Any]:
        """Options of the backend, for `bridge.simulate`."""
        has_device = declared()[parse_backend(self.where)[0]].device
        return quick_options(self.where, {"device": self.device} if has_device else {})


def default_inverse_scales(activation: str) -> tuple[float, ...]:
    """The original's grid: 20 to 75 by 5 for the sigmoid, 4 to 26 by 2 for softplus and ReLU."""
    return INVERSE_SCALES if activation == "sigmoid" else UNBOUNDED_INVERSE_SCALES
