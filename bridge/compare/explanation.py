"""Why two simulators part: which quantity differed first, and what it should have been.

The trial of the first difference is run again on both sides and on the reference, with every
voltage of every step. Until the step where they part all quantities were equal; what differs in
that step is held against everything that enters a voltage there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bridge.backends.constants import Membrane
from bridge.backends.reference import Stepper, Synapses
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
    return finely, replace(drive, inputs=drive.inputs[samples], noise=noise)


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
        for number in range(step + 1):
            self.before = _all(run, "v")
            self.refractory = _all(run, "refractory") > 0
            drawn = None if stream.silent else stream.take(1)[0]
            run.begin(number, drawn)
            self.reached = _all(run, "v")
            if number == step:
                # The currents that the step has used; its end makes those of the next one.
                self.currents = {each.projection.name: self._of(each) for each in run.projections}
            run.end(number)
        noise = np.zeros(network.size) if drawn is None else drawn[0]
        self.noise, self.after, self.spiked = noise, _all(run, "v"), _all(run, "spikes") > 0
        self.factor = np.concatenate([_gain(each.membrane) for each in run.populations])

    def _of(self, synapses: Synapses) -> Array:
        """(N,) current of a projection, 0 in neurons that it does not reach."""
        current = np.zeros(self.network.size)
        current[self.network.span(synapses.projection.target)] = synapses.current[0]
        return current

    def account(self, label: str, found: Array) -> str:
        """What is wrong with the voltages of a side at the end of the step, in a sentence."""
        off = np.abs(found - self.after) > ROUNDING_MV
        neuron = int(np.argmax(np.abs(found - self.after)))
        unit = unit_name(self.network, neuron)
        if self.refractory[neuron] and not self.spiked[neuron]:
            return f"{label}: {unit} moved on although it is refractory (refractory period)."
        still = self.before + self.noise
        if not self.refractory[neuron] and _close(found[neuron], still[neuron]):
            return f"{label}: {unit} stood still although it is not refractory (refractory period)."
        if self.spiked[neuron] and _close(found[neuron], self.reached[neuron]):
            return f"{label}: {unit} reached threshold but was not reset (threshold, reset)."
        return f"{label}: {self._cause(found - self.after, off & ~self.spiked, unit)}."

    def _cause(self, difference: Array, off: NDArray[np.bool_], unit: str) -> str:
        """Of what enters a voltage, what all differences are in proportion to."""
        if not off.any():
            return f"the voltage of {unit} after its spike differs (reset)"
        parts = {"the noise": self.noise}
        parts |= {
            f"the current of projection {name!r}": current * self.factor
            for name, current in self.currents.items()
        }
        fits = {name: _proportion(difference[off], part[off]) for name, part in parts.items()}
        known = {name: fit for name, fit in fits.items() if fit is not None}
        if known:
            name = min(known, key=lambda each: known[each][1])
            share, residual = known[name]
            if residual < _PROPORTIONAL:
                told = "is missing" if abs(1 + share) < _PROPORTIONAL else f"is {1 + share:.4g} of"
                return f"{name} {told}{'' if told == 'is missing' else ' what it should be'}"
        largest = max(parts, key=lambda each: float(np.abs(parts[each][off]).max()))
        return f"{largest} differs most likely, not in proportion from neuron to neuron"


# Relative to the differences; what is in proportion is so to ten digits.
_PROPORTIONAL = 1e-5


def _proportion(difference: Array, part: Array) -> tuple[float, float] | None:
    """By which factor `part` makes the differences, and what is left of them, relative."""
    size = float(part @ part)
    if size == 0:
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


def _gain(membrane: Membrane) -> Array:
    """How far a mV of current moves a voltage in a step, (n,)."""
    return 1.0 - membrane.factor if membrane.step == "exact" else membrane.factor
