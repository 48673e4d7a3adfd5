"""A network of one's own in Python: random connections, spike trains of each input, 20 lines."""

import re
from pathlib import Path

import numpy as np
import pytest

import bridge
from bridge.errors import SpecError

PAGE = (Path(__file__).parents[2] / "notebooks" / "spiking_network.md").read_text(encoding="utf-8")
EXAMPLE = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[0]


def test_a_network_of_two_populations_takes_twenty_lines_and_fires_alike_in_all_simulators():
    assert len(EXAMPLE.strip().splitlines()) <= 20
    made = {}
    exec(EXAMPLE, made)
    drive = bridge.poisson_drive(made["network"], 50, seconds=0.2, trials=2)
    brian = bridge.simulate(made["network"], drive, backend="brian2:numpy").spikes
    assert set(np.unique(brian.neuron) < 80) == {True, False}, "both populations fire"
    for backend in ("reference", "snntorch"):
        found = bridge.simulate(made["network"], drive, backend=backend).spikes
        assert found.codes().tolist() == brian.codes().tolist()


def test_each_pair_is_connected_by_the_same_chance():
    weights = bridge.random_weights(300, 200, probability=0.1, weight_mv=0.5, seed=1)
    assert weights.shape == (300, 200)
    assert set(weights.data) == {0.5}
    # Four standard deviations of a binomial distribution.
    assert abs(weights.nnz - 6000) < 4 * np.sqrt(60000 * 0.1 * 0.9)
    for count, size in (
        (np.bincount(weights.indices, minlength=300), 200),
        (np.diff(weights.indptr), 300),
    ):
        assert abs(count.var() / (size * 0.1 * 0.9) - 1) < 0.4


@pytest.mark.parametrize(("probability", "count"), [(0.0, 0), (1.0, 12)])
def test_nobody_or_everybody_is_connected(probability, count):
    weights = bridge.random_weights(3, 4, probability=probability, weight_mv=-2.0, seed=0)
    assert weights.toarray().tolist() == np.full((3, 4), -2.0 * (count > 0)).tolist()
    assert weights.nnz == count


def test_a_seed_gives_the_same_connections():
    one, again, other = (
        bridge.random_weights(30, 20, probability=0.3, weight_mv=1.0, seed=seed).toarray()
        for seed in (4, 4, 5)
    )
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"probability": 1.5}, "probability"),
        ({"weight_mv": float("nan")}, "weight_mv"),
        ({"post": 0}, "post"),
        ({"seed": -1}, "seed"),
        ({"post": 200_000, "pre": 200_000}, "4,000,000,000 connections are too many"),
    ],
)
def test_connections_that_make_no_sense_are_refused(given, sentence):
    wanted = {"post": 3, "pre": 4, "probability": 0.1, "weight_mv": 1.0, "seed": 0, **given}
    with pytest.raises(SpecError, match=sentence):
        bridge.random_weights(wanted.pop("post"), wanted.pop("pre"), **wanted)


def two_inputs():
    lif = bridge.Lif(
        membrane_step="exact", tau_mem_ms=20, v_rest_mv=0, v_threshold_mv=20, v_reset_mv=0
    )
    return bridge.SpikingNetwork(
        dt_ms=1.0,
        inputs=[bridge.Input("cue", 2), bridge.Input("noise", 50, "spikes"), bridge.Input("on", 1)],
        populations=[
            bridge.Population(
                name="one", size=1, neurons=lif,
                initial_voltage=bridge.UniformVoltage(low_mv=0, high_mv=0),
            )
        ],
        projections=[],
    )  # fmt: skip


RATES = {"noise": 20.0, "on": 0.0, "cue": 40.0}


def test_each_input_has_poisson_trains_of_its_own_rate():
    drive = bridge.poisson_drive(two_inputs(), RATES, seconds=5.0, trials=4, seed=2)
    cue, on = drive.inputs[:, :, :2], drive.inputs[:, :, 2]
    # Four standard deviations of a Poisson distribution: 2 channels, 4 trials, 5 s of 40 Hz.
    assert abs(cue.sum() - 1600) < 4 * np.sqrt(1600)
    assert not on.any()
    assert abs(drive.spikes["noise"].count - 20_000) < 4 * np.sqrt(20_000)


def test_each_input_has_regular_trains_of_its_own_rate():
    drive = bridge.regular_drive(two_inputs(), RATES, seconds=1.0, trials=1)
    assert np.flatnonzero(drive.inputs[:, 0, 0]).tolist() == list(range(0, 1000, 25))
    assert not drive.inputs[:, :, 2].any()
    noise = drive.spikes["noise"]
    assert np.unique(noise.step).tolist() == list(range(0, 1000, 50))
    assert noise.count == 50 * 20


def test_one_rate_for_all_is_that_rate_for_each():
    same = dict.fromkeys(RATES, 60.0)
    one, each = (bridge.poisson_drive(two_inputs(), r, seconds=0.5, trials=2) for r in (60.0, same))
    assert one.inputs.tolist() == each.inputs.tolist()
    assert one.spikes["noise"].codes().tolist() == each.spikes["noise"].codes().tolist()


@pytest.mark.parametrize(
    ("rates", "sentence"),
    [
        ({**RATES, "other": 1.0}, "'other' is of no input; this network has inputs cue, noise, on"),
        ({"noise": 1.0, "cue": 1.0}, "'on' is missing"),
        ({**RATES, "cue": -1.0}, "rate_hz of cue"),
        ({**RATES, "noise": 2000.0}, "1000 Hz at most, got 2000"),
    ],
)
def test_rates_that_do_not_fit_the_inputs_are_refused(rates, sentence):
    with pytest.raises(SpecError, match=sentence):
        bridge.poisson_drive(two_inputs(), rates, seconds=0.5, trials=1)
