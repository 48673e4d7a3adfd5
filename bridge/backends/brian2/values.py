"""What is filled into generated code before it runs: constants, starts and inputs."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.backends.brian2.form import Form
from bridge.backends.kept import Wanted
from bridge.backends.reference.synapses import filtered_input
from bridge.backends.weighted_sums import input_current
from bridge.spiking.drive import Drive, FrozenNoise, derived_seed
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.noise import unit_keys

Array = NDArray[np.float64]
Values = dict[str, NDArray[Any]]


def constant_values(network: SpikingNetwork, form: Form, number: int) -> Values:
    """Constants of one trial's neurons of population `number`, (n,) each, and single numbers."""
    values: Values = {}
    for into, projection in enumerate(network.projections):
        if form.owner(into) == number:
            size = form.populations[number].size
            parts = projection.filter.constants_of(size, network.dt_ms)
            values |= {f"filter_{into}_constant_{name}": part for name, part in parts.items()}
    return values if form.populations[number].given else _of_model(network, form, number) | values


def _of_model(network: SpikingNetwork, form: Form, number: int) -> Values:
    """Constants of the neurons themselves."""
    population, mine = network.populations[number], form.populations[number]
    constants = population.neurons.constants_of(population.size, network.dt_ms)
    values: Values = {f"constant_{name}": value for name, value in constants.items()}
    if mine.gated:
        steps = population.neurons.refractory_steps
        values["refractory_steps"] = np.asarray(steps, dtype=np.int32)
    if mine.noise in ("counted", "own"):
        values["noise_sd"] = np.asarray(population.noise_mv)
    if mine.noise == "counted":
        span = network.span(population.name)
        values["noise_unit"] = unit_keys(np.arange(span.start, span.stop, dtype=np.int32))
    return values


def window_values(form: Form, number: int, wanted: Wanted) -> Values:
    """First step of the window and first step after it, where a population keeps something."""
    if not form.populations[number].stepped or wanted.window is None:
        return {}
    start, stop = (np.asarray(edge, dtype=np.int32) for edge in wanted.window)
    return {"window_start": start, "window_stop": stop}


def start_values(network: SpikingNetwork, form: Form, number: int, drive: Drive) -> Values:
    """What population `number` starts the trials of `drive` with: (B n,) each, single numbers."""
    if form.populations[number].given:
        table, first = train(network, number, drive)
        begun = {"train_place": first, "train_due": table[first]}
        return begun | _filter_starts(network, form, number, drive)
    population, mine = network.populations[number], form.populations[number]
    shape = (drive.n_trials, population.size)
    v_mv = drive.initial_voltages_mv(network)[:, network.span(population.name)]
    begin = population.start(v_mv)
    values: Values = {f"state_{name}": value.ravel() for name, value in begin.items()}
    if mine.gated:
        left = population.neurons.initial_refractory_steps
        values["refractory_left"] = np.full(shape, left, dtype=np.int32).ravel()
    if drive.recurrent_gain is not None:
        values["trial_gain"] = np.broadcast_to(drive.recurrent_gain[:, None], shape).ravel()
    values |= _filter_starts(network, form, number, drive)
    if form.margins:
        # Finite, so that the arithmetic that replaces it leaves nothing behind.
        values["margin"] = np.full(shape, 1e300).ravel()
    if mine.noise == "counted":
        keys = drive.noise_keys()[0]
        values |= {"noise_first": keys[0, ...], "noise_second": keys[1, ...]}
    if mine.noise == "own":
        values["run_seed"] = np.asarray(run_seed(drive), dtype=np.int32)
    chosen = drive.chosen(network.size)[:, network.span(population.name)]
    pushed = {f"chosen_{m}": np.tile(chosen[m], drive.n_trials) for m in mine.stimulated}
    return values | pushed


def _filter_starts(network: SpikingNetwork, form: Form, number: int, drive: Drive) -> Values:
    """Where the filters start that population `number` holds."""
    return {
        f"filter_{into}_{name}": np.tile(np.asarray(start), drive.n_trials)
        for into, projection in enumerate(network.projections)
        if form.owner(into) == number
        for name, start in projection.initial_states.items()
    }


def delay_values(network: SpikingNetwork, form: Form, number: int) -> NDArray[np.int32]:
    """(pre,) delays of projection `number`; what arrives after the last step never does."""
    return np.minimum(network.projections[number].delays, form.steps).astype(np.int32)


def train(
    network: SpikingNetwork, number: int, drive: Drive
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """When the units of an input fire, unit after unit of all trials, and then no more (-1).

    Returns:
        The steps, and (B n,) where those of each unit begin.
    """
    part = network.spiking_inputs()[number - len(network.populations)]
    spikes = drive.spikes[part.name]
    cell = spikes.trial.astype(np.int64) * part.size + spikes.neuron
    order = np.argsort(cell, kind="stable")
    counts = np.bincount(cell, minlength=drive.n_trials * part.size)
    first = np.concatenate([[0], np.cumsum(counts + 1)])
    table = np.full(first[-1], -1, dtype=np.int32)
    # One place of each unit before is that of its end.
    table[np.arange(cell.size) + cell[order]] = spikes.step[order]
    return table, first[:-1].astype(np.int32)


def run_seed(drive: Drive) -> int:
    """A seed of Brian2's own generator for these trials, below 2**31."""
    if isinstance(drive.noise, FrozenNoise):
        return 0
    return derived_seed(drive.noise.seed, drive.first_trial)


def input_values(network: SpikingNetwork, number: int, drive: Drive) -> Array:
    """(T, B * n_post) input current of every sample over projection `number`.

    Of every step where it is delayed, or filtered on the presynaptic side.
    """
    projection = network.projections[number]
    if projection.filter.side == "pre" or projection.longest_delay_steps:
        current = filtered_input(network, projection, drive)
    else:
        samples = drive.inputs[:, :, network.channels(projection.source)]
        current = input_current(projection, samples)
    return current.reshape(len(current), -1)
