"""Neuron models and filters in a few words, as `info` shows them."""

import pytest

from bridge.spiking.filters import Direct, DoubleExponential, Exponential
from bridge.spiking.neurons import Lif
from bridge.spiking.neurons.function_unit import FunctionUnit
from bridge.spiking.neurons.src import Src

LIF = {"tau_mem_ms": 10.0, "v_rest_mv": 0.0, "v_threshold_mv": 1.0, "v_reset_mv": 0.0}
SAID = [
    (Lif(membrane_step="euler", **LIF), "LIF, euler step, 0 refractory steps"),
    (
        Lif(membrane_step="exact", reset_by="subtraction", fires_where="above_threshold", **LIF),
        "LIF, exact step, fires where above threshold, reset by subtraction, 0 refractory steps",
    ),
    (Src(gate="sigmoid"), "SRC, sigmoid gate, 0 refractory steps"),
    (FunctionUnit(function="square"), "Function, square function, 0 refractory steps"),
    (Direct(), "Direct"),
    (DoubleExponential(tau_rise_ms=1, tau_decay_ms=5), "DoubleExponential"),
    (
        Exponential(tau_ms=5, normalisation="area", side="pre"),
        "Exponential, unit area of the presynaptic side",
    ),
    (
        Exponential(tau_ms=5, normalisation="gain", gain=2.0, filter_step="euler"),
        "Exponential, gain of its own, Euler steps",
    ),
]


@pytest.mark.parametrize(("part", "said"), SAID)
def test_a_part_is_told_by_what_was_chosen(part, said):
    assert part.described() == said
