"""What a search for the spikes that stand for an activation has found."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.methods.findings import Findings
from bridge.methods.scale_choice import TOLERANCE
from bridge.spiking.arrays import counted, frozen_array, positive
from bridge.spiking.essentials import as_table, brief, clipped, in_a_line
from bridge.spiking.limits import MOST_INT32
from bridge.spiking.values import number, text

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

WANTED = 0.1
"""Up to this output error more spikes are not worth it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class GainSearch(Findings):
    """How well a network of integrate-and-fire neurons works at each gain; more in `Findings`.

    Attributes:
        gains_hz: (L,) rates that stand for an activation of 1, ascending, Hz.
        dt_ms: (L,) step at each, ms.
        rates_hz: (L,) mean rate over neurons and trials at each, Hz.
        readout_lag_ms: (L,) by how much the output's filter lags, of those tried the best at each,
            ms, as in `bridge.map_integrate_and_fire`; 0: where none is given there.
    """

    gains_hz: Array
    dt_ms: Array
    rates_hz: Array
    readout_lag_ms: Array

    __repr__ = in_a_line
    _repr_html_ = as_table

    def rows_told(self) -> dict[str, str]:
        """Its essentials, as `bridge.spiking.essentials.Rows` says."""
        return {
            "gain": f"{self.best_gain_hz:g} Hz of {brief(self.gains_hz)}",
            "found": self.told_best(),
            "seed": f"seed {self.seed}",
            "run in": clipped(self.backend, 60),
        }

    def __post_init__(self) -> None:
        gains = frozen_array("gains_hz", self.gains_hz, (None,))
        if not gains.size or gains[0] <= 0 or np.any(np.diff(gains) <= 0):
            raise SpecError("gains_hz: expected positive numbers, each once, ascending")
        object.__setattr__(self, "gains_hz", gains)
        counted("trials", self.trials, least=1, most=MOST_INT32)
        for name in ("dt_ms", "rates_hz", "readout_lag_ms", "output_error"):
            self._check_numbers(name, gains.shape, 0.0, np.inf)
        positive("dt_ms", self.dt_ms)
        if self.correct is not None:
            correct = frozen_array("correct", self.correct, gains.shape, np.int64)
            object.__setattr__(self, "correct", correct)
            if self.lost is None or self.gained is None:
                raise SpecError("correct: needs lost and gained, too")
        self._check_counts()
        if self.measured is None and self.rate_measured is not None:
            raise SpecError("rate_measured: needs measured, too")
        self._check_measures(gains.size, "gains")
        if not 0 <= counted("best", self.best) < gains.size:
            raise SpecError(f"best: {self.best} is not an index into {gains.size} gains")
        counted("seed", self.seed)
        text("backend", self.backend)
        object.__setattr__(self, "seconds", number("seconds", self.seconds, least=0))
        self._check_numbers("unit_correlations", (gains.size, None), -1.0, 1.0)
        self._check_numbers("chance", (), 0.0, 1.0)

    def done(self) -> Counts:
        """(L,) trials done at each gain."""
        return np.full(self.gains_hz.shape, self.trials)

    @property
    def best_gain_hz(self) -> float:
        """The chosen gain, Hz."""
        return float(self.gains_hz[self.best])

    @property
    def best_readout_lag_ms(self) -> float | None:
        """By how much the output's filter that was chosen lags, ms; None if by the units' own."""
        return float(self.readout_lag_ms[self.best]) or None

    def enough(self) -> NDArray[np.bool_]:
        """(L,) where the output is near the rate network's and answers are right as often.

        The output error is at most `WANTED`, and the accuracy at most 2 points below the rate
        network's, as far as these are known.
        """
        found = np.ones(self.gains_hz.shape, dtype=np.bool_)
        if self.output_error is not None:
            found &= self.output_error <= WANTED
        if self.lost is not None and self.gained is not None:
            found &= self.lost - self.gained <= TOLERANCE * self.trials
        return found

    def told_further(self) -> tuple[str, ...]:
        """What made the choice, and what else may be worth a try, a sentence each."""
        rate = f"{self.rates_hz[self.best]:.2g} spikes a second and neuron"
        said = [f"a gain of {self.best_gain_hz:g} Hz makes {rate}: {self.told_rule()}"]
        if self.gains_hz.size == 1:
            return tuple(said)
        if not self.enough()[self.best] and self.best == self.gains_hz.size - 1:
            said.append("it is the highest that was tried: a higher one may be better (--gain-hz)")
        if self.enough()[self.best] and self.best == 0:
            said.append("it is the lowest that was tried: a lower one may be enough (--gain-hz)")
        return tuple(said)

    def told_choice(self) -> str:
        """The chosen one, in words."""
        lag_ms = self.best_readout_lag_ms
        read = "" if lag_ms is None else f", read with {lag_ms:g} ms"
        return f"gain = {self.best_gain_hz:g} Hz{read}"

    def told_rule(self) -> str:
        """Why it was chosen, in words."""
        if self.enough()[self.best]:
            return (
                f"the fewest spikes with an output error of at most {WANTED:g} and as many right "
                "answers as the rate network has"
            )
        return f"none tried has an output error of at most {WANTED:g} and enough right answers"
