"""snnTorch: `import_from_nir`, whose time step is always 0.1 ms."""

from typing import Any

from bridge.conformance.importers import EXTRA
from bridge.conformance.importers.torch_steps import Array, stepped

TITLE = "snnTorch"
PACKAGES = ("snntorch", "nirtorch", "nir")
INSTALL = EXTRA


def load() -> Any:
    """What imports a graph."""
    import nir
    from snntorch.import_nir import import_from_nir

    return nir.read, import_from_nir


def run(path: str, inputs: Array, dt_s: float | None) -> Array:
    """See `bridge.conformance.importers`; it takes no time step."""
    read, made = load()
    return stepped(made(read(path)), inputs)
