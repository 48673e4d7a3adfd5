"""The networks that are measured: like those of real work in rate, form and input, at any size."""

import numpy as np
from scipy import sparse

from bridge.methods.one_to_one import map_one_to_one
from bridge.rate.network import RateNetwork
from bridge.spiking.drive import Drive, SharedNoise
from bridge.spiking.filters import DoubleExponential
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.neurons import Lif
from bridge.spiking.population import Population
from bridge.spiking.projection import Projection
from bridge.tasks import task

SAMPLE_S = 0.005
INVERSE_SCALE = 30.0
# Units have a fifth of all connections, weights as before training (bridge.rate). On average they
# inhibit: about 9 Hz at every N, as after training; without, 24 Hz.
_DENSITY, _GAIN, _INHIBITION = 0.2, 0.8, 6.0
_SPARSE_DENSITY, _SPARSE_BIAS_MV = 0.01, -42.2


def one_to_one_network(n: int) -> SpikingNetwork:
    """An untrained rate network of `n` units for Go-NoGo, mapped one to one; step 0.05 ms."""
    rng = np.random.default_rng(n)
    weights = rng.normal(0, _GAIN / np.sqrt(n * _DENSITY), (n, n)) - _INHIBITION / (n * _DENSITY)
    rate = RateNetwork(
        recurrent=weights * (rng.random((n, n)) < _DENSITY),
        w_in=rng.standard_normal((n, 1)),
        w_out=rng.standard_normal((1, n)) / 100,
        b_out=np.zeros(1),
        tau_ms=rng.uniform(20, 100, n),
        task="go-nogo",
    )
    return map_one_to_one(rate, INVERSE_SCALE)


def sparse_network(n: int) -> SpikingNetwork:
    """LIF neurons with 1 % of all connections, firing at about 5 Hz; step 0.1 ms."""
    rng = np.random.default_rng(n)
    sd = _GAIN / np.sqrt(n * _SPARSE_DENSITY) / INVERSE_SCALE
    weights = sparse.random_array(
        (n, n), density=_SPARSE_DENSITY, rng=rng, data_sampler=lambda size: rng.normal(0, sd, size)
    )
    neurons = Lif(
        membrane_step="euler",
        tau_mem_ms=10.0,
        v_rest_mv=0.0,
        v_threshold_mv=-40.0,
        v_reset_mv=-65.0,
        bias_mv=_SPARSE_BIAS_MV,
        refractory_steps=20,
        initial_refractory_steps=20,
    )
    start = UniformVoltage(low_mv=-65.0, high_mv=-40.0)
    synapse = DoubleExponential(tau_rise_ms=2.0, tau_decay_ms=rng.uniform(20, 100, n))
    return SpikingNetwork(
        dt_ms=0.1,
        populations=(
            Population(name="units", size=n, neurons=neurons, initial_voltage=start, noise_mv=0.14),
        ),
        projections=(
            Projection(
                name="recurrent", source="units", target="units", weights=weights, filter=synapse
            ),
        ),
        sample_steps=50,
    )


def drive_for(network: SpikingNetwork, trials: int, simulated_s: float) -> Drive:
    """Shared noise, and where there are inputs those of Go-NoGo's first `simulated_s` seconds."""
    samples = max(1, round(simulated_s / SAMPLE_S))
    inputs = task("go-nogo").trials(trials, np.random.default_rng(0)).inputs[:samples]
    return Drive(inputs=inputs[:, :, : network.input_size], noise=SharedNoise(seed=1))
