"""Spikes on one axis of time, as other tools keep them, and the trials that they make up."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError, SpecError
from bridge.spiking.essentials import essentials
from bridge.spiking.recording import Recording, Spikes

Array = NDArray[np.float64]

DEFAULT_DT_MS = 0.1
_MOST_SPIKES = 200_000_000
_MOST_STEPS = 2**31 - 1


@dataclass(frozen=True, kw_only=True, eq=False)
class SpikeTrains:
    """What a file of another tool holds of a run.

    Attributes:
        times_s: (S,) times of the spikes from the start of the session, s.
        neuron: (S,) neurons, numbered through all populations.
        populations: Names and sizes, in order.
        trials_s: (B, 2) start and end of each trial, s; None: the file knows no trials.
        dt_ms: Time step, ms; None: the file tells none.
        readouts: (T, B, O) outputs by name.
        sample_ms: Time between two samples of them, ms; None: there are none.
        sizes_told: Whether the file tells the sizes, or they are those of the neurons that fire.
    """

    times_s: Array
    neuron: NDArray[np.int64]
    populations: Mapping[str, int]
    trials_s: Array | None = None
    dt_ms: float | None = None
    readouts: Mapping[str, Array] = field(default_factory=dict)
    sample_ms: float | None = None
    sizes_told: bool = True

    __repr__ = essentials


def end_to_end(recording: Recording) -> tuple[Array, Array]:
    """Times of a recording's spikes with its trials laid end to end, and the trials' bounds, s.

    A spike stands at the start of its step, and the first trial begins at 0.
    """
    spikes = recording.spikes
    steps = spikes.trial.astype(np.int64) * spikes.n_steps + spikes.step
    starts = np.arange(spikes.n_trials) * recording.trial_s
    times = np.asarray(steps * recording.dt_ms / 1000.0, dtype=np.float64)
    return times, np.stack([starts, starts + recording.trial_s], axis=1)


def recording_of(
    trains: SpikeTrains, path: Path, *, trial_s: float | None, dt_ms: float | None
) -> Recording:
    """The recording that spike trains are, cut into trials and put on steps.

    Args:
        trains: What the file holds.
        path: Where it was read.
        trial_s: Length of the trials of a file that knows none, s; None: all is one trial.
        dt_ms: Time step of a file that tells none, ms; None: 0.1 ms.

    Raises:
        FormatError: times make no sense, trials overlap or differ in length, or two spikes of a
            neuron fall into one step.
        SpecError: an option makes no sense.
    """
    step_ms = trains.dt_ms or dt_ms or DEFAULT_DT_MS
    if not 0 < step_ms < np.inf:
        raise SpecError(f"dt_ms: must be positive, got {step_ms}")
    times = trains.times_s
    if times.size and not (np.isfinite(times).all() and times.min() >= 0):
        raise FormatError(f"{path}: spike times must be finite and not negative")
    bounds = _bounds(trains, path, trial_s, step_ms)
    length_s = float(bounds[0, 1] - bounds[0, 0])
    n_steps = round(length_s * 1000.0 / step_ms)
    if not 1 <= n_steps <= _MOST_STEPS:
        raise FormatError(f"{path}: a trial of {length_s:g} s makes no sense")
    trial, step, inside = _placed(times, bounds, n_steps, step_ms)
    size = sum(trains.populations.values())
    spikes = _events(path, trial, step, trains.neuron[inside], (len(bounds), n_steps, size))
    return Recording(
        spikes=spikes,
        readouts=dict(trains.readouts),
        dt_ms=step_ms,
        sample_ms=trains.sample_ms or step_ms,
        populations=dict(trains.populations),
        provenance={
            "file": str(path),
            "spikes_outside_trials": int(times.size - np.count_nonzero(inside)),
            "sizes_told": trains.sizes_told,
        },
    )


def _bounds(trains: SpikeTrains, path: Path, trial_s: float | None, step_ms: float) -> Array:
    """(B, 2) start and end of each trial, s, checked."""
    bounds = trains.trials_s
    if bounds is None:
        last = float(trains.times_s.max()) + step_ms / 1000.0 if trains.times_s.size else 0.0
        length = trial_s if trial_s is not None else last
        if not 0 < length < np.inf:
            raise SpecError(f"{path}: knows no trials and holds no spikes; give the length (s)")
        # The last step of a trial may lie a rounding beyond it.
        count = max(1, int(np.ceil(last / length - 1e-9)))
        starts = np.arange(count) * length
        return np.stack([starts, starts + length], axis=1)
    lengths = bounds[:, 1] - bounds[:, 0]
    if not len(bounds) or not np.isfinite(bounds).all() or np.any(lengths <= 0):
        raise FormatError(f"{path}: its trials have no length")
    if np.any(bounds[1:, 0] < bounds[:-1, 1] - step_ms / 1000.0):
        raise FormatError(f"{path}: its trials overlap or are not in order")
    if np.ptp(lengths) > step_ms / 1000.0:
        raise FormatError(
            f"{path}: its trials last from {lengths.min():g} to {lengths.max():g} s; only trials "
            "of one length can be compared"
        )
    return bounds


def _placed(
    times: Array, bounds: Array, n_steps: int, step_ms: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Trial and step of the spikes that lie in a trial, and which these are."""
    # Half a step early, so that a time rounded below the start of its trial stays in it.
    shifted = times + 0.5 * step_ms / 1000.0
    trial = np.searchsorted(bounds[:, 0], shifted, side="right") - 1
    start = bounds[np.maximum(trial, 0), 0]
    step = np.floor((shifted - start) * 1000.0 / step_ms).astype(np.int64)
    inside = (trial >= 0) & (step < n_steps)
    return trial[inside], step[inside], inside


def _events(
    path: Path,
    trial: NDArray[np.int64],
    step: NDArray[np.int64],
    neuron: NDArray[np.int64],
    shape: tuple[int, int, int],
) -> Spikes:
    if neuron.size and not 0 <= neuron.min() <= neuron.max() < shape[2]:
        raise FormatError(f"{path}: spikes of neurons that it does not have")
    codes = (trial * shape[1] + step) * shape[2] + neuron
    if np.unique(codes).size < codes.size:
        raise FormatError(
            f"{path}: a neuron fires twice in one step; its time step is finer, give it (ms)"
        )
    return Spikes.gather(trial, step, neuron, shape)


@contextmanager
def foreign_file(path: Path) -> Iterator[h5py.File]:
    """An HDF5 file of another tool; whatever is wrong with it is a FormatError in a sentence."""
    try:
        if not path.is_file():
            raise FormatError(f"{path}: no such file")
        with h5py.File(path, "r") as file:
            yield file
    except (FormatError, SpecError):
        raise
    except PermissionError:
        raise FormatError(f"{path}: no permission to read it") from None
    except MemoryError:
        raise FormatError(f"{path}: claims more than fits into memory") from None
    except (OSError, RuntimeError, KeyError, TypeError, ValueError, AttributeError, IndexError):
        raise FormatError(f"{path}: damaged, or no HDF5 file") from None


def numbers(group: h5py.Group, name: str, path: Path) -> NDArray[np.float64]:
    """A data set of plain numbers in a group of a foreign file, as float64.

    Raises:
        FormatError: it is missing, lies elsewhere, is no array of numbers, or is absurdly large.
    """
    link = group.get(name, getlink=True) if name in group else None
    if link is None:
        raise FormatError(f"{path}: {group.name}/{name} is missing")
    if not isinstance(link, h5py.HardLink):
        raise FormatError(f"{path}: {group.name}/{name} links elsewhere; that is not followed")
    item = group[name]
    plain = isinstance(item, h5py.Dataset) and item.shape is not None
    if not plain or item.dtype.kind not in "fiu" or item.external or item.is_virtual:
        raise FormatError(f"{path}: {item.name} is no plain array of numbers")
    if item.size > _MOST_SPIKES:
        raise FormatError(f"{path}: {item.name} claims {item.size:,} numbers")
    if item.size and not item.id.get_storage_size():
        raise FormatError(f"{path}: {item.name} claims {item.size:,} numbers and holds none")
    return np.asarray(item[()], dtype=np.float64)


def whole_numbers(group: h5py.Group, name: str, path: Path) -> NDArray[np.int64]:
    """The same for numbers that must be whole and not negative."""
    values = numbers(group, name, path)
    if values.size and not (np.isfinite(values).all() and np.all(values >= 0)):
        raise FormatError(f"{path}: {group.name}/{name} must hold numbers that are not negative")
    whole = values.astype(np.int64)
    if not np.array_equal(whole, values):
        raise FormatError(f"{path}: {group.name}/{name} must hold whole numbers")
    return whole


def text_of(value: object) -> str:
    """An attribute as text, "" where it is none."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else ""
