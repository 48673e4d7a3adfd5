"""Networks that a GPU's kernel takes: of every form, and drawn by chance."""

from dataclasses import fields, replace

import numpy as np
from all_forms import all_forms_network
from several_inputs import several_inputs
from several_inputs import trains as spikes_of_inputs

from bridge.spiking.drive import Drive, SharedNoise
from bridge.spiking.filters import Exponential
from bridge.spiking.network import StateReadout
from bridge.spiking.projection import Projection
from bridge.spiking.stimulation import Stimulation
from bridge.spiking.weights import Factored


def for_a_kernel(network):
    """A network with what a kernel refuses of its projections made into what it takes."""
    return replace(network, projections=[_postsynaptic(part) for part in network.projections])


def _postsynaptic(projection):
    """Filters of the presynaptic side move to the other, factors are multiplied."""
    weights = projection.weights
    if isinstance(weights, Factored):
        left, right = (getattr(part, "toarray", lambda part=part: part)() for part in
                       (weights.left, weights.right))  # fmt: skip
        weights = left @ right
    if projection.filter.side != "pre":
        return replace(projection, weights=weights)
    filter_ = replace(projection.filter, side="post", **_means(projection.filter))
    starts = {name: float(np.mean(value)) for name, value in projection.initial_states.items()}
    return replace(projection, weights=weights, filter=filter_, initial_states=starts)


def _means(filter_):
    """One number where each presynaptic neuron had its own."""
    given = {field.name: getattr(filter_, field.name) for field in fields(filter_) if field.init}
    return {name: float(np.mean(value)) for name, value in given.items()
            if isinstance(value, np.ndarray)}  # fmt: skip


def all_kernel_forms():
    """Four populations, spiking and analog inputs, late and not, sizes that are no power of two."""
    network = for_a_kernel(all_forms_network(euler=18, exact=5, square=4, soft=3))
    rng = np.random.default_rng(3)
    late = {"delay_steps": rng.permutation(2) * 3 + 1}
    more = [
        Projection(
            name="late_train", source="train", target="euler", weights=rng.normal(0, 2, (18, 2)),
            filter=Exponential(tau_ms=4, normalisation="jump"), **late,
        ),
        Projection(
            name="late_input", source="input", target="square", weights=rng.normal(0, 1, (4, 2)),
            filter=Exponential(tau_ms=[3, 4, 5, 6], normalisation="jump"), **late,
        ),
        Projection(
            name="at_once", source="euler", target="soft", weights=rng.normal(0, 1, (3, 18)),
            filter=Exponential(tau_ms=4, normalisation="jump"), within_step=True,
        ),
    ]  # fmt: skip
    shown = [StateReadout(name="soft_state", source="soft")]
    return replace(
        network, dt_ms=0.5, projections=[*network.projections, *more],
        readouts=[*network.readouts, *shown],
    )  # fmt: skip


def driven(network, samples, trials=2, seed=5):
    """Input, spikes, gains, and two stimulations, one of them by chance."""
    rng = np.random.default_rng(seed)
    steps = samples * network.sample_steps
    pushes = (
        Stimulation(
            start_step=2,
            stop_step=steps - 1,
            neurons=sorted({0, network.size - 1}),
            amplitude_mv=1.5,
        ),
        Stimulation(
            start_step=5,
            stop_step=steps,
            neurons=[network.size // 2],
            amplitude_mv=0.7,
            probability=0.4,
            seed=3,
        ),
    )
    return Drive(
        inputs=rng.normal(0, 1, (samples, trials, network.input_size)),
        noise=SharedNoise(seed=seed),
        recurrent_gain=np.linspace(0.7, 1.3, trials),
        spikes={
            part.name: spikes_of_inputs(rng, trials, steps, part.size)
            for part in network.spiking_inputs()
        },
        stimulation=pushes,
    )


def several_kernel_inputs():
    """Two populations of five and six neurons, and four inputs."""
    return for_a_kernel(several_inputs())
