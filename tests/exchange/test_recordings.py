"""Recordings in the formats of other tools: out, back in, and read by others."""

import warnings

import h5py
import numpy as np
import pytest
from conftest import drive_for, two_population_network

import bridge
from bridge.errors import FormatError, OutputError, SpecError
from bridge.exchange.recordings import export_recording, load_recording
from bridge.exchange.spike_objects import spike_times_ms, to_neo
from bridge.spiking.recording import Spikes


@pytest.fixture(scope="module")
def recording():
    network = two_population_network()
    return bridge.simulate(network, drive_for(network, 60, trials=3))


@pytest.fixture
def written(recording, tmp_path):
    def write(to):
        path = tmp_path / f"recording.{to}.h5"
        export_recording(recording, path, to=to)
        return path

    return write


@pytest.mark.parametrize("to", ["nwb", "sonata"])
def test_a_recording_comes_back_spike_for_spike(recording, written, to):
    back = load_recording(written(to))
    np.testing.assert_array_equal(back.spikes.codes(), recording.spikes.codes())
    shapes = [(r.spikes.n_trials, r.spikes.n_steps) for r in (back, recording)]
    assert shapes[0] == shapes[1]
    assert dict(back.populations) == dict(recording.populations) == {"exc": 20, "inh": 12}
    assert back.dt_ms == recording.dt_ms
    assert back.provenance["spikes_outside_trials"] == 0


def test_nwb_keeps_the_readouts(recording, written):
    back = load_recording(written("nwb"))
    np.testing.assert_array_equal(back.readouts["both"], recording.readouts["both"])
    assert back.sample_ms == recording.sample_ms


# 0.123, 0.246 and 0.249 come back one bit off when they go through seconds or Hz and back.
@pytest.mark.parametrize("dt_ms", [0.123, 0.246, 0.249, 1.0, 1 / 3])
@pytest.mark.parametrize("to", ["nwb", "sonata"])
def test_long_sessions_and_odd_steps_are_exact_too(tmp_path, to, dt_ms):
    shape = (200, 3333, 5)
    sample_ms = 1111 * dt_ms
    code = np.unique(np.random.default_rng(3).integers(0, np.prod(shape), 3000))
    # The first and the last step of all are where rounding could lose a spike.
    trial, step, neuron = np.unravel_index(np.unique([0, *code, np.prod(shape) - 1]), shape)
    made = bridge.Recording(
        spikes=Spikes.gather(trial, step, neuron, shape),
        readouts={"out": np.ones((3, 200, 2))},
        dt_ms=dt_ms,
        sample_ms=sample_ms,
        populations={"zeta": 3, "alpha": 2},
    )
    path = tmp_path / "recording"
    export_recording(made, path, to=to)
    back = load_recording(path)
    np.testing.assert_array_equal(back.spikes.codes(), made.spikes.codes())
    assert (back.dt_ms, back.sample_ms) == (dt_ms, sample_ms if to == "nwb" else dt_ms)
    assert list(back.populations.items()) == [("zeta", 3), ("alpha", 2)]


def test_our_own_files_are_read_as_well_and_networks_refused(recording, tmp_path):
    path = bridge.save(recording, tmp_path / "ours.h5")
    assert load_recording(path).spikes.count == recording.spikes.count
    network = bridge.save(two_population_network(), tmp_path / "network.h5")
    with pytest.raises(FormatError, match="a recording is needed"):
        load_recording(network)


def test_nwb_is_valid_and_pynwb_reads_the_same_times(recording, written):
    import pynwb

    path = written("nwb")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        errors = pynwb.validate(path=str(path))
    assert not errors
    with pynwb.NWBHDF5IO(str(path), "r") as io:
        file = io.read()
        assert len(file.units) == 32
        assert len(file.trials) == 3
        times, _ = spike_times_ms(recording)
        for neuron in (0, 25):
            expected = [
                t + 1000.0 * trial * recording.trial_s
                for trial in range(3)
                for t in times[trial][neuron]
            ]
            np.testing.assert_allclose(1000 * file.units["spike_times"][neuron], expected)
        assert file.units["population"][25] == "inh"
        assert file.units["index_in_population"][25] == 5


def test_sonata_has_the_groups_units_and_order_of_its_specification(recording, written):
    with h5py.File(written("sonata")) as file:
        assert file.attrs["magic"] == 0x0A7A
        assert set(file["spikes"]) == {"exc", "inh"}
        part = file["spikes/inh"]
        assert part["timestamps"].attrs["units"] == "ms"
        assert part["node_ids"].dtype == np.uint64
        times = part["timestamps"][()]
        assert np.all(np.diff(times) >= 0)
        assert part["node_ids"][()].max() < 12
        inhibitory = recording.spikes.neuron >= 20
        assert times.size == inhibitory.sum()


def test_libsonata_reads_the_same_spikes(recording, written):
    import libsonata

    reader = libsonata.SpikeReader(str(written("sonata")))
    assert sorted(reader.get_population_names()) == ["exc", "inh"]
    assert reader["inh"].sorting == "by_time"
    found = {(node + 20, round(time, 6)) for node, time in reader["inh"].get()}
    found |= {(node, round(time, 6)) for node, time in reader["exc"].get()}
    spikes = recording.spikes
    steps = spikes.trial * spikes.n_steps + spikes.step
    expected = np.round(steps * recording.dt_ms, 6)
    assert found == set(zip(spikes.neuron.tolist(), expected.tolist(), strict=True))


def test_neo_holds_every_spike_of_every_trial(recording):
    block = to_neo(recording)
    trains, (start_ms, stop_ms) = spike_times_ms(recording)
    assert (start_ms, stop_ms) == (0.0, pytest.approx(1000 * recording.trial_s))
    assert len(block.segments) == 3
    for segment, units in zip(block.segments, trains, strict=True):
        assert len(segment.spiketrains) == 32
        for train, times in zip(segment.spiketrains, units, strict=True):
            np.testing.assert_allclose(train.magnitude, times)
    assert block.segments[0].spiketrains[20].annotations == {
        "population": "inh", "index_in_population": 0,
    }  # fmt: skip
    assert sum(len(times) for units in trains for times in units) == recording.spikes.count


def foreign_sonata(path, times_ms, ids, name="cortex"):
    with h5py.File(path, "w") as file:
        part = file.create_group(f"spikes/{name}")
        part["timestamps"] = np.asarray(times_ms, dtype=float)
        part["node_ids"] = np.asarray(ids, dtype=np.uint64)
    return path


def test_spikes_of_others_are_cut_into_trials(tmp_path):
    path = foreign_sonata(tmp_path / "a.h5", [5.0, 105.0, 199.9, 250.0], [0, 3, 1, 1])
    cut = load_recording(path, trial_s=0.1, dt_ms=0.1)
    assert cut.spikes.n_trials == 3
    assert cut.spikes.n_steps == 1000
    assert cut.spikes.trial.tolist() == [0, 1, 1, 2]
    assert cut.spikes.step.tolist() == [50, 50, 999, 500]
    assert dict(cut.populations) == {"cortex": 4}
    whole = load_recording(path)
    assert whole.spikes.n_trials == 1
    assert whole.spikes.step.tolist() == [50, 1050, 1999, 2500]
    told = [(r.provenance["trials"], r.provenance["time_step"]) for r in (cut, whole)]
    assert told == [
        ("cut every 0.1 s", "as given"),
        ("one, to the last spike", "0.1 ms, since the file states none"),
    ]


def test_spikes_between_trials_are_left_out_and_counted(tmp_path):
    from datetime import UTC, datetime

    import pynwb

    file = pynwb.NWBFile(
        session_description="x", identifier="y", session_start_time=datetime.now(UTC)
    )
    for start in (1.0, 3.0):
        file.add_trial(start_time=start, stop_time=start + 1.0)
    file.add_unit(spike_times=[0.5, 1.25, 2.5, 3.75])
    file.add_unit(spike_times=[1.0, 3.9999])
    path = tmp_path / "session.nwb"
    with pynwb.NWBHDF5IO(str(path), "w") as io:
        io.write(file)
    found = load_recording(path, dt_ms=1.0)
    assert found.provenance["spikes_outside_trials"] == 3
    pairs = list(zip(found.spikes.trial, found.spikes.step, found.spikes.neuron, strict=True))
    # 3.9999 s rounds to the step after the trial's last.
    assert pairs == [(0, 0, 1), (0, 250, 0), (1, 750, 0)]
    assert load_recording(path, dt_ms=0.1).provenance["spikes_outside_trials"] == 2


@pytest.mark.parametrize(
    ("times", "ids", "options", "message"),
    [
        ([1.0, np.nan], [0, 1], {}, "must be finite and not negative"),
        ([-1.0, 2.0], [0, 1], {}, "must be finite and not negative"),
        ([1.0, 1.02], [0, 0], {}, "twice in one step of 0.1 ms.* give one of 0.02 ms or less"),
        ([1.0, 2.0, 3.0], [0, 1], {}, "times and nodes of different numbers"),
        ([1.0], [0], {"dt_ms": -1.0}, "dt_ms: must be positive"),
        ([1.0], [10**9], {}, "claims nodes that make no sense"),
        ([], [], {}, "holds no spikes; give the length"),
        ([1.0], [0], {"trial_s": 0.0}, "trial_s: must be positive"),
        ([1.0], [0], {"dt_ms": 1e-9}, "a time step of 1e-09 ms makes no sense"),
        ([1.0], [0], {"trial_s": 1e-12}, "are too many"),
        ([1e300], [0], {}, "times beyond 1e.09 s make no sense"),
        ([1e9], [0], {"dt_ms": 1e-4}, "a trial of 1e.06 s makes no sense"),
        ([1e11], [0], {"dt_ms": 1e-6}, "lack the precision .* step of at least 2e-05 ms"),
        ([1e11], [10**6], {"dt_ms": 1e-6}, "too long for a time step of 1e-06 ms"),
    ],
)
def test_spikes_that_make_no_sense_are_refused(tmp_path, times, ids, options, message):
    path = foreign_sonata(tmp_path / "odd.h5", times, ids)
    with pytest.raises((FormatError, SpecError), match=message):
        load_recording(path, **options)


def test_trials_of_several_lengths_are_refused(written):
    path = written("nwb")
    with h5py.File(path, "a") as file:
        file["intervals/trials/stop_time"][1] += 0.01
    with pytest.raises(FormatError, match=r"its trials overlap: trial 2 of 3 \(counted from 0\)"):
        load_recording(path)


def test_links_to_elsewhere_are_not_followed(written, tmp_path):
    path = written("nwb")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["secret"] = np.arange(3.0)
    with h5py.File(path, "a") as file:
        del file["units/spike_times"]
        file["units/spike_times"] = h5py.ExternalLink("other.h5", "/secret")
    with pytest.raises(FormatError, match="links elsewhere"):
        load_recording(path)


@pytest.mark.parametrize("to", ["nwb", "sonata"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_truncated_files_are_refused_in_a_sentence(written, to, share):
    path = written(to)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(FormatError, match=r"damaged|no recording"):
        load_recording(path)


@pytest.mark.parametrize(
    ("name", "content"), [("a.nwb", b"not HDF5 at all"), ("b.h5", b""), ("c.nwb", None)]
)
def test_what_is_no_such_file_is_refused(tmp_path, name, content):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FormatError, match=r"damaged, or no HDF5 file|no such file"):
        load_recording(path)


def test_hdf5_of_something_else_is_refused(tmp_path):
    path = tmp_path / "weather.h5"
    with h5py.File(path, "w") as file:
        file["rain"] = np.arange(4.0)
    with pytest.raises(FormatError, match="no recording; ours, NWB and SONATA spikes are read"):
        load_recording(path)


def test_what_a_format_cannot_hold_is_said(recording, tmp_path):
    assert export_recording(recording, tmp_path / "a.nwb") == ()
    lost = export_recording(recording, tmp_path / "b.h5", to="sonata")
    assert lost == ("readouts are not kept in this format",)
    with pytest.raises(OutputError, match="exists already"):
        export_recording(recording, tmp_path / "a.nwb")
    with pytest.raises(SpecError, match="of which format"):
        export_recording(recording, tmp_path / "c.h5")
    with pytest.raises(SpecError, match="unknown format 'csv'"):
        export_recording(recording, tmp_path / "c.csv", to="csv")
