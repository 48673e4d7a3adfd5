"""SC-NeuroCore, AGPL: `sc_neurocore.nir_bridge.from_nir`, which takes a time step, else 1 s.

It knows no batch: each trial is run with a network of its own.
"""

from typing import Any

import numpy as np

from bridge.conformance.importers import OWN
from bridge.conformance.importers.torch_steps import Array

TITLE = "SC NeuroCore"
PACKAGES = ("sc-neurocore", "nir")
INSTALL = OWN.format("sc-neurocore", "sc_neurocore")


def load() -> Any:
    """What imports a graph."""
    from sc_neurocore.nir_bridge import from_nir

    return from_nir


def run(path: str, inputs: Array, dt_s: float | None) -> Array:
    """See `bridge.conformance.importers`."""
    made, options = load(), {} if dt_s is None else {"dt": dt_s}
    trials = []
    for trial in np.asarray(inputs, dtype=np.float64).swapaxes(0, 1):
        network = made(path, **options)
        (name,) = network.input_nodes
        given = [network.step({name: step}) for step in trial]
        trials.append([np.array(next(iter(step.values()))) for step in given])
    return np.array(trials).swapaxes(0, 1)
