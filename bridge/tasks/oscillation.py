"""Autonomous oscillation: a short pulse starts a sine that goes on without input.

Kim et al. 2019 name the task; its times and its scoring are this project's.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.tasks.measure import nmse
from bridge.tasks.options import Option, check_range, full_name
from bridge.tasks.summary import task_in_a_line
from bridge.tasks.trials import Trials

STEP_MS = 5.0
OPTIONS = (
    Option("period_ms", default=400, meaning="of the sine, a multiple of 5 from 100 to 2000"),
    Option("strict", default=False, meaning="the sine's phase counts in spiking networks too"),
)
# The answer counts in the last three of four periods, so the first is there to get going.
PERIODS, COUNTED = 4, 3
LEAST_LIKENESS = 0.8
LOWEST, HIGHEST = 0.5, 1.5


@dataclass(frozen=True, kw_only=True)
class Oscillation:
    """One input channel, one output, 80 samples of 5 ms and four periods.

    The input is 1 for 20 samples (100 ms) from a random sample between 20 and 59 on. The output
    should be 0 until it ends, then the sine of amplitude 1 that starts there, until the trial
    ends. There is one condition.

    An answer is taken apart in the last three periods of the trial: z is its component at the
    sine's period, and its likeness to a sine the share of z in its s.d., |z| / (sqrt(2) s.d.),
    which is the correlation with the best sine of that period. It is right where the amplitude |z|
    lies between 0.5 and 1.5 and the likeness above 0.8, which a sine misses whose period is off by
    more than an eighth. A rate network's phase counts too: in z's place stands its part in phase
    with the target. A spiking network's phase may drift, unless the scoring is strict.
    """

    period_ms: int = 400
    strict: bool = False
    step_ms: float = STEP_MS
    earliest_pulse: int = 20
    pulse_steps: int = 20
    first_period_start: int = 80
    input_size: int = 1
    output_size: int = 1
    conditions: tuple[str, ...] = ("started",)

    __repr__ = task_in_a_line
    # Beside right and wrong: how near the output is to what it should be, phase and all.
    measure = nmse()

    def __post_init__(self) -> None:
        check_range("oscillation", "period_ms", self.period_ms, 100, 2000)
        if self.period_ms % STEP_MS:
            raise SpecError(
                f"task oscillation: period_ms must be a multiple of {STEP_MS:g}, "
                f"got {self.period_ms}"
            )

    @property
    def name(self) -> str:
        """`oscillation`, with its options."""
        return full_name("oscillation", OPTIONS, self)

    @property
    def period_steps(self) -> int:
        """Samples in a period."""
        return round(self.period_ms / self.step_ms)

    @property
    def steps(self) -> int:
        """Samples T of a trial."""
        return self.first_period_start + PERIODS * self.period_steps

    def trials(self, count: int, rng: np.random.Generator) -> Trials:
        """Draw `count` trials, each with its own start."""
        latest = self.first_period_start - self.pulse_steps
        start = rng.integers(self.earliest_pulse, latest, size=count)
        since = np.arange(self.steps)[:, None] - start
        ended = since - self.pulse_steps
        sine = np.sin(2 * math.pi * ended / self.period_steps)
        return Trials(
            inputs=((since >= 0) & (ended < 0)).astype(np.float64)[:, :, None],
            targets=np.where(ended >= 0, sine, 0.0)[:, :, None],
            labels=np.zeros(count, dtype=np.int64),
        )

    def rate_correct(self, outputs: NDArray[np.float64], trials: Trials) -> NDArray[np.bool_]:
        """Whether amplitude, period and phase are the target's; (B,)."""
        target = self._component(trials.targets)
        component = self._component(outputs)
        in_phase = (component * target.conj()).real / np.abs(target)
        return self._right(outputs, np.abs(component), in_phase)

    def spiking_correct(self, outputs: NDArray[np.float64], trials: Trials) -> NDArray[np.bool_]:
        """Whether amplitude and period are the target's; strict: the phase too; (B,)."""
        if self.strict:
            return self.rate_correct(outputs, trials)
        amplitude = np.abs(self._component(outputs))
        return self._right(outputs, amplitude, amplitude)

    def _component(self, outputs: NDArray[np.float64]) -> NDArray[np.complex128]:
        """(B,) amplitude and phase of (T, B, 1) outputs at the period, in the periods counted."""
        turns = np.arange(COUNTED * self.period_steps) / self.period_steps
        wave = np.exp(-2j * math.pi * turns)
        # A mean has no part in it: over whole periods the wave sums to zero.
        # A matrix product of this size would wait for BLAS to start its threads.
        component: NDArray[np.complex128] = np.einsum("t,tb->b", wave, outputs[-turns.size :, :, 0])
        return component * (2 / turns.size)

    def _right(
        self,
        outputs: NDArray[np.float64],
        amplitude: NDArray[np.float64],
        part: NDArray[np.float64],
    ) -> NDArray[np.bool_]:
        sd = outputs[-COUNTED * self.period_steps :, :, 0].std(axis=0)
        right: NDArray[np.bool_] = part > LEAST_LIKENESS * math.sqrt(2) * sd
        right &= (amplitude > LOWEST) & (amplitude < HIGHEST)
        return right
