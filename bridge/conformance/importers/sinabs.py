"""sinabs: `sinabs.nir.from_nir`, which knows no time step: time constants count steps.

Its layers keep their states themselves. They are run step by step, so that loops can act.
"""

from typing import Any

from bridge.conformance.importers import OWN
from bridge.conformance.importers.torch_steps import Array, stepped

TITLE = "sinabs"
PACKAGES = ("sinabs", "nirtorch", "nir")
INSTALL = OWN.format("sinabs", "sinabs")


def load() -> Any:
    """What imports a graph."""
    import nir
    from sinabs.nir import from_nir

    return nir.read, from_nir


def run(path: str, inputs: Array, dt_s: float | None) -> Array:
    """See `bridge.conformance.importers`; it takes no time step."""
    read, made = load()
    return stepped(made(read(path), batch_size=inputs.shape[1]), inputs)
