"""NIR, the neuromorphic intermediate representation (Pedersen et al. 2024): graphs as networks.

A graph is read as its equations say, in Euler steps: a filtered current first, then the membrane,
which takes the new one; a neuron fires where v is above its threshold, and is reset in the same
step. What a node gives acts on the next ones within the step; what closes a loop acts in the next.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from bridge.errors import SpecError
from bridge.exchange.formats import Encoded, ImportedGraph
from bridge.exchange.nir.reading import Options, network_of

if TYPE_CHECKING:
    from bridge.exchange.store import Stored

SUFFIX = ".nir"


def read(
    path: Path,
    *,
    dt_ms: float | None = None,
    reset: str = "value",
    threshold: str = "above",
    recurrent_start: str = "equations",
) -> ImportedGraph:
    """The spiking network of a NIR file, feed-forward or recurrent, nested graphs included.

    Args:
        path: The file.
        dt_ms: Time step, ms; None: inferred, where the file makes it certain.
        reset: "value": to the v_reset of the file, 0 where it has none; "subtract": v loses its
            threshold at once; "subtract-late": after the leak of the next step.
        threshold: "above": neurons fire strictly above threshold; "at": at it, too.
        recurrent_start: "equations": the biases of what closes a loop act from the first step on;
            "silent": from the second on.

    Raises:
        FormatError: missing, damaged, no NIR, or a node cannot be represented; it is named.
        SpecError: an option makes no sense, or the time step is not known.
    """
    return network_of(path, Options(dt_ms, reset, threshold, recurrent_start))


def encode(thing: "Stored") -> Encoded:
    """Refused: NIR is read only.

    Raises:
        SpecError: always.
    """
    raise SpecError(f"NIR is read, not written; a {type(thing).__name__} cannot be exported to it")
