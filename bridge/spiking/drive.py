"""What drives a network in a run: input, noise, start, stimulation; and how noise is drawn."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.spiking.arrays import counted, frozen_array
from bridge.spiking.conditions import check_drawn, checked_labels
from bridge.spiking.essentials import as_table, essentials, in_a_line, names, of_task, several
from bridge.spiking.inputs import check_spikes, frozen_spikes
from bridge.spiking.limits import LONGEST_TRIAL_STEPS
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.noise import standard_normal, trial_keys
from bridge.spiking.seed_words import seed_words
from bridge.spiking.spikes import Spikes
from bridge.spiking.stimulation import Kicks, Stimulation
from bridge.spiking.values import known_model

Array = NDArray[np.float64]

# The stimulations of a drive take the streams from the last on.
_NOISE_STREAM, _VOLTAGE_STREAM, _STIMULATION_STREAM = 0, 1, 2


def trial_generator(seed: int, stream: int, trial: int) -> np.random.Generator:
    """The counter-based generator (Philox) of one trial: the same whatever trials run with it."""
    sequence = np.random.SeedSequence(entropy=seed, spawn_key=(stream, trial))
    return np.random.Generator(np.random.Philox(sequence))


def trial_generators(
    seed: int, stream: int, trials: Sequence[int]
) -> Iterator[np.random.Generator]:
    """The same generators one after the other: each is the last one's object, set anew."""
    keys = np.ascontiguousarray(seed_words(seed, stream, trials, 4)).view(np.uint64)
    bits = np.random.Philox(0)
    rng = np.random.Generator(bits)
    fresh = bits.state
    for key in keys:
        bits.state = {**fresh, "state": {**fresh["state"], "key": key}}
        yield rng


def derived_seed(*numbers: int) -> int:
    """A seed below 2**31, which every generator takes, from a seed and what it is for."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0] >> 1)


@dataclass(frozen=True, kw_only=True)
class SharedNoise:
    """Noise decided by `seed`, the same numbers in every backend: see `bridge.spiking.noise`."""

    seed: int

    def __post_init__(self) -> None:
        counted("seed", self.seed)


@dataclass(frozen=True, kw_only=True)
class OwnNoise:
    """Noise drawn from `seed` by each simulator's own generator: alike only in distribution.

    Initial voltages are drawn as with `SharedNoise`.
    """

    seed: int

    def __post_init__(self) -> None:
        counted("seed", self.seed)


@dataclass(frozen=True, kw_only=True, eq=False)
class FrozenNoise:
    """Noise given number by number.

    Attributes:
        values_mv: (K, B, N) what is added to v in each step, trial and neuron, mV.
    """

    values_mv: Array

    __repr__ = essentials

    def __post_init__(self) -> None:
        values = frozen_array("frozen noise", self.values_mv, (None, None, None))
        object.__setattr__(self, "values_mv", values)


Noise = SharedNoise | OwnNoise | FrozenNoise
NOISES = (SharedNoise, OwnNoise, FrozenNoise)


@dataclass(frozen=True, kw_only=True, eq=False)
class Drive:
    """What a network is driven with, in B trials of T samples.

    Attributes:
        inputs: (T, B, C) analog input, one sample for each `sample_steps` steps of the network;
            dimensionless, weighted by the projections from the input. Several analog inputs
            have their channels in the order of the network's inputs; without any, C is 0.
        noise: Where the noise comes from.
        v_initial_mv: (B, N) voltages at the start, mV; None: drawn from the seed of the noise as
            the populations say.
        recurrent_gain: (B,) factor of each trial on what arrives over the projections between
            populations, if they are `scaled`, and on the readouts; None: 1. The one-to-one mapping
            scales both by lambda (Kim et al. 2019), so a batch can hold many scale factors.
        first_trial: Number of the first trial in the seed's sequence.
        trial_numbers: (B,) numbers of the trials in it, after `first_trial`; None: 0, 1, 2, ...
            Trials of one number have the same noise, initial voltages and draws of stimulation.
        stimulation: Pushes of chosen neurons, added in this order. With `FrozenNoise` each needs a
            seed of its own.
        labels: (B,) which of `conditions` each trial is of; None: not known. Labels, conditions,
            task and seed do not change a run: the recording takes them over, to be sorted by.
        conditions: Names of the conditions, by label.
        task: Name of the task that the trials are of, or "".
        seed: The seed that decided trials and noise, as it was given; None: not known.
        spikes: When the units of the inputs that emit spikes fire, by the name of the input. There
            are B trials of K steps; K steps of the network last as long as T samples.
    """

    inputs: Array
    noise: Noise
    v_initial_mv: Array | None = None
    recurrent_gain: Array | None = None
    first_trial: int = 0
    trial_numbers: NDArray[np.int64] | None = None
    stimulation: tuple[Stimulation, ...] = ()
    labels: NDArray[np.int64] | None = None
    conditions: tuple[str, ...] = ()
    task: str = ""
    seed: int | None = None
    spikes: Mapping[str, Spikes] = field(default_factory=dict)

    __repr__ = in_a_line
    _repr_html_ = as_table

    def rows_told(self) -> dict[str, str]:
        """Its essentials, as `bridge.spiking.essentials.Rows` says."""
        samples, trials, channels = self.inputs.shape
        pushed = self.stimulation
        return {
            "length": f"{several(trials, 'trial')} of {several(samples, 'sample')}",
            "channels": several(channels, "input"),
            "spikes": f"spikes of {names(self.spikes)}" if self.spikes else "",
            "noise": repr(self.noise),
            "voltages": "start given" if self.v_initial_mv is not None else "",
            "pushes": several(len(pushed), "stimulation") if pushed else "",
            "task": of_task(self.task),
            "seed": "" if self.seed is None else f"seed {self.seed}",
        }

    def __post_init__(self) -> None:
        inputs = frozen_array("inputs", self.inputs, (None, None, None))
        object.__setattr__(self, "inputs", inputs)
        known_model("noise", self.noise, NOISES)
        _, trials, _ = inputs.shape
        if min(inputs.shape[:2]) < 1:
            raise SpecError(f"inputs: needs at least one sample and one trial, got {inputs.shape}")
        if self.recurrent_gain is not None:
            gain = frozen_array("recurrent_gain", self.recurrent_gain, (trials,))
            object.__setattr__(self, "recurrent_gain", gain)
        if self.v_initial_mv is not None:
            initial = frozen_array("v_initial_mv", self.v_initial_mv, (trials, None))
            object.__setattr__(self, "v_initial_mv", initial)
        elif isinstance(self.noise, FrozenNoise):
            raise SpecError("frozen noise has no seed: give v_initial_mv as well")
        counted("first_trial", self.first_trial)
        if self.trial_numbers is not None:
            numbers = frozen_array("trial_numbers", self.trial_numbers, (trials,), np.int64)
            if np.any(numbers < 0):
                raise SpecError(f"trial_numbers: must not be negative, got {numbers.min()}")
            object.__setattr__(self, "trial_numbers", numbers)
        object.__setattr__(self, "stimulation", tuple(self.stimulation))
        for part in self.stimulation:
            known_model("stimulation", part, (Stimulation,))
        unseeded = any(part.seed is None for part in self.stimulation)
        if unseeded and isinstance(self.noise, FrozenNoise):
            raise SpecError("frozen noise has no seed: give each stimulation its own")
        labels, conditions = checked_labels(self.labels, self.conditions, trials)
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "conditions", conditions)
        check_drawn(self.task, self.seed)
        object.__setattr__(self, "spikes", frozen_spikes(self.spikes, (trials, None)))

    def __reduce__(self) -> tuple[Any, ...]:
        """How it travels between processes, which its read-only mapping cannot."""
        plain: dict[str, Any] = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return partial(Drive, **{**plain, "spikes": dict(self.spikes)}), ()

    @property
    def n_trials(self) -> int:
        """Number of trials B."""
        return self.inputs.shape[1]

    def n_steps(self, network: SpikingNetwork) -> int:
        """Number of network steps K that the T samples last."""
        return self.inputs.shape[0] * network.sample_steps

    def trials(self, start: int, stop: int) -> "Drive":
        """The same drive for trials start to stop only: what they do does not change by it."""
        noise = self.noise
        if isinstance(noise, FrozenNoise):
            noise = FrozenNoise(values_mv=noise.values_mv[:, start:stop])
        initial, gain, numbers = self.v_initial_mv, self.recurrent_gain, self.trial_numbers
        return replace(
            self,
            inputs=self.inputs[:, start:stop],
            noise=noise,
            v_initial_mv=None if initial is None else initial[start:stop],
            recurrent_gain=None if gain is None else gain[start:stop],
            first_trial=self.first_trial + (start if numbers is None else 0),
            trial_numbers=None if numbers is None else numbers[start:stop],
            labels=None if self.labels is None else self.labels[start:stop],
            spikes={
                name: spikes.chosen(np.arange(spikes.n_trials)[start:stop])
                for name, spikes in self.spikes.items()
            },
        )

    def check(self, network: SpikingNetwork) -> None:
        """Raise SpecError unless this drive fits the network."""
        steps, trials, size = self.n_steps(network), self.n_trials, network.size
        if steps > LONGEST_TRIAL_STEPS:
            raise SpecError(
                f"inputs: {len(self.inputs):,} samples of {network.sample_steps:,} steps are too "
                f"long; a trial can have {LONGEST_TRIAL_STEPS:,} steps"
            )
        channels = self.inputs.shape[2]
        if channels != network.input_size:
            raise SpecError(
                f"inputs: the network takes {network.input_size} channels, got {channels}"
            )
        check_spikes(self.spikes, network.inputs, steps)
        if self.v_initial_mv is not None and self.v_initial_mv.shape != (trials, size):
            got = self.v_initial_mv.shape
            raise SpecError(f"v_initial_mv: expected shape {(trials, size)}, got {got}")
        if isinstance(self.noise, FrozenNoise):
            got = self.noise.values_mv.shape
            if got != (steps, trials, size):
                raise SpecError(f"frozen noise: expected {(steps, trials, size)}, got {got}")
        self._check_stimulation(size, steps)

    def _check_stimulation(self, size: int, steps: int) -> None:
        for part in self.stimulation:
            if part.neurons.max() >= size:
                raise SpecError(
                    f"stimulation: neuron {part.neurons.max()} is asked for, the network has {size}"
                )
            if part.stop_step > steps:
                raise SpecError(
                    f"stimulation: lasts until step {part.stop_step}, a trial has {steps} steps"
                )

    def chosen(self, size: int) -> Array:
        """(M, N) 1 where a stimulation pushes a neuron, else 0, for N = `size` neurons."""
        masks = np.zeros((len(self.stimulation), size))
        for mask, part in zip(masks, self.stimulation, strict=True):
            mask[part.neurons] = 1.0
        return masks

    def push_keys(self) -> list[NDArray[np.int32]]:
        """(B, 2) keys of the trials for each stimulation."""
        return [
            trial_keys(
                self._seed() if part.seed is None else part.seed,
                _STIMULATION_STREAM + place,
                self._numbers(),
            )
            for place, part in enumerate(self.stimulation)
        ]

    def kicks(self) -> Kicks:
        """The pushes of all stimulations, to be taken step after step."""
        return Kicks(self.stimulation, self.push_keys())

    def noise_keys(self) -> NDArray[np.int32]:
        """(B, 2) keys of the trials' noise, for `bridge.spiking.noise`."""
        return trial_keys(self._seed(), _NOISE_STREAM, self._numbers())

    def initial_voltages_mv(self, network: SpikingNetwork) -> Array:
        """(B, N) voltages at the start of the trials, mV."""
        if self.v_initial_mv is not None:
            return self.v_initial_mv
        voltages = np.empty((self.n_trials, network.size))
        generators = trial_generators(self._seed(), _VOLTAGE_STREAM, self._numbers())
        for trial, rng in enumerate(generators):
            for population in network.populations:
                drawn = population.initial_voltage.draw(rng, population.size)
                voltages[trial, network.span(population.name)] = drawn
        return voltages

    def _numbers(self) -> list[int]:
        """Number of each trial in the seed's sequence."""
        after = range(self.n_trials) if self.trial_numbers is None else self.trial_numbers.tolist()
        return [self.first_trial + number for number in after]

    def _seed(self) -> int:
        if isinstance(self.noise, FrozenNoise):
            raise SpecError("frozen noise has no seed")
        return self.noise.seed


class NoiseStream:
    """Shared or frozen noise of a drive, handed out step after step, mV."""

    def __init__(self, network: SpikingNetwork, drive: Drive) -> None:
        self._sd_mv = network.noise_mv()
        self._next_step = 0
        self._frozen: Array | None = None
        if isinstance(drive.noise, FrozenNoise):
            self._frozen = drive.noise.values_mv
        else:
            self._keys = drive.noise_keys()

    @property
    def silent(self) -> bool:
        """True where no neuron has any noise: nothing needs to be drawn."""
        return self._frozen is None and not self._sd_mv.any()

    def take(self, n_steps: int) -> Array:
        """The noise of the next `n_steps` steps, (n_steps, B, N), mV."""
        start, self._next_step = self._next_step, self._next_step + n_steps
        if self._frozen is not None:
            return self._frozen[start : start + n_steps]
        trials, size = len(self._keys), self._sd_mv.size
        block = np.empty((n_steps, trials, size))
        # Pieces that stay in the cache are drawn several times faster.
        piece = max(1, _CACHED_NUMBERS // (trials * size))
        for first in range(0, n_steps, piece):
            last = min(first + piece, n_steps)
            drawn = standard_normal(self._keys, range(start + first, start + last), size)
            np.multiply(drawn, self._sd_mv, out=block[first:last])
        return block


_CACHED_NUMBERS = 40_000
