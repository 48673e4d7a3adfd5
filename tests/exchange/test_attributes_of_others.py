"""What other writers say in attributes: unwrapped where it is clear, else refused by name."""

import h5py
import numpy as np
import pytest
from exchange.small_files import events, nwb_file, sonata_file

import bridge
from bridge.errors import FormatError
from bridge.exchange.recordings import export_recording, load_recording
from bridge.spiking.recording import Spikes

TEXT = h5py.string_dtype()
SPELLINGS = {
    1.0: ["s", "S", "sec", "secs", "second", "seconds", " s ", "Seconds"],
    1e3: ["ms", "MS", "msec", "msecs", "millisecond", "milliseconds", "millisec"],
    1e6: ["us", "µs", "\u03bcs", "usec", "microsecond", "microseconds"],
    1e9: ["ns", "nanoseconds"],
    1 / 60: ["min", "minutes"],
}
CASES = [(unit, factor) for factor, units in SPELLINGS.items() for unit in units]


@pytest.mark.parametrize(("unit", "in_a_second"), CASES)
def test_units_of_time_are_known_by_many_spellings(tmp_path, unit, in_a_second):
    times = np.array([0.5, 2.5]) * in_a_second
    sonata = sonata_file(tmp_path / "a.h5", times, [0, 1])
    nwb = nwb_file(tmp_path / "a.nwb", [times[:1], times[1:]])
    for path, place in ((sonata, "spikes/cortex/timestamps"), (nwb, "units/spike_times")):
        with h5py.File(path, "a") as file:
            file[place].attrs["unit"] = unit
        assert events(load_recording(path, dt_ms=1.0)) == [(0, 500, 0), (0, 2500, 1)]


FORMS = {
    "array": np.array(["s"], dtype=TEXT),
    "matrix": np.array([["s"]], dtype=TEXT),
    "bytes": np.bytes_(b"s"),
    "array of bytes": np.array([b"s"]),
    "padded by spaces": np.bytes_(b"s       "),
    "ended by zero": np.array(b"s\0junk", dtype="S8"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("place", ["spikes", "spikes/cortex", "spikes/cortex/timestamps"])
@pytest.mark.parametrize("name", ["units", "unit", "Units", "time_units"])
def test_a_unit_in_any_form_at_any_place_is_found(tmp_path, form, place, name):
    path = sonata_file(tmp_path / "a.h5", [0.5, 2.5], [0, 1])
    with h5py.File(path, "a") as file:
        file[place].attrs[name] = FORMS[form]
    # Read as ms, these two spikes in 2.5 s were 400 Hz.
    found = load_recording(path)
    assert found.spikes.count == 2
    # To the last spike, and a step of 0.1 ms.
    # Steps times the step: a rounding or two.
    assert found.trial_s == pytest.approx(2.5001, rel=1e-12)


def test_a_unit_that_is_kept_as_a_data_set_is_found(tmp_path):
    path = sonata_file(tmp_path / "a.h5", [0.5, 2.5], [0, 1])
    with h5py.File(path, "a") as file:
        file["spikes/cortex/units"] = np.array(["s"], dtype=TEXT)
    assert events(load_recording(path, dt_ms=1.0)) == [(0, 500, 0), (0, 2500, 1)]


def test_text_that_is_no_utf8_is_read_as_latin_1(tmp_path):
    path = sonata_file(tmp_path / "a.h5", [5e5], [0])
    with h5py.File(path, "a") as file:
        file["spikes/cortex/timestamps"].attrs["units"] = np.bytes_("µs".encode("latin-1"))
    assert events(load_recording(path, dt_ms=1.0)) == [(0, 500, 0)]


NOT_UNDERSTOOD = [
    (1000, "units must be a text, it is the number 1000"),
    (np.array([0.001]), "units must be a text, it is the number 0.001"),
    (np.array(["s", "ms"], dtype=TEXT), "units holds 2 values where one is expected"),
    (np.array([], dtype="S1"), "units holds 0 values where one is expected"),
    (h5py.Empty("S1"), "units is there and holds nothing"),
    (True, "units must be a number or a text, it is neither"),
    ("samples", "has times in 'samples'; units of time that are known: s, ms, us, ns, min, h"),
    ("1 s", "has times in '1 s'"),
]


@pytest.mark.parametrize(("value", "message"), NOT_UNDERSTOOD)
def test_a_unit_that_is_not_understood_is_refused_by_name(tmp_path, value, message):
    path = sonata_file(tmp_path / "a.h5", [0.5, 2.5], [0, 1])
    nwb = nwb_file(tmp_path / "a.nwb", [[0.5]], units=value)
    with h5py.File(path, "a") as file:
        file["spikes/cortex/timestamps"].attrs["units"] = value
    for each in (path, nwb):
        with pytest.raises(FormatError, match=message):
            load_recording(each)


def test_a_reference_in_place_of_a_unit_is_refused(tmp_path):
    path = sonata_file(tmp_path / "a.h5", [0.5, 2.5], [0, 1])
    with h5py.File(path, "a") as file:
        file["spikes/cortex/timestamps"].attrs["units"] = file["spikes"].ref
    with pytest.raises(FormatError, match="units must be a number or a text, it is neither"):
        load_recording(path)


def test_two_units_that_differ_are_refused_and_two_that_agree_are_not(tmp_path):
    path = sonata_file(tmp_path / "a.h5", [0.5, 2.5], [0, 1], units="s")
    for unit, fits in (("seconds", True), ("ms", False)):
        with h5py.File(path, "a") as file:
            file["spikes"].attrs["units"] = unit
        if fits:
            assert load_recording(path).spikes.step.tolist() == [5000, 25000]
        else:
            with pytest.raises(FormatError, match="has times in 's' and in 'ms'"):
                load_recording(path)


def test_a_population_may_be_called_units(tmp_path):
    path = sonata_file(tmp_path / "a.h5", [0.5, 2.5], [0, 1], place="spikes/units")
    assert dict(load_recording(path).populations) == {"units": 2}


def test_trials_in_milliseconds_are_trials_in_milliseconds(tmp_path):
    path = nwb_file(tmp_path / "a.nwb", [[0.5], [1.25]], [(0, 1000), (1000, 2000)])
    with h5py.File(path, "a") as file:
        for name in ("start_time", "stop_time"):
            file[f"intervals/trials/{name}"].attrs["unit"] = np.array(["ms"], dtype=TEXT)
    found = load_recording(path, dt_ms=1.0)
    assert (found.trial_s, events(found)) == (1.0, [(0, 500, 0), (1, 250, 1)])


@pytest.mark.parametrize(
    "value",
    [
        0.001,
        [0.001],
        [[0.001]],
        np.float32(0.001),
        np.array([0.001], ">f8"),
        np.array([0.001], "f4"),
    ],
)
def test_a_resolution_in_any_form_is_the_time_step(tmp_path, value):
    found = load_recording(nwb_file(tmp_path / "a.nwb", [[0.5], [1.25]], resolution=value))
    assert (found.dt_ms, events(found)) == (1.0, [(0, 500, 0), (0, 1250, 1)])
    assert found.provenance["time_step"] == "as in the file"


@pytest.mark.parametrize("value", [np.nan, -1.0, [-1.0], 0.0, np.array([[np.nan]])])
def test_a_resolution_that_says_unknown_is_none(tmp_path, value):
    found = load_recording(nwb_file(tmp_path / "a.nwb", [[0.5]], resolution=value))
    assert found.provenance["time_step"] == "0.1 ms, since the file states none"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1e-4, 1e-4], "resolution holds 2 values where one is expected"),
        ("0.0001", "resolution must be a number, it is '0.0001'"),
        (-0.5, "a resolution of -0.5 s makes no sense"),
        (np.inf, "a resolution of inf s makes no sense"),
        (h5py.Empty("f8"), "resolution is there and holds nothing"),
        (1 + 2j, "resolution must be a number or a text, it is neither"),
    ],
)
def test_a_resolution_that_is_not_understood_is_refused(tmp_path, value, message):
    path = nwb_file(tmp_path / "a.nwb", [[0.5]], resolution=value)
    with pytest.raises(FormatError, match=message):
        load_recording(path)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Three trials of four neurons and a readout, and their bytes in both formats."""
    rng = np.random.default_rng(0)
    recording = bridge.Recording(
        spikes=Spikes.gather([0, 0, 1, 2], [1, 4, 9, 0], [0, 3, 2, 1], (3, 10, 4)),
        readouts={"out": rng.normal(size=(2, 3, 1))},
        dt_ms=0.5, sample_ms=2.5, populations={"exc": 3, "inh": 1},
    )  # fmt: skip

    folder, written = tmp_path_factory.mktemp("ours"), {}
    for to in ("nwb", "sonata"):
        export_recording(recording, folder / to, to=to)
        written[to] = (folder / to).read_bytes()
    return recording, written


@pytest.fixture
def ours(exported, tmp_path):
    """The recording and a file of it in a format, with attributes of somebody else's."""
    recording, written = exported

    def write(to, place=None, **attributes):
        path = tmp_path / f"ours.{to}"
        path.write_bytes(written[to])
        with h5py.File(path, "a") as file:
            if place is not None:
                file[place].attrs.update(attributes)
        return recording, path

    return write


@pytest.mark.parametrize("wrap", [lambda x: [x], lambda x: [[x]], np.float32, lambda x: float(x)])
def test_our_own_attributes_are_read_in_any_form(ours, wrap):
    told = {f"spikebridge_{name}": wrap(x) for name, x in (("n_trials", 3), ("dt_ms", 0.5))}
    recording, path = ours("sonata", "spikes", **told)
    assert events(load_recording(path)) == events(recording)


@pytest.mark.parametrize(
    ("place", "name", "value", "message"),
    [
        ("spikes", "n_trials", 2.5, "n_trials must be a number that is whole"),
        ("spikes", "n_steps", [10, 10], "n_steps holds 2 values"),
        ("spikes", "n_steps", 0, "make no sense together"),
        ("spikes", "dt_ms", 0.0, "a time step of 0 ms makes no sense"),
        ("spikes", "dt_ms", -1.0, "a time step of -1 ms makes no sense"),
        ("spikes", "dt_ms", np.nan, "a time step of nan ms makes no sense"),
        ("spikes", "dt_ms", "0.5", "dt_ms must be a number, it is '0.5'"),
        ("spikes/exc", "size", -3, "size must be a number that is whole"),
        ("spikes/exc", "size", 2.9, "size must be a number that is whole"),
        ("spikes/exc", "place", "first", "place must be a number"),
    ],
)
def test_our_own_attributes_are_refused_where_they_make_no_sense(ours, place, name, value, message):
    _, path = ours("sonata", place, **{f"spikebridge_{name}": value})
    with pytest.raises(FormatError, match=message):
        load_recording(path)


def test_half_of_what_tells_trials_is_refused(ours):
    _, path = ours("sonata")
    for name in ("dt_ms", "n_steps"):
        with h5py.File(path, "a") as file:
            del file["spikes"].attrs[f"spikebridge_{name}"]
        with pytest.raises(FormatError, match="spikebridge_n_steps and spikebridge_dt_ms make no"):
            load_recording(path)


def test_populations_in_another_form_are_read_and_in_none_refused(ours):
    recording, path = ours("nwb")
    note = bytes(h5py.File(path)["units"].attrs["spikebridge_populations"])
    for value in (np.array([note]), note.decode(), np.array([note.decode()], dtype=TEXT)):
        ours("nwb", "units", spikebridge_populations=value)
        assert dict(load_recording(path).populations) == dict(recording.populations)
    for value, message in ((7, "must be a text"), ("{", "must state names and sizes")):
        ours("nwb", "units", spikebridge_populations=value)
        with pytest.raises(FormatError, match=f"spikebridge_populations {message}"):
            load_recording(path)


DATA = "acquisition/readout_out/data"


@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: [x], lambda x: [[x]], np.float32])
def test_values_of_readouts_are_converted_as_the_file_wants(ours, wrap):
    recording, path = ours("nwb", DATA, conversion=wrap(0.001), offset=wrap(2.0))
    found = load_recording(path).readouts["out"]
    np.testing.assert_array_equal(found, recording.readouts["out"] * 0.001 + 2.0)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"conversion": np.nan}, "conversion must be a number, it is nan"),
        ({"conversion": 0.0}, "a conversion of 0 leaves nothing"),
        ({"conversion": [1.0, 2.0]}, "conversion holds 2 values"),
        ({"conversion": "mV"}, "conversion must be a number, it is 'mV'"),
        ({"offset": np.inf}, "offset must be a number, it is inf"),
    ],
)
def test_a_conversion_that_is_not_understood_is_refused(ours, attributes, message):
    _, path = ours("nwb", DATA, **attributes)
    with pytest.raises(FormatError, match=message):
        load_recording(path)


def test_a_conversion_for_each_channel_is_refused_by_name(ours):
    _, path = ours("nwb")
    with h5py.File(path, "a") as file:
        file["acquisition/readout_out/channel_conversion"] = [2.0]
    with pytest.raises(FormatError, match="channel_conversion is not understood"):
        load_recording(path)


@pytest.mark.parametrize("rate", [[400.0], np.array([[400.0]]), np.float32(400.0), 400])
def test_a_rate_in_any_form_is_that_of_the_samples(ours, rate):
    _, path = ours("nwb", "acquisition/readout_out/starting_time", rate=rate)
    assert load_recording(path).sample_ms == 2.5


@pytest.mark.parametrize("rate", [200.0, 800.0])
def test_a_rate_that_does_not_fit_the_trials_is_refused(ours, rate):
    _, path = ours("nwb", "acquisition/readout_out/starting_time", rate=rate)
    with pytest.raises(FormatError, match="does not fit its trials: 2 samples"):
        load_recording(path)


def test_series_of_others_that_are_called_readouts_are_left_out_with_a_note(tmp_path):
    path = nwb_file(tmp_path / "a.nwb", [[0.5]], [(0, 1)])
    with h5py.File(path, "a") as file:
        file["acquisition/readout_lfp/data"] = np.zeros(7)
    found = load_recording(path)
    assert (dict(found.readouts), found.spikes.count) == ({}, 1)
    assert "readouts: left out" in found.provenance["notes"]
