"""Drives from files: one input in every format, spikes as counts, and what is refused."""

import io
import pickle
import warnings
import zipfile
from dataclasses import replace
from datetime import UTC, datetime

import h5py
import numpy as np
import pytest
from conftest import go_nogo_network, kim_network

import bridge
from bridge.errors import FormatError, SpecError
from bridge.methods.scoring import task_drive

SAMPLE_S = 0.005


@pytest.fixture(scope="module")
def network():
    return kim_network()


@pytest.fixture(scope="module")
def values():
    """(T, B, C) whose every value is another."""
    return np.random.default_rng(0).normal(0, 1, (12, 3, 2))


@pytest.fixture
def put(tmp_path):
    """Write a text as a table."""

    def write(text, name="drive.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def arrays(tmp_path):
    def write(**named):
        np.savez(tmp_path / "drive.npz", **named)
        return tmp_path / "drive.npz"

    return write


def table(values, *, header="trial,a,b", times=None):
    """A table of (T, B, C) values, a row for each sample of each trial."""
    rows = [header]
    for trial in range(values.shape[1]):
        for sample, row in enumerate(values[:, trial]):
            cells = [trial, *map(repr, map(float, row))]
            rows.append(",".join(map(str, cells if times is None else [times[sample], *cells])))
    return "\n".join(rows)


def nwb_file(path, *, trials=None, conditions=None):
    """An NWB file of pynwb, open for series and units."""
    import pynwb

    file = pynwb.NWBFile(
        session_description="drive", identifier="drive", session_start_time=datetime.now(UTC)
    )
    if conditions is not None:
        file.add_trial_column("condition", "What was shown.")
    for number, (start, stop) in enumerate(trials or ()):
        told = {} if conditions is None else {"condition": conditions[number]}
        file.add_trial(start_time=start, stop_time=stop, **told)

    def write():
        with pynwb.NWBHDF5IO(str(path), "w") as opened:
            opened.write(file)
        return path

    return pynwb, file, write


def end_to_end(values):
    """(B * T, C) one trial after the other."""
    return values.swapaxes(0, 1).reshape(-1, values.shape[2])


def test_a_network_run_with_the_inputs_of_a_task_in_a_table_fires_the_tasks_spikes(put):
    network = go_nogo_network(12)
    _, expected = task_drive(network, 2, 5)
    drive = bridge.load_drive(put(table(expected.inputs, header="trial,shown")), network, seed=5)
    np.testing.assert_array_equal(drive.inputs, expected.inputs)
    one, other = (bridge.simulate(network, each).spikes for each in (drive, expected))
    assert one.count > 100
    np.testing.assert_array_equal(one.codes(), other.codes())


def test_tables_arrays_and_our_own_file_are_the_same_drive(put, arrays, tmp_path, network, values):
    drive = bridge.Drive(inputs=values, noise=bridge.SharedNoise(seed=1), seed=1)
    files = [
        put(table(values)),
        arrays(inputs=values, sample_ms=5.0),
        bridge.save(drive, tmp_path / "drive.h5"),
    ]
    loaded = [bridge.load_drive(file, network, seed=9) for file in files]
    for each in loaded:
        np.testing.assert_array_equal(each.inputs, values)
        assert (each.noise, each.seed) == (loaded[0].noise, 9)


def test_our_own_drive_keeps_its_noise_unless_a_seed_is_given(tmp_path, network, values):
    drive = bridge.Drive(
        inputs=values,
        noise=bridge.SharedNoise(seed=77),
        v_initial_mv=np.full((3, 30), -60.0),
        labels=[0, 1, 0],
        conditions=("go", "stop"),
    )
    path = bridge.save(drive, tmp_path / "drive.h5")
    kept = bridge.load_drive(path, network)
    assert (kept.noise, kept.conditions) == (drive.noise, ("go", "stop"))
    seeded = bridge.load_drive(path, network, seed=0)
    assert seeded.noise != drive.noise
    np.testing.assert_array_equal(seeded.v_initial_mv, drive.v_initial_mv)


def test_nwb_of_pynwb_is_cut_by_its_trials(tmp_path, network, values):
    trials = [(10 + 0.1 * k, 10 + 0.1 * k + 12 * SAMPLE_S) for k in range(3)]
    pynwb, file, write = nwb_file(tmp_path / "x.nwb", trials=trials, conditions=["a", "b", "a"])
    # From 9.9 s on, with 8 samples between trials.
    rows = np.full((100, 2), 99.0)
    for trial in range(3):
        rows[20 + 20 * trial : 32 + 20 * trial] = values[:, trial]
    file.add_stimulus(
        pynwb.TimeSeries(name="shown", data=rows, unit="a", starting_time=9.9, rate=200.0)
    )
    # What was acquired is not what was shown.
    file.add_acquisition(
        pynwb.TimeSeries(name="lever", data=rows[:, :1], unit="a", starting_time=9.9, rate=200.0)
    )
    drive = bridge.load_drive(write(), network)
    np.testing.assert_array_equal(drive.inputs, values)
    assert (drive.labels.tolist(), drive.conditions) == ([0, 1, 0], ("a", "b"))


def test_nwb_takes_an_electrical_series_in_its_unit_and_by_its_timestamps(tmp_path, network):
    pynwb, file, write = nwb_file(tmp_path / "x.nwb")
    device = file.create_device("probe")
    group = file.create_electrode_group("g", description="two", location="here", device=device)
    for _ in range(2):
        file.add_electrode(group=group, location="here")
    region = file.create_electrode_table_region([0, 1], "both")
    data = np.arange(8, dtype=np.int16).reshape(4, 2)
    for name, factor in (("raw", 0.5), ("other", 1.0)):
        file.add_acquisition(
            pynwb.ecephys.ElectricalSeries(
                name=name, data=data, electrodes=region, conversion=factor,
                timestamps=3.0 + SAMPLE_S * np.arange(4),
            )
        )  # fmt: skip
    path = write()
    with pytest.raises(SpecError, match="holds acquisition/other, acquisition/raw; say which"):
        bridge.load_drive(path, network)
    drive = bridge.load_drive(path, network, series="raw")
    np.testing.assert_array_equal(drive.inputs, 0.5 * data[:, None])
    with pytest.raises(SpecError, match="no input 'lever'; it holds acquisition/other, acquisi"):
        bridge.load_drive(path, network, series="lever")


def test_units_of_nwb_are_channels_and_their_spikes_lie_in_trials(tmp_path, network):
    _, file, write = nwb_file(tmp_path / "x.nwb", trials=[(1.0, 1.02), (2.0, 2.02)])
    file.add_unit(spike_times=[0.5, 1.0, 1.0049, 1.005, 2.0199])
    file.add_unit(spike_times=[2.0, 2.001, 2.021])
    with pytest.warns(UserWarning, match="2 spikes lie in no trial and were left out"):
        drive = bridge.load_drive(write(), network)
    expected = np.zeros((4, 2, 2))
    expected[0, 0, 0], expected[1, 0, 0], expected[3, 1, 0], expected[0, 1, 1] = 2, 1, 1, 2
    np.testing.assert_array_equal(drive.inputs, expected)


def test_a_recording_exported_to_nwb_drives_with_what_it_was_shown(tmp_path, network, values):
    shown = bridge.Drive(inputs=values, noise=bridge.SharedNoise(seed=1))
    bridge.export_recording(bridge.simulate(network, shown), tmp_path / "run.nwb")
    drive = bridge.load_drive(tmp_path / "run.nwb", network)
    np.testing.assert_array_equal(drive.inputs, values)
    # What a network answered is no input: without what it was shown there are its 30 neurons.
    blind = replace(bridge.simulate(network, shown), inputs=None)
    bridge.export_recording(blind, tmp_path / "blind.nwb")
    with pytest.raises(FormatError, match="takes 2 input channels, this file holds 30"):
        bridge.load_drive(tmp_path / "blind.nwb", network)


def test_spikes_become_counts_in_the_sample_they_fall_in(put, arrays, network):
    # 0.015 and 0.035 s are edges of samples of 5 ms that a division may miss from below.
    rows = [(0, 0.001), (0, 0.0049), (0, 0.015), (1, 0.035), (1, 0.0399999)]
    expected = np.zeros((8, 1, 2))
    expected[0, 0, 0], expected[3, 0, 0], expected[7, 0, 1] = 2, 1, 2
    text = "unit,time\n" + "\n".join(f"{unit},{time!r}" for unit, time in rows)
    unit, time = np.array(rows).T
    for path in (put(text), arrays(unit=unit.astype(int), time=time)):
        np.testing.assert_array_equal(bridge.load_drive(path, network).inputs, expected)


@pytest.mark.parametrize("k", [1, 7, 29, 57, 113, 1000, 123457])
def test_a_spike_on_the_edge_of_a_sample_is_the_first_of_it(put, k):
    network = replace(kim_network(), dt_ms=0.1, sample_steps=3)
    # As printed, in s: a multiple of 0.3 ms has four decimals.
    drive = bridge.load_drive(put(f"unit,time\n0,{k * 3 / 10000:.4f}"), network)
    assert len(drive.inputs) == k + 1


def test_length_and_number_of_trials_of_spikes_are_told_or_given(put, network):
    text = "trial,unit,time,condition\n0,1,0.01,go\n1,0,0.002,stop\n"
    drive = bridge.load_drive(put(text), network)
    assert drive.inputs.shape == (3, 2, 2)
    assert (drive.labels.tolist(), drive.conditions) == ([0, 1], ("go", "stop"))
    silent = put("unit,time,trial\n1,0.01,2\n")
    assert bridge.load_drive(silent, network, trials=4, seconds=0.1).inputs.shape == (20, 4, 2)
    with pytest.raises(FormatError, match="first trial with a spike is 2, and trials count from 0"):
        bridge.load_drive(silent, network)
    none = put("unit,time\n")
    assert not bridge.load_drive(none, network, seconds=0.1).inputs.any()
    with pytest.raises(SpecError, match="holds no spikes; give the length of a trial, --seconds"):
        bridge.load_drive(none, network)


def test_a_single_trial_is_repeated_and_its_noise_is_not(put, network):
    drive = bridge.load_drive(put("a,b\n1,2\n3,4\n"), network, trials=3)
    np.testing.assert_array_equal(drive.inputs, np.repeat([[[1.0, 2]], [[3, 4]]], 3, axis=1))
    assert np.unique(drive.noise_keys(), axis=0).shape == (3, 2)


def test_trials_of_a_table_may_lie_in_any_order_and_be_called_anything(put, network, values):
    lines = table(values).splitlines()
    interleaved = [lines[1 + 12 * trial + row] for row in range(12) for trial in (2, 0, 1)]
    drive = bridge.load_drive(put("\r\n\n".join([lines[0], *interleaved])), network)
    np.testing.assert_array_equal(drive.inputs, values)
    bare = "\n".join(",".join(map(repr, map(float, row))) for row in values[:, 0])
    np.testing.assert_array_equal(bridge.load_drive(put(bare), network).inputs, values[:, :1])
    # As Excel writes UTF-8.
    drive = bridge.load_drive(put(b"\xef\xbb\xbf" + bare.encode()), network)
    np.testing.assert_array_equal(drive.inputs, values[:, :1])


def test_samples_of_another_length_are_held_or_averaged(put, arrays, network, values):
    held = bridge.load_drive(arrays(inputs=values, dt_ms=10.0), network).inputs
    np.testing.assert_array_equal(held, np.repeat(values, 2, axis=0))
    pairs = bridge.load_drive(arrays(inputs=values, sample_ms=2.5), network).inputs
    # Halves are exact: the sum of two is rounded once, as here.
    np.testing.assert_array_equal(pairs, (values[::2] + values[1::2]) / 2)
    times = [f"{0.5 + 0.015 * sample:.4f}" for sample in range(12)]
    text = table(values, header="time_s,trial,a,b", times=times)
    np.testing.assert_array_equal(
        bridge.load_drive(put(text), network).inputs, np.repeat(values, 3, axis=0)
    )


@pytest.mark.parametrize(
    ("sample_ms", "said"),
    [
        (7.0, "7 ms apart, those of the network 5 ms; one must be a whole multiple"),
        (1.0, "5 of its samples make one of the network, and its 12 samples"),
        (5.001, "5.001 ms apart"),
        (-5.0, "-5 ms apart make no sense"),
        (np.nan, "nan ms apart make no sense"),
        ([5.0, 5.0], "must be one number"),
        ("5", "must be one number"),
    ],
)
def test_intervals_that_do_not_fit_are_refused(arrays, network, values, sample_ms, said):
    with pytest.raises(FormatError, match=said):
        bridge.load_drive(arrays(inputs=values, sample_ms=sample_ms), network)


TABLES = {
    "": "an empty file",
    "\n \n": "an empty file",
    "a,b\n": "holds no samples",
    "1,2,3\n": "takes 2 input channels, this file holds 3",
    "a,b\n1,nan\n": "holds NaN or infinite values",
    "a,b\n1,inf\n": "holds NaN or infinite values",
    "a,b\n1,x\n": "row 2, column 'b' holds 'x', no number",
    "1,2\n3,\n": "row 2, column 2 is empty",
    "a,b\n1,2\n3\n": "row 3 has 1 columns, the first one has 2",
    "a,b\n1,2,3\n": "row 2 has 3 columns, the first one has 2",
    "a;b\n1;2\n": "must be separated by commas",
    "1,x\n3,4\n": "its first row is neither one of names nor one of numbers",
    ",a,b\n0,1,2\n": "a column has no name (pandas",
    f"a,b\n1,{'9' * 200_000}x\n": "no row of a table (field larger than field limit",
    f"a,b\n1,{'9' * 2_000_000}\n": "a row of more than 1,048,576 letters",
    "a,a\n1,2\n": "two columns are called 'a'",
    "time,a,b\n0,1,2\n": "the column 'time' is not a channel",
    "trial,a,b\n0,1,2\n0,1,2\n1,1,2\n": "must be of one length, they have 1 to 2 rows",
    "trial,a,b\n0.5,1,2\n": "'trial' must hold whole numbers from 0, it holds 0.5",
    "trial,a,b\n-1,1,2\n": "'trial' must hold whole numbers from 0, it holds -1",
    "time_s,a,b\n-0.1,1,2\n": "the time of a sample is negative",
    "time_s,a,b\n0.01,1,2\n0.005,1,2\n": "the times of its samples do not ascend",
    "time_s,a,b\n0,1,2\n0.005,1,2\n0.02,1,2\n": "must be equally far apart, they are 5 to 15 ms",
    "time_s,a,b\n0,1,2\n0.007,1,2\n": "7 ms apart, those of the network 5 ms",
    "condition,a,b\ngo,1,2\nstop,1,2\n": "trial 0 (counted from 0) is of two conditions",
    "unit,time\n2,0.1\n": "a spike of unit 2, which does not exist: the network takes 2",
    "unit,time\n-1,0.1\n": "'unit' must hold whole numbers from 0, it holds -1",
    "unit,time\n0,-0.1\n": "the time of a spike is negative, -0.1 s",
    "unit,time\n0,nan\n": "a time of a spike is not a finite number",
    "unit,time\n0,1e300\n": "a spike at 1e+300 s makes no sense",
    "unit,time\n0,9e8\n": "is too long; it can have 1,000,000,000 steps",
    "unit,time,trial\n0,0.1,0\n0,0.1,9000000000000\n": "are too many; at most 200,000,000 values",
    "unit,time\n0,0.2\n0,0.1\n": "the times of unit 0 are not sorted, 0.1 s comes after 0.2 s",
    "unit,time,trial\n0,0.2,0\n1,0.1,1\n1,0.05,1\n": "of unit 1 in trial 1 are not sorted",
    "unit,time,condition\n0,0.1,go\n1,0.1,stop\n": "a trial is of two conditions",
    "unit,time,trial,condition\n0,0.1,0,go\n1,0.1,2,go\n": "without spikes has no condition",
    "unit\n0\n": "needs the columns unit and time",
    "unit,time,weight\n0,0.1,3\n": "'weight' is none of them",
    b"\xff\xfea\0b\0": "no text, so no .csv file",
    b"a,b\n\xff,2\n": "no text in UTF-8",
}


@pytest.mark.parametrize("text", TABLES, ids=lambda text: repr(text)[:60])
def test_tables_that_make_no_sense_are_refused_in_a_sentence(put, network, text):
    with pytest.raises((FormatError, SpecError)) as caught:
        bridge.load_drive(put(text), network)
    assert TABLES[text] in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


class _Harmful:
    """What runs code where it is unpickled."""

    def __reduce__(self):
        return (pytest.fail, ("unpickled",))


def test_nothing_is_unpickled(arrays, put, network):
    harmful = np.array([_Harmful()], dtype=object)
    with pytest.raises(FormatError, match="inputs holds Python objects, which are not read"):
        bridge.load_drive(arrays(inputs=harmful), network)
    # What NumPy would take for a pickle.
    with pytest.raises(FormatError, match="of no kind that is known; a drive of ours"):
        bridge.load_drive(put(pickle.dumps(_Harmful()), "drive.npz"), network)


ARRAYS = {
    "channels": ({"inputs": np.ones((4, 1, 3))}, "takes 2 input channels, this file holds 3"),
    "axes": ({"inputs": np.ones((2, 2, 2, 2))}, r"of shape \(T, B, C\) or \(T, C\), they are of"),
    "nothing": ({"inputs": np.ones((0, 1, 2))}, "holds no samples"),
    "NaN": ({"inputs": np.full((4, 2), np.nan)}, "holds NaN or infinite values"),
    "text": ({"inputs": np.array(["a"])}, "must be numbers of shape"),
    "complex": ({"inputs": np.ones((4, 2), complex)}, "holds complex128, neither numbers nor text"),
    "two": ({"a": np.ones((4, 2)), "b": np.ones((4, 2))}, "call the one that is meant inputs"),
    "both": ({"inputs": np.ones((4, 2)), "unit": np.ones(2)}, "which of them are meant"),
    "no time": ({"unit": np.ones(2)}, "spikes need the arrays unit and time"),
    "lengths": ({"unit": np.ones(2), "time": np.ones(3)}, "time must be one number of each spike"),
    "units": ({"unit": [5], "time": [0.1]}, "a spike of unit 5, which does not exist"),
    "half": ({"unit": [0.5], "time": [0.1]}, "'unit' must hold whole numbers from 0, it holds 0.5"),
    "steps": ({"inputs": np.ones((4, 2)), "dt_ms": 1.0, "sample_ms": 5.0}, "are not the same"),
    "labels": ({"inputs": np.ones((4, 2)), "condition": ["a", "b"]}, "of 2 trials, and 1 trials"),
    "numbers": ({"inputs": np.ones((4, 2)), "condition": [1]}, "a text of each trial"),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_that_make_no_sense_are_refused_in_a_sentence(arrays, network, name):
    given, said = ARRAYS[name]
    with pytest.raises((FormatError, SpecError), match=said):
        bridge.load_drive(arrays(**given), network)


def test_other_arrays_are_named_and_conditions_kept(arrays, network, values):
    path = arrays(inputs=values, target=values, condition=["b", "a", "b"])
    with pytest.warns(UserWarning, match="target: not looked at"):
        drive = bridge.load_drive(path, network)
    assert (drive.labels.tolist(), drive.conditions) == ([0, 1, 0], ("b", "a"))
    # A single array is meant, whatever it is called.
    assert bridge.load_drive(arrays(anything=values[:, 0]), network).inputs.shape == (12, 1, 2)


def test_archives_that_claim_more_than_they_hold_are_refused(tmp_path, network):
    def archive(name, content):
        path = tmp_path / "drive.npz"
        with zipfile.ZipFile(path, "w") as opened:
            opened.writestr(name, content)
        return path

    def header(shape):
        stream = io.BytesIO()
        description = {"descr": "<f8", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(stream, description)
        return stream.getvalue()

    for name, content, said in (
        ("inputs.npy", header((10**12, 1, 2)), "inputs claims 2,000,000,000,000 values"),
        ("inputs.npy", header((1000, 1, 2)), "damaged, or no archive of NumPy arrays"),
        ("inputs.npy", b"nothing", "damaged, or no archive of NumPy arrays"),
        ("data.pkl", b"nothing", "no archive of NumPy arrays, it holds 'data.pkl'"),
    ):
        with pytest.raises(FormatError, match=said):
            bridge.load_drive(archive(name, content), network)
    whole = archive("inputs.npy", header((2, 2)) + bytes(32)).read_bytes()
    for length in range(0, len(whole), 7):
        (tmp_path / "drive.npz").write_bytes(whole[:length])
        with pytest.raises(FormatError):
            bridge.load_drive(tmp_path / "drive.npz", network)


def test_files_of_another_kind_are_refused_in_a_sentence(tmp_path, put, network, values):
    for path, said in (
        (bridge.save(network, tmp_path / "net.h5"), "a drive is needed, this file holds a Spiking"),
        (put("%PDF-1.4", "drive.pdf"), "of no kind that is known; a drive of ours"),
        (put("", "drive.h5"), "an empty file"),
        (tmp_path, "a folder; name a file in it"),
        (tmp_path / "nothing.csv", "no such file"),
    ):
        with pytest.raises(FormatError, match=said):
            bridge.load_drive(path, network)
    drive = bridge.Drive(inputs=values[..., :1], noise=bridge.SharedNoise(seed=1))
    narrow = bridge.save(drive, tmp_path / "narrow.h5")
    with pytest.raises(FormatError, match=r"narrow.h5: inputs: the network takes 2 channels"):
        bridge.load_drive(narrow, network)


def test_nwb_that_makes_no_sense_is_refused_in_a_sentence(tmp_path, network):
    def series(rate=200.0, rows=4, channels=2, trials=None):
        pynwb, file, write = nwb_file(tmp_path / "x.nwb", trials=trials)
        data = np.ones((rows, channels))
        file.add_stimulus(
            pynwb.TimeSeries(name="s", data=data, unit="a", starting_time=0.0, rate=rate)
        )
        return write()

    for options, said in (
        ({"channels": 3}, "takes 2 input channels, this file holds 3"),
        ({"rate": 70.0}, "14.2857 ms apart, those of the network 5 ms"),
        ({"trials": [(0.0, 0.01), (0.02, 0.04)]}, "must be of one length, they last 0.01 to 0.02"),
        ({"trials": [(0.0, 0.1)]}, "presentation/s does not last as long as the trials"),
    ):
        with warnings.catch_warnings():
            # pynwb warns of data whose axes may be swapped.
            warnings.simplefilter("ignore")
            path = series(**options)
        with pytest.raises(FormatError, match=said):
            bridge.load_drive(path, network)
    _, file, write = nwb_file(tmp_path / "x.nwb")
    for _ in range(3):
        file.add_unit(spike_times=[0.1])
    with pytest.raises(FormatError, match="takes 2 input channels, this file holds 3"):
        bridge.load_drive(write(), network)
    pynwb, file, write = nwb_file(tmp_path / "x.nwb")
    uneven = [0.0, 0.005, 0.011]
    file.add_stimulus(pynwb.TimeSeries(name="s", data=np.ones((3, 2)), unit="a", timestamps=uneven))
    with pytest.raises(FormatError, match="s: its timestamps must ascend and be equally far"):
        bridge.load_drive(write(), network)
    _, _, write = nwb_file(tmp_path / "x.nwb")
    with pytest.raises(FormatError, match="holds neither a time series nor units, so no input"):
        bridge.load_drive(write(), network)


def test_times_that_are_told_too_coarsely_are_refused(tmp_path, network):
    start = 100_000.0
    _, file, write = nwb_file(tmp_path / "x.nwb", trials=[(start, start + 0.1)])
    for _ in range(2):
        file.add_unit(spike_times=[start + 0.05])
    with h5py.File(write(), "r+") as opened:
        times = opened["units/spike_times"]
        attributes, values = dict(times.attrs), times[()]
        del opened["units/spike_times"]
        opened["units/spike_times"] = values.astype(np.float32)
        opened["units/spike_times"].attrs.update(attributes)
    # Numbers of float32 are 2^-7 s apart there.
    with pytest.raises(FormatError, match=r"known to 7.8 ms only, a sample of the network lasts 5"):
        bridge.load_drive(tmp_path / "x.nwb", network)


def test_options_that_do_not_fit_the_file_are_refused(put, tmp_path, network, values):
    own = bridge.save(
        bridge.Drive(inputs=values, noise=bridge.SharedNoise(seed=1)), tmp_path / "own.h5"
    )
    analog, spikes = put(table(values)), put("unit,time,trial\n0,0.1,1\n0,0.1,0\n", "spikes.csv")
    for path, options, said in (
        (own, {"seconds": 1.0}, "samples that fix its length; leave out --seconds"),
        (own, {"trials": 2}, "has 3 trials, not 2; leave out --trials"),
        (own, {"series": "x"}, "no NWB file, so it has no --series"),
        (analog, {"seconds": 1.0}, "samples that fix its length; leave out --seconds"),
        (analog, {"trials": 2}, "has 3 trials, not 2"),
        (spikes, {"trials": 1}, "a spike of trial 1, of 1 trials counted from 0"),
        (spikes, {"seconds": 0.05}, "a spike at 0.1 s lies beyond the 0.05 s of a trial"),
        (spikes, {"seconds": 0.0512}, "is not a whole number of samples of 5 ms"),
        (spikes, {"seconds": 1e5, "trials": 10**9}, "it can have 1,000,000,000 steps"),
        (spikes, {"trials": 0}, "trials: expected a whole number of at least 1"),
        (spikes, {"seed": -1}, "seed: expected a whole number"),
    ):
        with pytest.raises(SpecError, match=said):
            bridge.load_drive(path, network, **options)
