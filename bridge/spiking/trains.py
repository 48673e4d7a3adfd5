"""Trains of spikes on every input: Poisson and regular ones, as counts in samples or as events."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bridge.arguments import of_kind
from bridge.errors import SpecError
from bridge.spiking.arrays import counted
from bridge.spiking.drive import Drive, SharedNoise, derived_seed, trial_generator
from bridge.spiking.limits import LONGEST_TRIAL_STEPS
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.spikes import Spikes
from bridge.spiking.values import number, shown

# Of a seed: as trials and noise of a task are drawn by `bridge.methods.scoring.COMPARE`, so that
# one seed gives one noise, whatever a network is shown.
_TRIALS, _NOISE = 0, 1
_MOST_HZ = 1e6
# Of an input in all trials: 1.6 GB.
MOST_VALUES = 200_000_000
# What dividing a time by the length of a sample may leave.
ROUNDING = 1e-6


# Of all inputs, or by their names.
Rates = float | Mapping[str, float]


def poisson_drive(
    network: SpikingNetwork, rate_hz: Rates, *, seconds: float, trials: int, seed: int = 0
) -> Drive:
    """Poisson trains on every input channel of a network, each independent of all others.

    Args:
        network: What is driven: it has C inputs, and a sample lasts `dt_ms * sample_steps`.
        rate_hz: Spikes a second on each channel or of each unit; 0: no input. One number, or one
            for each input by its name: `{"noise": 1000.0, "cue": 20.0}`.
        seconds: Length of a trial, s: whole samples.
        trials: How many, B.
        seed: Decides trains, noise and initial voltages.

    Returns:
        A drive of inputs (T, B, C): how many spikes of a channel fall into a sample. Units of
        spiking inputs fire by chance in each step, at most once. Trial b is the same however many
        trials there are.

    Raises:
        SpecError: an argument makes no sense, or the inputs would be absurdly large.
    """
    network = of_kind("network", network, SpikingNetwork)
    samples, rates = _checked(network, rate_hz, seconds, trials, seed)
    mean = _channels(network, rates) * sample_ms(network) / 1000.0
    inputs = np.empty((samples, trials, network.input_size))
    for trial in range(trials):
        rng = trial_generator(derived_seed(seed, _TRIALS), 0, trial)
        inputs[:, trial] = rng.poisson(mean, (samples, network.input_size))
    steps, chances = samples * network.sample_steps, _chances(network, rates, samples, trials)
    spikes = {}
    for place, part in enumerate(network.spiking_inputs(), 1):
        drawn = [
            by_chance(
                trial_generator(derived_seed(seed, _TRIALS), place, trial),
                chances[part.name],
                steps * part.size,
            )
            for trial in range(trials)
        ]
        unit, step = np.divmod(np.concatenate(drawn), steps)
        trial_of = np.repeat(np.arange(trials), [each.size for each in drawn])
        spikes[part.name] = Spikes.gather(trial_of, step, unit, (trials, steps, part.size))
    return Drive(inputs=inputs, noise=seeded_noise(seed), seed=seed, spikes=spikes)


def by_chance(rng: np.random.Generator, chance: float, cells: int) -> NDArray[np.int64]:
    """Which of so many cells are hit, each by the same chance; memory follows the hits."""
    if not chance:
        return np.empty(0, dtype=np.int64)
    parts: list[NDArray[np.int64]] = []
    reached = -1
    while reached < cells:
        # From one hit to the next it is a geometric number of cells; some more than are expected.
        more = int((cells - reached) * chance * 1.1) + 16
        hits = reached + np.cumsum(rng.geometric(chance, more))
        parts.append(hits)
        reached = int(hits[-1])
    found = np.concatenate(parts)
    return found[found < cells]


def regular_drive(
    network: SpikingNetwork, rate_hz: Rates, *, seconds: float, trials: int, seed: int = 0
) -> Drive:
    """Regular trains: every input channel fires at 0, 1/rate, 2/rate, ... s of each trial.

    Arguments, what is returned and errors are those of `poisson_drive`; the seed decides noise and
    initial voltages only.
    """
    network = of_kind("network", network, SpikingNetwork)
    samples, rates = _checked(network, rate_hz, seconds, trials, seed)
    mean = _channels(network, rates) * sample_ms(network) / 1000.0
    # How many spikes there are before the edge of each sample; one that rounding puts just before
    # its own edge belongs behind it.
    edges = np.arange(samples + 1)[:, None]
    before = np.ceil(edges * mean - ROUNDING * np.minimum(1.0, mean))
    shape = (samples, trials, network.input_size)
    inputs = np.broadcast_to(np.diff(before, axis=0)[:, None], shape)
    steps, chances = samples * network.sample_steps, _chances(network, rates, samples, trials)
    spikes = {
        part.name: _regular(chances[part.name], (trials, steps, part.size))
        for part in network.spiking_inputs()
    }
    return Drive(inputs=inputs, noise=seeded_noise(seed), seed=seed, spikes=spikes)


def _regular(chance: float, shape: tuple[int, int, int]) -> Spikes:
    """Spikes of all units in the same steps, so many a step."""
    trials, steps, size = shape
    fired = np.ceil(np.arange(steps + 1) * chance - ROUNDING * chance)
    step = np.flatnonzero(np.diff(fired))
    return Spikes.gather(
        np.repeat(np.arange(trials), step.size * size),
        np.tile(np.repeat(step, size), trials),
        np.tile(np.arange(size), trials * step.size),
        shape,
    )


def _channels(network: SpikingNetwork, rates: Mapping[str, float]) -> NDArray[np.float64]:
    """(C,) rate of each analog channel, Hz."""
    analog = [part for part in network.inputs if not part.spiking]
    each = [rates[part.name] for part in analog]
    return np.repeat(np.asarray(each, dtype=np.float64), [part.size for part in analog])


def _chances(
    network: SpikingNetwork, rates: Mapping[str, float], samples: int, trials: int
) -> dict[str, float]:
    """Spikes of a unit in a step by input, at most 1; SpecError if they are more, or too many."""
    chances, count = {}, 0.0
    for part in network.spiking_inputs():
        chance = rates[part.name] * network.dt_ms / 1000.0
        if chance > 1.0:
            raise SpecError(
                f"rate_hz: a unit fires at most once in a step of {network.dt_ms:g} ms, so "
                f"{1000.0 / network.dt_ms:g} Hz at most, got {rates[part.name]:g}"
            )
        count += chance * samples * network.sample_steps * trials * part.size
        chances[part.name] = chance
    if count > MOST_VALUES:
        raise SpecError(
            f"{count:,.0f} spikes of the inputs are too many; at most {MOST_VALUES:,} can be taken"
        )
    return chances


def seeded_noise(seed: int) -> SharedNoise:
    """The noise of a seed, the same that trials of a task have."""
    return SharedNoise(seed=derived_seed(seed, _NOISE))


def sample_ms(network: SpikingNetwork) -> float:
    """How long a sample of a network's input lasts, ms."""
    return network.dt_ms * network.sample_steps


def samples_in(network: SpikingNetwork, seconds: float) -> int:
    """How many samples of a network's input a time lasts; SpecError unless they are whole."""
    length = number("seconds", seconds, 0.0)
    samples = length * 1000.0 / sample_ms(network)
    whole = round(samples)
    if whole < 1 or abs(samples - whole) > ROUNDING * samples:
        raise SpecError(
            f"seconds: {length:g} s is not a whole number of samples of {sample_ms(network):g} ms, "
            "which this network takes its input in"
        )
    return whole


def check_extent(network: SpikingNetwork, samples: int, trials: int) -> None:
    """Raise SpecError for inputs of so many samples and trials that could not be held or run."""
    if samples * network.sample_steps > LONGEST_TRIAL_STEPS:
        raise SpecError(
            f"a trial of {samples:,} samples of {network.sample_steps:,} steps is too long; it can "
            f"have {LONGEST_TRIAL_STEPS:,} steps"
        )
    values = samples * trials * max(1, network.input_size)
    if values > MOST_VALUES:
        raise SpecError(
            f"{samples:,} samples of {network.input_size:,} channels in {trials:,} trials are too "
            f"many; at most {MOST_VALUES:,} values can be taken"
        )


def _checked(
    network: SpikingNetwork, rate_hz: Rates, seconds: float, trials: int, seed: int
) -> tuple[int, dict[str, float]]:
    """Number of samples, and the rate of each input, of arguments that make sense."""
    counted("trials", trials, least=1)
    counted("seed", seed)
    rates = _rates(network, rate_hz)
    samples = samples_in(network, seconds)
    check_extent(network, samples, trials)
    return samples, rates


def _rates(network: SpikingNetwork, rate_hz: Rates) -> dict[str, float]:
    """The rate of each input by its name, Hz; SpecError unless each has one."""
    names = [part.name for part in network.inputs]
    if not isinstance(rate_hz, Mapping):
        return dict.fromkeys(names, number("rate_hz", rate_hz, 0.0, _MOST_HZ))
    for name in (*rate_hz, *names):
        if name not in names or name not in rate_hz:
            known = f"inputs {', '.join(names)}" if names else "no inputs"
            problem = "is missing" if name in names else "is of no input"
            raise SpecError(f"rate_hz: {shown(name)} {problem}; this network has {known}")
    return {name: number(f"rate_hz of {name}", rate_hz[name], 0.0, _MOST_HZ) for name in names}
