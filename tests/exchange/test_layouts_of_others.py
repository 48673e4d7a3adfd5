"""Where other writers put things: Neo's segments, older layouts, tables without an index."""

import warnings
from datetime import UTC, datetime

import h5py
import numpy as np
import pytest
from exchange.small_files import events, nwb_file, sonata_file

from bridge.errors import FormatError
from bridge.exchange.recordings import load_recording
from bridge.exchange.spike_objects import to_neo
from bridge.spiking.recording import Recording, Spikes

TEXT = h5py.string_dtype()


@pytest.fixture(scope="module")
def sent():
    """As few neurons as tell two populations apart: a writer takes long over each in each trial."""
    fired = np.random.default_rng(0).choice(3 * 500 * 5, 40, replace=False)
    cells = np.unravel_index(np.sort(fired), (3, 500, 5))
    return Recording(
        spikes=Spikes.gather(*cells, (3, 500, 5)),
        readouts={},
        dt_ms=0.1,
        sample_ms=1.0,
        populations={"exc": 3, "inh": 2},
        provenance={},
    )


def through_neo(blocks, path):
    """Blocks written by Neo's own NWB writer."""
    import neo

    for block in blocks:
        block.annotate(session_start_time=datetime(2020, 1, 1, tzinfo=UTC), identifier="x")
    with warnings.catch_warnings():
        # pynwb warns Neo of arguments that it gives by position.
        warnings.simplefilter("ignore")
        neo.io.NWBIO(str(path), "w").write_all_blocks(blocks)
    return path


def test_our_recording_comes_back_from_neos_nwb_writer_spike_for_spike(sent, tmp_path):
    path = through_neo([to_neo(sent)], tmp_path / "a.nwb")
    back = load_recording(path, dt_ms=sent.dt_ms)
    np.testing.assert_array_equal(back.spikes.codes(), sent.spikes.codes())
    assert (back.spikes.n_trials, back.trial_s) == (3, sent.trial_s)
    assert dict(back.populations) == dict(sent.populations) == {"exc": 3, "inh": 2}


def test_names_that_neo_makes_up_are_taken_one_after_the_other(sent, tmp_path):
    block = to_neo(sent)
    for segment in block.segments:
        for train in segment.spiketrains:
            train.name = None
    back = load_recording(through_neo([block], tmp_path / "a.nwb"), dt_ms=sent.dt_ms)
    np.testing.assert_array_equal(back.spikes.codes(), sent.spikes.codes())
    assert dict(back.populations) == {"units": 5}


def test_a_neuron_is_found_by_its_name_wherever_it_stands_in_a_segment(sent, tmp_path):
    block = to_neo(sent)
    block.segments[1].spiketrains = list(block.segments[1].spiketrains)[::-1]
    back = load_recording(through_neo([block], tmp_path / "a.nwb"), dt_ms=sent.dt_ms)
    np.testing.assert_array_equal(back.spikes.codes(), sent.spikes.codes())


def test_one_segment_is_one_trial_as_long_as_neo_says(sent, tmp_path):
    block = to_neo(sent)
    block.segments = list(block.segments)[:1]
    back = load_recording(through_neo([block], tmp_path / "a.nwb"), dt_ms=sent.dt_ms)
    assert (back.spikes.n_trials, back.trial_s) == (1, sent.trial_s)
    assert back.spikes.n_neurons == 5


def test_segments_of_other_units_are_refused(sent, tmp_path):
    block = to_neo(sent)
    block.segments[2].spiketrains = list(block.segments[2].spiketrains)[:-1]
    with pytest.raises(FormatError, match="one has 4 units and one 5; which of them are the"):
        load_recording(through_neo([block], tmp_path / "a.nwb"))
    block = to_neo(sent)
    block.segments[2].spiketrains[0].name = "another"
    with pytest.raises(FormatError, match=r"units of different names \('another' is not in all"):
        load_recording(through_neo([block], tmp_path / "b.nwb"))


def test_two_blocks_are_refused(sent, tmp_path):
    blocks = [to_neo(sent), to_neo(sent)]
    blocks[1].name = "another"
    with pytest.raises(FormatError, match="holds 2 blocks of Neo's; write each into a file"):
        load_recording(through_neo(blocks, tmp_path / "a.nwb"))


TRAINS = [[0.25], [0.5], [0.125], [0.75]]
ENDS = {"obs_intervals": [[0.0, 1.0]] * 4, "obs_intervals_index": [1, 2, 3, 4]}


@pytest.mark.parametrize("name", ["trial", "trial_index", "sweep_number"])
@pytest.mark.parametrize("values", [[7, 7, 9, 9], np.array(["a", "a", "b", "b"], dtype=TEXT)])
def test_a_column_that_tells_the_trial_of_a_row_makes_trials(tmp_path, name, values):
    path = nwb_file(tmp_path / "a.nwb", TRAINS, columns=ENDS | {name: values})
    found = load_recording(path, dt_ms=1.0)
    assert events(found) == [(0, 250, 0), (0, 500, 1), (1, 125, 0), (1, 750, 1)]
    assert (found.trial_s, found.spikes.n_neurons) == (1.0, 2)


def test_a_unit_id_tells_which_rows_are_the_same_neuron(tmp_path):
    told = ENDS | {"trial": [0, 0, 1, 1], "unit_id": [12345678, 12345679, 12345679, 12345678]}
    found = load_recording(nwb_file(tmp_path / "a.nwb", TRAINS, columns=told), dt_ms=1.0)
    assert events(found) == [(0, 250, 0), (0, 500, 1), (1, 125, 1), (1, 750, 0)]


def test_trials_of_rows_whose_length_is_not_told_are_refused(tmp_path):
    path = nwb_file(tmp_path / "a.nwb", TRAINS, columns={"trial": [0, 0, 1, 1]})
    with pytest.raises(FormatError, match="no obs_intervals that state from when to when"):
        load_recording(path)


def test_trials_of_rows_beside_a_trials_table_are_refused(tmp_path):
    path = nwb_file(tmp_path / "a.nwb", TRAINS, [(0, 1), (1, 2)], columns={"trial": [0, 0, 1, 1]})
    with pytest.raises(FormatError, match="has a trials table, and a column 'trial'"):
        load_recording(path)


@pytest.mark.parametrize("name", ["segment", "segment_index", "block"])
def test_a_column_that_may_tell_trials_or_parts_of_the_body_is_refused(tmp_path, name):
    path = nwb_file(tmp_path / "a.nwb", TRAINS, columns={name: [0, 0, 1, 1]})
    with pytest.raises(FormatError, match=f"a column '{name}' of 2 values, and whether these"):
        load_recording(path)
    # Where a table tells the trials, a row is a unit.
    path = nwb_file(tmp_path / "b.nwb", TRAINS, [(0, 1)], columns={name: [0, 0, 1, 1]})
    assert load_recording(path).spikes.n_neurons == 4


def test_the_trials_of_each_spike_are_no_trials_of_rows(tmp_path):
    # Ragged, as the standard has it: as many values as spikes, and an index.
    told = {"trial": [0, 0, 1, 2, 2], "trial_index": [1, 2, 3, 5]}
    found = load_recording(nwb_file(tmp_path / "a.nwb", TRAINS, [(0, 1)], columns=told))
    assert found.spikes.n_neurons == 4


@pytest.mark.parametrize("dtype", ["u1", "u2", "u8", "i8", ">i4", "f8"])
def test_the_index_of_spike_times_may_be_of_any_type(tmp_path, dtype):
    path = nwb_file(tmp_path / "a.nwb", [[0.25, 0.5], [], [0.75]])
    with h5py.File(path, "a") as file:
        del file["units/spike_times_index"]
        file["units/spike_times_index"] = np.array([[2], [2], [3]], dtype=dtype)
    assert events(load_recording(path, dt_ms=1.0)) == [(0, 250, 0), (0, 500, 0), (0, 750, 2)]


def test_one_unit_needs_no_index_and_several_do(tmp_path):
    path = nwb_file(tmp_path / "a.nwb", [[0.25, 0.5]])
    with h5py.File(path, "a") as file:
        del file["units/spike_times_index"]
    assert events(load_recording(path, dt_ms=1.0)) == [(0, 250, 0), (0, 500, 0)]
    for ids, said in (([0, 1], "has 2 rows"), (None, "does not state its rows")):
        with h5py.File(path, "a") as file:
            del file["units/id"]
            if ids:
                file["units/id"] = ids
        with pytest.raises(FormatError, match=f"its units table {said} and no spike_times_index"):
            load_recording(path)


def test_units_are_rows_whatever_their_numbers_are(tmp_path):
    path = nwb_file(tmp_path / "a.nwb", [[0.25], [0.5], [0.75]])
    with h5py.File(path, "a") as file:
        # Two probes may each have a unit 3.
        file["units/id"][...] = [3, 900_000, 3]
    assert load_recording(path).spikes.n_neurons == 3


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda units: units.move("spike_times", "times"), "units table has no spike times"),
        (lambda units: units.__setitem__("spike_times_index_index", [1]), "indexed twice"),
        (lambda units: units["spike_times_index"].write_direct(np.array([2, 1])), "fit together"),
    ],
)
def test_units_that_are_no_units_are_refused(tmp_path, spoil, message):
    path = nwb_file(tmp_path / "a.nwb", [[0.25], [0.5]])
    with h5py.File(path, "a") as file:
        spoil(file["units"])
    with pytest.raises(FormatError, match=message):
        load_recording(path)


def test_no_units_at_all_are_refused_with_the_files_name(tmp_path):
    path = nwb_file(tmp_path / "empty.nwb", [], [(0, 1)])
    with pytest.raises(FormatError, match=r"empty.nwb: its units table is empty, it has no neur"):
        load_recording(path)


def test_nwb_of_version_1_is_named(tmp_path):
    path = tmp_path / "old.nwb"
    with h5py.File(path, "w") as file:
        file["nwb_version"] = "NWB-1.0.6"
        file["processing/units"] = [1.0]
    with pytest.raises(FormatError, match="NWB of version 1, which is not read; convert it"):
        load_recording(path)


@pytest.mark.parametrize("named", ["gids", "node_ids"])
@pytest.mark.parametrize("place", ["spikes", "spikes/cortex"])
def test_the_layouts_of_sonata_are_read_with_or_without_a_population(tmp_path, named, place):
    path = sonata_file(tmp_path / "a.h5", [5.0, 105.0], [3, 1], place=place, ids_named=named)
    found = load_recording(path, trial_s=0.1, dt_ms=1.0)
    assert events(found) == [(0, 5, 3), (1, 5, 1)]
    assert dict(found.populations) == {"cortex" if "cortex" in place else "nodes": 4}


@pytest.mark.parametrize("place", ["spikes", "spikes/cortex"])
def test_half_a_population_is_refused_and_not_passed_over(tmp_path, place):
    for missing, named in (("timestamps", "timestamps"), ("node_ids", "node_ids")):
        path = sonata_file(tmp_path / f"{missing}.h5", [5.0], [3], place=place)
        with h5py.File(path, "a") as file:
            del file[f"{place}/{missing}"]
        with pytest.raises(FormatError, match=f"/{place}/{named} is missing"):
            load_recording(path)


def test_what_contradicts_itself_is_refused(tmp_path):
    path = sonata_file(tmp_path / "a.h5", [5.0], [3])
    with h5py.File(path, "a") as file:
        file["spikes/cortex/gids"] = [2]
    with pytest.raises(FormatError, match="cortex has node_ids and gids, and which are meant"):
        load_recording(path)
    path = sonata_file(tmp_path / "b.h5", [5.0], [3])
    with h5py.File(path, "a") as file:
        file["spikes/timestamps"], file["spikes/gids"] = [5.0], [3]
    with pytest.raises(FormatError, match="holds spikes in populations and outside of them"):
        load_recording(path)


def test_groups_of_something_else_are_named(tmp_path):
    path = sonata_file(tmp_path / "a.h5", [5.0], [3])
    with h5py.File(path, "a") as file:
        file["spikes/thalamus/times"] = [1.0]
        file["spikes/comment"] = [1.0]
    notes = load_recording(path).provenance["notes"]
    assert notes == "/spikes: thalamus not looked at, no spikes in it"


def test_a_population_without_spikes_is_kept_beside_others(tmp_path):
    path = sonata_file(tmp_path / "a.h5", [5.0], [3])
    sonata_file(tmp_path / "b.h5", [], [])
    with h5py.File(path, "a") as file, h5py.File(tmp_path / "b.h5") as silent:
        silent.copy("spikes/cortex", file["spikes"], "thalamus")
    assert dict(load_recording(path).populations) == {"cortex": 4, "thalamus": 0}


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (np.array([2**53 + 1], "u8"), "too large"),
        (np.array([2**40], "u8"), "claims nodes that make no sense: the largest number is 109951"),
        (np.array([-1]), "must hold numbers that are not negative"),
        (np.array([0.5]), "must hold whole numbers"),
        (np.array([[0, 1], [2, 3]]), r"must be one row of numbers, its shape is \(2, 2\)"),
    ],
)
def test_ids_that_make_no_sense_are_refused(tmp_path, ids, message):
    path = sonata_file(tmp_path / "a.h5", [5.0], [0])
    with h5py.File(path, "a") as file:
        del file["spikes/cortex/node_ids"]
        file["spikes/cortex/node_ids"] = ids
    with pytest.raises(FormatError, match=message):
        load_recording(path)


def test_ids_may_be_sparse(tmp_path):
    path = sonata_file(tmp_path / "a.h5", [5.0, 6.0], [70_000, 4_000_000])
    found = load_recording(path, dt_ms=1.0)
    assert events(found) == [(0, 5, 70_000), (0, 6, 4_000_000)]


@pytest.mark.parametrize(
    "value", [5.0, [5.0], [[5.0]], np.array([5], "i2"), np.array([5.0], ">f4")]
)
def test_one_spike_may_stand_in_any_shape(tmp_path, value):
    path = sonata_file(tmp_path / "a.h5", value, 2)
    assert events(load_recording(path, dt_ms=1.0)) == [(0, 5, 2)]


def test_a_filter_that_is_not_there_is_named(tmp_path, monkeypatch):
    path = sonata_file(tmp_path / "a.h5", [5.0], [2])
    with h5py.File(path, "a") as file:
        del file["spikes/cortex/timestamps"]
        file["spikes/cortex"].create_dataset("timestamps", data=[5.0], compression="lzf")
    monkeypatch.setattr(h5py.h5z, "filter_avail", lambda code: code != h5py.h5z.FILTER_LZF)
    with pytest.raises(FormatError, match=r"a filter that is not installed here \(lzf\); rewrite"):
        load_recording(path)
