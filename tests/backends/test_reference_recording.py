"""The recording that is frozen: every backend must reproduce it spike for spike; and what ships."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import EXACT_BACKENDS

import bridge
from bridge.backends import simulate

ROOT = Path(__file__).parents[2]


FROZEN = Path(__file__).parent / "frozen"


def loaded(conversion, drive, recording):
    return bridge.load(conversion), bridge.load(drive), bridge.load(recording)


@pytest.fixture(scope="module")
def frozen():
    return loaded(FROZEN / "lif.h5", FROZEN / "drive.h5", FROZEN / "recording.h5")


@pytest.fixture(scope="module")
def shipped():
    data = ROOT / "data"
    network = ROOT / "models" / "go_nogo_n200_lif.h5"
    return loaded(network, data / "reference_drive.h5", data / "reference_recording.h5")


# Cython takes a minute to compile this form, and the contract has seen others of its models.
LABELS = [
    pytest.param(label, marks=pytest.mark.full) if label == "brian2-cython" else label
    for label in EXACT_BACKENDS
]


# Where each step is Python's, the first eighth says as much: a difference in rounding shows in
# spikes soon, and the whole is told by the compiled ones.
STEP_BY_STEP = ("reference", "brian2-numpy", "snntorch")


def begun(drive, recording):
    """The first eighth of a drive, and of what was recorded with it."""
    samples = len(drive.inputs) // 8
    steps = samples * recording.spikes.n_steps // len(drive.inputs)
    readouts = {name: outputs[:samples] for name, outputs in recording.readouts.items()}
    inputs = drive.inputs[:samples]
    short = replace(
        recording, spikes=recording.spikes.cut(0, steps), readouts=readouts, inputs=inputs
    )
    return replace(drive, inputs=inputs), short


@pytest.mark.usefixtures("as_users_have_it")
@pytest.mark.parametrize("label", LABELS)
def test_a_backend_reproduces_the_frozen_recording(label, frozen):
    check_reproduced(frozen, label)


@pytest.mark.usefixtures("as_users_have_it")
def test_what_ships_is_reproduced(shipped):
    check_reproduced(shipped, "compiled")


def check_reproduced(files, label):
    conversion, drive, expected = files
    if label in STEP_BY_STEP:
        drive, expected = begun(drive, expected)
    backend, options = EXACT_BACKENDS[label]
    # Compiled, its steps are held to those of the contract, on the network of all forms.
    own = {"compiled": False} if label == "snntorch" else {}
    shown = {"voltages": label == "brian2-standalone", "margins": label == "brian2-standalone"}
    got = simulate(conversion.network, drive, backend=backend, **shown, **options, **own)
    assert expected.spikes.count > 400
    np.testing.assert_array_equal(got.spikes.codes(), expected.spikes.codes())
    if shown["voltages"]:
        # Not frozen, and quick by another that is exact.
        other = simulate(conversion.network, drive, backend="compiled", **shown)
        np.testing.assert_array_equal(got.voltages_mv, other.voltages_mv)
        np.testing.assert_array_equal(got.margins_mv, other.margins_mv)
    # Readouts are sums over neurons by BLAS, whose order depends on the machine.
    for name, outputs in expected.readouts.items():
        np.testing.assert_allclose(got.readouts[name], outputs, rtol=1e-10, atol=1e-12)


def test_the_frozen_spikes_are_those_they_have_always_been(frozen):
    _, drive, recording = frozen
    # Counted when the files were frozen; a checksum keeps each file as it was.
    assert recording.spikes.count == 4835
    assert (drive.n_trials, recording.trial_s) == (2, 1.0)


def test_the_shipped_networks_belong_together_do_their_task_and_keep_their_output(shipped):
    conversion, _, recording = shipped
    rate = bridge.load(ROOT / "models" / "go_nogo_n200.h5")
    np.testing.assert_array_equal(rate.recurrent, conversion.rate.recurrent)
    trials = bridge.task("go-nogo").trials(40, np.random.default_rng(0))
    outputs, _ = rate.run(trials.inputs, np.random.default_rng(1))
    assert bridge.task("go-nogo").rate_correct(outputs, trials).all()
    assert recording.spikes.n_neurons == rate.size == 200
    found = conversion.faithfulness()
    assert found.correct >= 0.98 * found.trials
    assert found.output_error <= 0.2
    assert "fresh_lost" not in conversion.network.provenance
