"""How the gain of integrate-and-fire neurons is searched."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bridge.errors import SpecError
from bridge.methods.gain_steps import DT_MS
from bridge.methods.search_options import SearchOptions
from bridge.spiking.arrays import frozen_array, positive
from bridge.spiking.essentials import essentials
from bridge.spiking.values import number


@dataclass(frozen=True, kw_only=True)
class GainOptions:
    """How the gain is searched.

    Attributes:
        gain_hz: Rates that stand for an activation of 1 to try, Hz, one or more, and no others;
            None: those of `bridge.methods.search_gain.default_gains`.
        dt_ms: Longest step, ms, as in `bridge.map_integrate_and_fire`.
        trials: Trials at each.
        seed: Decides trials and initial voltages.
        backend: Where it runs, as in `bridge.methods.search_options.SearchOptions`.
        device: As there.
    """

    gain_hz: Sequence[float] | float | None = None
    dt_ms: float = DT_MS
    trials: int = 100
    seed: int = 0
    backend: str | None = None
    device: str | None = None

    __repr__ = essentials

    def __post_init__(self) -> None:
        if self.gain_hz is not None:
            gains = np.unique(frozen_array("gain_hz", np.atleast_1d(self.gain_hz), (None,)))
            if gains.size == 0 or gains[0] <= 0:
                raise SpecError("gain_hz: needs at least one value, all positive")
            object.__setattr__(self, "gain_hz", tuple(gains.tolist()))
        positive("dt_ms", number("dt_ms", self.dt_ms))
        object.__setattr__(self, "backend", self.search.backend)

    @property
    def search(self) -> SearchOptions:
        """What it shares with the search for a scale factor."""
        return SearchOptions(
            trials=self.trials, seed=self.seed, backend=self.backend, device=self.device
        )

    @property
    def where(self) -> str:
        """The backend."""
        return self.search.where

    def quick_options(self) -> dict[str, Any]:
        """Options of the backend, for `bridge.simulate`."""
        return self.search.quick_options()
