"""What a program is handed: the arrays and whole numbers that its text names."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.backends.compiled.form import Form, PopulationForm
from bridge.spiking.drive import Drive, FrozenNoise, OwnNoise, derived_seed
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.noise import trial_keys, unit_keys
from bridge.spiking.projection import Projection
from bridge.spiking.weights import Matrix, matrices_of

Arrays = dict[str, NDArray[Any]]
# How many numbers a row of so many neurons takes.
Width = Callable[[int], int]
_LANES = 16
# Bytes of a line of a cache.
_LINE = 64


def padded(size: int) -> int:
    """A number of neurons, up to the next that fills whole vectors."""
    return -(-size // _LANES) * _LANES


def numbers_of(network: SpikingNetwork, drive: Drive, window: range) -> dict[str, int]:
    """The whole numbers, by name."""
    sizes = [padded(population.size) for population in network.populations]
    numbers = {
        "trials": drive.n_trials,
        "samples": len(drive.inputs),
        "sample_steps": network.sample_steps,
        "offset_steps": network.sample_offset_steps,
        "window_start": window.start,
        "window_stop": window.stop,
        "channels": network.input_size,
        "widest": max(sizes),
    }
    for p, population in enumerate(network.populations):
        neurons = population.neurons
        numbers |= {
            f"size_{p}": population.size,
            f"first_{p}": network.span(population.name).start,
            f"refractory_{p}": neurons.refractory_steps,
            f"refractory_start_{p}": neurons.initial_refractory_steps,
        }
    for q, projection in enumerate(network.projections):
        # What arrives after the last step never does.
        longest = min(projection.longest_delay_steps, drive.n_steps(network))
        numbers |= {
            f"delay_{q}": longest,
            f"turns_{q}": longest + 1,
            f"rank_{q}": projection.rank,
        }
        if network.is_analog(projection.source):
            channels = network.channels(projection.source)
            numbers[f"channels_{q}"] = channels.stop - channels.start
            numbers[f"first_channel_{q}"] = channels.start
    for s, part in enumerate(network.spiking_inputs(), len(network.populations)):
        numbers[f"size_{s}"] = part.size
    for m, push in enumerate(drive.stimulation):
        numbers |= {
            f"push_start_{m}": push.start_step,
            f"push_stop_{m}": push.stop_step,
            f"push_draws_{m}": push.draws,
        }
    return numbers


def arrays_of(network: SpikingNetwork, drive: Drive, form: Form, width: Width = padded) -> Arrays:
    """The arrays, by name, in the program's precision; rows are as wide as `width` says."""
    arrays: Arrays = {
        "inputs": drive.inputs,
        "gains": np.ones(drive.n_trials) if drive.recurrent_gain is None else drive.recurrent_gain,
        "noise_keys": _noise_keys(drive),
        "amplitudes": np.array([part.amplitude_mv for part in drive.stimulation], dtype=float),
    }
    arrays |= {f"push_keys_{m}": keys for m, keys in enumerate(drive.push_keys())}
    v_mv = drive.initial_voltages_mv(network)
    for p in range(len(network.populations)):
        arrays |= _population(network, drive, (form.populations[p], p), v_mv, width)
    for s, part in enumerate(network.spiking_inputs(), len(network.populations)):
        spikes = drive.spikes[part.name]
        arrays |= {
            f"train_steps_{s}": spikes.step,
            f"train_units_{s}": spikes.neuron,
            f"train_first_{s}": np.searchsorted(spikes.trial, np.arange(drive.n_trials + 1)),
        }
    for q, projection in enumerate(network.projections):
        arrays |= _projection(drive.n_steps(network), network.dt_ms, (projection, q), width)
    return {
        name: _in_lines(values, form.dtype if values.dtype.kind == "f" else values.dtype)
        for name, values in arrays.items()
    }


def _in_lines(values: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """The same numbers from where a line of a cache begins: no vector then lies on two of them."""
    if values.dtype == dtype and values.flags.c_contiguous and values.ctypes.data % _LINE == 0:
        return values
    moved = _room(values.shape, dtype)
    moved[...] = values
    return moved


def _room(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """An array, not yet filled, that begins where a line of a cache does."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    room = np.empty(size + _LINE, dtype=np.uint8)
    start = -room.ctypes.data % _LINE
    placed: NDArray[Any] = room[start : start + size].view(dtype).reshape(shape)
    return placed


def _noise_keys(drive: Drive) -> NDArray[np.int32]:
    noise = drive.noise
    if isinstance(noise, FrozenNoise):
        return np.zeros((drive.n_trials, 2), dtype=np.int32)
    if isinstance(noise, OwnNoise):
        # The same hash under keys that no other backend uses.
        seed = derived_seed(noise.seed, drive.first_trial, _OWN)
        return trial_keys(seed, 0, range(drive.n_trials))
    return drive.noise_keys()


_OWN = 0xC0DE


def _population(
    network: SpikingNetwork,
    drive: Drive,
    numbered: tuple[PopulationForm, int],
    v_mv: NDArray[np.float64],
    width: Width,
) -> Arrays:
    mine, p = numbered
    population = network.populations[p]
    span, size = network.span(population.name), population.size
    constants = population.neurons.constants_of(size, network.dt_ms)
    arrays: Arrays = {
        f"constant_{p}_{name}": _wide(value, width) for name, value in constants.items()
    }
    if mine.fires:
        # What pads a population never fires, not even where it grows beyond all numbers.
        arrays[f"constant_{p}_threshold"][size:] = np.nan
    for name, value in population.start(v_mv[:, span]).items():
        wide = _wide(value, width)
        arrays[f"start_{p}_{name}"] = wide if name == mine.voltage else wide[0]
    if mine.noise == "counted":
        keys = unit_keys(np.arange(span.start, span.stop, dtype=np.int32))
        arrays |= {
            f"unit_{p}": _wide(keys, width),
            f"noise_sd_{p}": _wide(np.asarray(population.noise_mv), width),
        }
    if isinstance(drive.noise, FrozenNoise):
        arrays[f"noise_{p}"] = _wide(drive.noise.values_mv[:, :, span], width)
    chosen = drive.chosen(network.size)[:, span]
    return arrays | {f"chosen_{m}_{p}": _wide(chosen[m], width) for m in mine.stimulated}


def _projection(steps: int, dt_ms: float, numbered: tuple[Projection, int], width: Width) -> Arrays:
    projection, q = numbered
    held = projection.shape[1 if projection.filter.side == "pre" else 0]
    constants = projection.filter.constants_of(held, dt_ms)
    arrays: Arrays = {
        f"filter_{q}_constant_{name}": _wide(value, width) for name, value in constants.items()
    }
    for name, value in projection.initial_states.items():
        arrays[f"filter_{q}_start_{name}"] = _wide(np.asarray(value), width)
    arrays[f"delays_{q}"] = np.minimum(projection.delays, steps)
    for name, matrix in zip((f"{q}", f"{q}_outer"), matrices_of(projection.weights), strict=False):
        arrays |= _matrix(matrix, name, width)
    return arrays


def _matrix(matrix: Matrix, name: str, width: Width) -> Arrays:
    """Rows by presynaptic neuron, or its nonzero weights."""
    if isinstance(matrix, np.ndarray):
        return {f"weights_{name}": rows_of(matrix, width)}
    return {
        f"synapses_{name}": matrix.indptr.astype(np.int64),
        f"post_{name}": matrix.indices.astype(np.int32),
        f"weights_{name}": matrix.data,
    }


def rows_of(matrix: NDArray[np.float64], width: Width) -> NDArray[np.float64]:
    """The weights of each presynaptic neuron in a row."""
    post, pre = matrix.shape
    rows = np.zeros((pre, width(post)))
    rows[:, :post] = matrix.T
    return rows


def _wide(values: NDArray[Any], width: Width) -> NDArray[Any]:
    """(..., n) numbers with as many more as fill the row: those of the last neuron."""
    size = values.shape[-1]
    wide = _room((*values.shape[:-1], width(size)), values.dtype)
    wide[..., :size] = values
    wide[..., size:] = values[..., -1:]
    return wide
