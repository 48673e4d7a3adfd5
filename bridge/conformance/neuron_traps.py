"""Traps that lie in the fields of neurons, and in the time step."""

from collections.abc import Iterator

import numpy as np

from bridge.conformance.graphs import affine, cuba_lif, graph, if_, lif, node, ports
from bridge.conformance.trap import NEURONS, TRIALS, Trap, of_layer

_EACH = np.array([1.0, 1.25, 1.5, 2.0])


def neuron_traps() -> Iterator[Trap]:
    """All of them."""
    yield of_layer("plain", "LIF with r = 1: no trap", lif(NEURONS))
    yield from _lif_traps()
    yield _tie()
    yield of_layer("if", "IF that sums its input as it is: r = 1 / dt", if_(NEURONS))
    yield of_layer("if-gain", "IF with another r for each neuron", if_(NEURONS, r=_EACH * 1e4))
    yield from _cuba_traps()
    leaky = lif(NEURONS).fields
    li = node("LI", {name: leaky[name] for name in ("tau", "r", "v_leak")})
    yield of_layer("li", "LI, which gives its voltage", li)
    yield from _time_steps()


def _lif_traps() -> Iterator[Trap]:
    yield of_layer("lif-gain", "LIF with another r for each neuron", lif(NEURONS, r=_EACH))
    yield of_layer(
        "each-neuron",
        "LIF with a time constant and a threshold for each neuron",
        lif(NEURONS, tau=_EACH * 1e-3, v_threshold=_EACH[::-1] / 4.0),
    )
    single = {name: values[0] for name, values in lif(NEURONS).fields.items()}
    yield of_layer("scalars", "LIF with single numbers for all neurons", node("LIF", single))
    yield of_layer("v-leak", "LIF with v_leak = 0.25", lif(NEURONS, v_leak=0.25))
    yield of_layer("v-reset", "LIF with v_reset = -0.25", lif(NEURONS, v_reset=-0.25))


def _tie() -> Trap:
    """Voltages that reach their threshold, and do not pass it: all of them are exact in binary."""
    nodes = {
        "input": ports([NEURONS], "Input"),
        "l1_affine": affine(np.eye(NEURONS)),
        # tau = 2 dt: half of the voltage is lost, and half of the input is added.
        "l2_cell": lif(NEURONS, tau=2e-4, v_threshold=2.0),
        "output": ports([NEURONS], "Output"),
    }
    # A voltage has a bit more in each step, so that single precision holds those of few steps.
    inputs = np.random.default_rng(5).integers(0, 5, (12, TRIALS, NEURONS)).astype(float)
    return Trap(
        name="tie",
        what="LIF whose voltage equals the threshold exactly",
        graph=graph(nodes, "input l1_affine l2_cell output"),
        inputs=inputs,
    )


def _cuba_traps() -> Iterator[Trap]:
    yield of_layer("cuba", "CubaLIF with the gains tau / dt", cuba_lif(NEURONS))
    yield of_layer(
        "cuba-gains",
        "CubaLIF with other r and w_in than tau / dt",
        cuba_lif(NEURONS, r=_EACH, w_in=_EACH[::-1] + 0.5, v_threshold=1.5),
    )
    yield of_layer("cuba-v-leak", "CubaLIF with v_leak = 0.25", cuba_lif(NEURONS, v_leak=0.25))


def _time_steps() -> Iterator[Trap]:
    yield of_layer(
        "default-dt",
        "CubaLIF whose gains tau / dt say 0.1 ms; no time step is given",
        cuba_lif(NEURONS),
        dt_is_given=False,
    )
    yield of_layer("other-dt", "LIF at 0.5 ms", lif(NEURONS, tau=1e-2), dt_ms=0.5)
    steps = "IF with r = 1, which means steps of 1 s"
    yield of_layer("if-steps", steps, if_(NEURONS, r=1.0), dt_ms=1e3)
