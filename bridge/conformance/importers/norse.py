"""Norse: `norse.torch.from_nir`, whose time step is an argument, 1 ms where it is not given."""

from typing import Any

from bridge.conformance.importers import EXTRA
from bridge.conformance.importers.torch_steps import Array, stepped

TITLE = "Norse"
PACKAGES = ("norse", "nirtorch", "nir")
INSTALL = EXTRA


def load() -> Any:
    """What imports a graph."""
    import nir
    from norse.torch.utils.import_nir import from_nir

    return nir.read, from_nir


def run(path: str, inputs: Array, dt_s: float | None) -> Array:
    """See `bridge.conformance.importers`."""
    read, made = load()
    options = {} if dt_s is None else {"dt": dt_s}
    return stepped(made(read(path), **options), inputs)
