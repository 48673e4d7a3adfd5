"""The recording that ships: every backend must reproduce it spike for spike."""

from pathlib import Path

import numpy as np
import pytest
from conftest import EXACT_BACKENDS

import bridge
from bridge.backends import simulate

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def shipped():
    conversion = bridge.load(ROOT / "models" / "go_nogo_n200_lif.h5")
    drive = bridge.load(ROOT / "data" / "reference_drive.h5")
    return conversion, drive, bridge.load(ROOT / "data" / "reference_recording.h5")


# Cython takes a minute to compile this form, and more to none that the contract has not seen.
LABELS = [
    pytest.param(label, marks=pytest.mark.full) if label == "brian2-cython" else label
    for label in EXACT_BACKENDS
]


@pytest.mark.parametrize("label", LABELS)
def test_a_backend_reproduces_the_shipped_recording(label, shipped):
    conversion, drive, expected = shipped
    backend, options = EXACT_BACKENDS[label]
    got = simulate(conversion.network, drive, backend=backend, **options)
    assert expected.spikes.count > 2000
    np.testing.assert_array_equal(got.spikes.codes(), expected.spikes.codes())
    # Readouts are sums over neurons by BLAS, whose order depends on the machine.
    for name, outputs in expected.readouts.items():
        np.testing.assert_allclose(got.readouts[name], outputs, rtol=1e-10, atol=1e-12)


def test_the_shipped_networks_belong_together_and_do_their_task(shipped):
    conversion, _, recording = shipped
    rate = bridge.load(ROOT / "models" / "go_nogo_n200.h5")
    np.testing.assert_array_equal(rate.recurrent, conversion.rate.recurrent)
    trials = bridge.task("go-nogo").trials(40, np.random.default_rng(0))
    outputs, _ = rate.run(trials.inputs, np.random.default_rng(1))
    assert bridge.task("go-nogo").rate_correct(outputs, trials).all()
    assert conversion.search.accuracies()[conversion.search.best] >= 0.95
    assert recording.spikes.n_neurons == rate.size == 200
