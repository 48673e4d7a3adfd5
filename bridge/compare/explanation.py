"""Why two simulators part: which quantity differed first, and what it should have been.

The trial of the first difference is run again on both sides and on the reference, with every
voltage of every step. Until the step where they part all quantities were equal; what differs in
that step is held against everything that enters a voltage there.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bridge.backends.reference.neurons import Neurons
from bridge.backends.reference.simulation import Stepper
from bridge.backends.reference.synapses import Synapses
from bridge.compare.sides import Side
from bridge.spiking.drive import Drive, FrozenNoise, NoiseStream
from bridge.spiking.network import SpikingNetwork

Array = NDArray[np.float64]

# Far above what rounding makes of voltages in 20,000 steps (1e-13 mV), far below what a fault does.
ROUNDING_MV = 1e-9


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What differed first.

    Attributes:
        step: Step in which it did.
        unit: Neuron in which the difference was largest, as "population[index]".
        values_mv: Its voltage at the end of that step on both sides, and in the reference.
        quantity: What differed, in a sentence.
    """

    step: int
    unit: str
    values_mv: tuple[float, float, float]
    quantity: str


def unit_name(network: SpikingNetwork, neuron: int) -> str:
    """A neuron of all N as "population[index]"."""
    for population in network.populations:
        span = network.span(population.name)
        if span.start <= neuron < span.stop:
            return f"{population.name}[{neuron - span.start}]"
    return f"neuron {neuron}"


def by_step(network: SpikingNetwork, drive: Drive, steps: int) -> tuple[SpikingNetwork, Drive]:
    """The same run of the first steps, but sampled in every one of them."""
    samples = [network.input_sample(step, len(drive.inputs)) for step in range(steps)]
    noise = drive.noise
    if isinstance(noise, FrozenNoise):
        noise = FrozenNoise(values_mv=noise.values_mv[:steps])
    finely = replace(network, sample_steps=1, sample_offset_steps=0)
    spikes = {name: each.cut(0, steps) for name, each in drive.spikes.items()}
    return finely, replace(drive, inputs=drive.inputs[samples], noise=noise, spikes=spikes)


def explain(
    network: SpikingNetwork, drive: Drive, sides: tuple[Side, Side], trial: int, last_step: int
) -> Explanation | None:
    """Find what differed first in a trial.

    Args:
        network: What both sides were given.
        drive: Its drive, with frozen or shared noise.
        sides: The two sides.
        trial: Number of the trial in the drive.
        last_step: A step by which the spikes of the two differ.

    Returns:
        The first difference; None where no voltage and no spike differs in this run.
    """
    one_trial = drive.trials(trial, trial + 1)
    # Stimulations may last until the end, so then all steps are run.
    steps = drive.n_steps(network) if drive.stimulation else last_step + 1
    runs = [_side_voltages(side, network, one_trial, steps) for side in sides]
    parted = np.flatnonzero((np.abs(runs[0] - runs[1]) > ROUNDING_MV).any(axis=1))
    if not parted.size:
        return None
    step = int(parted[0])
    truth = _Truth(network, one_trial, step)
    neuron = int(np.argmax(np.abs(runs[0][step] - runs[1][step])))
    sentences = [
        truth.account(side.label, run[step])
        for side, run in zip(sides, runs, strict=True)
        if np.abs(run[step] - truth.after).max() > ROUNDING_MV
    ]
    return Explanation(
        step=step,
        unit=unit_name(network, neuron),
        values_mv=(
            float(runs[0][step, neuron]),
            float(runs[1][step, neuron]),
            float(truth.after[neuron]),
        ),
        quantity=" ".join(sentences),
    )


def _side_voltages(side: Side, network: SpikingNetwork, drive: Drive, steps: int) -> Array:
    """(K, N) voltages at the end of each step."""
    # A fault is one of the run as it was, not of the finely sampled one.
    if side.fault is not None:
        network, drive = side.fault.change(network, drive)
    healthy = replace(side, fault=None)
    voltages = healthy.run(*by_step(network, drive, steps), voltages=True).voltages_mv
    return np.asarray(voltages)[:, 0]


class _Truth:
    """What the reference holds of one step of one trial."""

    def __init__(self, network: SpikingNetwork, drive: Drive, step: int) -> None:
        self.network = network
        run, stream = Stepper(network, drive), NoiseStream(network, drive)
        self.earlier: deque[dict[str, Array]] = deque(maxlen=_LONGEST_LAG)
        for number in range(step + 1):
            self.before = _all(run, "v")
            self.refractory = _all(run, "refractory") > 0
            drawn = None if stream.silent else stream.take(1)[0]
            self.currents: dict[str, Array] = {}
            self._clear()
            states = {each.name: dict(each.state) for each in run.populations}
            run.step(number, drawn, lambda neurons: self._look(run, neurons, states))  # noqa: B023
            if number < step:
                self.earlier.appendleft(self.currents)
        noise = np.zeros(network.size) if drawn is None else drawn[0]
        self.noise, self.after, self.spiked = noise, _all(run, "v"), _all(run, "spikes") > 0

    def _clear(self) -> None:
        size = self.network.size
        self.reached, self.stepped, self.factor = np.zeros((3, size))
        self.reset, self.threshold = np.full((2, size), np.inf)

    def _look(self, run: Stepper, neurons: Neurons, states: dict[str, dict[str, Array]]) -> None:
        """Note what a population does in the step, when its voltages stand."""
        span, voltage = neurons.span, neurons.model.voltage
        self.reached[span] = neurons.v[0]
        current = np.asarray(neurons.bias)
        for each in run.projections:
            if each.projection.target == neurons.name:
                self.currents[each.projection.name] = self._of(each)
                current = current + each.current[0]
        # Where the voltages would be had all been stepped; the noise is added after.
        before = states[neurons.name]
        self.stepped[span] = neurons.stepped(current[None], before)[voltage][0]
        # How far a mV of current moves a voltage in a step.
        more = neurons.stepped(current[None] + 1.0, before)[voltage][0]
        self.factor[span] = more - self.stepped[span]
        if neurons.threshold is not None:
            self.threshold[span] = neurons.threshold
            self.reset[span] = neurons.fresh().get(voltage, np.inf)

    def _of(self, synapses: Synapses) -> Array:
        """(N,) current of a projection, 0 in neurons that it does not reach."""
        current = np.zeros(self.network.size)
        current[self.network.span(synapses.projection.target)] = synapses.current[0]
        return current

    def account(self, label: str, found: Array) -> str:
        """What is wrong with the voltages of a side at the end of the step, in a sentence."""
        difference = found - self.after
        # What fired on one side only follows from a current, and stands at reset.
        clear = ~self.spiked & (np.abs(found - self.reset) > ROUNDING_MV)
        off = (np.abs(difference) > ROUNDING_MV) & clear
        neuron = int(np.argmax(np.abs(difference) * (off if off.any() else 1)))
        told = self._of_proportion("the noise", difference, self.noise, off)
        told = told or self._of_neuron(neuron, found[neuron])
        return f"{label}: {told or self._of_currents(difference, off)}."

    def _of_neuron(self, neuron: int, found: float) -> str:
        """What a single voltage says, in a sentence; "" where it says nothing."""
        unit, still = unit_name(self.network, neuron), self.before[neuron] + self.noise[neuron]
        if _close(self.reached[neuron], self.threshold[neuron]):
            apart = abs(self.reached[neuron] - self.threshold[neuron])
            return f"{unit} met threshold to {apart:.1g} mV: rounding decided whether it fired"
        if self.spiked[neuron]:
            if _close(found, self.reached[neuron]):
                return f"{unit} reached threshold but was not reset (threshold, reset)"
            return f"{unit} did not fire, or its voltage after a spike differs (threshold, reset)"
        if not self.refractory[neuron]:
            stood = _close(found, still)
            return f"{unit} stood still although it is not refractory" if stood else ""
        if _close(found, self.stepped[neuron] + self.noise[neuron]):
            return f"{unit} moved on although it is refractory (refractory period)"
        return f"{unit} is refractory, and only noise and stimulation can differ there"

    def _of_proportion(
        self, name: str, difference: Array, part: Array, off: NDArray[np.bool_]
    ) -> str:
        """Whether all differences are the same share of `part`, in a sentence; "" if not."""
        fit = _proportion(difference[off], part[off])
        if fit is None or fit[1] > _PROPORTIONAL:
            return ""
        if abs(1 + fit[0]) < _PROPORTIONAL:
            return f"{name} is missing, or comes later"
        return f"{name} is {1 + fit[0]:.4g} of what it should be"

    def _of_currents(self, difference: Array, off: NDArray[np.bool_]) -> str:
        """Which current accounts for the differences, in a sentence."""
        if not off.any():
            return "a neuron fired that should not, by a threshold or a current"
        moved = {name: current * self.factor for name, current in self.currents.items()}
        told = [
            self._of_proportion(f"the current of projection {name!r}", difference, part, off)
            for name, part in moved.items()
        ]
        found = self._late(difference, off) or next(filter(None, told), "")
        if found or not moved:
            return found or "no current accounts for the difference"
        largest = max(moved, key=lambda name: float(np.abs(moved[name][off]).max()))
        return f"the current differs, most of which comes over projection {largest!r}"

    def _late(self, difference: Array, off: NDArray[np.bool_]) -> str:
        """Whether a current is that of some steps before, in a sentence; "" where none is."""
        for steps, currents in enumerate(self.earlier, start=1):
            for name, before in currents.items():
                if not before[off].any():
                    # A current that was not there before looks the same as one that is missing.
                    continue
                shift = (before - self.currents[name]) * self.factor
                fit = _proportion(difference[off], shift[off])
                if fit is not None and abs(fit[0] - 1) < _PROPORTIONAL and fit[1] < _PROPORTIONAL:
                    plural = "step" if steps == 1 else "steps"
                    return f"the current of projection {name!r} is {steps} {plural} late"
        return ""


# By how many steps a current is looked back for: 200 are 10 ms in steps of 0.05 ms.
_LONGEST_LAG = 200
# Relative to the differences; what is in proportion is so to ten digits.
_PROPORTIONAL = 1e-5


def _proportion(difference: Array, part: Array) -> tuple[float, float] | None:
    """By which factor `part` makes the differences, and what is left of them, relative.

    None where there are too few neurons to conclude anything.
    """
    size = float(part @ part)
    if size == 0 or np.count_nonzero(part) < 2:
        return None
    share = float(difference @ part) / size
    left = float(np.abs(difference - share * part).max() / np.abs(difference).max())
    return share, left


def _close(one: float, other: float) -> bool:
    return abs(one - other) <= ROUNDING_MV


def _all(run: Stepper, name: str) -> Array:
    """A quantity of all neurons in the only trial, (N,)."""
    parts: Sequence[Array] = [np.asarray(getattr(each, name))[0] for each in run.populations]
    return np.concatenate(parts).astype(np.float64)
