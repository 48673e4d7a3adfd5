"""spikingjelly: `import_from_nir`, whose time step is an argument, 0.1 ms where it is not given."""

from typing import Any

from bridge.conformance.importers import EXTRA
from bridge.conformance.importers.torch_steps import Array, stepped

TITLE = "spikingjelly"
PACKAGES = ("spikingjelly", "nirtorch", "nir")
INSTALL = EXTRA


def load() -> Any:
    """What imports a graph."""
    from spikingjelly.activation_based.nir_exchange import import_from_nir

    return import_from_nir


def run(path: str, inputs: Array, dt_s: float | None) -> Array:
    """See `bridge.conformance.importers`."""
    options = {} if dt_s is None else {"dt": dt_s}
    return stepped(load()(path, **options), inputs)
