"""A rate network without a task whose spiking counterpart is known, and inputs for it.

Inputs of 1 and -1 push its units to rates of nearly 1 and 0, and a LIF neuron at a current of 5 mV
to 50 Hz and 0: at 1/lambda = 50 its output is the rate network's.
"""

import numpy as np

from bridge.rate.network import RateNetwork
from bridge.spiking.drive import Drive, SharedNoise

PUSH_MV = 5.0
RIGHT_SCALE = 1000 / (2.0 + 10.0 * np.log((PUSH_MV + 25) / PUSH_MV))


def switch_network(size=8, **fields):
    side = np.where(np.arange(size) % 3, 1.0, -1.0)
    given = {
        "recurrent": np.zeros((size, size)), "w_in": PUSH_MV * side[:, None],
        "w_out": side[None] / size, "b_out": [0.25], "tau_ms": np.linspace(20, 40, size),
    } | fields  # fmt: skip
    return RateNetwork(**given)


def switched_inputs(trials=6, samples=60):
    """(T, B, 1) of 1 and -1, each for 100 ms."""
    held = 20
    steps = np.random.default_rng(5).choice([-1.0, 1.0], (samples // held + 1, trials, 1))
    # Whatever chance says, every trial changes once.
    steps[1] = -steps[0]
    return np.repeat(steps, held, axis=0)[:samples]


def switched_drive(trials=6, samples=60, **fields):
    return Drive(inputs=switched_inputs(trials, samples), noise=SharedNoise(seed=3), **fields)
