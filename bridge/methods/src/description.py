"""Trained cells as a description, which every backend runs with the same bits."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.methods.src.options import SrcOptions
from bridge.methods.src.readout import TAU_STEPS, grouped
from bridge.spiking.filters import Direct, Exponential
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import SpikingNetwork, StateReadout
from bridge.spiking.neurons.linear import Linear
from bridge.spiking.population import Population
from bridge.spiking.projection import INPUT, Projection
from bridge.tasks.images.task import ImageTask

Array = NDArray[np.float64]

METHOD = "Spiking Recurrent Cells, trained directly (De Geeter, Ernst & Drion 2023)"
OUTPUT = "output"
_AT_0 = UniformVoltage(low_mv=0.0, high_mv=0.0)


def described(
    task: ImageTask,
    options: SrcOptions,
    weights: Sequence[Array],
    biases: Sequence[Array],
    provenance: Mapping[str, Any],
) -> SpikingNetwork:
    """A network of layers within the step, with its readout as a population of leaky sums.

    Args:
        task: What it learned.
        options: How; they say what the cells are.
        weights: (post, pre) of each layer.
        biases: (N,) of each layer.
        provenance: How it was made.
    """
    names = [f"layer_{number}" for number in range(1, len(weights) + 1)]
    cells = tuple(
        Population(
            name=name,
            size=len(bias),
            neurons=replace(options.neurons(), bias=bias),
            initial_voltage=_AT_0,
        )
        for name, bias in zip(names, biases, strict=True)
    )
    units = Population(name=OUTPUT, size=task.output_size, neurons=Linear(), initial_voltage=_AT_0)
    between = zip((INPUT, *names), names, weights, strict=False)
    return SpikingNetwork(
        dt_ms=task.step_ms,
        populations=(*cells, units),
        projections=(*(_layer(*each) for each in between), _readout(cells[-1], task)),
        readouts=(StateReadout(name=OUTPUT, source=OUTPUT),),
        input_size=task.input_size,
        task=task.name,
        provenance={
            **provenance,
            "method": METHOD,
            "options": options.plain(),
            "encoding": task.encoding.told(),
        },
    )


def _layer(source: str, target: str, weights: Array) -> Projection:
    return Projection(
        name=f"{source}_to_{target}",
        source=source,
        target=target,
        weights=weights,
        filter=Direct(),
        within_step=source != INPUT,
    )


def _readout(last: Population, task: ImageTask) -> Projection:
    # An Euler step leaves 1 - dt / tau.
    leaky = Exponential(tau_ms=TAU_STEPS * task.step_ms, normalisation="jump", filter_step="euler")
    return Projection(
        name=f"{last.name}_to_{OUTPUT}",
        source=last.name,
        target=OUTPUT,
        weights=grouped(last.size, task.output_size),
        filter=leaky,
        within_step=True,
    )
