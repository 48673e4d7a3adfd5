"""Options of the mapping, lesions and stimulation on the command line."""

import dataclasses
import signal

import numpy as np
import pytest
from methods.short_task import SHORT_TASK

import bridge
from bridge.cli.units import parse_stimulation, parse_units
from bridge.errors import SpecError
from bridge.methods.one_to_one import map_one_to_one
from bridge.methods.scoring import task_drive
from bridge.rate.network import RateNetwork
from bridge.tasks import go_nogo

TYPES = ("PYR",) * 7 + ("SOM",) * 3


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(go_nogo, "GoNoGo", SHORT_TASK)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setenv("COLUMNS", "200")


def rate_network():
    rng = np.random.default_rng(1)
    return RateNetwork(
        recurrent=rng.normal(0, 1, (10, 10)), w_in=rng.normal(0, 1, (10, 1)),
        w_out=rng.normal(0, 1, (1, 10)), b_out=np.zeros(1), tau_ms=rng.uniform(20, 100, 10),
        task="go-nogo", cell_types=TYPES,
    )  # fmt: skip


@pytest.fixture
def rate_file(tmp_path):
    return bridge.save(rate_network(), tmp_path / "rate.h5")


@pytest.fixture
def lif_file(tmp_path):
    return bridge.save(map_one_to_one(rate_network(), 30.0), tmp_path / "lif.h5")


def test_convert_takes_the_mappings_options(command, rate_file, tmp_path):
    out = tmp_path / "qif.h5"
    status, said, _ = command(
        "convert", rate_file, "--out", out, "--neuron", "qif", "--synapse", "single",
        "--tau-side", "pre", "--refractory-ms", 5, "--start-mv", -60, -45,
        "--inverse-scales", 30, "--trials", 2, "--backend", "compiled", "--exhaustive",
    )  # fmt: skip
    assert status == 0
    assert "1/lambda = 30, " in said
    assert "of 2 trials right" in said
    network = bridge.load(out).network
    assert dict(network.provenance["options"]) == {
        "neuron": "qif", "synapse": "single", "tau_side": "pre", "refractory_ms": 5.0,
        "start_mv": [-60.0, -45.0], "output_bias": True,
    }  # fmt: skip
    start = network.populations[0].initial_voltage
    assert (start.low_mv, start.high_mv) == (-60.0, -45.0)
    assert network.populations[0].cell_types == TYPES


def test_convert_predicts_the_scale_and_refits_the_readout(command, rate_file, tmp_path):
    out = tmp_path / "lif.h5"
    status, said, complaint = command(
        "convert", rate_file, "--out", out, "--predict-scale", "--refit-readout", "--trials", 5,
        "--backend", "compiled",
    )  # fmt: skip
    # A network that was never trained answers no better than chance.
    assert status == 1, complaint
    assert "readout refitted: of 5 fresh trials " in said
    assert "the conversion failed: its answers are no better than chance" in said
    stored = bridge.load(out)
    assert stored.search.inverse_scales.size == 1
    assert stored.network.provenance["scale"] == "predicted"


@pytest.mark.parametrize(
    ("option", "wanted"),
    [
        (("--neuron", "hh"), "neuron: 'lif', 'qif' or 'if', got 'hh'"),
        (("--synapse", "alpha"), "synapse: 'double' or 'single'"),
        (("--tau-side", "both"), "tau_side: 'post' or 'pre'"),
        (("--refractory-ms", "0.07"), "refractory_ms: expected a multiple of 0.05 ms"),
        (("--refractory-ms", "-1"), "refractory_ms: expected a multiple of 0.05 ms"),
        (("--predict-scale", "--inverse-scales", "30"), "a predicted scale factor has none to try"),
    ],
)
def test_convert_refuses_options_that_make_no_sense(option, wanted, refused, rate_file, tmp_path):
    assert wanted in refused("convert", rate_file, "--out", tmp_path / "out.h5", *option)


def test_lesion_writes_the_lesioned_network(command, lif_file, rate_file, tmp_path):
    for number, file in enumerate((lif_file, rate_file)):
        out = tmp_path / f"{number}.h5"
        status, said, _ = command("lesion", file, "--cell-type", "SOM", "--out", out)
        assert status == 0
        assert "weights of 3 units multiplied by 0" in said
        found, expected = bridge.load(out), bridge.lesion(bridge.load(file), units=[7, 8, 9])
        for network in (found, expected):
            assert type(network) is type(bridge.load(file))
        weights = [
            network.recurrent if number else network.projections[0].weights
            for network in (found, expected)
        ]
        np.testing.assert_array_equal(*weights)
        assert np.count_nonzero(weights[0][:, 7:]) == 0


def test_lesion_by_number_weakens_weights_onto_one_cell_type(command, lif_file, tmp_path):
    out = tmp_path / "weak.h5"
    status, said, _ = command(
        "lesion", lif_file, "--units", "0-2,9", "--onto", "SOM", "--scale", 0.5, "--out", out
    )
    assert status == 0
    assert "weights of 4 units onto SOM multiplied by 0.5" in said
    expected = np.array(bridge.load(lif_file).projections[0].weights)
    expected[np.ix_([7, 8, 9], [0, 1, 2, 9])] *= 0.5
    np.testing.assert_array_equal(bridge.load(out).projections[0].weights, expected)


@pytest.mark.parametrize(
    ("option", "wanted"),
    [
        ((), "either by number or by cell type"),
        (("--cell-type", "VIP"), "no units of the cell type 'VIP'; this network has PYR, SOM"),
        (("--units", "0-10"), "expected numbers from 0 to 9"),
        (("--units", "5-2"), "expected a cell type, or numbers such as 0-19,25"),
        (("--units", "SOM"), "a cell type is chosen by --cell-type"),
        (("--units", "1", "--scale", "-1"), "scale: must not be negative"),
    ],
)
def test_lesion_refuses_what_makes_no_sense(option, wanted, refused, lif_file, tmp_path):
    assert wanted in refused("lesion", lif_file, "--out", tmp_path / "out.h5", *option)


def test_lesion_refuses_files_of_other_kinds_and_keeps_what_exists(
    refused, command, lif_file, tmp_path
):
    drive = bridge.Drive(inputs=np.ones((2, 1, 1)), noise=bridge.SharedNoise(seed=1))
    file = bridge.save(drive, tmp_path / "drive.h5")
    choice = ("--units", "0")
    assert "a rate or a spiking network is needed" in refused(
        "lesion", file, "--out", tmp_path / "out.h5", *choice
    )
    assert "exists already" in refused("lesion", lif_file, "--out", file, *choice)


def test_run_stimulates_as_the_drive_does(command, lif_file, tmp_path):
    out = tmp_path / "lit.h5"
    run = ("run", lif_file, "--out", out, "--trials", 2, "--backend", "compiled")
    push = ("--stimulate", "0.05:0.1:SOM:+5", "--stimulate", "0.02:0.03:0-1:-3")
    assert command(*run, *push)[0] == 0
    found, network = bridge.load(out), bridge.load(lif_file)
    _, drive = task_drive(network, 2, 0)
    pushes = [
        bridge.spiking.stimulation.Stimulation(
            start_step=start, stop_step=stop, neurons=neurons, amplitude_mv=mv
        )
        for start, stop, neurons, mv in ((1000, 2000, [7, 8, 9], 5.0), (400, 600, [0, 1], -3.0))
    ]
    expected = bridge.simulate(network, dataclasses.replace(drive, stimulation=pushes))
    np.testing.assert_array_equal(found.spikes.codes(), expected.spikes.codes())
    dark = bridge.simulate(network, drive)
    assert not np.array_equal(found.spikes.codes(), dark.spikes.codes())
    assert found.provenance["stimulation"] == "0.05:0.1:SOM:+5, 0.02:0.03:0-1:-3"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("0.05:0.1:SOM", "expected START_S:STOP_S:UNITS:MV, as 0.25:0.5:SOM:+0.5"),
        ("0.1:0.05:SOM:1", "expected START_S:STOP_S:UNITS:MV"),
        ("-1:0.05:SOM:1", "expected START_S:STOP_S:UNITS:MV"),
        ("0:nan:SOM:1", "expected START_S:STOP_S:UNITS:MV"),
        ("0:0.1:SOM:bright", "expected START_S:STOP_S:UNITS:MV"),
        ("0:0.1:VIP:1", "no units of the cell type 'VIP'"),
        ("0:0.1:0-99:1", "expected numbers from 0 to 9"),
        ("0:9:SOM:1", "a trial has 2000 steps"),
        ("0:0.00001:SOM:1", "stop_step"),
    ],
)
def test_run_refuses_stimulation_that_makes_no_sense(text, wanted, refused, lif_file, tmp_path):
    out = ("--out", tmp_path / "out.h5", "--backend", "compiled", "--trials", 1)
    assert wanted in refused("run", lif_file, *out, "--stimulate", text)


def test_units_are_a_name_or_numbers_with_ranges():
    assert parse_units("SOM") is None
    assert parse_units("0-3,25") == [0, 1, 2, 3, 25]
    assert parse_units("7") == [7]
    for text in ("", "1-", "-1", "2-1", "1,,2", "1.5", "0-99999999999"):
        with pytest.raises(SpecError, match="expected a cell type, or numbers"):
            parse_units(text)
    assert parse_stimulation("0.25:0.5:SOM:-0.5") == (0.25, 0.5, "SOM", -0.5)
