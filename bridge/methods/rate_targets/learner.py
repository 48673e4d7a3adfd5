"""The spiking network while it learns: LIF neurons whose connections change step by step.

The equations and their order are those of the authors' public code. In each step:

1. V <- I + (V - I) exp(-dt/tau_m), I = bias + learned + random currents + inhibition + input;
2. a neuron fires where V >= 0, and V becomes -10 mV;
3. every trace decays by its own time constant, then takes the spikes;
4. y = D s, z = w s, and the learned current of the next step is B y;
5. recursive least squares draws y to the teacher's signals and z to the desired output.

Items 4 and 5 are those of every follower. Voltages are in mV, counted from the threshold.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.methods.rate_targets.follower import Follower
from bridge.methods.rate_targets.options import TargetOptions
from bridge.methods.rate_targets.targets import Lessons, Targets
from bridge.spiking.decay import decay_factor

Array = NDArray[np.float64]

TAU_MEM_MS, TAU_SLOW_MS, TAU_FAST_MS = 10.0, 100.0, 5.0
# Rest lies at the threshold: one that is just above keeps a neuron at rest from firing.
THRESHOLD_MV, RESET_MV = 1e-16, -10.0
START_SD_MV = 1e-3


@dataclass(frozen=True, eq=False)
class Fixed:
    """What is drawn or measured once, and not learned.

    Attributes:
        trained: (n,) neurons whose outgoing connections are learned, in ascending order.
        random_slow: (N, N) mV a spike; None: there are none.
        random_fast: (N, N) likewise.
        inhibition_mv: Jump of the inhibition of all neurons by a spike of any, mV.
        bias: (N,) constant current, mV: minus the mean of the currents from others.
        start_mv: (N,) voltages at the start of each phase, mV.
    """

    trained: NDArray[np.int64]
    random_slow: Array | None
    random_fast: Array | None
    inhibition_mv: float
    bias: Array
    start_mv: Array


def draw_fixed(options: TargetOptions, targets: Targets, rng: np.random.Generator) -> Fixed:
    """Random connections and the choice of neurons; the bias balances the targets alone.

    J0 = g / (tau sqrt(N)) times normal numbers, the inhibition mu_f / (tau_f N), tau in s.
    """
    size = options.units

    def drawn(gain: float, tau_ms: float) -> Array | None:
        weights = rng.standard_normal((size, size))
        return gain / (tau_ms / 1000 * np.sqrt(size)) * weights if gain else None

    return Fixed(
        trained=np.sort(rng.permutation(size)[: options.trained_count]),
        random_slow=drawn(options.slow_gain, TAU_SLOW_MS),
        random_fast=drawn(options.fast_gain, TAU_FAST_MS),
        inhibition_mv=options.inhibition / (TAU_FAST_MS / 1000 * size),
        bias=-(targets.onto @ targets.mean),
        start_mv=START_SD_MV * rng.standard_normal(size),
    )


class Learner(Follower):
    """A run of the spiking network, phase after phase.

    Attributes:
        fixed: What is not learned.
        onto: (N, M) B, mV.
        is_random: Whether there are random connections.
        rls: The learned weights: rows D of the components, then rows w of the outputs.
        v: (N,) voltages, mV.
        traces: (2n,) slow traces of the trained neurons, then their fast ones.
        slow: (N,) random slow currents, mV.
        fast: (N,) random fast currents, mV.
        inhibition: Current of all neurons onto each, mV.
        learned: (N,) learned currents, or the teacher's, for the next step, mV.
        spikes: The neurons that fired in the last step.
    """

    kind = "voltage"

    def __init__(self, fixed: Fixed, onto: Array, outputs: int, dt_ms: float) -> None:
        size, count = len(fixed.bias), len(fixed.trained)
        super().__init__(onto, 2 * count, outputs)
        self.fixed = fixed
        self._count = count
        self._place = np.full(size, -1)
        self._place[fixed.trained] = np.arange(count)
        self._left = float(decay_factor(TAU_MEM_MS, dt_ms))
        self._slow_left = float(decay_factor(TAU_SLOW_MS, dt_ms))
        self._fast_left = float(decay_factor(TAU_FAST_MS, dt_ms))
        self._traces_left = np.repeat((self._slow_left, self._fast_left), count)
        self._current = np.empty(size)
        self.is_random = fixed.random_slow is not None or fixed.random_fast is not None
        self.restart()

    @property
    def state(self) -> Array:
        """(N,) voltages, mV."""
        return self.v

    def restart(self, start: Array | None = None) -> None:
        """The state at the start of a phase; what was learned stays.

        Args:
            start: (N,) voltages, mV; None: those of every phase.
        """
        size = len(self.fixed.bias)
        self.v = (self.fixed.start_mv if start is None else start).copy()
        self.traces = np.zeros(2 * self._count)
        self.slow, self.fast, self.learned = np.zeros(size), np.zeros(size), np.zeros(size)
        self.inhibition = 0.0
        self.spikes: NDArray[np.int64] = np.empty(0, dtype=np.int64)

    def advance(self, stimulus: Array | None) -> None:
        """Items 1 to 3 of a step, in which the input gives (N,) `stimulus`, mV, or nothing."""
        current, v = self._current, self.v
        np.add(self.fixed.bias, self.learned, out=current)
        current += self.inhibition
        if self.is_random:
            current += self.slow
            current += self.fast
        if stimulus is not None:
            current += stimulus
        v -= current
        v *= self._left
        v += current
        spikes: NDArray[np.int64] = np.flatnonzero(v >= THRESHOLD_MV)
        self.spikes = spikes
        v[spikes] = RESET_MV
        self._decay()
        self._receive(spikes)

    def _decay(self) -> None:
        self.traces *= self._traces_left
        self.inhibition *= self._fast_left
        if self.is_random:
            self.slow *= self._slow_left
            self.fast *= self._fast_left

    def _receive(self, spikes: NDArray[np.int64]) -> None:
        places = self._place[spikes]
        places = places[places >= 0]
        self.traces[places] += 1.0
        self.traces[places + self._count] += 1.0
        self.inhibition += self.fixed.inhibition_mv * spikes.size
        if self.fixed.random_slow is not None:
            self.slow += self.fixed.random_slow[:, spikes].sum(axis=1)
        if self.fixed.random_fast is not None:
            self.fast += self.fixed.random_fast[:, spikes].sum(axis=1)

    def forced_trials(
        self, lessons: Lessons, trials: int, done: Callable[[], None] = lambda: None
    ) -> Array:
        """Trials with the teacher's feedback; `done` is called after each.

        Returns:
            (N,) mean of the random currents, mV.
        """
        total: Array = np.zeros_like(self.v)
        steps = 0
        for _ in self.forced_steps(lessons, trials, done):
            steps += 1
            if self.is_random:
                total += self.slow
                total += self.fast
        return total / steps
