"""The HDF5 store gives back what it was given, or says in one sentence why it does not."""

import copy
import dataclasses
import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy import sparse

import bridge
from bridge.errors import FormatError, OutputError, SpecError
from bridge.exchange import store
from bridge.exchange.hdf5 import check_writable, read_tree, write_bytes, write_tree
from bridge.exchange.store import load, save
from bridge.methods.error_curve import ErrorCurve
from bridge.methods.one_to_one import map_one_to_one
from bridge.methods.scale_search import Conversion, ScaleSearch
from bridge.methods.src.description import described
from bridge.methods.src.options import SrcOptions
from bridge.methods.src.trained import TrainedNetwork
from bridge.rate.learning import Checkpoint, History
from bridge.rate.network import RateNetwork
from bridge.spiking.drive import Drive, FrozenNoise, OwnNoise, SharedNoise
from bridge.spiking.filters import Direct, DoubleExponential, Exponential
from bridge.spiking.initial_voltage import NormalVoltage, UniformVoltage
from bridge.spiking.inputs import Input
from bridge.spiking.network import Channel, Readout, SpikingNetwork, StateReadout
from bridge.spiking.neurons import Lif, Qif
from bridge.spiking.population import Population
from bridge.spiking.projection import INPUT, Projection
from bridge.spiking.recording import Recording, Spikes, Window
from bridge.spiking.stimulation import Stimulation


def rate_network(size=6, **fields):
    """Random numbers, none of which is exact in float32 or in decimal text."""
    rng = np.random.default_rng(1)
    return RateNetwork(
        recurrent=rng.normal(0, 1, (size, size)),
        w_in=rng.normal(0, 1, (size, 2)),
        w_out=rng.normal(0, 1, (3, size)),
        b_out=rng.normal(0, 1, 3),
        tau_ms=rng.uniform(20, 100, size),
        dt_ms=5.0,
        noise_sd=0.1,
        initial_sd=1 / 3,
        provenance={"made_by": "a test", "options": {"seed": 3, "tau_ms": [20.0, 1 / 3]}},
        **fields,
    )


def trained_rate_network(size=6):
    """A rate network with everything that is optional: Dale's law, history and checkpoint."""
    rng = np.random.default_rng(2)
    excitatory = np.arange(size) % 3 > 0
    plain = rate_network(size)
    shapes = {"w": (size, size), "gate": (size,), "w_out": (3, size), "b_out": (3,)}
    parts = [
        {name: rng.normal(0, 1, shape).astype(np.float32) for name, shape in shapes.items()}
        for _ in range(3)
    ]
    squares = {name: values**2 for name, values in parts[2].items()}
    return dataclasses.replace(
        plain,
        recurrent=np.abs(plain.recurrent) * np.where(excitatory, 1.0, -1.0),
        excitatory=excitatory,
        task="go-nogo",
        history=History(update=[25, 50], loss=[1 / 3, 0.1], accuracy=[0.5, 2 / 3]),
        checkpoint=Checkpoint(updates=50, parameters=parts[0], moment1=parts[1], moment2=squares),
    )


def spiking_network():
    """Two unlike populations, dense and sparse weights, delays, every filter, both starts."""
    rng = np.random.default_rng(3)
    sizes = {"exc": 20, "inh": 15}
    exc = Population(
        name="exc", size=20, noise_mv=rng.uniform(0, 1, 20),
        initial_voltage=UniformVoltage(low_mv=-65.1, high_mv=-1 / 3),
        neurons=Lif(
            membrane_step="euler", tau_mem_ms=rng.uniform(5, 20, 20), v_rest_mv=-60.1,
            v_threshold_mv=-40.1, v_reset_mv=rng.uniform(-70, -60, 20), bias_mv=0.1,
            refractory_steps=7, initial_refractory_steps=3,
        ),
    )  # fmt: skip
    inh = Population(
        name="inh", size=15,
        initial_voltage=NormalVoltage(mean_mv=-1 / 3, sd_mv=1e-3),
        neurons=Lif(
            membrane_step="exact", tau_mem_ms=10.1, v_rest_mv=0.0, v_threshold_mv=1e-16,
            v_reset_mv=-10.0, bias_mv=rng.normal(0, 1, 15),
        ),
    )  # fmt: skip
    filters = {
        ("exc", "exc"): (
            DoubleExponential(tau_rise_ms=2.1, tau_decay_ms=rng.uniform(20, 90, 20)),
            0,
        ),
        ("exc", "inh"): (Exponential(tau_ms=rng.uniform(2, 9, 15), normalisation="area"), 12),
        ("inh", "exc"): (Exponential(tau_ms=3.3, normalisation="jump"), 1),
        ("inh", "inh"): (Direct(), 5),
    }
    between = [
        Projection(
            name=f"{pre}_{post}", source=pre, target=post, filter=filter_, delay_steps=delay,
            weights=sparse.random_array((sizes[post], sizes[pre]), density=0.3, rng=rng),
        )
        for (pre, post), (filter_, delay) in filters.items()
    ]  # fmt: skip
    dense = Projection(
        name="stimulus",
        source=INPUT,
        target="exc",
        weights=rng.normal(0, 1, (20, 2)),
        filter=Direct(),
    )
    channels = [
        Channel(source="exc", weights=rng.normal(0, 1, (2, 20)), filter=Direct()),
        Channel(
            source="inh",
            weights=rng.normal(0, 1, (2, 15)),
            filter=DoubleExponential(tau_rise_ms=2, tau_decay_ms=30),
        ),
        Channel(
            source="inh",
            weights=rng.normal(0, 1, (2, 15)),
            filter=Exponential(tau_ms=20.0, normalisation="area"),
        ),
    ]
    return SpikingNetwork(
        dt_ms=0.1,
        populations=[exc, inh],
        projections=[*between, dense],
        readouts=[
            Readout(name="z", channels=channels, bias=[0.1, -1 / 3]),
            Readout(name="a", channels=channels[:1]),
        ],
        input_size=2,
        sample_steps=50,
        sample_offset_steps=26,
        task="go-nogo",
        provenance={
            "inverse_scale": 1 / 3,
            "made_by": "ä test",
            "nested": {"list": [1, None, True]},
        },
    )


def newer_spiking_network():
    """What version 2 of the format is for: QIF, cell types, filters of the presynaptic side."""
    older = spiking_network()
    exc, inh = older.populations
    qif = Qif(
        tau_mem_ms=10.1, v_threshold_mv=np.linspace(30, 31, 15), v_reset_mv=-65.0, bias_mv=1 / 3,
        refractory_steps=4, initial_refractory_steps=1,
    )  # fmt: skip
    types = ("SOM", "PV", "PV", "VIP", "SOM") * 3
    first, second, *others = older.projections
    return dataclasses.replace(
        older,
        populations=[exc, dataclasses.replace(inh, neurons=qif, cell_types=types)],
        projections=[
            dataclasses.replace(first, filter=dataclasses.replace(first.filter, side="pre")),
            dataclasses.replace(
                second,
                filter=Exponential(tau_ms=np.linspace(2, 9, 20), normalisation="area", side="pre"),
            ),
            *others,
        ],
    )


def stimulated_drive():
    pushes = (
        Stimulation(start_step=3, stop_step=9, neurons=[4, 0], amplitude_mv=1 / 3),
        Stimulation(
            start_step=0, stop_step=1, neurons=[2], amplitude_mv=-0.5, probability=0.1, seed=2**40
        ),
    )
    return drive(SharedNoise(seed=1), stimulation=pushes)


def conversion(**measured):
    rate = trained_rate_network()
    search = ScaleSearch(
        inverse_scales=[20.0, 100 / 3], correct=[3, 7], trials=7, best=1, seed=4,
        backend="snntorch", seconds=0.1, **measured,
    )  # fmt: skip
    return Conversion(network=map_one_to_one(rate, 100 / 3), rate=rate, search=search)


def measured_conversion():
    units = np.random.default_rng(7).uniform(-1, 1, (2, trained_rate_network().size))
    return conversion(
        rule="faithful", output_error=[3.5, 1 / 7], unit_correlations=units, lost=[2, 0],
        gained=[0, 1], chance=0.5,
    )  # fmt: skip


def conversion_and_others():
    """What version 5 of the format is for: curves of other kinds of neurons."""
    curve = ErrorCurve(
        neuron="ä IF", rates_hz=[5.0, 1 / 3, 2.0], output_error=[1 / 7, 0.0, 2.0], best=2
    )
    return dataclasses.replace(conversion(), others=(curve, curve))


def conversion_with_rates():
    return conversion(rates_hz=[1 / 3, 8.0], output_error=[3.5, 1 / 7], rule="faithful")


def drive(noise, **fields):
    inputs = np.random.default_rng(4).normal(0, 1, (5, 3, 2))
    return Drive(inputs=inputs, noise=noise, first_trial=9, **fields)


def frozen_drive():
    rng = np.random.default_rng(5)
    return drive(
        FrozenNoise(values_mv=rng.normal(0, 1, (10, 3, 4))),
        v_initial_mv=rng.normal(0, 1, (3, 4)),
        recurrent_gain=rng.uniform(0, 1, 3),
    )


def recording(spikes=40, **fields):
    rng = np.random.default_rng(6)
    cells = rng.choice(3 * 10 * 7, spikes, replace=False)
    trial, step, neuron = np.unravel_index(cells, (3, 10, 7))
    return Recording(
        spikes=Spikes.gather(trial, step, neuron, (3, 10, 7)),
        readouts={"z": rng.normal(0, 1, (5, 3, 2)), "a": rng.normal(0, 1, (5, 3, 1))},
        dt_ms=0.1,
        sample_ms=0.2,
        populations={"second": 4, "first": 3},
        provenance={"backend": "reference", "versions": ["1", "2"]},
        **fields,
    )


def full_recording():
    rng = np.random.default_rng(7)
    return recording(voltages_mv=rng.normal(0, 1, (5, 3, 7)), margins_mv=rng.uniform(0, 1, 3))


def labelled_recording():
    """A recording that knows what its trials are of."""
    inputs = np.random.default_rng(8).normal(0, 1, (5, 3, 2))
    return recording(
        inputs=inputs, labels=[1, 0, 1], conditions=("go", "ä no-go"), task="go-nogo", seed=0
    )


def state_read_network():
    """Readouts that are states, beside one that is decoded."""
    network = spiking_network()
    name = network.populations[0].name
    states = [
        StateReadout(name="v", source=name),
        StateReadout(name="w", source=name, state="v"),
    ]
    return dataclasses.replace(network, readouts=[*states, network.readouts[0]])


def graded_recording():
    """A recording of values that populations handed on, and of a window of steps."""
    rng = np.random.default_rng(9)
    states = {
        "second": {"i": rng.normal(0, 1, (4, 3, 4)), "h": rng.normal(0, 1, (4, 3, 4))},
        "first": {"v": rng.normal(0, 1, (4, 3, 3))},
    }
    handed_on = {"second": rng.normal(0, 1, (4, 3, 4))}
    return recording(
        values={"second": rng.normal(0, 1, (5, 3, 4))},
        window=Window(start_step=6, states=states, values=handed_on),
    )


def labelled_drive():
    return drive(
        SharedNoise(seed=2), labels=[0, 2, 1], conditions=("a", "b", "c"), task="mine", seed=2**40
    )


def network_of_several_inputs():
    """What version 5 of the format is for: inputs under names of their own."""
    inputs = (Input("light", 2), Input("nerve", 7, emits="spikes"), Input("sound", 1))
    network = spiking_network()
    own = Projection(
        name="nerves", source="nerve", target=network.populations[0].name, filter=Direct(),
        weights=np.random.default_rng(1).normal(0, 1, (network.populations[0].size, 7)),
    )  # fmt: skip
    inner = [part for part in network.projections if part.source != "input"]
    return dataclasses.replace(network, projections=[*inner, own], inputs=inputs, input_size=3)


def trains(trials=3, steps=10):
    return {
        "nerve": Spikes.gather([0, 0, 2], [9, 1, 4], [6, 0, 2], (trials, steps, 7)),
        "silent": Spikes.gather([], [], [], (trials, steps, 2)),
    }


def trained_network(updates=None):
    """A network that was trained as one; unfinished after so many updates."""
    weights = np.random.default_rng(8).normal(0, 1, (12, 64))
    task, options = bridge.task("digits"), SrcOptions(layers=12, gate_reads="new")
    network = described(task, options, [weights], [np.full(12, -6.0)], {"stopped": "interrupted"})
    history = History(update=[], loss=[], accuracy=[])
    part = {"weights_0": weights.astype(np.float32) ** 2}
    kept = {name: part for name in ("parameters", "moment1", "moment2")}
    checkpoint = None if updates is None else Checkpoint(updates=updates, **kept)
    return TrainedNetwork(network=network, history=history, checkpoint=checkpoint)


THINGS = {
    "rate network": rate_network,
    "trained rate network": trained_rate_network,
    "spiking network": spiking_network,
    "conversion": conversion,
    "conversion with measures": measured_conversion,
    "conversion of version 5": conversion_with_rates,
    "conversion and others of version 5": conversion_and_others,
    "drive, shared noise": lambda: drive(SharedNoise(seed=2**40)),
    "drive, own noise": lambda: drive(OwnNoise(seed=1), recurrent_gain=[0.1, 0.2, 0.3]),
    "drive, frozen noise": frozen_drive,
    "recording": recording,
    "recording with voltages and margins": full_recording,
    "recording without spikes": lambda: recording(spikes=0),
    "rate network with cell types": lambda: rate_network(
        cell_types=("PYR", "PV", "PYR", "SOM", "SOM", "PYR")
    ),
    "rate network of version 5": lambda: rate_network(
        form="h",
        bias=np.arange(6) / 3,
        initial_state=np.arange(6) / 7,
        activation="relu",
        highest_rate=np.inf,
    ),
    "tanh rate network of version 5": lambda: rate_network(activation="tanh"),
    "spiking network of version 2": newer_spiking_network,
    "drive with stimulation": stimulated_drive,
    "recording with conditions": labelled_recording,
    "drive with conditions": labelled_drive,
    "recording of version 5": graded_recording,
    "spiking network of version 5": state_read_network,
    "drive of which the seed is known": lambda: drive(OwnNoise(seed=1), seed=3),
    "network of several inputs": network_of_several_inputs,
    "drive with spikes": lambda: drive(SharedNoise(seed=2), spikes=trains()),
    "trained network of version 5": trained_network,
    "unfinished trained network of version 5": lambda: trained_network(updates=7),
    "recording that was shown spikes": lambda: recording(input_spikes=trains()),
}
VERSION_2 = {name for name in THINGS if name.endswith(("version 2", "stimulation", "cell types"))}
VERSION_5 = {name for name in THINGS if name.endswith(("version 5", "several inputs", "spikes"))}
VERSION_5 -= {"recording without spikes"}
VERSION_3 = {name for name in THINGS if name.endswith(("with conditions", "seed is known"))}


def parts(thing, path=""):
    """Every value inside a description, under the path that leads to it."""
    if dataclasses.is_dataclass(thing):
        inside = {field.name: getattr(thing, field.name) for field in dataclasses.fields(thing)}
        return {f"{path}:": type(thing).__name__} | parts(inside, path)
    if sparse.issparse(thing):
        # scipy chooses the width of the indices by itself: only their values are ours.
        inside = {"data": thing.data, "shape": thing.shape} | {
            name: getattr(thing, name).astype(np.int64) for name in ("indices", "indptr")
        }
        return {f"{path}:": type(thing).__name__} | parts(inside, path)
    if isinstance(thing, tuple | list):
        thing = {f"{number}": value for number, value in enumerate(thing)}
    if isinstance(thing, Mapping):
        found = {f"{path}.keys": sorted(thing)}
        for name, value in thing.items():
            found |= parts(value, f"{path}.{name}")
        return found
    if isinstance(thing, np.ndarray):
        return {path: (str(thing.dtype), thing.shape, thing.tobytes())}
    return {path: (type(thing).__name__, thing)}


_FILES, _TREES = {}, {}


def saved(make, path):
    """A file of what a function makes, which is made once."""
    if make not in _FILES:
        _FILES[make] = save(make(), path).read_bytes()
    path.write_bytes(_FILES[make])
    return path


def rewrite(path, change):
    """Change the content of a file and give it a valid checksum again."""
    content = path.read_bytes()
    if content not in _TREES:
        _TREES[content] = read_tree(path)
    tree = copy.deepcopy(_TREES[content])
    change(tree)
    write_tree(path, tree, overwrite=True)


@pytest.fixture
def rate_file(tmp_path):
    return saved(rate_network, tmp_path / "rate.h5")


@pytest.fixture
def network_file(tmp_path):
    return saved(spiking_network, tmp_path / "network.h5")


@pytest.fixture
def recording_file(tmp_path):
    return saved(full_recording, tmp_path / "recording.h5")


# Round trips


@pytest.mark.parametrize("name", THINGS)
def test_what_is_read_equals_what_was_saved_bit_for_bit(name, tmp_path):
    thing = THINGS[name]()
    assert save(thing, tmp_path / "thing.h5") == tmp_path / "thing.h5"
    assert parts(load(tmp_path / "thing.h5")) == parts(thing)


def test_a_path_may_be_text(tmp_path):
    save(rate_network(), f"{tmp_path}/rate.h5")
    assert parts(load(f"{tmp_path}/rate.h5")) == parts(rate_network())


@pytest.mark.parametrize("name", THINGS)
def test_equal_things_are_saved_with_equal_checksums(name, tmp_path):
    checksums = []
    for file in (tmp_path / "one.h5", tmp_path / "two.h5"):
        save(THINGS[name](), file)
        with h5py.File(file) as opened:
            checksums.append(opened.attrs["checksum"])
    assert checksums[0] == checksums[1]


def test_populations_beyond_ten_keep_their_order(tmp_path):
    one = spiking_network().populations[0]
    named = [dataclasses.replace(one, name=f"p{number}") for number in range(12)]
    network = SpikingNetwork(dt_ms=0.1, populations=named, projections=())
    loaded = load(save(network, tmp_path / "many.h5"))
    assert [population.name for population in loaded.populations] == [f"p{n}" for n in range(12)]


def test_loaded_arrays_are_read_only(tmp_path):
    arrays = {
        "trained rate network": lambda thing: thing.recurrent,
        "spiking network": lambda thing: thing.projections[0].weights.data,
        "drive, frozen noise": lambda thing: thing.noise.values_mv,
        "recording": lambda thing: thing.spikes.step,
    }
    for number, (name, pick) in enumerate(arrays.items()):
        loaded = load(save(THINGS[name](), tmp_path / f"{number}.h5"))
        with pytest.raises(ValueError, match="read-only"):
            pick(loaded)[...] = 0


def test_saving_something_else_is_refused_by_name(tmp_path):
    with pytest.raises(SpecError, match=r"expected a RateNetwork, a SpikingNetwork, .* got a dict"):
        save({"weights": 1}, tmp_path / "thing.h5")
    assert list(tmp_path.iterdir()) == []


# What others read


def test_arrays_carry_units_that_h5py_alone_reads(network_file, rate_file, recording_file):
    wanted = {
        network_file: {
            "populations/000/noise_mv": "mV",
            "populations/000/v_threshold_mv": "mV",
            "populations/001/tau_mem_ms": "ms",
            "projections/000/filter/tau_decay_ms": "ms",
            "projections/001/weights/data": "1",
        },
        rate_file: {"tau_ms": "ms", "recurrent": "1"},
        recording_file: {"voltages_mv": "mV", "margins_mv": "mV", "readouts/z": "1"},
    }
    for path, units in wanted.items():
        with h5py.File(path) as file:
            assert {name: file[name].attrs["units"] for name in units} == units


def test_every_array_has_units_and_every_file_its_kind_and_version(tmp_path):
    kinds = set()
    for number, (name, make) in enumerate(THINGS.items()):
        with h5py.File(save(make(), tmp_path / f"{number}.h5")) as file:
            bare = []

            def look(name, item, bare=bare):
                if isinstance(item, h5py.Dataset) and "units" not in item.attrs:
                    bare.append(name)

            file.visititems(look)
            assert bare == []
            assert file.attrs["format"] == "spikebridge"
            # Nobody who reads version 1 is shut out of what that version says in full.
            oldest = 1 + (name in VERSION_2) + 2 * (name in VERSION_3) + 4 * (name in VERSION_5)
            assert file.attrs["format_version"] == oldest, name
            kinds.add(file.attrs["kind"])
    assert kinds == {
        *("rate_network", "spiking_network", "conversion", "trained_network", "drive", "recording"),
    }


# Writing


def test_saving_does_not_replace_a_file_unless_forced(rate_file):
    before = rate_file.read_bytes()
    with pytest.raises(OutputError, match=r"rate\.h5 exists already; use --force"):
        save(recording(), rate_file)
    assert rate_file.read_bytes() == before
    save(recording(), rate_file, force=True)
    assert parts(load(rate_file)) == parts(recording())


def test_what_is_no_file_is_not_replaced_even_when_forced(tmp_path):
    # As root is free to do with /dev/null.
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for write in (
        lambda: save(rate_network(), pipe, force=True),
        lambda: write_bytes(pipe, b"content"),
    ):
        with pytest.raises(OutputError, match="pipe is a pipe or a device; name a file"):
            write()
    assert pipe.is_fifo()


def test_a_folder_is_not_replaced_even_when_forced(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match=r"is a folder; name a file in it"):
        save(rate_network(), tmp_path / "folder", force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_saved_file_is_as_readable_as_any_other(tmp_path):
    (tmp_path / "other").write_text("made by open()")
    made = save(rate_network(), tmp_path / "rate.h5")
    assert made.stat().st_mode == (tmp_path / "other").stat().st_mode


@contextmanager
def as_on_a_full_disk():
    """Writing fails after 4 KB, for root too."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("target", ["rate.h5", "new.h5"])
def test_a_write_cut_short_leaves_the_old_file_and_nothing_else(target, rate_file, network_file):
    target = rate_file.with_name(target)
    before = {path: path.read_bytes() for path in rate_file.parent.iterdir()}
    network = load(network_file)
    said = re.escape(f"cannot write {target}: File too large")
    with as_on_a_full_disk(), pytest.raises(OutputError, match=f"^{said}$"):
        save(network, target, force=True)
    assert {path: path.read_bytes() for path in rate_file.parent.iterdir()} == before


@pytest.mark.parametrize(
    ("error", "raised", "match"),
    [(OSError(28, "No space left"), OutputError, "cannot write .*No space left"),
     (KeyboardInterrupt("stop"), KeyboardInterrupt, "stop")],
)  # fmt: skip
def test_a_failure_before_the_file_is_whole_leaves_no_trace(
    error, raised, match, rate_file, monkeypatch
):
    def fail(_descriptor):
        raise error

    before = rate_file.read_bytes()
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(raised, match=match):
        save(recording(), rate_file, force=True)
    assert list(rate_file.parent.iterdir()) == [rate_file]
    assert rate_file.read_bytes() == before


@pytest.mark.parametrize("place", ["missing/rate.h5", "file/rate.h5", "n" * 300])
def test_a_place_that_cannot_be_written_is_an_output_error(place, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OutputError, match="cannot write"):
        save(rate_network(), tmp_path / place)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("place", ["file/rate.h5", "file/deeper/rate.h5", "n" * 300])
def test_a_place_that_cannot_be_written_is_known_beforehand(place, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OutputError, match="cannot write"):
        check_writable(tmp_path / place, overwrite=True)


def test_checking_a_place_beforehand_leaves_no_file(tmp_path):
    check_writable(tmp_path / "new" / "rate.h5", overwrite=False)
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize("seed", [2**63, 2**70])
def test_a_seed_of_any_size_is_saved_or_refused_on_purpose(seed, tmp_path):
    try:
        path = save(drive(SharedNoise(seed=seed)), tmp_path / "drive.h5")
    except (SpecError, OutputError):
        assert list(tmp_path.iterdir()) == []
    else:
        assert load(path).noise == SharedNoise(seed=seed)


# Refusals: files that are no spikebridge files


def refuse(path, match):
    """Loading fails with a FormatError in one line that names the file."""
    with pytest.raises(FormatError, match=match) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_refused(tmp_path):
    refuse(tmp_path / "none.h5", "no such file")


def test_a_folder_is_refused(tmp_path):
    refuse(tmp_path, "a folder; name a file in it")


def test_a_name_too_long_for_a_file_is_refused(tmp_path):
    refuse(tmp_path / ("n" * 300), "File name too long|no such file")


@pytest.mark.parametrize("content", [b"", b"weights: 1, 2, 3\n", b"\x89HDF\r\n\x1a\n", bytes(5000)])
def test_a_file_that_is_no_hdf5_is_refused(content, tmp_path):
    (tmp_path / "file.h5").write_bytes(content)
    refuse(tmp_path / "file.h5", "damaged, or no HDF5 file")


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.9, 0.999])
def test_a_truncated_file_is_refused(share, network_file):
    content = network_file.read_bytes()
    network_file.write_bytes(content[: int(share * len(content))])
    refuse(network_file, "damaged, or no HDF5 file")


def test_an_hdf5_file_of_someone_else_is_refused(tmp_path):
    for name, attributes in (("keras.h5", {"backend": "jax"}), ("nir.h5", {"format": "NIR"})):
        with h5py.File(tmp_path / name, "w") as file:
            file["weights"] = np.zeros((3, 3))
            file.attrs.update(attributes)
        refuse(tmp_path / name, "not a spikebridge file")


# Refusals: changed since written


def test_a_changed_value_is_refused(rate_file):
    with h5py.File(rate_file, "r+") as file:
        file["recurrent"][1, 2] += 1e-12
    refuse(rate_file, "checksum does not fit its content")


def test_a_changed_attribute_is_refused(rate_file):
    with h5py.File(rate_file, "r+") as file:
        file.attrs["noise_sd"] = 0.1000001
    refuse(rate_file, "checksum does not fit its content")


def test_a_missing_checksum_is_refused(rate_file):
    with h5py.File(rate_file, "r+") as file:
        del file.attrs["checksum"]
    refuse(rate_file, "checksum does not fit its content")


def test_a_dataset_added_by_hand_is_refused(rate_file):
    with h5py.File(rate_file, "r+") as file:
        file["extra"] = np.zeros(3)
    refuse(rate_file, "checksum does not fit its content")


def test_a_name_that_is_no_utf8_is_refused(rate_file):
    with h5py.File(rate_file, "r+") as file:
        file.create_dataset(b"tau\xff", data=np.zeros(3))
    refuse(rate_file, "damaged|checksum does not fit its content")


# Refusals: a valid checksum over what makes no sense


def set_item(*names, value):
    def change(tree):
        for name in names[:-1]:
            tree = tree[name]
        tree[names[-1]] = value

    return change


def drop(*names):
    def change(tree):
        for name in names[:-1]:
            tree = tree[name]
        del tree[names[-1]]

    return change


def with_nan(*names):
    def change(tree):
        for name in names[:-1]:
            tree = tree[name]
        tree[names[-1]] = np.full_like(tree[names[-1]], np.nan)

    return change


RATE_FAULTS = {
    "a newer format": (
        set_item("format_version", value=6),
        "format version 6; this spikebridge reads 1, 2, 3, 4, 5",
    ),
    "a version in words": (
        set_item("format_version", value="one"),
        "format version one; this spikebridge reads 1, 2, 3",
    ),
    "no version": (drop("format_version"), "format version None; this spikebridge reads 1, 2, 3"),
    "an unknown kind": (
        set_item("kind", value="zoo"),
        "unknown kind 'zoo'; known are rate_network, spiking_network",
    ),
    "no kind": (drop("kind"), "unknown kind None"),
    "another kind": (
        set_item("kind", value="drive"),
        "a drive file with missing or misplaced parts",
    ),
    "NaN in weights": (with_nan("recurrent"), "recurrent: holds NaN or infinite values"),
    "NaN in time constants": (with_nan("tau_ms"), "tau_ms: holds NaN or infinite values"),
    "a step of NaN": (set_item("dt_ms", value=np.nan), "dt_ms: expected a finite number, got nan"),
    "no square": (
        set_item("recurrent", value=np.zeros((6, 5))),
        r"recurrent: expected shape \(6, 6\), got \(6, 5\)",
    ),
    "too few inputs": (
        set_item("w_in", value=np.zeros((5, 2))),
        r"w_in: expected shape \(6, any\), got \(5, 2\)",
    ),
    "a missing dataset": (drop("w_out"), "missing or misplaced parts .*w_out"),
    "a missing attribute": (drop("activation"), "missing or misplaced parts .*activation"),
    "an unknown activation": (
        set_item("activation", value="gelu"),
        "unknown activation 'gelu'; known are sigmoid",
    ),
    "a group for an array": (set_item("w_in", value={"a": np.zeros(3)}), "w_in: expected numbers"),
    "an array for a group": (set_item("history", value=np.zeros(3)), "missing or misplaced parts"),
    "provenance that is not JSON": (
        set_item("provenance", value="{"),
        "missing or misplaced parts",
    ),
    "provenance that is a list": (
        set_item("provenance", value="[1, 2]"),
        r"provenance: expected names with values, got \[1, 2\]",
    ),
    "provenance nested without end": (
        set_item("provenance", value="[" * 50_000),
        "missing or misplaced parts",
    ),
    "NaN in a checkpoint": (
        set_item(
            "checkpoint",
            value={"updates": 1}
            | {
                part: {"w": np.full((6, 6), np.nan)}
                for part in ("parameters", "moment1", "moment2")
            },
        ),
        "checkpoint: .*NaN or infinite",
    ),
    "text for a number": (
        set_item("noise_sd", value="loud"),
        "noise_sd: expected a number, got 'loud'",
    ),
    "no units": (
        lambda tree: tree.update(
            recurrent=np.zeros((0, 0)),
            w_in=np.zeros((0, 2)),
            w_out=np.zeros((3, 0)),
            tau_ms=np.zeros(0),
        ),
        "recurrent: ",
    ),
}


@pytest.mark.parametrize("fault", RATE_FAULTS)
def test_a_rate_network_that_makes_no_sense_is_refused(fault, rate_file):
    change, match = RATE_FAULTS[fault]
    rewrite(rate_file, change)
    refuse(rate_file, match)


POPULATION, SYNAPSES = ("populations", "000"), ("projections", "000", "weights")
NETWORK_FAULTS = {
    "NaN in sparse weights": (with_nan(*SYNAPSES, "data"), "projection exc_exc: .*NaN or infinite"),
    "NaN in readout weights": (
        with_nan("readouts", "000", "channels", "000", "weights"),
        "readout weights: holds NaN",
    ),
    "a target that is not there": (
        set_item(*SYNAPSES, "indices", value=np.full(120, 20)),
        "indices do not fit their shape",
    ),
    "pointers that run backwards": (
        set_item(*SYNAPSES, "indptr", value=np.array([0, *range(19, 0, -1), 120])),
        "indices do not fit their shape",
    ),
    "too few pointers": (
        set_item(*SYNAPSES, "indptr", value=np.array([0, 120])),
        "indices do not fit their shape",
    ),
    "no pointers": (
        lambda tree: tree["projections"]["000"]["weights"].update(
            indptr=np.zeros(0, dtype=np.int64), pre=-1
        ),
        "pre: expected a whole number of at least 0, got -1|indices do not fit their shape"
        "|misplaced parts",
    ),
    "indices that are not whole numbers": (
        set_item(*SYNAPSES, "indices", value=np.full(120, 0.5)),
        "indices do not fit|misplaced parts",
    ),
    "more targets than neurons": (
        set_item(*SYNAPSES, "post", value=21),
        r"expected .*\(20,\)|expected weights of shape \(20, 20\)",
    ),
    "an unknown filter": (
        set_item("projections", "000", "filter", "kind", value="alpha"),
        "unknown filter 'alpha'",
    ),
    "an unknown neuron": (
        set_item(*POPULATION, "model", value="izhikevich"),
        "unknown neuron model 'izhikevich'; known are ",
    ),
    "an unknown start": (
        set_item(*POPULATION, "initial_voltage", value="Rest"),
        "unknown initial voltage 'Rest'",
    ),
    "a start in words": (
        set_item(*POPULATION, "low_mv", value="low"),
        "initial voltage: low_mv: expected a number, got 'low'",
    ),
    "a delay of half a step": (
        set_item("projections", "000", "delay_steps", value=0.5),
        "delay_steps: expected a whole number",
    ),
    "a negative delay": (
        set_item("projections", "000", "delay_steps", value=-1),
        "delay_steps: expected a whole number",
    ),
    "two populations of one name": (
        set_item("populations", "001", "name", value="exc"),
        "names must be unique",
    ),
    "a projection from nowhere": (
        set_item("projections", "000", "source", value="moon"),
        "no population 'moon'",
    ),
    "a population of untold size": (
        # With one number for all neurons only the claimed size would decide the memory.
        lambda tree: tree["populations"]["000"].update(
            {
                name: np.array(0.1)
                for name, value in tree["populations"]["000"].items()
                if isinstance(value, np.ndarray)
            },
            size=10**8,
        ),
        r"noise_mv: expected a number for each neuron, got shape \(\)",
    ),
}


@pytest.mark.parametrize("fault", NETWORK_FAULTS)
def test_a_spiking_network_that_makes_no_sense_is_refused(fault, network_file):
    change, match = NETWORK_FAULTS[fault]
    rewrite(network_file, change)
    refuse(network_file, match)


STATE_FAULTS = {
    "a state that is none": (
        set_item("readouts", "001", "state", value="h"),
        "has no state 'h'; LIF has v",
    ),
    "a state that is a number": (
        set_item("readouts", "001", "state", value=3.0),
        "readout w: state: expected text on one line, got 3",
    ),
    "a population that is none": (
        set_item("readouts", "000", "source", value="nobody"),
        "no population 'nobody'",
    ),
    "a source that is an array": (
        set_item("readouts", "000", "source", value=np.zeros(2)),
        "readout: source: expected text on one line",
    ),
    "weights of a state": (
        set_item("readouts", "000", "bias", value=np.zeros(2)),
        "holds readouts/000/bias, which no spiking_network file holds so",
    ),
}


@pytest.mark.parametrize("fault", STATE_FAULTS)
def test_a_readout_of_a_state_that_makes_no_sense_is_refused(fault, tmp_path):
    change, match = STATE_FAULTS[fault]
    path = saved(state_read_network, tmp_path / "network.h5")
    rewrite(path, change)
    refuse(path, match)


NEWER_FAULTS = {
    "a side that is none": (
        set_item("projections", "000", "filter", "side", value="axon"),
        "side: 'post' or 'pre', got 'axon'",
    ),
    "time constants of the other side": (
        set_item("projections", "001", "filter", "side", value="post"),
        r"tau_ms: expected shape \(15\), got \(20,\)",
    ),
    "a kind of neuron without a name": (
        set_item("populations", "001", "cell_types", value=np.full(15, 3)),
        "expected numbers of the names in cell_type_names",
    ),
    "a kind of neuron counted from behind": (
        set_item("populations", "001", "cell_types", value=np.full(15, -1)),
        "expected numbers of the names in cell_type_names",
    ),
    "kinds for too few neurons": (
        set_item("populations", "001", "cell_types", value=np.zeros(14, dtype=np.int32)),
        "cell_types: expected 15 names, got 14",
    ),
    "names of kinds that are not names": (
        set_item("populations", "001", "cell_type_names", value="[1, 2, 3]"),
        "cell_types: expected names",
    ),
    "kinds of neurons without names": (
        drop("populations", "001", "cell_type_names"),
        "missing or misplaced parts .*cell_type_names",
    ),
    "a threshold of NaN": (with_nan("populations", "001", "v_threshold_mv"), "NaN or infinite"),
}


@pytest.mark.parametrize("fault", NEWER_FAULTS)
def test_what_makes_no_sense_in_version_2_is_refused(fault, tmp_path):
    path = save(newer_spiking_network(), tmp_path / "network.h5")
    change, match = NEWER_FAULTS[fault]
    rewrite(path, change)
    refuse(path, match)


STIMULATION = ("stimulation", "000")
STIMULATION_FAULTS = {
    "neurons that are none": (set_item(*STIMULATION, "neurons", value=np.array([-1])), "at least"),
    "no window": (drop(*STIMULATION, "stop_step"), "missing or misplaced parts .*stop_step"),
    "a probability in words": (
        set_item(*STIMULATION, "probability", value="often"),
        "stimulation: probability: expected a number, got 'often'",
    ),
}


@pytest.mark.parametrize("fault", STIMULATION_FAULTS)
def test_stimulation_that_makes_no_sense_is_refused(fault, tmp_path):
    path = save(stimulated_drive(), tmp_path / "drive.h5")
    change, match = STIMULATION_FAULTS[fault]
    rewrite(path, change)
    refuse(path, match)


INPUT_FAULTS = {
    "an input of a name twice": (
        set_item("inputs", "002", "name", value="light"),
        "inputs: names must be unique",
    ),
    "an input called as a population": (
        set_item("inputs", "000", "name", value="exc"),
        "inputs: exc is the name of a population",
    ),
    "an input that emits something else": (
        set_item("inputs", "000", "emits", value="light"),
        "input light: emits: 'value' or 'spikes', got 'light'",
    ),
    "an input of half a unit": (
        set_item("inputs", "001", "size", value=6.5),
        "input nerve: size: expected a whole number",
    ),
    "an input too small for its weights": (
        set_item("inputs", "001", "size", value=6),
        r"projection nerves: expected weights of shape \(20, 6\)",
    ),
    "channels that do not add up": (
        set_item("input_size", value=4),
        "input_size: expected 3, the channels of all analog inputs, got 4",
    ),
    "an input without a size": (drop("inputs", "001", "size"), "missing or misplaced parts"),
    "a list of inputs": (set_item("inputs", value=np.zeros(3)), "missing or misplaced parts"),
}


@pytest.mark.parametrize("fault", INPUT_FAULTS)
def test_inputs_that_make_no_sense_are_refused(fault, tmp_path):
    path = save(network_of_several_inputs(), tmp_path / "network.h5")
    change, match = INPUT_FAULTS[fault]
    rewrite(path, change)
    refuse(path, match)


SPIKE_FAULTS = {
    "spikes of no unit": (
        set_item("spikes", "nerve", "neuron", value=np.array([0, 7, 2], dtype=np.int32)),
        "spikes: neuron must lie between 0 and 6",
    ),
    "more trials than the drive": (
        set_item("spikes", "nerve", "n_trials", value=4),
        "spikes of input nerve: expected those of 3 trials, got 4",
    ),
    "trials that differ in length": (
        set_item("spikes", "silent", "n_steps", value=11),
        "spikes of input silent: expected trials of 10 steps, got 11",
    ),
    "spikes of nobody": (set_item("spikes", value={"nerve": {}}), "missing or misplaced parts"),
    "spikes as an array": (set_item("spikes", value=np.zeros(3)), "missing or misplaced parts"),
}


@pytest.mark.parametrize("fault", SPIKE_FAULTS)
def test_given_spikes_that_make_no_sense_are_refused(fault, tmp_path):
    path = save(THINGS["drive with spikes"](), tmp_path / "drive.h5")
    change, match = SPIKE_FAULTS[fault]
    rewrite(path, change)
    refuse(path, match)


RECORDING_FAULTS = {
    "NaN in a readout": (with_nan("readouts", "z"), "readout z: holds NaN"),
    "NaN in voltages": (with_nan("voltages_mv"), "voltages_mv: holds NaN"),
    "spikes of no neuron": (
        set_item("spikes", "neuron", value=np.full(40, 7)),
        "neuron must lie between 0 and 6",
    ),
    "spikes out of order": (
        lambda tree: tree["spikes"].update(trial=tree["spikes"]["trial"][::-1]),
        "must be sorted",
    ),
    "a trial fewer": (
        set_item("margins_mv", value=np.zeros(2)),
        r"margins_mv: expected shape \(3\), got \(2,\)",
    ),
    "populations that do not add up": (
        set_item("population_sizes", value=np.array([4, 4])),
        "do not add up",
    ),
    "more names than populations": (
        set_item("population_sizes", value=np.array([7])),
        "missing or misplaced parts",
    ),
    "spikes of too wide a number": (
        # In 32 bits these would be the right neurons again.
        lambda tree: tree["spikes"].update(
            neuron=tree["spikes"]["neuron"].astype(np.int64) + 2**32
        ),
        "spikes: neuron",
    ),
}


WINDOW_FAULTS = {
    "NaN in values": (with_nan("values", "second"), "values second: holds NaN"),
    "values of nobody": (
        lambda tree: tree["values"].update(third=np.zeros((5, 3, 4))),
        "values: no population 'third'",
    ),
    "values a sample short": (
        lambda tree: tree["values"].update(second=np.zeros((4, 3, 4))),
        r"values second: expected shape \(5, 3, 4\), got \(4, 3, 4\)",
    ),
    "values that are not a group": (
        set_item("values", value=np.zeros(3)),
        "values: expected names with values",
    ),
    "NaN in a window": (
        with_nan("window", "states", "second", "h"),
        "window: population second: h: holds NaN",
    ),
    "a window beyond the trial": (
        set_item("window", "start_step", value=7),
        "window: steps 7 to 11 reach beyond a trial of 10 steps",
    ),
    "a window from before": (
        set_item("window", "start_step", value=-1),
        "window: start_step: expected a whole number of at least 0",
    ),
    "a window of another size": (
        lambda tree: tree["window"]["states"].update(first={"v": np.zeros((4, 3, 2))}),
        r"window: population first, state v: expected shape \(4, 3, 3\)",
    ),
    "a window of other trials": (
        lambda tree: tree["window"].update(states={"first": {"v": np.zeros((4, 2, 3))}}, values={}),
        r"window: population first, state v: expected shape \(4, 3, 3\), got \(4, 2, 3\)",
    ),
    "a window of nothing": (
        lambda tree: tree["window"].update(states={}, values={}),
        "as many steps and trials, some, of every state",
    ),
    "a window without a start": (drop("window", "start_step"), "missing or misplaced parts"),
    "a window that is a number": (set_item("window", value=3.0), "missing or misplaced parts"),
    "a window of more than states": (
        lambda tree: tree["window"].update(spikes=np.zeros(3)),
        "holds window/spikes, which no recording file holds so",
    ),
}


@pytest.mark.parametrize("fault", WINDOW_FAULTS)
def test_a_window_or_values_that_make_no_sense_are_refused(fault, tmp_path):
    change, match = WINDOW_FAULTS[fault]
    path = saved(graded_recording, tmp_path / "recording.h5")
    rewrite(path, change)
    refuse(path, match)


@pytest.mark.parametrize("fault", RECORDING_FAULTS)
def test_a_recording_that_makes_no_sense_is_refused(fault, recording_file):
    change, match = RECORDING_FAULTS[fault]
    rewrite(recording_file, change)
    refuse(recording_file, match)


def test_a_drive_of_unknown_noise_is_refused(tmp_path):
    path = save(drive(SharedNoise(seed=1)), tmp_path / "drive.h5")
    rewrite(path, set_item("noise", value="PinkNoise"))
    refuse(path, "unknown noise 'PinkNoise'")


def test_a_reader_that_knows_version_1_only_refuses_version_2(monkeypatch, tmp_path):
    monkeypatch.delitem(store._READERS, 2)
    for number, name in enumerate(sorted(VERSION_2)):
        path = save(THINGS[name](), tmp_path / f"{number}.h5")
        refuse(path, "format version 2; this spikebridge reads 1, 3, 4, 5$")


def test_a_reader_that_knows_version_2_only_refuses_version_3(monkeypatch, tmp_path):
    monkeypatch.delitem(store._READERS, 3)
    for number, name in enumerate(sorted(VERSION_3)):
        path = save(THINGS[name](), tmp_path / f"{number}.h5")
        refuse(path, "format version 3; this spikebridge reads 1, 2, 4, 5$")


# Refusals: what no such file holds


def replace_by_external_link(file, folder):
    with h5py.File(folder / "elsewhere.h5", "w") as other:
        other["w_out"] = file["w_out"][()]
    del file["w_out"]
    file["w_out"] = h5py.ExternalLink("elsewhere.h5", "/w_out")


def replace_by_soft_link(file, _folder):
    file["kept"] = file["w_out"][()]
    del file["w_out"]
    file["w_out"] = h5py.SoftLink("/kept")


def replace_by_external_storage(file, folder):
    values = file["w_out"][()]
    (folder / "raw").write_bytes(values.tobytes())
    del file["w_out"]
    raw = [(str(folder / "raw"), 0, values.nbytes)]
    file.create_dataset("w_out", values.shape, values.dtype, external=raw)


def replace_by_virtual_dataset(file, folder):
    values = file["w_out"][()]
    with h5py.File(folder / "elsewhere.h5", "w") as other:
        other["w_out"] = values
    del file["w_out"]
    layout = h5py.VirtualLayout(values.shape, values.dtype)
    layout[:] = h5py.VirtualSource(folder / "elsewhere.h5", "w_out", shape=values.shape)
    file.create_virtual_dataset("w_out", layout)


def add_absurd_dataset(file, _folder):
    # Chunked and never written: the file stays small while it claims 8 TiB.
    file.create_dataset("history/loss", (2**40,), "f8", chunks=(1024,))


def add_dataset_wider_than_a_word(file, _folder):
    file.create_dataset("absurd", (2**31, 2**31, 2**31), "f8", chunks=(8, 8, 8))


def add_deep_groups(file, _folder):
    file.create_group("/".join("deep"[:1] * 50))


def add_group_inside_itself(file, _folder):
    file["loop"] = file["/"]


def add_date(file, _folder):
    space = h5py.h5s.create_simple((3,))
    h5py.h5d.create(file.id, b"made", h5py.h5t.UNIX_D32LE, space)


FOREIGN_PARTS = {
    "an external link": (replace_by_external_link, "/w_out links elsewhere; that is not followed"),
    "a soft link": (replace_by_soft_link, "/w_out links elsewhere; that is not followed"),
    "external storage": (replace_by_external_storage, "/w_out is not a plain array of numbers"),
    "a virtual dataset": (replace_by_virtual_dataset, "/w_out is not a plain array of numbers"),
    "an absurd size": (add_absurd_dataset, "claims more than 4 GiB of data"),
    "an absurd size in three ways": (
        add_dataset_wider_than_a_word,
        "claims more than 4 GiB of data",
    ),
    "deep groups": (add_deep_groups, "groups are nested too deep"),
    "a group in itself": (add_group_inside_itself, "groups are nested too deep"),
    "text": (
        lambda file, _: file.create_dataset("names", data=["a", "b"]),
        "not a plain array of numbers",
    ),
    "bytes": (
        lambda file, _: file.create_dataset("names", data=np.array([b"ab"])),
        "not a plain array of numbers",
    ),
    "ragged arrays": (
        lambda file, _: file.create_dataset("ragged", (3,), h5py.vlen_dtype(np.int32)),
        "not a plain array of numbers",
    ),
    "references": (
        lambda file, _: file.create_dataset("pointers", (3,), h5py.ref_dtype),
        "not a plain array of numbers",
    ),
    "records": (
        lambda file, _: file.create_dataset("table", (3,), [("a", "f8")]),
        "not a plain array of numbers",
    ),
    "complex numbers": (
        lambda file, _: file.create_dataset("z", data=np.zeros(2, complex)),
        "not a plain array of numbers",
    ),
    "an empty dataset": (
        lambda file, _: file.create_dataset("void", data=h5py.Empty("f8")),
        "not a plain array of numbers",
    ),
    "dates": (add_date, "not a plain array of numbers|damaged"),
    "a named type": (
        lambda file, _: file.__setitem__("kind_of", np.dtype("f8")),
        "checksum|not a plain array|neither a group nor an array",
    ),
    "an array attribute": (
        lambda file, _: file.attrs.__setitem__("list", np.zeros(3)),
        "attribute list is neither",
    ),
    "an empty attribute": (
        lambda file, _: file.attrs.__setitem__("void", h5py.Empty("f8")),
        "attribute void is neither",
    ),
    "a complex attribute": (
        lambda file, _: file.attrs.__setitem__("z", 1j),
        "attribute z is neither",
    ),
    "a text list attribute": (
        lambda file, _: file.attrs.__setitem__("names", ["a", "b"]),
        "attribute names is neither",
    ),
}


@pytest.mark.parametrize("name", FOREIGN_PARTS)
def test_what_no_such_file_holds_is_refused(name, tmp_path):
    path = save(rate_network(), tmp_path / "rate.h5")
    add, match = FOREIGN_PARTS[name]
    with h5py.File(path, "r+") as file:
        add(file, tmp_path)
    refuse(path, match)


# Damage: HDF5 itself must not be led astray by it, so this runs in a process of its own.

FLIP = """
import json, signal, sys
from pathlib import Path
from test_store import THINGS, parts
from bridge.errors import FormatError
from bridge.exchange.store import load
def refused(name, path, flips):
    content, whole, count = path.read_bytes(), parts(THINGS[name]()), 0
    for pair in flips:
        position, flip = map(int, pair.split(":"))
        flipped = bytearray(content)
        flipped[position] ^= flip
        path.write_bytes(flipped)
        print("loading", name, "with", pair, file=sys.stderr, flush=True)
        signal.alarm(5)
        try:
            same = parts(load(path)) == whole
        except FormatError:
            count += 1
        else:
            if not same:
                sys.exit("other content was read")
    return count
for name, path, flips in json.loads(sys.argv[1]):
    print(refused(name, Path(path), flips))
"""

# Where HDF5 2.0 looped without end, crashed, or let a TypeError out in a file of the old layout.
KNOWN_TO_HURT = {
    "rate network": ["5105:6"],
    "recording": ["1120:198", "1208:183", "5032:227", "5096:160"],
}


def test_a_flipped_byte_is_harmless_or_refused(tmp_path):
    asked = []
    for name, hurt in KNOWN_TO_HURT.items():
        path = save(THINGS[name](), tmp_path / f"{name}.h5")
        size, rng = path.stat().st_size, np.random.default_rng(8)
        flips = [
            f"{rng.choice(stretch)}:{rng.integers(1, 256)}"
            for stretch in np.array_split(np.arange(size), 120)
        ]
        flips += [flip for flip in hurt if int(flip.split(":")[0]) < size]
        asked.append((name, str(path), flips))
    done = subprocess.run(
        [sys.executable, "-c", FLIP, json.dumps(asked)],
        cwd=Path(__file__).parent, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, f"status {done.returncode}: {done.stderr[-2000:]}"
    # A test that is never refused would test nothing: the checksummed part is most of a file.
    assert all(int(count) > 20 for count in done.stdout.split())
    assert len(done.stdout.split()) == len(asked)
