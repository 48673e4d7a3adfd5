"""What is snnTorch's alone: the compiled step, its noise, its gradient."""

import numpy as np
import pytest
import torch
from conftest import NETWORKS, drive_for, kim_network
from scipy import stats
from snntorch import SpikingNeuron

from bridge.backends import simulate
from bridge.backends.counter_noise import fill
from bridge.backends.lif_cell import LifCell, just_below


def numbers(key, half=200_000):
    out = torch.empty(2 * half)
    counter = torch.arange(half, dtype=torch.int32)
    fill(counter, torch.tensor(key, dtype=torch.int32), out)
    return out.double().numpy()


def test_counter_noise_is_standard_normal():
    drawn = numbers((123, 456))
    # A KS test of 400,000 numbers resolves 0.3 %; seeded, so it cannot fail by chance later.
    assert stats.kstest(drawn, "norm").pvalue > 0.01
    assert abs(stats.kurtosis(drawn)) < 4 * np.sqrt(24 / drawn.size)
    assert np.abs(drawn).max() > 4


def test_counter_noise_has_no_memory_between_neighbours_halves_or_keys():
    drawn, other = numbers((123, 456)), numbers((123, 457))
    half = drawn.size // 2
    pairs = [
        (drawn[:-1], drawn[1:]),
        (drawn[:half], drawn[half:]),
        (drawn[:half] ** 2, drawn[half:] ** 2),
        (drawn, other),
    ]
    for one, two in pairs:
        # The correlation of n independent numbers has s.d. 1 / sqrt(n).
        assert abs(np.corrcoef(one, two)[0, 1]) < 4 / np.sqrt(one.size)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_compiled_step_repeats_the_eager_one_bit_for_bit(name):
    make, samples = NETWORKS[name]
    network = make()
    drive = drive_for(network, min(samples, 60), recurrent_gain=[1.0, 0.8])
    eager, compiled = (
        simulate(network, drive, backend="snntorch", voltages=True, compiled=choice)
        for choice in (False, True)
    )
    assert compiled.provenance["compiled"]
    np.testing.assert_array_equal(eager.spikes.codes(), compiled.spikes.codes())
    np.testing.assert_array_equal(eager.voltages_mv, compiled.voltages_mv)


def test_many_trials_give_the_spikes_of_few():
    # Large batches look for spikes in another way.
    network = kim_network(size=100)
    drive = drive_for(network, 3, trials=250)
    many = simulate(network, drive, backend="snntorch").spikes
    few = simulate(network, drive.trials(200, 210), backend="snntorch").spikes
    mine = (many.trial >= 200) & (many.trial < 210)
    np.testing.assert_array_equal(many.step[mine], few.step)
    np.testing.assert_array_equal(many.neuron[mine], few.neuron)


def test_the_cell_is_an_snntorch_neuron_with_a_gradient():
    neurons = kim_network(size=4).populations[0].neurons
    cell = LifCell(neurons, 0.05)
    assert isinstance(cell, SpikingNeuron)
    assert cell not in SpikingNeuron.instances
    state = cell.start(torch.full((2, 4), -41.0, dtype=torch.float64))
    current = torch.full((2, 4), -39.0, dtype=torch.float64, requires_grad=True)
    total = torch.zeros(())
    for step in range(38, 45):
        spikes, state = cell(current, state, step)
        total = total + spikes.sum()
    total.backward()
    # Free from step 40 on: a stronger current brings the spike nearer.
    assert (current.grad > 0).all()
    assert spikes.dtype == torch.float64


def test_the_cell_steps_as_the_contract_says():
    neurons = kim_network(size=1).populations[0].neurons
    cell = LifCell(neurons, 0.05)
    state = (torch.tensor([[-40.5]]).double(), torch.tensor([[0.0]]).double())
    strong = torch.tensor([[100.0]]).double()
    spikes, (v, free_from) = cell(strong, state, 7)
    # -40.5 + 0.005 (100 + 40.5) is above -40: it fires, resets, and is free again at 7 + 1 + 40.
    assert (spikes.item(), v.item(), free_from.item()) == (1.0, -65.0, 48.0)
    _, (v, _) = cell(strong, (v, free_from), 47)
    assert v.item() == -65.0
    _, (v, _) = cell(strong, (v, free_from), 48)
    assert v.item() == pytest.approx(-65 + 0.005 * 165)


@pytest.mark.parametrize("threshold", [-40.0, 0.0, 1e-16, 30.0])
def test_firing_strictly_above_what_is_just_below_is_firing_at_threshold(threshold):
    below = just_below(torch.tensor([threshold], dtype=torch.float64))
    assert torch.tensor(threshold, dtype=torch.float64) > below
    assert torch.finfo(torch.float64).tiny <= below.abs()
    step = abs(threshold - below.item())
    assert step <= max(np.spacing(abs(threshold)), 2.3e-308)
