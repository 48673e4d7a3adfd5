"""Drives of networks with several inputs: each found by its name, spikes as events."""

import re
import warnings
from datetime import UTC, datetime

import numpy as np
import pytest
from several_inputs import INPUTS, drive, several_inputs

import bridge
from bridge.errors import FormatError, SpecError
from bridge.exchange.named_inputs import owner
from bridge.spiking.inputs import Input
from bridge.spiking.network import SpikingNetwork

# The network takes a sample in each 6 steps of 0.5 ms, and has light (2), touch (4 units),
# sound (3) and nerve (7 units).
STEP_S, SAMPLES = 0.0005, 40


@pytest.fixture(scope="module")
def network():
    return several_inputs()


@pytest.fixture
def arrays(tmp_path):
    def write(**named):
        np.savez(tmp_path / "drive.npz", **named)
        return tmp_path / "drive.npz"

    return write


@pytest.fixture
def put(tmp_path):
    def write(text):
        path = tmp_path / "drive.csv"
        path.write_text(text)
        return path

    return write


def whole():
    """Every input as arrays."""
    given = drive()
    named = {"light": given.inputs[:, :, :2], "sound": given.inputs[:, :, 2:]}
    for name, spikes in given.spikes.items():
        # In any order but forwards: trial by trial, unit by unit.
        order = np.lexsort((spikes.step, spikes.neuron, spikes.trial))
        named |= {
            f"{name}_unit": spikes.neuron[order], f"{name}_trial": spikes.trial[order],
            f"{name}_time": spikes.step[order] * STEP_S,
        }  # fmt: skip
    return named


def same(one, other):
    np.testing.assert_array_equal(one.inputs, other.inputs)
    assert set(one.spikes) == set(other.spikes)
    for name, spikes in one.spikes.items():
        np.testing.assert_array_equal(spikes.codes(), other.spikes[name].codes())
        assert spikes.n_neurons == other.spikes[name].n_neurons


def test_arrays_are_found_by_the_names_of_the_inputs(arrays, network):
    condition = np.array(["a", "b", "a"])
    got = bridge.load_drive(arrays(**whole(), sample_ms=3.0, condition=condition), network, seed=3)
    same(got, drive())
    assert (got.seed, got.conditions, got.labels.tolist()) == (3, ("a", "b"), [0, 1, 0])


def test_our_own_drive_is_read_as_it_was_saved(tmp_path, network):
    path = bridge.save(drive(), tmp_path / "drive.h5")
    same(bridge.load_drive(path, network), drive())


def test_nwb_series_and_populations_are_found_by_the_names_of_the_inputs(tmp_path, network):
    import pynwb

    given, length = drive(), SAMPLES * 6 * STEP_S
    file = pynwb.NWBFile(
        session_description="drive", identifier="drive", session_start_time=datetime.now(UTC)
    )
    for trial in range(3):
        file.add_trial(start_time=trial * length, stop_time=(trial + 1) * length)
    for name, part in (("light", given.inputs[:, :, :2]), ("sound", given.inputs[:, :, 2:])):
        flat = part.swapaxes(0, 1).reshape(-1, part.shape[2])
        file.add_stimulus(
            pynwb.TimeSeries(
                name=name, data=flat, rate=1 / 0.003, starting_time=0.0, unit="1", description=""
            )
        )
    file.add_unit_column("population", "Input.")
    for name, spikes in given.spikes.items():
        for unit in range(spikes.n_neurons):
            mine = spikes.neuron == unit
            times = spikes.trial[mine] * length + spikes.step[mine] * STEP_S
            file.add_unit(spike_times=times, population=name)
    with pynwb.NWBHDF5IO(str(tmp_path / "drive.nwb"), "w") as opened:
        opened.write(file)
    same(bridge.load_drive(tmp_path / "drive.nwb", network), given)


def test_units_of_nwb_are_those_of_the_only_spiking_input(tmp_path):
    import pynwb

    file = pynwb.NWBFile(
        session_description="drive", identifier="drive", session_start_time=datetime.now(UTC)
    )
    for unit in range(4):
        file.add_unit(spike_times=[0.001 * (unit + 1)], obs_intervals=[[0.0, 0.05]])
    with pynwb.NWBHDF5IO(str(tmp_path / "drive.nwb"), "w") as opened:
        opened.write(file)
    got = bridge.load_drive(tmp_path / "drive.nwb", spikes_only("touch")).spikes["touch"]
    assert (got.neuron.tolist(), got.step.tolist()) == ([0, 1, 2, 3], [2, 4, 6, 8])
    with pytest.raises(FormatError, match="input nerve has 7 units, this file holds 4"):
        bridge.load_drive(tmp_path / "drive.nwb", spikes_only("nerve"))


def spikes_only(*names):
    """A network that takes spikes alone, of the inputs named."""
    return SpikingNetwork(
        dt_ms=0.5, populations=several_inputs().populations, projections=[],
        inputs=[part for part in INPUTS if part.name in names], sample_steps=4,
    )  # fmt: skip


def test_a_table_of_spikes_has_a_column_of_inputs(put):
    path = put(
        "input,unit,time,trial,condition\ntouch,3,0.001,0,left\nnerve,3,0.0005,0,left\n"
        "touch,0,0.0125,1,right\n"
    )
    got = bridge.load_drive(path, spikes_only("touch", "nerve"))
    touch, nerve = got.spikes["touch"], got.spikes["nerve"]
    assert list(zip(touch.trial, touch.step, touch.neuron, strict=True)) == [(0, 2, 3), (1, 25, 0)]
    assert list(zip(nerve.trial, nerve.step, nerve.neuron, strict=True)) == [(0, 1, 3)]
    # To the end of the sample of the last spike, step 25 of samples of four steps.
    assert (got.inputs.shape, touch.n_steps) == ((7, 2, 0), 28)
    assert (got.conditions, got.labels.tolist()) == (("left", "right"), [0, 1])


def test_units_of_the_only_spiking_input_need_no_name(put, arrays):
    network = spikes_only("touch")
    table = bridge.load_drive(put("unit,time\n0,0.001\n2,0.0095\n"), network, seconds=0.1, trials=3)
    archive = bridge.load_drive(arrays(unit=[0, 2], time=[0.001, 0.0095]), network, seconds=0.1)
    spikes = table.spikes["touch"]
    assert (spikes.n_trials, spikes.n_steps) == (3, 200)
    for trial in range(3):
        same(table.trials(trial, trial + 1), archive)
    assert archive.spikes["touch"].step.tolist() == [2, 19]


@pytest.mark.parametrize("k", [1, 3, 7, 29, 199])
def test_a_spike_on_the_edge_of_a_step_falls_into_that_step(k, put):
    for time in (k * 0.0005, float(np.nextafter(k * 0.0005, 0))):
        got = bridge.load_drive(put(f"unit,time\n0,{time!r}\n"), spikes_only("touch"), seconds=0.1)
        assert got.spikes["touch"].step.tolist() == [k]


def test_two_spikes_of_a_unit_in_a_step_count_once_and_it_is_said(put):
    path = put("unit,time\n0,0.001\n0,0.0012\n1,0.0012\n")
    with pytest.warns(UserWarning, match="1 spike of input touch fell into a step in which the"):
        got = bridge.load_drive(path, spikes_only("touch"))
    assert got.spikes["touch"].neuron.tolist() == [0, 1]


def test_columns_belong_to_the_input_whose_name_they_begin_with(put):
    network = SpikingNetwork(
        dt_ms=0.5, populations=several_inputs().populations, projections=[],
        inputs=[Input("light", 2), Input("light_b", 1)],
    )  # fmt: skip
    got = bridge.load_drive(put("light_b,light_0,light:1,time_s\n3,1,2,0\n6,4,5,0.0005\n"), network)
    assert got.inputs[:, 0].tolist() == [[1, 2, 3], [4, 5, 6]]
    assert owner("lights", network.inputs) is None
    rows = bridge.load_drive(put("1,2,3\n4,5,6\n"), network)
    same(rows, got)


def without(*left_out, **more):
    return {name: each for name, each in whole().items() if name not in left_out} | more


BAD = {
    "no light": (without("light"), "input light is missing; the network takes light \\(2 channels"),
    "no touch": (without("touch_unit", "touch_time", "touch_trial"), "input touch is missing"),
    "no times": (without("touch_time"), "spikes need the arrays touch_unit and touch_time"),
    "unknown": (without(smell=np.ones((40, 3))), "the array 'smell' is of no input; the network"),
    "channels": (without(light=np.ones((40, 3, 5))), "input light takes 2 input channels, this"),
    "samples": (without(light=np.ones((41, 3, 2))), "its inputs differ in samples or trials"),
    "units": (
        {**without(), "touch_unit": [9], "touch_time": [0.1], "touch_trial": [0]},
        "a spike of unit 9, which does not exist: input touch has 4 units, counted from 0",
    ),
    "late": (
        {**without(), "touch_unit": [0], "touch_time": [0.13], "touch_trial": [0]},
        "a spike of input touch at 0.13 s lies beyond the 0.12 s of a trial",
    ),
    "trial": (
        {**without(), "touch_unit": [0], "touch_time": [0.1], "touch_trial": [3]},
        "a spike of input touch in trial 3, of 3 trials",
    ),
    "negative": (
        {**without(), "touch_unit": [0], "touch_time": [-0.1], "touch_trial": [0]},
        "the time of a spike is negative",
    ),
    "no name": ({"unit": [0], "time": [0.1]}, "holds spikes, and of which input is not stated"),
    "no names": ({"inputs": np.ones((40, 3, 4))}, "holds 4 channels without names; the network"),
    "analog alone": ({"inputs": np.ones((40, 3, 5))}, "input touch is missing"),
}


@pytest.mark.parametrize("name", BAD)
def test_arrays_that_do_not_fit_the_inputs_are_refused_in_a_sentence(name, arrays, network):
    given, said = BAD[name]
    with pytest.raises(FormatError, match=said):
        bridge.load_drive(arrays(**given), network)


def test_tables_that_do_not_fit_the_inputs_are_refused_in_a_sentence(put, network):
    one, both = spikes_only("touch"), spikes_only("touch", "nerve")
    cases = [
        (both, "unit,time\n0,0.1\n", "holds spikes, and of which input is not stated"),
        (both, "input,unit,time\ntouch,0,0.1\n", "input nerve is missing"),
        (both, "input,unit,time\nsmell,0,0.1\n", "a spike of 'smell', which is not an input that"),
        (one, "touch_0,touch_1\n0,1\n", "'touch_0' is of an input that takes spikes"),
        (network, "light_0,light_1,smell\n0,1,2\n", "the column 'smell' is of no input"),
        (network, "light_0,light_1\n0,1\n", "input touch is missing|input sound is missing"),
    ]
    for taker, text, said in cases:
        with pytest.raises(FormatError, match=said):
            bridge.load_drive(put(text), taker)


def test_options_that_do_not_fit_are_refused(arrays, network, tmp_path):
    path = arrays(**whole())
    with pytest.raises(SpecError, match="has samples that fix its length; leave out --seconds"):
        bridge.load_drive(path, network, seconds=0.12)
    with pytest.raises(SpecError, match="has 3 trials, not 4"):
        bridge.load_drive(path, network, trials=4)


def test_poisson_spikes_have_their_rate_and_memory_of_their_number():
    network = spikes_only("touch", "nerve")
    got = bridge.poisson_drive(network, 50.0, seconds=20.0, trials=3, seed=1)
    for name, units in (("touch", 4), ("nerve", 7)):
        expected = 50.0 * 20.0 * 3 * units
        # The spikes are binomial: five standard deviations.
        assert abs(got.spikes[name].count - expected) < 5 * np.sqrt(expected)
        counts = np.bincount(got.spikes[name].neuron, minlength=units)
        assert np.abs(counts - 3000).max() < 5 * np.sqrt(3000)
    assert got.inputs.shape == (10_000, 3, 0)
    one = bridge.poisson_drive(network, 50.0, seconds=20.0, trials=1, seed=1)
    same(got.trials(0, 1), one)
    first, second = (got.spikes["nerve"].chosen(np.array([k])).codes() for k in (0, 1))
    assert np.intersect1d(first, second).size < 0.1 * first.size
    assert bridge.poisson_drive(network, 0.0, seconds=1.0, trials=1).spikes["touch"].count == 0
    full = bridge.poisson_drive(network, 2000.0, seconds=0.1, trials=1).spikes["touch"]
    assert full.count == 4 * 200


@pytest.mark.parametrize("rate_hz", [10.0, 37.0, 333.0, 2000.0])
def test_regular_spikes_are_at_whole_multiples_of_their_interval(rate_hz):
    got = bridge.regular_drive(spikes_only("touch"), rate_hz, seconds=0.2, trials=2)
    times_ms = np.arange(0.0, 200.0, 1000.0 / rate_hz)
    expected = np.unique(np.floor(times_ms / 0.5 + 1e-6))
    expected = expected[expected < 400]
    spikes = got.spikes["touch"]
    for trial in range(2):
        for unit in range(4):
            mine = spikes.step[(spikes.trial == trial) & (spikes.neuron == unit)]
            np.testing.assert_array_equal(mine, expected)


@pytest.mark.parametrize("make", [bridge.poisson_drive, bridge.regular_drive])
def test_rates_beyond_one_spike_a_step_are_refused(make):
    with pytest.raises(SpecError, match=r"at most once in a step of 0\.5 ms, so 2000 Hz at most"):
        make(spikes_only("touch"), 2001.0, seconds=0.1, trials=1)
    with pytest.raises(SpecError, match="spikes of the inputs are too many"):
        make(spikes_only("touch"), 2000.0, seconds=10_000.0, trials=20)


def test_analog_channels_and_spiking_units_are_driven_together(network):
    got = bridge.poisson_drive(network, 40.0, seconds=0.3, trials=2, seed=4)
    assert got.inputs.shape == (100, 2, 5)
    assert got.inputs.sum() > 0
    assert {name: each.n_neurons for name, each in got.spikes.items()} == {"touch": 4, "nerve": 7}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert bridge.simulate(network, got).spikes.count


def test_the_command_runs_and_compares_networks_of_several_inputs(command, arrays, tmp_path):
    net = bridge.save(several_inputs(), tmp_path / "net.h5")
    out = tmp_path / "out.h5"
    path = arrays(**whole(), sample_ms=3.0)
    outcome = command("run", net, "--drive", path, "--backend", "snntorch", "--out", out)
    assert outcome.status == 0, outcome.err
    recording = bridge.load(out)
    expected = bridge.simulate(several_inputs(), bridge.load_drive(path, several_inputs()))
    np.testing.assert_array_equal(recording.spikes.codes(), expected.spikes.codes())
    assert recording.input_spikes["touch"].count == 236
    told = command("info", net).out
    assert re.search("input touch +4 spiking units", told)
    assert re.search("input light +2 channels", told)
    assert re.search("input touch +236 spikes of 4 units", command("info", out).out)
    page = tmp_path / "report.html"
    compared = command(
        "compare", net, "--poisson", 40, "--seconds", 0.06, "--trials", 2, "--levels", "exact",
        "--backends", "reference,snntorch", "--out", page,
    )  # fmt: skip
    assert compared.status == 0, compared.err


def test_the_command_says_what_is_missing_in_a_sentence(refused, arrays, tmp_path):
    net = bridge.save(several_inputs(), tmp_path / "net.h5")
    assert "input light is missing" in refused(
        "run", net, "--drive", arrays(**without("light")), "--out", tmp_path / "out.h5"
    )
