import numpy as np
import pytest

import bridge
from bridge.errors import SpecError
from bridge.methods.one_to_one import SpikingOptions, map_one_to_one
from bridge.methods.response import averaged, firing_rates_hz
from bridge.rate.network import RateNetwork
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.neurons import Lif
from bridge.spiking.population import Population

CURRENTS = np.array([-1.0, 0.0, 1.0, 3.0, 10.0])
COPIES, TRIALS, SAMPLES, SETTLING = 8, 50, 60, 1500


@pytest.mark.parametrize(
    "chosen", [{}, {"refractory_ms": 10}, {"neuron": "qif"}], ids=["lif", "refractory", "qif"]
)
def test_the_rates_are_those_of_simulated_neurons(chosen):
    current = np.repeat(CURRENTS, COPIES)
    rate = RateNetwork(
        recurrent=np.zeros((current.size, current.size)), w_in=current[:, None],
        w_out=np.zeros((1, current.size)), b_out=[0.0], tau_ms=30.0,
    )  # fmt: skip
    network = map_one_to_one(rate, 1.0, SpikingOptions(**chosen))
    drive = bridge.Drive(inputs=np.ones((SAMPLES, TRIALS, 1)), noise=bridge.SharedNoise(seed=1))
    spikes = bridge.simulate(network, drive, backend="compiled").spikes
    late = spikes.neuron[spikes.step >= SETTLING] // COPIES
    counts = np.bincount(late, minlength=CURRENTS.size)
    seconds = TRIALS * COPIES * (SAMPLES * 100 - SETTLING) * 5e-5
    expected = firing_rates_hz(network.populations[0], CURRENTS, 0.05) * seconds
    # These neurons fire more regularly than Poisson's: four s.d. of a count, plus half a per cent
    # for what a diffusion and steps of 0.05 ms differ in.
    assert np.all(np.abs(counts - expected) < 4 * np.sqrt(expected) + 0.005 * expected)
    assert expected.min() > 500


def lif(noise_mv):
    neurons = Lif(
        membrane_step="euler", tau_mem_ms=10, v_rest_mv=0, v_threshold_mv=-40, v_reset_mv=-65,
        bias_mv=-40, refractory_steps=40,
    )  # fmt: skip
    start = UniformVoltage(low_mv=-65, high_mv=-65)
    return Population(name="one", size=1, neurons=neurons, initial_voltage=start, noise_mv=noise_mv)


def test_far_above_threshold_the_rate_is_that_without_noise():
    current = np.array([20.0, 40.0])
    period_ms = 2.0 + 10.0 * np.log((current + 25) / current)
    # 0.1 mV of noise a step: a part in 200 at most, so far above threshold.
    np.testing.assert_allclose(
        firing_rates_hz(lif(0.1), current, 0.05), 1000 / period_ms, rtol=5e-3
    )


def test_far_below_threshold_nothing_fires_and_nothing_overflows():
    rates = firing_rates_hz(lif(0.1), np.array([-500.0, -12.0]), 0.05)
    assert rates[0] == rates[1]
    assert 0 <= rates[0] < 1e-9


def test_without_noise_there_is_no_such_response():
    with pytest.raises(SpecError, match="known only with noise"):
        firing_rates_hz(lif(0.0), np.zeros(1), 0.05)


def test_slow_fluctuations_average_a_parabola_to_mean_and_variance():
    # The mean of x^2 is m^2 + sd^2; the grid's chords lie above by at most step^2 / 8.
    grid = np.arange(-60.0, 60.0, 0.01)
    mean, sd = np.array([[0.5], [2.0]]), np.array([0.0, 1.0, 3.0])
    np.testing.assert_allclose(averaged(grid**2, grid, mean, sd), mean**2 + sd**2, atol=2e-5)
