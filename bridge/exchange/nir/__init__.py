"""NIR, the neuromorphic intermediate representation (Pedersen et al. 2024): graphs as networks.

A graph is read as its equations say, in Euler steps: a filtered current first, then the membrane,
which takes the new one; a neuron fires where v is above its threshold, and is reset in the same
step. What a node gives acts on the next ones within the step; what closes a loop acts in the next.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from bridge.errors import SpecError
from bridge.exchange.formats import Encoded, ImportedGraph
from bridge.exchange.nir.exporting import encoded
from bridge.exchange.nir.reading import Options, network_of
from bridge.spiking.network import SpikingNetwork

if TYPE_CHECKING:
    from bridge.exchange.store import Stored

SUFFIX = ".nir"


def read(
    path: Path,
    *,
    dt_ms: float | None = None,
    reset: str | None = None,
    threshold: str | None = None,
    recurrent_start: str | None = None,
) -> ImportedGraph:
    """The spiking network of a NIR file, feed-forward or recurrent, nested graphs included.

    Args:
        path: The file.
        dt_ms: Time step, ms; None: inferred, where the file makes it certain.
        reset: What a spike does to v. "value": to the v_reset of the file, 0 where it has none;
            "subtract": v loses its threshold at once; "subtract-late": after the leak of the next
            step.
        threshold: Where neurons fire. "above": strictly above threshold; "at": at it, too.
        recurrent_start: "equations": the biases of what closes a loop act from the first step on;
            "silent": from the second on. None of these three: as `bridge.export_network` kept it
            in the file's metadata, else the first.

    Raises:
        FormatError: missing, damaged, no NIR, or a node cannot be represented; it is named.
        SpecError: an option makes no sense, or the time step is not known.
    """
    return network_of(path, Options(dt_ms, reset, threshold, recurrent_start))


def encode(thing: "Stored") -> Encoded:
    """A spiking network as a NIR graph, in the form that other readers take.

    Nodes are named in the order in which they act; a population with a loop of its own over
    weights is a nested graph; parameters are arrays of a number for each neuron. What NIR cannot
    hold is in the metadata, and in the notes.

    Args:
        thing: A SpikingNetwork, a Conversion, or what else stands for one.

    Raises:
        SpecError: it is another thing, or NIR cannot hold a part of it, which is named.
    """
    network = getattr(thing, "network", thing)
    if not isinstance(network, SpikingNetwork):
        raise SpecError(
            f"NIR holds spiking networks, and a {type(thing).__name__} is none; convert makes one"
        )
    return encoded(network)
