"""One network of every form there is, for what is slow to build: a new form is added here.

Neuron models and their steps, filters of both sides that start empty and not, delays of projections
and of neurons, dense, sparse and factored weights, analog input direct and filtered, spikes as
input, gains and none, noise and none, refractory periods, stimulation, a readout that is a state;
asymmetric throughout.
"""

from dataclasses import replace

import numpy as np
from conftest import drive_for
from scipy import sparse

from bridge.spiking.filters import Direct, DoubleExponential, Exponential
from bridge.spiking.initial_voltage import NormalVoltage, UniformVoltage
from bridge.spiking.inputs import Input
from bridge.spiking.network import Channel, Readout, SpikingNetwork, StateReadout
from bridge.spiking.neurons import Lif, Qif
from bridge.spiking.neurons.activation_if import ActivationIf
from bridge.spiking.population import Population
from bridge.spiking.projection import INPUT, Projection
from bridge.spiking.spikes import Spikes
from bridge.spiking.stimulation import Stimulation
from bridge.spiking.weights import Factored

SAMPLES = 60


def all_forms_network(euler=16, exact=13, square=11, soft=7, seed=6):
    """Four populations of that many neurons; no lag is below two steps, so blocks are of two."""
    rng = np.random.default_rng(seed)
    sizes = {"euler": euler, "exact": exact, "square": square, "soft": soft}

    def some(post, pre, scale):
        shape = (sizes[post], sizes[pre])
        return sparse.random_array(shape, density=0.4, rng=rng, data_sampler=rng.normal) * scale

    def all_of(post, pre, scale):
        return rng.normal(0, scale, (sizes[post], sizes.get(pre, 2)))

    def slow(of, **side):
        return DoubleExponential(
            tau_rise_ms=2, tau_decay_ms=rng.uniform(10, 40, sizes.get(of, 2)), **side
        )

    between = [
        ("euler", "euler", slow("euler"), 0, all_of("euler", "euler", 0.3)),
        ("exact", "euler", Exponential(tau_ms=5, normalisation="area"), 15,
         some("euler", "exact", 0.1)),
        ("euler", "exact", Direct(), 3, some("exact", "euler", 2.0)),
        ("square", "exact", Exponential(tau_ms=rng.uniform(3, 9, square), normalisation="jump",
         side="pre"), 2, some("exact", "square", 1.5)),
        ("euler", "square", slow("euler", side="pre"), 0, all_of("square", "euler", 0.5)),
        (INPUT, "euler", Direct(), 0, all_of("euler", INPUT, 2.0)),
        (INPUT, "exact", Exponential(tau_ms=4, normalisation="jump"), 0,
         all_of("exact", INPUT, 0.05)),
        (INPUT, "square", slow(INPUT, side="pre"), 0, all_of("square", INPUT, 0.02)),
        ("train", "exact", Exponential(tau_ms=4, normalisation="jump"), 3,
         all_of("exact", "train", 8.0)),
        ("euler", "soft", Exponential(tau_ms=6, normalisation="jump"), 2,
         all_of("soft", "euler", 2.0)),
        ("soft", "square", Exponential(tau_ms=8, normalisation="gain", gain=0.4), 3,
         all_of("square", "soft", 20.0)),
    ]  # fmt: skip
    readout = Exponential(tau_ms=20, normalisation="area")
    return SpikingNetwork(
        dt_ms=0.1,
        populations=_populations(sizes, rng),
        projections=newer(
            Projection(
                name=f"{source}_to_{target}", source=source, target=target, filter=filter_,
                delay_steps=delay, weights=weights,
                within_step=source == "train",
            )
            for source, target, filter_, delay, weights in between
        ),
        readouts=[
            Readout(
                name="output", bias=[0.5, -0.5],
                channels=[
                    Channel(source="euler", weights=all_of_two(rng, euler), filter=slow("euler")),
                    Channel(source="square", weights=all_of_two(rng, square), filter=readout),
                ],
            ),
            StateReadout(name="state", source="square"),
        ],
        inputs=[Input(INPUT, 2), Input("train", 2, emits="spikes")],
        sample_steps=10,
        sample_offset_steps=3,
    )  # fmt: skip


def newer(projections):
    """The same with delays of neurons, factors, filters that hold something, one without gain."""
    rng = np.random.default_rng(7)
    first, second, third, fourth, fifth, *others = projections
    factors = Factored(left=fifth.weights[:, :2], right=rng.normal(0, 1, (2, fifth.shape[1])))
    return [
        replace(first, initial_states={"h": 40.0, "x": rng.normal(0, 1, first.shape[0])}),
        replace(second, scaled=False),
        replace(third, delay_steps=2 + rng.permutation(third.shape[1]) % 7),
        replace(fourth, delay_steps=2 + rng.permutation(fourth.shape[1]) % 7),
        replace(fifth, weights=factors, initial_states={"x": 1.0}),
        *others,
    ]


def all_of_two(rng, size):
    """Weights of two outputs."""
    return rng.normal(0, 0.1, (2, size))


def _populations(sizes, rng):
    leaky = {"tau_mem_ms": 10.0, "v_rest_mv": -60.0, "v_threshold_mv": -45.0, "v_reset_mv": -62.0}
    neurons = {
        "euler": Lif(
            membrane_step="euler", **leaky, bias_mv=rng.uniform(14, 18, sizes["euler"]),
            refractory_steps=20, initial_refractory_steps=7,
        ),
        "exact": Lif(
            membrane_step="exact", **leaky, bias_mv=rng.uniform(15, 17, sizes["exact"]),
        ),
        "square": Qif(
            tau_mem_ms=rng.uniform(8, 12, sizes["square"]), v_threshold_mv=30, v_reset_mv=-65,
            bias_mv=rng.uniform(-20, 60, sizes["square"]), refractory_steps=10,
        ),
        "soft": ActivationIf(
            activation="relu", gain_hz=rng.uniform(100, 300, sizes["soft"]),
            bias=rng.normal(0, 1, sizes["soft"]), highest_rate=5.0, initial_refractory_steps=9,
        ),
    }  # fmt: skip
    starts = {
        "euler": UniformVoltage(low_mv=-62, high_mv=-46),
        "exact": NormalVoltage(mean_mv=-55, sd_mv=4),
        "square": UniformVoltage(low_mv=-20, high_mv=-6),
        "soft": UniformVoltage(low_mv=0, high_mv=1),
    }
    square = rng.uniform(0.05, 0.2, sizes["square"])
    noise = {"euler": 0.3, "exact": 0.0, "square": square, "soft": 0.0}
    return [
        Population(
            name=name, size=size, neurons=neurons[name], initial_voltage=starts[name],
            noise_mv=noise[name],
        )
        for name, size in sizes.items()
    ]  # fmt: skip


def stimulation_of(network, steps):
    """Two stimulations of neurons of two populations each: which these are decides the code."""
    euler, exact, square, _ = (network.span(part.name).start for part in network.populations)
    pushes = (
        Stimulation(
            start_step=30, stop_step=200, neurons=[euler, euler + 3, exact + 2], amplitude_mv=1.5
        ),
        Stimulation(
            start_step=100, stop_step=555, neurons=[square + 1, exact + 3], amplitude_mv=-0.3,
            probability=0.2, seed=3,
        ),
    )  # fmt: skip
    return tuple(
        replace(push, stop_step=min(push.stop_step, steps))
        for push in pushes
        if push.start_step < steps
    )


def all_forms_drive(network, trials=3, samples=SAMPLES):
    """Input and spikes, noise, a gain for each trial, and two stimulations."""
    gains = np.resize([1.0, 0.7, 1.3], trials)
    steps = samples * network.sample_steps
    fired = np.random.default_rng(1).random((trials, steps, 2)) < 0.05
    spikes = {"train": Spikes.gather(*np.nonzero(fired), fired.shape)}
    return drive_for(
        network, samples, trials=trials, recurrent_gain=gains, spikes=spikes,
        stimulation=stimulation_of(network, steps),
    )  # fmt: skip
