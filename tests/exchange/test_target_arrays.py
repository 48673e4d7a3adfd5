"""Target patterns of one's own, from files of arrays: the same in all formats, or refused."""

import io
import re
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import savemat

import bridge
from bridge.errors import FormatError, SpecError

PATTERNS = np.random.default_rng(0).normal(size=(3, 8, 2))


def write_h5(path, **arrays):
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            file[name] = values


WRITERS = {
    ".npz": lambda path, **arrays: np.savez(path, **arrays),
    ".mat": lambda path, **arrays: savemat(path, arrays),
    ".h5": write_h5,
}


@pytest.mark.parametrize("ending", WRITERS)
@pytest.mark.parametrize("name", ["targets", "emg"])
def test_every_format_gives_the_same_task(ending, name, tmp_path):
    path = tmp_path / f"reach{ending}"
    # Others may stand beside it.
    WRITERS[ending](path, **{name: PATTERNS, "sample_ms": 10.0, "times": np.arange(8.0)})
    task = bridge.load_targets(path, name="emg", waiting_ms=50)
    assert (task.step_ms, task.steps, task.input_size, task.output_size) == (10.0, 13, 3, 2)
    assert len(task.conditions) == 3
    trials = task.trials(6, np.random.default_rng(1))
    assert trials.inputs[:, 0, 0].tolist() == [1.0] * 5 + [0.0] * 8
    for trial, label in enumerate(trials.labels):
        np.testing.assert_array_equal(trials.targets[5:, trial], PATTERNS[label])
    assert not trials.targets[:5].any()
    cues = {tuple(trials.inputs[0, trial, 1:].round(9)) for trial in range(6)}
    assert len(cues) == 3


def test_an_npy_file_is_one_array_whose_step_is_given(tmp_path):
    path = tmp_path / "reach.npy"
    np.save(path, PATTERNS.astype(np.float32))
    task = bridge.load_targets(str(path), name="emg", step_ms=5, waiting_ms=0)
    assert (task.step_ms, task.steps) == (5.0, 8)
    trials = task.trials(3, np.random.default_rng(1))
    np.testing.assert_array_equal(trials.targets[:, 0], PATTERNS.astype("f4")[trials.labels[0]])
    with pytest.raises(SpecError, match="does not say how far apart its samples are; give step_ms"):
        bridge.load_targets(path, name="emg")


def test_it_is_known_by_its_name_once_it_is_registered(tmp_path):
    path = tmp_path / "reach.npz"
    np.savez(path, one=PATTERNS, other=2 * PATTERNS, dt_ms=5)
    task = bridge.register_task(bridge.load_targets(path, name="own-reach", variable="other"))
    assert bridge.task("own-reach") is task
    trials = task.trials(1, np.random.default_rng(0))
    np.testing.assert_array_equal(trials.targets[70:, 0], 2 * PATTERNS[trials.labels[0]])


def hollow(value):
    holed = PATTERNS.copy()
    holed[1] = value
    return holed


@pytest.mark.parametrize(
    ("arrays", "options", "said"),
    [
        ({"targets": PATTERNS[0]}, {}, "targets must be numbers of shape (conditions, samples"),
        ({"targets": PATTERNS[:, :1]}, {}, "of shape (3, 1, 2)"),
        ({"targets": PATTERNS.astype(str)}, {}, "they are <U"),
        ({"targets": hollow(np.nan)}, {}, "targets holds NaN or infinite values"),
        ({"targets": hollow(0.0)}, {}, "targets is 0 throughout in condition 1"),
        ({"a": PATTERNS, "b": PATTERNS}, {}, "name it by variable; there is a, b"),
        ({"a": PATTERNS}, {"variable": "c"}, "name it by variable; there is a"),
        ({"a": PATTERNS, "sample_ms": -1.0}, {}, "samples -1 ms apart make no sense"),
        ({"a": np.array([{}], dtype=object)}, {}, "holds Python objects, which are not read"),
    ],
)
def test_what_is_no_such_array_is_refused(arrays, options, said, tmp_path):
    path = tmp_path / "reach.npz"
    np.savez(path, **arrays)
    with pytest.raises(FormatError, match=re.escape(said)):
        bridge.load_targets(path, name="emg", **{"step_ms": None, **options})


def test_one_channel_of_matlab_has_no_last_axis(tmp_path):
    path = tmp_path / "emg.mat"
    savemat(path, {"targets": PATTERNS[:, :, :1], "sample_ms": 10.0})
    task = bridge.load_targets(path, name="emg")
    trials = task.trials(1, np.random.default_rng(0))
    np.testing.assert_array_equal(trials.targets[35:, 0], PATTERNS[trials.labels[0], :, :1])


@pytest.mark.parametrize(("ending", "said"), [("mat", "-v7 instead"), ("h5", "axes reversed")])
def test_newer_files_of_matlab_are_refused_and_not_read_reversed(ending, said, tmp_path):
    path = tmp_path / f"emg.{ending}"
    with h5py.File(path, "w", userblock_size=512 if ending == "mat" else 0) as file:
        file["targets"] = PATTERNS.T
        file["targets"].attrs["MATLAB_class"] = np.bytes_("double")
    with pytest.raises(FormatError, match=said):
        bridge.load_targets(path, name="emg", step_ms=10.0)


def of_objects():
    buffer = io.BytesIO()
    np.save(buffer, np.array([{}], dtype=object))
    return buffer.getvalue()


def claiming(shape):
    """The header of an array that is not there."""
    buffer = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.npy", b"nothing", "damaged, or no file of NumPy arrays"),
        ("a.npy", claiming((3, 4, 5)), "damaged, or no file of NumPy arrays"),
        ("a.npy", claiming((10**6, 10**6, 5)), "at most"),
        ("a.npy", of_objects(), "holds Python objects, which are not read"),
        ("a.npz", b"nothing", "damaged, or no archive of NumPy arrays"),
        ("a.mat", b"nothing", "no .mat file of version 5"),
        ("a.pkl", b"nothing", "a pickle, which may run code"),
        ("a.csv", b"1,2", "targets are read of .npy, .npz, .mat (version 5) and HDF5 files"),
        ("a.npy", None, "no such file"),
    ],
)
def test_damaged_and_other_files_are_refused(name, content, said, tmp_path):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FormatError, match=re.escape(said)):
        bridge.load_targets(path, name="emg", step_ms=5.0)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"step_ms": 2.0}, "step_ms: .* says 10 ms, got 2.0"),
        ({"step_ms": 0.0}, "step_ms"),
        ({"waiting_ms": -1.0}, "waiting_ms: must not be negative"),
        ({"waiting_ms": float("inf")}, "waiting_ms"),
        ({"waiting_ms": 1e12}, "waiting_ms: at most 100,000 samples of 10 ms"),
        ({"name": "no name"}, "a name is of letters"),
    ],
)
def test_times_and_names_that_make_no_sense_are_refused(options, said, tmp_path):
    path = Path(tmp_path / "reach.npz")
    np.savez(path, targets=PATTERNS, sample_ms=10.0)
    with pytest.raises(SpecError, match=said):
        bridge.load_targets(path, **{"name": "emg", **options})
