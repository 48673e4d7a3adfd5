"""Sparse weights stay sparse: memory and time follow the synapses, not N squared."""

import hashlib
import resource
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from bridge.backends import simulate
from bridge.backends.workers import in_processes
from bridge.spiking.drive import Drive, SharedNoise
from bridge.spiking.filters import DoubleExponential
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.neurons import Lif
from bridge.spiking.population import Population
from bridge.spiking.projection import Projection

SYNAPSES_EACH = 20


def sparse_network(size):
    """Noisy neurons just below threshold, each with some 20 synapses."""
    rng = np.random.default_rng(0)
    count = size * SYNAPSES_EACH
    at = (rng.integers(size, size=count), rng.integers(size, size=count))
    weights = sparse.csc_array((rng.normal(0, 0.05, count), at), shape=(size, size))
    return SpikingNetwork(
        dt_ms=0.1,
        populations=[
            Population(
                name="units", size=size, noise_mv=0.2,
                neurons=Lif(
                    membrane_step="euler", tau_mem_ms=10, v_rest_mv=-60, v_threshold_mv=-50,
                    v_reset_mv=-65, bias_mv=9.5, refractory_steps=20,
                ),
                initial_voltage=UniformVoltage(low_mv=-65, high_mv=-51),
            )
        ],
        projections=[
            Projection(
                name="recurrent", source="units", target="units", weights=weights,
                filter=DoubleExponential(tau_rise_ms=2, tau_decay_ms=20),
            )
        ],
        sample_steps=50,
    )  # fmt: skip


def drive(samples):
    return Drive(inputs=np.zeros((samples, 1, 0)), noise=SharedNoise(seed=1))


OPTIONS = {
    "reference": {"backend": "reference"},
    "snntorch": {"backend": "snntorch", "compiled": False},
    "brian2": {"backend": "brian2", "target": "standalone"},
}


@pytest.fixture(scope="module")
def little_memory():
    """Number and digest of the spikes of a network of 40,000, simulated with little memory.

    A dense matrix of 40,000 x 40,000 takes 6.4 GB even in float32: there is no room for it.
    """

    def work(_part, _report):
        held = Path("/proc/self/statm").read_text().split()[0]
        room = int(held) * resource.getpagesize() + 4 * 2**30
        resource.setrlimit(resource.RLIMIT_AS, (room, room))
        network, given, found = sparse_network(40_000), drive(1), {}
        for name, options in OPTIONS.items():
            codes = simulate(network, given, **options).spikes.codes()
            found[name] = len(codes), hashlib.sha256(codes.tobytes()).hexdigest()
        return found

    (found,) = in_processes(work, 1)
    return found


@pytest.mark.parametrize("name", OPTIONS)
def test_no_backend_makes_a_dense_matrix_of_sparse_weights(name, little_memory):
    assert little_memory[name][0] > 100


@pytest.mark.parametrize("name", ["snntorch", "brian2"])
def test_a_large_sparse_network_fires_the_same_spikes_everywhere(name, little_memory):
    assert little_memory[name] == little_memory["reference"]
