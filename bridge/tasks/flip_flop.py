"""Flip-flop: several one-bit memories at once, each holding the sign of its last pulse.

The task of Sussillo & Barak 2013 in trials of fixed slots; times and scoring are this project's.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from bridge.tasks.measure import nmse
from bridge.tasks.options import STRICT, Option, check_range, full_name
from bridge.tasks.output_levels import beyond
from bridge.tasks.summary import task_in_a_line
from bridge.tasks.trials import Trials, balanced_labels

OPTIONS = (
    Option("bits", default=3, meaning="memories, 1 to 8, each with an input and an output"),
    STRICT,
)


@dataclass(frozen=True, kw_only=True)
class FlipFlop:
    """As many input channels and outputs as bits, 340 samples of 5 ms.

    After 40 samples come five slots of 60 samples (300 ms). In the first slot each channel gets a
    pulse of +1 or -1, in each later one with probability 1/2; it lasts 20 samples and starts
    within the first 10 of the slot. Each output should be 0 at first, and from the end of a pulse
    in its channel on the pulse's sign, until the next one ends.

    A trial is right where in the last 20 samples of every slot every output goes beyond 0.7 on
    the side of the last pulse; strict: and not beyond 0.7 on the other one. A condition is the
    signs at the end, which occur equally often.
    """

    bits: int = 3
    strict: bool = False
    step_ms: float = 5.0
    rest_steps: int = 40
    slots: int = 5
    slot_steps: int = 60
    pulse_steps: int = 20
    latest_start: int = 10
    checked_steps: int = 20
    chance: float = 0.5

    __repr__ = task_in_a_line
    # Beside right and wrong: how near the outputs are to the levels that they should hold.
    measure = nmse()

    def __post_init__(self) -> None:
        check_range("flip-flop", "bits", self.bits, 1, 8)

    @property
    def name(self) -> str:
        """`flip-flop`, with its options."""
        return full_name("flip-flop", OPTIONS, self)

    @property
    def steps(self) -> int:
        """Samples T of a trial."""
        return self.rest_steps + self.slots * self.slot_steps

    @property
    def input_size(self) -> int:
        """A channel for each bit."""
        return self.bits

    @property
    def output_size(self) -> int:
        """An output for each bit."""
        return self.bits

    @property
    def conditions(self) -> tuple[str, ...]:
        """Signs at the end, by label."""
        return tuple("".join(signs) for signs in product("+-", repeat=self.bits))

    def trials(self, count: int, rng: np.random.Generator) -> Trials:
        """Draw `count` trials, the conditions equally often, in random order."""
        labels = balanced_labels(count, 2**self.bits, rng)
        signs, held = self._pulses(labels, rng)
        start = rng.integers(self.latest_start, size=signs.shape)[:, None]
        since = np.arange(self.slot_steps)[:, None, None] - start
        on = (since >= 0) & (since < self.pulse_steps)
        before = np.concatenate([np.zeros_like(held[:1]), held[:-1]])[:, None]
        after = np.where(since < self.pulse_steps, before, held[:, None])
        return Trials(
            inputs=self._in_a_row(on * signs[:, None]), targets=self._in_a_row(after), labels=labels
        )

    def rate_correct(self, outputs: NDArray[np.float64], trials: Trials) -> NDArray[np.bool_]:
        """Whether all outputs hold the right sign at the end of every slot; (B,)."""
        answer, target = self._slots_of(outputs), self._slots_of(trials.targets)
        late = answer[:, -self.checked_steps :].swapaxes(0, 1)
        right: NDArray[np.bool_] = np.all(
            beyond(late, target[:, -1], strict=self.strict), axis=(0, 2)
        )
        return right

    def spiking_correct(self, outputs: NDArray[np.float64], trials: Trials) -> NDArray[np.bool_]:
        """As a rate network's."""
        return self.rate_correct(outputs, trials)

    def _pulses(
        self, labels: NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(slots, B, bits) pulses of each slot, 0 for none, and signs held at its end."""
        shape = (self.slots, labels.size, self.bits)
        there = rng.random(shape) < self.chance
        there[0] = True
        signs = np.where(rng.random(shape) < 0.5, 1.0, -1.0)
        # Signs are independent: that of the last pulse can be set without a trace in the others.
        last = self.slots - 1 - np.argmax(there[::-1], axis=0)
        np.put_along_axis(signs, last[None], self._final(labels)[None], axis=0)
        held = np.where(there, signs, 0.0)
        for slot in range(1, self.slots):
            held[slot] = np.where(there[slot], signs[slot], held[slot - 1])
        return np.where(there, signs, 0.0), held

    def _final(self, labels: NDArray[np.int64]) -> NDArray[np.float64]:
        """(B, bits) signs at the end; the first bit is the label's highest."""
        bits = labels[:, None] >> np.arange(self.bits)[::-1] & 1
        return np.where(bits == 1, -1.0, 1.0)

    def _in_a_row(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(slots, samples, B, bits) to (T, B, bits), zeros before the first slot."""
        rows = values.reshape(-1, *values.shape[2:])
        return np.concatenate([np.zeros((self.rest_steps, *rows.shape[1:])), rows])

    def _slots_of(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(T, B, bits) to (slots, samples, B, bits)."""
        return values[self.rest_steps :].reshape(self.slots, self.slot_steps, *values.shape[1:])
