"""Target patterns of one's own, as muscle activity in several conditions, from a file of arrays.

An array (conditions, samples, channels) of numbers, in `.npy`, `.npz`, a `.mat` file of version 5
or HDF5. It is called `targets`, or is the only array of three dimensions. There may also be
`sample_ms` (or `dt_ms`), the time between two samples, ms. Nothing is unpickled.
"""

from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from bridge.arguments import file_path, text
from bridge.errors import FormatError, SpecError
from bridge.exchange.files import check_file, check_no_pickle
from bridge.exchange.foreign import foreign_file, is_hdf5, numbers
from bridge.exchange.input_arrays import sample_ms_of
from bridge.exchange.mat5 import mat_content, read_mat
from bridge.exchange.numpy_files import Arrays, npy_array, npz_arrays
from bridge.spiking.values import number
from bridge.tasks import FunctionTask, nmse
from bridge.tasks.reaching import BOUND, INPUTS, reaches

_TARGETS = "targets"
_TIMES = ("sample_ms", "dt_ms")
_LONGEST_WAIT = 100_000


def load_targets(
    path: str | Path,
    *,
    name: str,
    step_ms: float | None = None,
    waiting_ms: float = 350.0,
    variable: str | None = None,
) -> FunctionTask:
    """A task whose targets are patterns of a file: conditions, samples, channels.

    In a trial the network waits, then puts out the pattern of a condition. Three input channels say
    how long to wait, and which condition it is: cosine and sine of a direction of its own. The
    score is the nMSE; an answer is right up to 0.1. `bridge.register_task` makes it known.

    Args:
        path: `.npy`, `.npz`, `.mat` (version 5) or HDF5, with numbers (conditions, samples,
            channels).
        name: Of the task.
        step_ms: Time between two samples, ms; None: the file says it.
        waiting_ms: How long to wait before a pattern, ms, rounded to whole samples.
        variable: Name of the array, where a file holds several; None: `targets`, or the only one
            of three dimensions.

    Raises:
        FormatError: the file is missing or damaged, or holds no such array.
        SpecError: a time makes no sense, or is not known.
    """
    file = file_path(path)
    arrays = _arrays(file)
    patterns = _patterns(arrays, None if variable is None else text("variable", variable), file)
    told = sample_ms_of({each: arrays[each] for each in _TIMES if each in arrays}, file)
    if step_ms is not None and told is not None and step_ms != told:
        raise SpecError(f"step_ms: {file} says {told:g} ms, got {step_ms}")
    step = told if step_ms is None else number("step_ms", step_ms)
    if step is None:
        raise SpecError(f"step_ms: {file} does not say how far apart its samples are; give step_ms")
    waiting = _waiting(waiting_ms, step)
    return FunctionTask(
        name=text("name", name),
        step_ms=step,
        steps=waiting + patterns.shape[1],
        input_size=INPUTS,
        output_size=patterns.shape[2],
        conditions=tuple(f"condition {place}" for place in range(len(patterns))),
        draw=lambda count, rng: reaches(patterns, waiting, count, rng),
        measure=nmse(bound=BOUND),
    )


def _waiting(waiting_ms: float, step_ms: float) -> int:
    """Samples of waiting; SpecError for what is none."""
    wanted = number("waiting_ms", waiting_ms, least=0)
    if not step_ms > 0:
        raise SpecError(f"step_ms: must be positive, got {step_ms:g}")
    if not wanted / step_ms <= _LONGEST_WAIT:
        raise SpecError(
            f"waiting_ms: at most {_LONGEST_WAIT:,} samples of {step_ms:g} ms, got {waiting_ms} ms"
        )
    return round(wanted / step_ms)


def _arrays(file: Path) -> Arrays:
    """All arrays of numbers of a file, by name; that of an `.npy` file has none."""
    check_file(file)
    check_no_pickle(file)
    kind = file.suffix.lower()
    if kind == ".npy":
        return {_TARGETS: npy_array(file)}
    if kind == ".npz":
        return npz_arrays(file)
    if kind == ".mat":
        held = read_mat(file, mat_content(file), (), lambda name: True).fields
        return {name: each for name, each in held.items() if not isinstance(each, str)}
    if is_hdf5(file):
        with foreign_file(file) as opened:
            held_in = {n: each for n, each in opened.items() if isinstance(each, h5py.Dataset)}
            if any("MATLAB_class" in each.attrs for each in held_in.values()):
                raise FormatError(f"{file}: of MATLAB's -v7.3, with its axes reversed; save as -v7")
            names = [name for name, each in held_in.items() if _is_number(each)]
            return {name: numbers(opened, name, file) for name in names}
    raise FormatError(f"{file}: targets are read of .npy, .npz, .mat (version 5) and HDF5 files")


def _is_number(dataset: h5py.Dataset) -> bool:
    return dataset.dtype.kind in "fiu"


def _patterns(arrays: Arrays, variable: str | None, file: Path) -> NDArray[np.float64]:
    """The (conditions, samples, channels) of a file, checked."""
    chosen = variable or (_TARGETS if _TARGETS in arrays else None)
    solid = [name for name, each in arrays.items() if each.ndim == 3]
    if chosen is None and len(solid) == 1:
        chosen = solid[0]
    if chosen is None or chosen not in arrays:
        known = ", ".join(arrays)[:200] or "none"
        raise FormatError(
            f"{file}: targets are an array (conditions, samples, channels); name it by variable; "
            f"there is {known}"
        )
    found = arrays[chosen]
    if found.ndim == 2 and file.suffix.lower() == ".mat":
        # MATLAB has no last axis of one channel.
        found = found[:, :, None]
    solid_numbers = found.ndim == 3 and found.dtype.kind in "fiub"
    if not solid_numbers or min(found.shape) < 1 or found.shape[1] < 2:
        raise FormatError(
            f"{file}: {chosen} must be numbers of shape (conditions, samples, channels), they are "
            f"{found.dtype} of shape {found.shape}"
        )
    values = found.astype(np.float64)
    if not np.isfinite(values).all():
        raise FormatError(f"{file}: {chosen} holds NaN or infinite values")
    silent = np.flatnonzero(~values.any(axis=(1, 2)))
    if silent.size:
        raise FormatError(f"{file}: {chosen} is 0 throughout in condition {silent[0]}")
    values.flags.writeable = False
    return values
