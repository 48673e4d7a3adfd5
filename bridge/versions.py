"""Which version of a package is installed, looked up once: reading its description takes long."""

from functools import cache
from importlib import import_module


@cache
def version(package: str) -> str:
    """As `importlib.metadata.version`, which is not loaded before it is asked."""
    found: str = import_module("importlib.metadata").version(package)
    return found
