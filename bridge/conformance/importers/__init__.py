"""The readers of NIR that the table knows: a file for each, which imports it when asked to run.

A file gives TITLE, PACKAGES (the importer's own first, then those that read for it), INSTALL,
`load()`, which imports what it needs, and `run(path, inputs, dt_s)`: what the output of the graph
in a file gives, (T, B, ...), to (T, B, ...) inputs in float32; dt_s is None where no time step is
given, and importers that take none pass it over.
"""

from typing import Protocol

KNOWN = ("snntorch", "norse", "spikingjelly", "sinabs", "rockpool", "spyx", "sc_neurocore")
"""Their files, in the order of the table."""
EXTRA = "pip install 'spikebridge[conformance]'"
OWN = "pip install {} in an environment of its own, and --python {}=PATH"


class Reader(Protocol):
    """What such a file says of its importer."""

    TITLE: str
    PACKAGES: tuple[str, ...]
    INSTALL: str
