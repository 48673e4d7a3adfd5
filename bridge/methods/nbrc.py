"""The neuromodulated bistable recurrent cell as a network of the description.

The gates of a unit read all units, and multiply states. No neuron model can say that, as a single
current arrives at a neuron. Populations can: a function of a weighted sum is a population of
function units, and a product is a difference of squares, a b = ((a + b)^2 - (a - b)^2) / 4.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from bridge.errors import SpecError
from bridge.spiking.arrays import per_neuron
from bridge.spiking.filters import Direct
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import SpikingNetwork, StateReadout
from bridge.spiking.neurons import NeuronModel
from bridge.spiking.neurons.function_unit import FunctionUnit
from bridge.spiking.neurons.linear import Linear
from bridge.spiking.population import Population
from bridge.spiking.projection import INPUT, Projection
from bridge.spiking.weights import Weights, frozen_weights
from bridge.versions import version

METHOD = "nBRC (Vecoven, Ernst & Drion 2021)"
GATE_A, GATE_C, SQUARES_A, CANDIDATE, SQUARES_C, H = (
    "gate_a", "gate_c", "squares_a", "candidate", "squares_c", "h"
)  # fmt: skip


def nbrc_network(  # noqa: PLR0913
    *,
    u: Weights | ArrayLike,
    u_a: Weights | ArrayLike,
    u_c: Weights | ArrayLike,
    w_a: Weights | ArrayLike,
    w_c: Weights | ArrayLike,
    bias: ArrayLike = 0.0,
    b_a: ArrayLike = 0.0,
    b_c: ArrayLike = 0.0,
    dt_ms: float,
) -> SpikingNetwork:
    """A layer of neuromodulated bistable recurrent cells, nBRC (Vecoven, Ernst & Drion 2021).

    x is the input, and h on the right that of all N units after the step before, at first 0.
    a = 1 + tanh(u_a x + w_a h + b_a);  c = sigmoid(u_c x + w_c h + b_c);
    h <- c h + (1 - c) tanh(u x + a h + bias). Without input and bias a unit has two stable h
    while its a is above 1, else one, h = 0; c is what a step leaves of h. Both depend on the other
    units. Where `w_a` and `w_c` are diagonal it is the publication's BRC. Nothing has a unit, and
    a step is one of the layer, whatever it lasts.

    h is made by populations that act one after the other within the step, of N units each, or 2N.

    - "gate_a": a - 1.
    - "gate_c": c.
    - "squares_a", 2N: (a + h)^2, and then (a - h)^2, of which a h is made.
    - "candidate": the tanh, n.
    - "squares_c", 2N: (c + h - n)^2, and then (c - h + n)^2.
    - "h": n + c (h - n).

    It differs from the equations by rounding alone, and is the same bits in every exact backend.
    The gain of a drive acts on `w_a` and `w_c`.

    Args:
        u: (N, C) weights of C input channels on h; dense or sparse, as all weights.
        u_a: (N, C) weights of the input on a.
        u_c: (N, C) weights of the input on c.
        w_a: (N, N) weights of h on a; `scipy.sparse.diags_array(w)` makes a diagonal.
        w_c: (N, N) weights of h on c.
        bias: Of h; one number or (N,), as all biases.
        b_a: Of a: without all else a is 1 + tanh(b_a).
        b_c: Of c: without all else c is sigmoid(b_c).
        dt_ms: How long a step lasts, ms.

    Returns:
        A network of one input with C channels; its readout "h" has N outputs.

    Raises:
        SpecError: shapes do not fit, or a number is not finite.
    """
    on_h = frozen_weights("u", u)
    size, channels = on_h.shape
    inputs = {CANDIDATE: on_h}
    for target, name, given in ((GATE_A, "u_a", u_a), (GATE_C, "u_c", u_c)):
        inputs[target] = _weights(name, given, (size, channels))
    gates = {
        target: _weights(name, given, (size, size))
        for target, name, given in ((GATE_A, "w_a", w_a), (GATE_C, "w_c", w_c))
    }
    biases = (("b_a", b_a), ("b_c", b_c), ("bias", bias))
    return SpikingNetwork(
        dt_ms=dt_ms,
        populations=_populations(*(per_neuron(name, given, size) for name, given in biases)),
        projections=(
            *(_projection(INPUT, target, weights) for target, weights in inputs.items()),
            *(_projection(H, target, weights) for target, weights in gates.items()),
            *_arithmetic(size),
        ),
        readouts=(StateReadout(name=H, source=H),),
        input_size=channels,
        provenance={"method": METHOD, "bridge": version("spikebridge")},
    )


def _weights(name: str, given: Weights | ArrayLike, shape: tuple[int, int]) -> Weights:
    weights = frozen_weights(name, given)
    if weights.shape != shape:
        raise SpecError(f"{name}: expected shape {shape}, got {weights.shape}")
    return weights


def _populations(
    b_a: NDArray[np.float64], b_c: NDArray[np.float64], bias: NDArray[np.float64]
) -> tuple[Population, ...]:
    size = len(bias)
    parts: tuple[tuple[str, int, NeuronModel], ...] = (
        (GATE_A, size, FunctionUnit(function="tanh", bias=b_a)),
        (GATE_C, size, FunctionUnit(function="sigmoid", bias=b_c)),
        # a = 1 + what its gate passes on.
        (SQUARES_A, 2 * size, FunctionUnit(function="square", bias=1.0)),
        (CANDIDATE, size, FunctionUnit(function="tanh", bias=bias)),
        (SQUARES_C, 2 * size, FunctionUnit(function="square")),
        (H, size, Linear()),
    )
    at_0 = UniformVoltage(low_mv=0.0, high_mv=0.0)
    return tuple(
        Population(name=name, size=units, neurons=neurons, initial_voltage=at_0)
        for name, units, neurons in parts
    )


def _arithmetic(size: int) -> Iterator[Projection]:
    """The products, and h = candidate + c (h - candidate); no gain may act on them."""
    one = sparse.eye_array(size)
    both, apart = sparse.vstack([one, one]), sparse.vstack([one, -one])
    # Of the squares of a sum and of a difference, the product.
    product = apart.T / 4
    for source, target, weights in (
        (GATE_A, SQUARES_A, both),
        (H, SQUARES_A, apart),
        (SQUARES_A, CANDIDATE, product),
        (GATE_C, SQUARES_C, both),
        (H, SQUARES_C, apart),
        (CANDIDATE, SQUARES_C, -apart),
        (CANDIDATE, H, one),
        (SQUARES_C, H, product),
    ):
        yield _projection(source, target, weights, scaled=False)


def _projection(source: str, target: str, weights: Weights, *, scaled: bool = True) -> Projection:
    return Projection(
        name=f"{source}_to_{target}",
        source=source,
        target=target,
        weights=weights,
        filter=Direct(),
        # What comes from h is of the step before.
        within_step=source not in (INPUT, H),
        scaled=scaled,
    )
