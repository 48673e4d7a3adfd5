"""Recordings of unknown origin: damaged, lying or merely foreign; a sentence, never a crash."""

import collections

import h5py
import numpy as np
import pytest
from conftest import drive_for, two_population_network

import bridge
from bridge.errors import BridgeError, FormatError, SpecError
from bridge.exchange.recordings import export_recording, load_recording
from bridge.spiking.recording import Spikes

TEXT = h5py.string_dtype()


def replaced(name, **dataset):
    """A change of a file: another data set in the place of this one."""

    def change(file):
        kept = dict(file[name].attrs) if name == "units/spike_times" else {}
        del file[name]
        file.create_dataset(name, **dataset).attrs.update(kept)

    return change


def attribute(place, name, value):
    return lambda file: file[place].attrs.__setitem__(name, value)


@pytest.fixture(scope="module")
def contents(tmp_path_factory):
    network = two_population_network()
    recording = bridge.simulate(network, drive_for(network, 60, trials=3))
    folder = tmp_path_factory.mktemp("contents")
    for to in ("nwb", "sonata"):
        export_recording(recording, folder / to, to=to)
    return {to: (folder / to).read_bytes() for to in ("nwb", "sonata")}


@pytest.fixture
def changed(contents, tmp_path):
    def change_file(to, change):
        path = tmp_path / "changed"
        path.write_bytes(contents[to])
        with h5py.File(path, "a") as file:
            change(file)
        return path

    return change_file


@pytest.mark.parametrize("to", ["nwb", "sonata"])
def test_bytes_flipped_anywhere_end_in_a_sentence_or_a_recording(contents, tmp_path, to):
    rng = np.random.default_rng(7)
    path, outcomes = tmp_path / "flipped", collections.Counter()
    for trial in range(200):
        content = np.frombuffer(contents[to], dtype=np.uint8).copy()
        # One bit, or twenty: a single one mostly hits spikes, which no checksum of ours covers.
        places = rng.integers(0, content.size, 20 if trial % 2 else 1)
        content[places] ^= (1 << rng.integers(0, 8, places.size)).astype(np.uint8)
        path.write_bytes(content.tobytes())
        said = "read"
        try:
            load_recording(path)
        except BridgeError as error:
            said = str(error)
        assert "\n" not in said
        outcomes[said == "read"] += 1
    assert min(outcomes[True], outcomes[False]) > 20


def test_what_finds_the_spikes_has_checksums(contents):
    # Superblock 3 is HDF5 1.10's; its specification gives every header and index a checksum.
    for content in contents.values():
        assert content[:9] == b"\x89HDF\r\n\x1a\n\x03"


@pytest.mark.parametrize(
    ("to", "name"),
    [
        ("nwb", "units"),
        ("nwb", "intervals"),
        ("nwb", "intervals/trials"),
        ("nwb", "acquisition/readout_both"),
        ("sonata", "spikes"),
        ("sonata", "spikes/exc"),
        ("sonata", "spikes/exc/node_ids"),
    ],
)
@pytest.mark.parametrize("kind", ["external", "soft"])
def test_no_link_is_followed_wherever_it_stands(contents, changed, tmp_path, to, name, kind):
    (tmp_path / "whole.h5").write_bytes(contents[to])

    def link(file):
        if kind == "external":
            del file[name]
            file[name] = h5py.ExternalLink("whole.h5", "/" + name)
        else:
            file.move(name, "elsewhere")
            file[name] = h5py.SoftLink("/elsewhere")

    with pytest.raises(FormatError, match="links elsewhere; that is not followed"):
        load_recording(changed(to, link))


def test_nor_is_a_link_in_place_of_a_column_of_others(changed):
    def link(file):
        del file["units"].attrs["spikebridge_populations"]
        del file["units/population"]
        file["units/population"] = h5py.ExternalLink("whole.h5", "/units/population")

    with pytest.raises(FormatError, match="/units/population links elsewhere"):
        load_recording(changed("nwb", link))


HUGE = {"shape": (2**40,), "chunks": (1024,)}


@pytest.mark.parametrize(
    ("to", "change", "message"),
    [
        ("nwb", replaced("units", data=[1.0]), "/units must be a group"),
        ("nwb", replaced("units/spike_times", dtype=float, **HUGE), "claims 1,099,511,627,776"),
        ("nwb", replaced("units/spike_times", data=np.ones((4, 1))), "do not fit together"),
        ("nwb", replaced("intervals/trials/stop_time", data=[0.1]), "a start and a stop for each"),
        ("nwb", attribute("units/spike_times", "resolution", 1e-320), "ms makes no sense"),
        ("nwb", attribute("acquisition/readout_both/starting_time", "rate", 0.0), "states no rate"),
        ("sonata", attribute("spikes", "spikebridge_n_trials", np.inf), "must be a number"),
        ("sonata", attribute("spikes", "spikebridge_dt_ms", "fast"), "must be a number"),
        ("sonata", attribute("spikes/inh", "spikebridge_size", np.inf), "must be a number"),
        ("sonata", attribute("spikes/inh", "spikebridge_size", 3), "nodes that make no sense"),
    ],
)
def test_claims_that_make_no_sense_are_refused(changed, to, change, message):
    with pytest.raises(FormatError, match=message):
        load_recording(changed(to, change))


def empty_trials(file):
    for name in ("start_time", "stop_time"):
        replaced(f"intervals/trials/{name}", data=np.zeros(0))(file)


def test_a_table_of_no_trials_is_refused(changed):
    with pytest.raises(FormatError, match="a start and a stop for each trial"):
        load_recording(changed("nwb", empty_trials))


def test_spikes_none_of_which_lies_in_a_trial_are_refused(changed):
    def later(file):
        for name in ("start_time", "stop_time"):
            file[f"intervals/trials/{name}"][...] += 100.0
        file["acquisition/readout_both/starting_time"][...] += 100.0

    with pytest.raises(FormatError, match=r"none of its .* spikes lies in a trial"):
        load_recording(changed("nwb", later))


# In a file of another tool a column may have this name and any content.
@pytest.mark.parametrize(
    "column",
    [{"data": np.arange(32)}, {"data": ["a", "b"], "dtype": TEXT}, {"dtype": TEXT, **HUGE}],
)
def test_a_population_column_of_others_is_passed_over(changed, column):
    def of_others(file):
        del file["units"].attrs["spikebridge_populations"]
        replaced("units/population", **column)(file)

    assert dict(load_recording(changed("nwb", of_others)).populations) == {"units": 32}


def test_a_population_column_of_others_names_the_populations(changed):
    def without_our_note(file):
        del file["units"].attrs["spikebridge_populations"]

    found = load_recording(changed("nwb", without_our_note))
    assert dict(found.populations) == {"exc": 20, "inh": 12}


def test_what_others_acquired_is_not_looked_at(changed):
    def acquire(file):
        file["acquisition/voltage"] = h5py.ExternalLink("not_there.h5", "/x")
        file.attrs["format"] = "of another tool"

    assert set(load_recording(changed("nwb", acquire)).readouts) == {"both"}


def test_a_session_without_trials_is_one_or_is_cut(changed):
    def cut(file):
        del file["intervals"]

    path = changed("nwb", cut)
    whole, parts = load_recording(path), load_recording(path, trial_s=0.02)
    assert whole.spikes.n_trials == 1
    # As long as the units were observed, and not to the last spike only.
    assert whole.trial_s == pytest.approx(3 * 0.06)
    assert parts.spikes.n_steps == round(20.0 / parts.dt_ms)
    assert parts.spikes.count == whole.spikes.count
    # Where the trials are not ours, the readouts cannot be cut into them.
    assert not whole.readouts


def in_units(path, unit):
    with h5py.File(path, "w") as file:
        file["spikes/cortex/timestamps"] = [0.5, 2.5]
        file["spikes/cortex/timestamps"].attrs["units"] = unit
        file["spikes/cortex/node_ids"] = np.array([0, 1], dtype=np.uint64)
    return path


@pytest.mark.parametrize(("unit", "steps"), [("ms", [5, 25]), ("milliseconds", [5, 25])])
def test_times_are_taken_in_the_unit_that_the_file_says(tmp_path, unit, steps):
    assert load_recording(in_units(tmp_path / "a.h5", unit)).spikes.step.tolist() == steps
    seconds = load_recording(in_units(tmp_path / "b.h5", "s"))
    assert seconds.spikes.step.tolist() == [1000 * step for step in steps]
    with pytest.raises(
        FormatError, match="has times in 'parsec'; units of time that are known: s, ms"
    ):
        load_recording(in_units(tmp_path / "c.h5", "parsec"))


@pytest.mark.parametrize("to", ["nwb", "sonata"])
@pytest.mark.parametrize("name", ["", ".", "a/b", "a:b"])
def test_names_that_a_format_cannot_hold_are_refused(tmp_path, to, name):
    recording = bridge.Recording(
        spikes=Spikes.gather([0], [1], [0], (1, 5, 2)),
        readouts={},
        dt_ms=0.1,
        sample_ms=0.1,
        populations={name: 2},
    )
    with pytest.raises(SpecError, match=f"no name that the format {to} can hold"):
        export_recording(recording, tmp_path / "out", to=to)
    assert not (tmp_path / "out").exists()


def test_the_command_says_where_trials_and_time_step_come_from(command, tmp_path):
    path = tmp_path / "spikes.h5"
    with h5py.File(path, "w") as file:
        file["spikes/cortex/timestamps"] = [5.0, 105.0]
        file["spikes/cortex/node_ids"] = np.array([0, 1], dtype=np.uint64)
    out = ("--out", tmp_path / "recording.h5")
    outcome = command("import", path, *out)
    assert (outcome.status, outcome.err) == (0, "")
    line = "trials: one, to the last spike; time step: 0.1 ms, since the file states none"
    assert line in " ".join(outcome.out.split())
    outcome = command("import", path, *out, "--trial-s", "0.1", "--dt-ms", "1.0", "--force")
    assert "trials: cut every 0.1 s; time step: as given" in " ".join(outcome.out.split())
    assert bridge.load(tmp_path / "recording.h5").spikes.trial.tolist() == [0, 1]


def test_numbers_that_are_claimed_and_not_there_are_not_made(changed):
    def claim(file):
        del file["spikes/exc/timestamps"]
        file["spikes/exc"].create_dataset("timestamps", shape=(190_000_000,), dtype="f8")

    with pytest.raises(FormatError, match="claims 190,000,000 numbers and holds none"):
        load_recording(changed("sonata", claim))


def test_what_does_not_fit_into_memory_is_a_sentence(contents, tmp_path, monkeypatch):
    path = tmp_path / "large.sonata"
    path.write_bytes(contents["sonata"])

    def full(*_arguments, **_options):
        raise MemoryError

    monkeypatch.setattr("bridge.exchange.sonata.moments", full)
    with pytest.raises(FormatError, match="claims more than fits into memory"):
        load_recording(path)
