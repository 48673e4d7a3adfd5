"""Every field is checked: where a description is made, and so wherever a file is read."""

import dataclasses

import numpy as np
import pytest
from exchange.test_store import (
    conversion,
    drop,
    full_recording,
    newer_spiking_network,
    rate_network,
    recording,
    refuse,
    rewrite,
    saved,
    set_item,
    spiking_network,
    stimulated_drive,
    trained_rate_network,
)

from bridge.errors import FormatError, SpecError
from bridge.exchange.store import load, save
from bridge.spiking.drive import Drive, SharedNoise
from bridge.spiking.filters import Direct, Exponential
from bridge.spiking.initial_voltage import NormalVoltage, UniformVoltage
from bridge.spiking.network import Channel, Readout, SpikingNetwork
from bridge.spiking.neurons import Lif, Qif
from bridge.spiking.population import Population
from bridge.spiking.projection import Projection
from bridge.spiking.recording import Recording, Spikes
from bridge.spiking.stimulation import Stimulation

# 10^12 steps of 0.05 ms are a year and a half.
LONG = 10**12
NO_TIMES = {
    "-1": (-1.0, "must be positive, got -1"),
    "0": (0.0, "must be positive, got 0"),
    "NaN": (np.nan, "expected a finite number, got nan"),
    "infinite": (np.inf, "expected a finite number, got inf"),
    "a word": ("word", "expected a number, got 'word'"),
    "a number in words": ("0.1", "expected a number, got '0.1'"),
    "an array": (np.zeros(2), r"expected a number, got an array of shape \(2,\)"),
    "a group": ({"a": np.zeros(2)}, "expected a number, got a group"),
    "too short to be counted": (1e-300, "must lie in 1e-06 to 1e[+]06, got 1e-300"),
}


@pytest.mark.parametrize("time", NO_TIMES)
@pytest.mark.parametrize("name", ["dt_ms", "sample_ms"])
def test_a_recording_whose_steps_are_no_times_is_refused(name, time, tmp_path):
    value, match = NO_TIMES[time]
    with pytest.raises(SpecError, match=f"{name}: {match}"):
        dataclasses.replace(recording(), **{name: value})
    path = saved(recording, tmp_path / "recording.h5")
    rewrite(path, set_item(name, value=value))
    refuse(path, f"{name}: {match}")


@pytest.mark.parametrize("time", NO_TIMES)
@pytest.mark.parametrize("make", [rate_network, spiking_network])
def test_a_network_whose_step_is_no_time_is_refused(make, time, tmp_path):
    value, match = NO_TIMES[time]
    with pytest.raises(SpecError, match=f"dt_ms: {match}"):
        dataclasses.replace(make(), dt_ms=value)
    path = saved(make, tmp_path / "network.h5")
    rewrite(path, set_item("dt_ms", value=value))
    refuse(path, f"dt_ms: {match}")


# Python refuses to write a whole number of so many digits.
HUGE = 10**5000


@pytest.mark.parametrize(
    "value",
    [True, np.True_, None, 1j, 10**400, pytest.param(HUGE, id="huge"), [HUGE]],
)
def test_a_step_that_is_no_number_is_refused_in_memory_too(value):
    for make in (rate_network, spiking_network, recording):
        with pytest.raises(SpecError, match=r"dt_ms: expected a (finite )?number, got"):
            dataclasses.replace(make(), dt_ms=value)


# Three trials of 10 steps of 0.1 ms, sampled every 0.2 ms.
RECORDING_FAULTS = {
    "a readout a sample short": (
        lambda tree: tree["readouts"].update(z=tree["readouts"]["z"][:-1]),
        r"readout z: expected shape \(5, 3, any\), got \(4, 3, 2\)",
    ),
    "a readout a sample long": (
        lambda tree: tree["readouts"].update(z=np.zeros((6, 3, 2))),
        r"readout z: expected shape \(5, 3, any\), got \(6, 3, 2\)",
    ),
    "voltages a sample short": (
        lambda tree: tree.update(voltages_mv=tree["voltages_mv"][:-1]),
        r"voltages_mv: expected shape \(5, 3, 7\), got \(4, 3, 7\)",
    ),
    "a step more than there are samples for": (
        set_item("spikes", "n_steps", value=11),
        "a trial of 11 steps has no whole number of samples of 2 steps",
    ),
    "samples between steps": (
        set_item("sample_ms", value=0.25),
        "sample_ms: expected a multiple of dt_ms, 0.1 ms, got 0.25 ms",
    ),
    "samples shorter than a step": (
        set_item("sample_ms", value=0.01),
        "sample_ms: expected a multiple of dt_ms, 0.1 ms, got 0.01 ms",
    ),
    "negative margins": (
        set_item("margins_mv", value=np.array([1.0, -0.5, 1.0])),
        "margins_mv: must not be negative, got -0.5",
    ),
    "a trial of a year": (
        set_item("spikes", "n_steps", value=LONG),
        "spikes: n_steps: 1000000000000 is too large",
    ),
    "10^12 trials": (set_item("spikes", "n_trials", value=LONG), "n_trials: .* is too large"),
    "10^12 neurons": (set_item("spikes", "n_neurons", value=LONG), "n_neurons: .* is too large"),
    "more cells than fit into memory": (
        set_item("spikes", "n_trials", value=2**30),
        "1,073,741,824 trials of 7 neurons are too many",
    ),
    "no trials": (
        set_item("spikes", "n_trials", value=0),
        "n_trials: expected a whole number of at least 1, got 0",
    ),
    "trials that are not whole": (
        set_item("spikes", "n_trials", value=3.0),
        "n_trials: expected a whole number of at least 1, got 3.0",
    ),
    "populations that are not whole": (
        set_item("population_sizes", value=np.array([3.5, 3.5])),
        "population second: size: expected a whole number of at least 1, got 3.5",
    ),
    "an empty population": (
        set_item("population_sizes", value=np.array([7, 0])),
        "population first: size: expected a whole number of at least 1, got 0",
    ),
    "a negative population": (
        set_item("population_sizes", value=np.array([8, -1])),
        "population first: size: expected a whole number of at least 1, got -1",
    ),
    "a population without a name": (
        set_item("population_names", value='["second", null]'),
        "population: name: expected text on one line, got None",
    ),
    "two populations of one name": (
        set_item("population_names", value='["second", "second"]'),
        "population_names: expected a list of names, each once",
    ),
    "names of populations that are not a list": (
        set_item("population_names", value='"sf"'),
        "population_names: expected a list of names",
    ),
    "a provenance that is not an object": (
        set_item("provenance", value='"a word"'),
        "provenance: expected names with values, got 'a word'",
    ),
    "a readout in words": (
        set_item("readouts", "z", value="word"),
        "readout z: expected numbers of type .*float64",
    ),
    "a part that is not known": (
        set_item("readout", value=np.zeros(3)),
        "holds readout, which no recording file holds so",
    ),
    "voltages under another name": (
        lambda tree: tree.update(voltage_mv=tree.pop("voltages_mv")),
        "holds voltage_mv, which no recording file holds so",
    ),
    "a version that is a group": (
        set_item("format_version", value={"a": np.zeros(1)}),
        "format version a group; this spikebridge reads",
    ),
    "a kind that is an array": (
        set_item("kind", value=np.zeros(2)),
        "unknown kind an array of shape",
    ),
}


@pytest.mark.parametrize("fault", RECORDING_FAULTS)
def test_a_recording_with_a_field_that_cannot_be_is_refused(fault, tmp_path):
    change, match = RECORDING_FAULTS[fault]
    path = saved(full_recording, tmp_path / "recording.h5")
    rewrite(path, change)
    refuse(path, match)


def test_samples_of_a_rounding_are_whole_steps():
    # 3 * (1/3) ms went through Hz: 1000 / (1000 / 1) and the like.
    made = dataclasses.replace(recording(), dt_ms=0.1, sample_ms=0.2 * (1 + 1e-12))
    assert made.readouts["z"].shape == (5, 3, 2)


def test_a_readout_name_that_a_file_cannot_hold_is_refused():
    for name in ("a/b", "", ".", "two\nlines"):
        with pytest.raises(SpecError, match="readout: "):
            dataclasses.replace(recording(), readouts={name: np.zeros((5, 3, 1))})


def test_a_population_that_a_foreign_file_names_without_neurons_is_kept():
    foreign = dataclasses.replace(
        recording(), populations={"all": 7, "silent": 0}, provenance={"sizes_told": False}
    )
    assert dict(foreign.populations) == {"all": 7, "silent": 0}


POPULATION, PROJECTION = ("populations", "000"), ("projections", "000")
NETWORK_FAULTS = {
    "a refractory time of a year": (
        set_item(*POPULATION, "refractory_steps", value=LONG),
        "refractory_steps: 1000000000000 is too large; at most 1,000,000 can be taken",
    ),
    "a refractory time at the start of a year": (
        set_item(*POPULATION, "initial_refractory_steps", value=LONG),
        "initial_refractory_steps: 1000000000000 is too large",
    ),
    "a delay of a year": (
        set_item(*PROJECTION, "delay_steps", value=LONG),
        "delay_steps: 1000000000000 is too large; at most 100,000 can be taken",
    ),
    "samples of a year": (
        set_item("sample_steps", value=LONG),
        "sample_steps: 1000000000000 is too large; at most 1,000,000 can be taken",
    ),
    "an offset of a year": (
        set_item("sample_offset_steps", value=LONG),
        "sample_offset_steps: 1000000000000 is too large",
    ),
    "10^12 inputs": (
        set_item("input_size", value=LONG),
        "input_size: 1000000000000 is too large",
    ),
    "one time constant for all neurons": (
        set_item(*POPULATION, "tau_mem_ms", value=10.0),
        r"tau_mem_ms: expected a number for each neuron, got shape \(\)",
    ),
    "one time constant for a filter": (
        set_item(*PROJECTION, "filter", "tau_rise_ms", value=np.array(2.0)),
        r"tau_rise_ms: expected a number for each neuron, got shape \(\)",
    ),
    "a time constant that is almost none": (
        set_item(*PROJECTION, "filter", "tau_rise_ms", value=np.full(20, 1e-320)),
        "tau_rise_ms: must be at least 1e-06 ms",
    ),
    "a task that is not text": (set_item("task", value=3), "task: expected text on one line"),
    "a name that is not text": (
        set_item(*POPULATION, "name", value=1),
        "population: name: expected text on one line, got 1",
    ),
    "a source that is not text": (
        set_item(*PROJECTION, "source", value=1),
        "projection: source: expected text on one line, got 1",
    ),
    "a neuron model that is a group": (
        set_item(*POPULATION, "model", value={}),
        "unknown neuron model a group; known are ",
    ),
    "a membrane step that is a number": (
        set_item(*POPULATION, "membrane_step", value=1),
        "membrane_step: 'euler' or 'exact', got 1",
    ),
    "a side that is a number": (
        set_item(*PROJECTION, "filter", "side", value=1),
        "side: 'post' or 'pre', got 1",
    ),
    "a start that is infinite": (
        set_item(*POPULATION, "low_mv", value=-np.inf),
        "initial voltage: low_mv: expected a finite number, got -inf",
    ),
    "a start without end": (
        lambda tree: tree["populations"]["000"].update(low_mv=-1e308, high_mv=1e308),
        "initial voltage: -1e[+]308 to 1e[+]308 mV is not a range",
    ),
    "a bias for too many outputs": (
        set_item("readouts", "000", "bias", value=np.zeros(3)),
        r"readout z: bias: expected shape \(2\), got \(3,\)",
    ),
    "a filter with a part that is not its own": (
        set_item("projections", "003", "filter", "tau_ms", value=np.ones(15)),
        "holds projections/003/filter/tau_ms, which no spiking_network file holds so",
    ),
    "a provenance that is not an object": (
        set_item("provenance", value="3"),
        "provenance: expected names with values, got 3",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", NETWORK_FAULTS)
def test_a_network_with_a_field_that_cannot_be_is_refused(fault, tmp_path):
    change, match = NETWORK_FAULTS[fault]
    path = saved(spiking_network, tmp_path / "network.h5")
    rewrite(path, change)
    refuse(path, match)


DRIVE_FAULTS = {
    "a stimulation that begins after a year": (
        set_item("stimulation", "000", "start_step", value=LONG),
        "start_step: 1000000000000 is too large",
    ),
    "a stimulation of a year": (
        set_item("stimulation", "000", "stop_step", value=LONG),
        "stop_step: 1000000000000 is too large; at most 1,000,000,000 can be taken",
    ),
    "a probability beyond 1": (
        set_item("stimulation", "000", "probability", value=1.5),
        "probability: must lie in 0 to 1, got 1.5",
    ),
    "an amplitude in words": (
        set_item("stimulation", "000", "amplitude_mv", value="strong"),
        "amplitude_mv: expected a number, got 'strong'",
    ),
    "a seed that is not whole": (set_item("seed", value=0.5), "seed: expected a whole number"),
    "a noise that is a group": (set_item("noise", value={}), "unknown noise a group; known are"),
    "trials under another name": (
        set_item("trial_number", value=np.arange(3)),
        "holds trial_number, which no drive file holds so",
    ),
    "gains in an attribute": (
        set_item("recurrent_gain", value=1.0),
        r"recurrent_gain: expected shape \(3\), got \(\)",
    ),
}


@pytest.mark.parametrize("fault", DRIVE_FAULTS)
def test_a_drive_with_a_field_that_cannot_be_is_refused(fault, tmp_path):
    change, match = DRIVE_FAULTS[fault]
    path = saved(stimulated_drive, tmp_path / "drive.h5")
    rewrite(path, change)
    refuse(path, match)


def test_a_trial_that_steps_cannot_count_is_refused_before_it_runs():
    network = dataclasses.replace(spiking_network(), sample_steps=10**6)
    drive = Drive(inputs=np.zeros((1001, 1, 2)), noise=SharedNoise(seed=1))
    with pytest.raises(SpecError, match="a trial can have 1,000,000,000 steps"):
        drive.check(network)


CURVE = {
    "neuron": "IF", "rates_hz": np.array([5.0]), "output_error": np.array([0.1]), "best": 0,
}  # fmt: skip
SEARCH_FAULTS = {
    "more right than tested": (
        set_item("search", "correct", value=np.array([3, 8])),
        "correct: must lie between 0 and the trials tested",
    ),
    "more tested than trials": (
        set_item("search", "tested", value=np.array([7, 8])),
        "tested: must lie between 1 and 7 trials",
    ),
    "a best that is none": (set_item("search", "best", value=2), "best: 2 is not an index into 2"),
    "a best that was dropped": (
        lambda tree: tree["search"].update(
            tested=np.array([7, 6]), correct=np.array([3, 6]), best=1
        ),
        "best: expected one of the scale factors that did all 7 trials, number 1 did 6",
    ),
    "a negative scale factor": (
        set_item("search", "inverse_scales", value=np.array([-20.0, 100 / 3])),
        "inverse_scales: expected positive numbers, each once, ascending",
    ),
    "scale factors in disorder": (
        set_item("search", "inverse_scales", value=np.array([40.0, 20.0])),
        "inverse_scales: expected positive numbers, each once, ascending",
    ),
    "scale factors without counts": (
        set_item("search", "inverse_scales", value=np.array([20.0, 30.0, 40.0])),
        r"correct: expected shape \(3\), got \(2,\)",
    ),
    "rates of other scale factors": (
        set_item("search", "rates_hz", value=np.ones(3)),
        r"rates_hz: expected shape \(2\), got \(3,\)",
    ),
    "negative rates": (
        set_item("search", "rates_hz", value=np.array([1.0, -1.0])),
        "rates_hz: must lie between 0 and inf",
    ),
    "a curve below 0": (
        lambda tree: tree.update(others={"000": CURVE | {"output_error": np.array([-0.1])}}),
        "curve: expected rates and output errors of at least 0, one or more",
    ),
    "a curve of other lengths": (
        lambda tree: tree.update(others={"000": CURVE | {"output_error": np.ones(2)}}),
        r"curve: output_error: expected shape \(1\), got \(2,\)",
    ),
    "a curve whose best is none": (
        lambda tree: tree.update(others={"000": CURVE | {"best": 1}}),
        "curve: best: 1 is no index into 1 rates",
    ),
    "a curve without rates": (
        lambda tree: tree.update(others={"000": {"neuron": "IF", "best": 0}}),
        "a conversion file with missing or misplaced parts",
    ),
    "10^12 trials": (set_item("search", "trials", value=LONG), "trials: .* is too large"),
    "negative seconds": (
        set_item("search", "seconds", value=-1.0),
        "seconds: must not be negative, got -1",
    ),
    "seconds in words": (
        set_item("search", "seconds", value="long"),
        "seconds: expected a number, got 'long'",
    ),
    "a seed that is negative": (set_item("search", "seed", value=-1), "seed: expected a whole"),
    "a backend that is a number": (
        set_item("search", "backend", value=1),
        "backend: expected text on one line, got 1",
    ),
    "networks of two tasks": (
        set_item("rate", "task", value="xor"),
        "the task of the spiking network is 'go-nogo', that of the rate network 'xor'",
    ),
    "a search with a part that is not known": (
        set_item("search", "lambda", value=1.0),
        "missing or misplaced parts .*lambda",
    ),
}


@pytest.mark.parametrize("fault", SEARCH_FAULTS)
def test_a_conversion_with_a_field_that_cannot_be_is_refused(fault, tmp_path):
    change, match = SEARCH_FAULTS[fault]
    path = saved(conversion, tmp_path / "conversion.h5")
    rewrite(path, change)
    refuse(path, match)


def test_a_conversion_of_two_sizes_is_refused():
    whole = conversion()
    with pytest.raises(SpecError, match="the size of the spiking network is 6, that of the rate"):
        dataclasses.replace(whole, rate=dataclasses.replace(rate_network(7), task="go-nogo"))


TRAINING_FAULTS = {
    "a history that runs backwards": (
        set_item("history", "update", value=np.array([50, 25])),
        "history: update must be numbers of updates, ascending",
    ),
    "a history without an entry": (
        set_item("history", "loss", value=np.array([0.5])),
        r"history: loss: expected shape \(2\), got \(1,\)",
    ),
    "a negative loss": (
        set_item("history", "loss", value=np.array([0.5, -0.5])),
        "history: loss must not be negative, got -0.5",
    ),
    "an accuracy in per cent": (
        set_item("history", "accuracy", value=np.array([50.0, 60.0])),
        "history: accuracy must lie between 0 and 1",
    ),
    "an accuracy under another name": (
        lambda tree: tree["history"].update(right=tree["history"]["accuracy"]),
        "missing or misplaced parts .*right",
    ),
    "a checkpoint before the history ends": (
        set_item("checkpoint", "updates", value=40),
        "checkpoint: made after 40 updates, the history has 50",
    ),
    "a checkpoint of another size": (
        set_item("checkpoint", "parameters", "gate", value=np.zeros(5, dtype=np.float32)),
        r"checkpoint: moment1 gate: expected shape \(5\), got \(6,\)",
    ),
    "negative squares": (
        set_item("checkpoint", "moment2", "gate", value=np.full(6, -1.0, dtype=np.float32)),
        "checkpoint: moment2 holds squares, which cannot be negative",
    ),
    "a checkpoint whose parts are not groups": (
        set_item("checkpoint", "moment1", value=np.zeros(3)),
        "checkpoint: moment1 must be arrays under names",
    ),
    "options that are not an object": (
        set_item("provenance", value='{"options": 3}'),
        "checkpoint: the provenance lacks the options of the training",
    ),
    "noise in words": (set_item("noise_sd", value="loud"), "noise_sd: expected a number"),
    "noise without end": (set_item("initial_sd", value=np.inf), "initial_sd: expected a finite"),
    "an activation that is a number": (
        set_item("activation", value=1),
        "activation: expected text on one line, got 1",
    ),
    "Dale's law under another name": (
        lambda tree: tree.update(excitatorx=tree.pop("excitatory")),
        "holds excitatorx, which no rate_network file holds so",
    ),
}


UNIT_FAULTS = {
    "a bias of another size": (
        set_item("bias", value=np.ones(5)),
        r"bias: expected shape \(6\), got \(5,\)",
    ),
    "a bias in words": (set_item("bias", value="much"), "bias: expected numbers"),
    "a start that is not a number": (
        set_item("initial_state", value=np.full(6, np.nan)),
        "initial_state: holds NaN or infinite values",
    ),
    "a form that is not known": (set_item("form", value="z"), "form: expected 'x' or 'h', got 'z'"),
    "a form that is a number": (set_item("form", value=1), "form: expected text on one line, got"),
    "a highest rate below zero": (
        set_item("highest_rate", value=-1.0),
        "highest_rate: must be positive, got -1",
    ),
    "a highest rate that is none": (
        set_item("highest_rate", value=np.nan),
        "highest_rate: expected a finite number",
    ),
    "a highest rate for each unit": (
        set_item("highest_rate", value=np.ones(6)),
        "highest_rate: expected a number, got an array",
    ),
    "a checkpoint of units that training does not make": (
        set_item("bias", value=np.ones(6)),
        "checkpoint: training goes on with units as it makes them, and not with a bias",
    ),
}


@pytest.mark.parametrize("fault", UNIT_FAULTS)
def test_units_that_cannot_be_are_refused(fault, tmp_path):
    change, match = UNIT_FAULTS[fault]
    made = trained_rate_network() if "checkpoint" in fault else rate_network(activation="relu")
    path = save(made, tmp_path / "rate.h5")
    rewrite(path, change)
    refuse(path, match)


@pytest.mark.parametrize("fault", TRAINING_FAULTS)
def test_a_rate_network_with_a_field_that_cannot_be_is_refused(fault, tmp_path):
    change, match = TRAINING_FAULTS[fault]
    path = saved(trained_rate_network, tmp_path / "rate.h5")
    rewrite(path, change)
    refuse(path, match)


def test_what_claims_more_than_fits_into_memory_is_a_sentence(tmp_path, monkeypatch):
    path = save(recording(), tmp_path / "recording.h5")

    def full(**_fields):
        raise MemoryError

    monkeypatch.setattr("bridge.exchange.runs.Spikes", full)
    with pytest.raises(FormatError, match="claims more than fits into memory"):
        load(path)


# In memory there is more that a field can be than in a file.

LIF = {"tau_mem_ms": 10, "v_rest_mv": 0, "v_threshold_mv": 1, "v_reset_mv": -1}
START = UniformVoltage(low_mv=0, high_mv=0)


def population(**fields):
    given = {"neurons": Lif(membrane_step="euler", **LIF), "initial_voltage": START} | fields
    return Population(**({"name": "all", "size": 2} | given))


def projection(**fields):
    given = {"name": "p", "source": "all", "target": "all", "filter": Direct()} | fields
    return Projection(**({"weights": np.zeros((2, 2))} | given))


NO_OBJECTS = {
    "weights in words": (
        lambda: projection(weights=[["1", "2"], ["3", "4"]]),
        "weights: expected numbers of type .*float64.* .not text",
    ),
    "complex weights": (
        lambda: projection(weights=np.full((2, 2), 1j)),
        "weights: expected numbers of type .*float64.* .not complex128",
    ),
    "a filter that is none": (lambda: projection(filter=None), "unknown class NoneType; known are"),
    "a filter that is its class": (lambda: projection(filter=Direct), "unknown class type"),
    "a readout without channels": (
        lambda: Readout(name="z", channels=()),
        "readout z: channels disagree on the outputs",
    ),
    "a channel that is a projection": (
        lambda: Readout(name="z", channels=(projection(),)),
        "readout z: channel: unknown class Projection; known are Channel",
    ),
    "a network in place of a population": (
        lambda: SpikingNetwork(dt_ms=1, populations=(spiking_network(),), projections=()),
        "populations: unknown class SpikingNetwork; known are Population",
    ),
    "a provenance with numbers as names": (
        lambda: dataclasses.replace(recording(), provenance={1: "a"}),
        "provenance: expected text as names, got 1",
    ),
    "a provenance that no file can hold": (
        lambda: dataclasses.replace(rate_network(), provenance={"a": {(1, 2): 3}}),
        "provenance: its values cannot be kept as JSON",
    ),
    "a task of two lines": (
        lambda: dataclasses.replace(rate_network(), task="a\nb"),
        "task: expected text on one line",
    ),
    "an activation that is a function": (
        lambda: dataclasses.replace(rate_network(), activation=np.tanh),
        "activation: expected text on one line",
    ),
    "noise that is a number": (
        lambda: Drive(inputs=np.zeros((1, 1, 1)), noise=3),
        "noise: unknown class int; known are SharedNoise, OwnNoise, FrozenNoise",
    ),
    "stimulation that is a number": (
        lambda: Drive(inputs=np.zeros((1, 1, 1)), noise=SharedNoise(seed=1), stimulation=(3,)),
        "stimulation: unknown class int; known are Stimulation",
    ),
    "spikes that are an array": (
        lambda: dataclasses.replace(recording(), spikes=np.zeros(3)),
        "spikes: unknown class ndarray; known are Spikes",
    ),
    "readouts that are a list": (
        lambda: dataclasses.replace(recording(), readouts=[np.zeros((5, 3, 1))]),
        "readouts: expected names with values",
    ),
    "10^12 neurons": (lambda: population(size=LONG), "all: size: 1000000000000 is too large"),
    "a conversion of anything": (
        lambda: dataclasses.replace(conversion(), network=3),
        "conversion: network: unknown class int; known are SpikingNetwork",
    ),
    "a history that is a number": (
        lambda: dataclasses.replace(rate_network(), history=3),
        "history: unknown class int; known are History",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", NO_OBJECTS)
def test_what_is_no_such_thing_is_refused_in_memory_too(fault):
    make, match = NO_OBJECTS[fault]
    with pytest.raises(SpecError, match=match):
        make()


def test_numbers_of_any_width_become_the_same_numbers():
    # A float32 would take arrays along into its own precision.
    narrow = dataclasses.replace(spiking_network(), dt_ms=np.float32(0.5))
    assert type(narrow.dt_ms) is float
    assert type(dataclasses.replace(recording(), dt_ms=np.float64(0.1)).dt_ms) is float


# Unknown classes


class MyLif(Lif):
    """Neurons that somebody made: what they do, no file and no backend knows."""


class MyQif(Qif):
    """The same."""


class MyFilter(Exponential):
    """The same for filters."""


class MyStart(NormalVoltage):
    """The same for initial voltages."""


class MyNoise(SharedNoise):
    """The same for noise."""


def my_lif():
    return MyLif(membrane_step="euler", **LIF)


UNKNOWN = {
    "a neuron that inherits from LIF": (lambda: population(neurons=my_lif()), "MyLif"),
    "a neuron that inherits from QIF": (
        lambda: population(neurons=MyQif(tau_mem_ms=1, v_threshold_mv=1, v_reset_mv=0)),
        "MyQif",
    ),
    "a neuron of its own": (lambda: population(neurons=object()), "object"),
    "a filter of a projection": (
        lambda: projection(filter=MyFilter(tau_ms=3, normalisation="jump")),
        "MyFilter",
    ),
    "a filter of a readout": (
        lambda: Channel(
            source="all",
            weights=np.zeros((1, 2)),
            filter=MyFilter(tau_ms=3, normalisation="jump"),
        ),
        "MyFilter",
    ),
    "an initial voltage": (
        lambda: population(initial_voltage=MyStart(mean_mv=0, sd_mv=1)),
        "MyStart",
    ),
    "a noise": (lambda: Drive(inputs=np.zeros((1, 1, 1)), noise=MyNoise(seed=1)), "MyNoise"),
}


@pytest.mark.parametrize("part", UNKNOWN)
def test_an_unknown_class_is_refused_by_name_where_it_is_put_in(part):
    make, name = UNKNOWN[part]
    with pytest.raises(SpecError, match=f"unknown class {name}; known are"):
        make()


class MyNetwork(SpikingNetwork):
    """A network that somebody made."""


class MyRecording(Recording):
    """The same for recordings."""


@pytest.mark.parametrize(("make", "kind"), [(spiking_network, MyNetwork), (recording, MyRecording)])
def test_what_inherits_from_a_kind_is_not_stored_as_that_kind(make, kind, tmp_path):
    plain = make()
    fields = {field.name: getattr(plain, field.name) for field in dataclasses.fields(plain)}
    with pytest.raises(SpecError, match=f"cannot save {kind.__name__}; known kinds are"):
        save(kind(**fields), tmp_path / "file.h5")
    assert not list(tmp_path.iterdir())


def smuggled(network, **parts):
    """A network into which parts were put past every check."""
    first, link = network.populations[0], network.projections[0]
    for name, part in parts.items():
        object.__setattr__(first if name in ("neurons", "initial_voltage") else link, name, part)
    return network


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        ({"neurons": my_lif()}, "MyLif"),
        ({"filter": MyFilter(tau_ms=3, normalisation="jump")}, "MyFilter"),
        ({"initial_voltage": MyStart(mean_mv=0, sd_mv=1)}, "MyStart"),
    ],
)
def test_an_unknown_class_is_refused_by_name_where_it_is_stored(parts, name, tmp_path):
    network = smuggled(spiking_network(), **parts)
    with pytest.raises(SpecError, match=f"unknown class {name}; known are"):
        save(network, tmp_path / "network.h5")
    assert not list(tmp_path.iterdir())


def test_all_known_classes_are_stored_and_come_back(tmp_path):
    back = load(save(newer_spiking_network(), tmp_path / "network.h5"))
    assert {type(part.neurons).__name__ for part in back.populations} == {"Lif", "Qif"}


def test_a_missing_part_is_named(tmp_path):
    path = saved(spiking_network, tmp_path / "network.h5")
    rewrite(path, drop("sample_steps"))
    refuse(path, "missing or misplaced parts .*sample_steps")


def test_stimulation_of_the_longest_trial_is_taken():
    push = Stimulation(start_step=10**9 - 1, stop_step=10**9, neurons=[0])
    assert push.stop_step == 10**9


def test_as_long_as_can_be_is_taken():
    longest = Lif(membrane_step="euler", **LIF, refractory_steps=10**6)
    assert population(neurons=longest).neurons.refractory_steps == 10**6
    assert projection(delay_steps=10**5).delay_steps == 10**5
    one = Spikes.gather([0], [5], [0], (1, 2**31 - 1, 1))
    assert one.n_steps == 2**31 - 1
