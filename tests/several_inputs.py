"""A network of four inputs, two analog and two that emit spikes, and what drives it."""

import numpy as np
from scipy import sparse

from bridge.spiking.drive import Drive, SharedNoise
from bridge.spiking.filters import Direct, DoubleExponential, Exponential
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.inputs import Input
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.neurons import Lif
from bridge.spiking.population import Population
from bridge.spiking.projection import Projection
from bridge.spiking.spikes import Spikes

SIZES = {"near": 6, "far": 5}
INPUTS = (
    Input("light", 2),
    Input("touch", 4, emits="spikes"),
    Input("sound", 3),
    Input("nerve", 7, emits="spikes"),
)
GIVEN = {part.name: part.size for part in INPUTS}


def population(name, noise_mv=0.02):
    neurons = Lif(
        membrane_step="euler", tau_mem_ms=8.0, v_rest_mv=0.0, v_threshold_mv=1.0, v_reset_mv=0.0,
        refractory_steps=2 if name == "near" else 0,
    )  # fmt: skip
    start = UniformVoltage(low_mv=0.0, high_mv=0.9)
    return Population(
        name=name, size=SIZES[name], neurons=neurons, initial_voltage=start, noise_mv=noise_mv
    )


def projection(source, target, filter_, weights, **fields):
    name = f"{source}_to_{target}"
    return Projection(
        name=name, source=source, target=target, filter=filter_, weights=weights, **fields
    )


def several_inputs(seed=3):
    """Two populations and four inputs: every filter and side, delays, and within the step."""
    rng = np.random.default_rng(seed)

    def weights(post, pre, scale):
        return rng.normal(scale, abs(scale), (SIZES[post], (SIZES | GIVEN)[pre]))

    def some(post, pre, scale):
        return sparse.csc_array(np.where(rng.random((SIZES[post], GIVEN[pre])) < 0.5,
                                         weights(post, pre, scale), 0.0))  # fmt: skip

    jump = {"normalisation": "jump"}
    rise = rng.uniform(0.5, 2, SIZES["far"])
    return SpikingNetwork(
        dt_ms=0.5,
        populations=[population(name) for name in SIZES],
        projections=[
            projection("sound", "near", Direct(), some("near", "sound", 0.4)),
            projection("light", "near", Exponential(tau_ms=4.0, **jump, side="pre"),
                       weights("near", "light", 0.2), delay_steps=2),
            projection("light", "far", Exponential(tau_ms=4.0, **jump),
                       weights("far", "light", 0.2), within_step=True),
            projection("touch", "near", Direct(), weights("near", "touch", 2.0), within_step=True),
            projection("touch", "far", DoubleExponential(tau_rise_ms=rise, tau_decay_ms=5.0),
                       weights("far", "touch", 0.01), within_step=True),
            projection("nerve", "near", Exponential(tau_ms=rng.uniform(2, 6, 7), **jump,
                       side="pre"), weights("near", "nerve", 0.5), delay_steps=3),
            projection("nerve", "far", Exponential(tau_ms=3.0, **jump), some("far", "nerve", 1.0)),
            projection("near", "far", Exponential(tau_ms=3.0, **jump), weights("far", "near", 0.4)),
            projection("far", "near", Direct(), weights("near", "far", -0.4), delay_steps=1),
        ],
        inputs=INPUTS,
        sample_steps=6,
        sample_offset_steps=2,
    )  # fmt: skip


def trains(rng, trials, steps, size, share=0.08):
    """Spikes that fall in any step, the first and the last among them."""
    fired = rng.random((trials, steps, size)) < share
    fired[0, [0, -1], 0] = True
    return Spikes.gather(*np.nonzero(fired), fired.shape)


def drive(samples=40, trials=3, **fields):
    rng = np.random.default_rng(1)
    steps = samples * 6
    return Drive(
        inputs=rng.uniform(0, 1, (samples, trials, 5)), noise=SharedNoise(seed=4),
        spikes={
            "nerve": trains(rng, trials, steps, 7), "touch": trains(rng, trials, steps, 4),
        },
        recurrent_gain=np.array([1.0, 0.7, 1.3])[:trials], **fields,
    )  # fmt: skip
