"""`data/changed_networks.py` changes networks by as much as it says."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from conftest import kim_network

import bridge

DATA = Path(__file__).parents[2] / "data"
CELLS = 2000


@pytest.fixture
def changes(monkeypatch):
    monkeypatch.syspath_prepend(DATA)
    return import_module("changed_networks")


def silent_cells(noise_mv):
    """Membranes of 10 ms, alone, from 20 mV of reset to a threshold far above their noise."""
    cells = bridge.Population(
        name="cells",
        size=CELLS,
        neurons=bridge.Lif(
            membrane_step="exact",
            tau_mem_ms=10.0,
            v_rest_mv=0.0,
            v_threshold_mv=20.0,
            v_reset_mv=0.0,
        ),
        initial_voltage=bridge.UniformVoltage(low_mv=0.0, high_mv=0.0),
        noise_mv=noise_mv,
    )
    none = bridge.Projection(
        name="in",
        source="input",
        target="cells",
        weights=np.zeros((CELLS, 1)),
        filter=bridge.Direct(),
    )
    return bridge.SpikingNetwork(
        dt_ms=0.2, sample_steps=5, input_size=1, populations=[cells], projections=[none],
        readouts=[],
    )  # fmt: skip


def spread_mv(network):
    """S.d. of the voltages after 50 ms."""
    samples = round(50 / (network.dt_ms * network.sample_steps))
    drive = bridge.Drive(inputs=np.zeros((samples, 1, 1)), noise=bridge.SharedNoise(seed=0))
    found = bridge.simulate(network, drive, voltages=True)
    assert not found.spikes.count
    return np.asarray(found.voltages_mv)[-1, 0].std()


# The s.d. of 2000 normal numbers is known to 1.6 %: five times that.
KNOWN = 5 / np.sqrt(2 * CELLS)


@pytest.mark.parametrize("before", [0.0, 0.1])
def test_noise_gives_a_membrane_its_share_of_the_way_to_threshold(before, changes):
    network = silent_cells(before)
    own = spread_mv(network)
    expected = np.hypot(own, 0.04 * 20.0)
    assert spread_mv(changes.noisier(network, 0.04)) == pytest.approx(expected, rel=KNOWN)


def test_in_coarser_steps_noise_spreads_as_far(changes):
    network = silent_cells(0.1)
    coarse = changes.coarser(network, 2.5)
    # Of the s.d., what steps of 0.5 ms instead of 0.2 ms add is 1.5 %.
    assert spread_mv(coarse) == pytest.approx(spread_mv(network), rel=KNOWN + 0.015)


def test_coarser_steps_leave_times_as_they_are(changes):
    network = kim_network()
    coarse = changes.coarser(network, 5)
    assert coarse.dt_ms == pytest.approx(5 * network.dt_ms)
    assert coarse.sample_steps * coarse.dt_ms == network.sample_steps * network.dt_ms
    (before,), (after,) = network.populations, coarse.populations
    for name in ("refractory_steps", "initial_refractory_steps"):
        kept = getattr(after.neurons, name) * coarse.dt_ms
        assert kept == getattr(before.neurons, name) * network.dt_ms


def test_of_lost_neurons_nothing_comes(changes):
    network = kim_network()
    lost = changes.with_losses(network, 0.1, seed=0)

    def senders(of):
        part = of.projections[0]
        return {n for n in range(of.size) if np.any(part.column(n))}

    assert len(senders(network)) == 30
    assert len(senders(lost)) == 27
    assert senders(changes.with_losses(network, 0.1, seed=1)) != senders(lost)
