"""Options with recordings: used, refused or told; and what is no file, called what it is."""

import os

import h5py
import numpy as np
import pytest
from exchange.mat_files import write_original
from exchange.small_files import events, nwb_file, sonata_file

import bridge
from bridge.errors import FormatError, SpecError
from bridge.exchange.recordings import load_recording
from bridge.spiking.recording import Spikes

TRIALS = [(float(k), float(k + 1)) for k in range(14)]


def trains(seed):
    rng = np.random.default_rng(seed)
    return [np.sort(rng.choice(14_000, 60, replace=False)) / 1000.0 for _ in range(2)]


@pytest.fixture
def files(tmp_path):
    """Fourteen trials in NWB, with a step of 1 ms; the like in SONATA, which tells neither."""
    nwb = nwb_file(tmp_path / "a.nwb", trains(0), TRIALS, resolution=1e-3)
    times = np.concatenate(trains(1)) * 1000.0
    order = np.argsort(times)
    sonata = sonata_file(tmp_path / "b.h5", times[order], np.repeat([0, 1], 60)[order])
    return nwb, sonata


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--out-lif", "never.h5"], "--out-lif"),
        (["--relu"], "--relu"),
        (["--activation", "softplus"], "--activation"),
        (["--task", "xor"], "--task"),
        (["--task", "none", "--relu"], "--task, --relu"),
    ],
)
def test_options_for_networks_are_refused_with_a_recording(refused, files, tmp_path, words, named):
    for file in files:
        said = refused("import", file, "--out", tmp_path / "o.h5", *words)
        assert f"{named}: for rate networks only, and {file} is read as a recording" in said


@pytest.mark.parametrize("words", [["--trial-s", "0.5"], ["--window-s", "0:1"]])
def test_options_for_recordings_are_refused_with_a_network(refused, tmp_path, words):
    file = write_original(tmp_path / "Task_go-nogo_N_7.mat")
    said = refused("import", file, "--out", tmp_path / "o.h5", *words)
    assert f"{words[0]}: for recordings only, and {file} is read as a network" in said


@pytest.mark.parametrize(
    ("name", "value", "own"),
    [("dt_ms", 0.5, "time step, 1 ms"), ("trial_s", 0.5, "trials, of 1 s")],
)
def test_an_option_that_contradicts_the_file_is_refused(refused, files, tmp_path, name, value, own):
    nwb, _ = files
    ours = bridge.save(load_recording(nwb), tmp_path / "ours.h5")
    word = f"--{name.replace('_', '-')}"
    for file in (nwb, ours):
        with pytest.raises(SpecError, match=f"states its own {own}; leave out {word} .* says 0.5"):
            load_recording(file, **{name: value})
        assert own in refused("import", file, "--out", tmp_path / "o.h5", word, value)


def test_an_option_that_says_what_the_file_says_is_none_to_refuse(files):
    found = load_recording(files[0], dt_ms=1.0, trial_s=1.0)
    assert (found.dt_ms, found.trial_s) == (1.0, 1.0)
    assert found.provenance["time_step"] == found.provenance["trials"] == "as in the file"


def test_compare_uses_an_option_for_the_file_that_needs_it_and_says_so(command, files, tmp_path):
    words = ("--dt-ms", "0.5", "--trial-s", "0.5")
    outcome = command("compare", *files, *words, "--out", tmp_path / "r.html")
    # The trials differ in length then, which is refused; but it was told before.
    assert outcome.status == 2
    assert "a.nwb: states its own trials, of 1 s, so --trial-s is not used for it" in outcome.err
    assert "a.nwb: states its own time step, 1 ms, so --dt-ms is not used for it" in outcome.err
    good = ("--dt-ms", "1", "--trial-s", "1", "--force")
    outcome = command("compare", *files, *good, "--out", tmp_path / "r.html")
    assert (outcome.status in (0, 1), "note:" in outcome.err) == (True, False)


@pytest.mark.parametrize("word", ["--dt-ms", "--trial-s"])
def test_compare_refuses_an_option_that_no_file_needs(refused, files, tmp_path, word):
    said = refused("compare", files[0], files[0], word, "0.25", "--out", tmp_path / "r.html")
    assert f"every recording states its own {'time step' if 'dt' in word else 'trials'}" in said
    assert f"leave out {word}" in said


def test_compare_cuts_the_same_window_from_all(command, tmp_path):
    unequal = [(start, start + 0.8 + 0.01 * k) for k, (start, _) in enumerate(TRIALS)]
    one = nwb_file(tmp_path / "a.nwb", trains(0), unequal, resolution=1e-3)
    made = load_recording(one, window_s=(0.0, 0.8))
    other = bridge.save(made, tmp_path / "b.h5")
    words = ("--window-s", "0.2:0.7", "--out", tmp_path / "r.html")
    outcome = command("compare", one, other, *words)
    assert outcome.status == 0
    assert (
        f"hold the same {load_recording(other, window_s=(0.2, 0.7)).spikes.count} spi"
        in outcome.out
    )


def test_import_names_the_window_and_takes_it(command, refused, tmp_path):
    path = nwb_file(tmp_path / "a.nwb", [[0.25, 1.25, 1.75]], [(0, 1), (1, 1.5)], resolution=1e-3)
    out = ("--out", tmp_path / "o.h5")
    assert "--window-s 0:0.5" in refused("import", path, *out)
    outcome = command("import", path, *out, "--window-s", "0:0.5")
    assert (outcome.status, outcome.err) == (
        0,
        "note: 1 spikes lie in what is taken of no trial and were left out\n",
    )
    assert events(bridge.load(tmp_path / "o.h5")) == [(0, 250, 0), (1, 250, 0)]
    for text in ("1", "a:b", "0:1:2", ""):
        said = refused("import", path, *out, "--force", "--window-s", text)
        assert "--window-s: expected START:STOP in s, such as 0.2:0.8" in said
    assert "a start of at least 0" in refused("import", path, *out, "--force", "--window-s", "1:0")


def test_notes_on_a_file_are_printed(command, tmp_path):
    times = np.random.default_rng(0).permutation(100) + 1.0
    path = sonata_file(tmp_path / "a.h5", times, np.arange(100) % 3)
    outcome = command("import", path, "--out", tmp_path / "o.h5")
    assert outcome.status == 0
    assert "note: cortex: the times of 3 nodes run backwards" in outcome.err


def test_a_format_that_the_content_is_not_is_refused(refused, files, tmp_path):
    nwb, sonata = files
    out = ("--out", tmp_path / "o.h5")
    assert "of the format nwb, not sonata" in refused("import", nwb, "--from", "sonata", *out)
    assert "of the format sonata, not nwb" in refused("import", sonata, "--from", "nwb", *out)
    with pytest.raises(SpecError, match="unknown format 'csv' of a recording; known are nwb"):
        load_recording(nwb, format="csv")


def test_a_recording_is_known_by_its_content_whatever_its_ending(command, files, tmp_path):
    path = files[0].rename(tmp_path / "session.bin")
    assert command("import", path, "--out", tmp_path / "o.h5").status == 0
    assert bridge.load(tmp_path / "o.h5").spikes.n_trials == 14


def test_an_unknown_ending_names_the_formats_of_recordings_too(refused, tmp_path):
    path = tmp_path / "spikes.csv"
    path.write_text("1,2,3")
    said = refused("import", path, "--out", tmp_path / "o.h5")
    assert "--from: matlab, safetensors, nir, or of a recording nwb or sonata" in said
    said = refused("import", path, "--from", "csv", "--out", tmp_path / "o.h5")
    assert "known are matlab, safetensors, nir; of a recording nwb or sonata" in said


def folder(path):
    path.mkdir()
    return path


def zarr(path):
    (folder(path) / ".zgroup").write_text('{"zarr_format": 2}')
    return path


PLACES = [
    ("x.nwb.zarr", folder, "a folder in the zarr format, which is not read; write it as one HDF5"),
    ("x.nwb", zarr, "a folder in the zarr format"),
    ("x.h5", folder, "a folder; name a file in it"),
    ("x.h5", lambda path: path, "no such file"),
    ("x.h5", lambda path: (os.mkfifo(path), path)[1], "a pipe or a device; write its content"),
]


@pytest.mark.parametrize("read", [bridge.load, load_recording, bridge.import_network])
@pytest.mark.parametrize(("name", "make", "said"), PLACES)
def test_what_is_no_file_is_called_what_it_is(tmp_path, read, name, make, said):
    path = make(tmp_path / name)
    options = {"format": "matlab"} if read is bridge.import_network else {}
    with pytest.raises(FormatError, match=said):
        read(path, **options)


@pytest.mark.parametrize(("name", "make", "said"), PLACES)
@pytest.mark.parametrize("words", [["import"], ["info"], ["compare"], ["export", "--to", "nwb"]])
def test_the_commands_call_it_so_as_well(command, tmp_path, words, name, make, said):
    path = make(tmp_path / name)
    more = [path] * words.count("compare")
    if words != ["info"]:
        more += ["--out", tmp_path / "o.html"]
    outcome = command(*words, path, *more)
    assert (outcome.status, said in " ".join(outcome.err.split())) == (2, True), outcome.err


def test_a_file_that_is_open_for_writing_elsewhere_is_said_to_be(files, monkeypatch):
    def locked(*_arguments):
        raise BlockingIOError(11, "unable to lock file")

    monkeypatch.setattr(h5py, "File", locked)
    with pytest.raises(FormatError, match="another program has it open for writing"):
        load_recording(files[0])


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf, "1", True])
@pytest.mark.parametrize("name", ["dt_ms", "trial_s"])
def test_an_option_that_is_no_length_is_refused(files, name, value):
    with pytest.raises(SpecError, match=f"{name}: must be positive, got {value!r}"):
        load_recording(files[1], **{name: value})


def test_our_own_recordings_are_read_as_before(tmp_path):
    made = bridge.Recording(
        spikes=Spikes.gather([0, 1], [2, 3], [0, 1], (2, 5, 2)), readouts={}, dt_ms=0.25,
        sample_ms=0.25, populations={"a": 2}, provenance={"seed": 3},
    )  # fmt: skip
    found = load_recording(bridge.save(made, tmp_path / "a.h5"))
    assert (events(found), dict(found.provenance)) == (events(made), {"seed": 3})
