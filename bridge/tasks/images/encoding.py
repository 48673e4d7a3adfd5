"""How a picture becomes spikes: by their rate, by the time of one spike, or by its own events."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.tasks.images.event_files import EventPictures
from bridge.tasks.images.pictures import Pictures

# Darker pixels never spike by latency.
_DARK = 0.01


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """Spikes of pictures, of which a network is shown 0 or 1 in each step and channel.

    Attributes:
        kind: "rate": a channel spikes in each step with the probability gain x pixel; "latency":
            once, at step (T - 1) (1 - pixel), rounded, and not at all below 0.01; "events": where
            the camera saw something in the step's part of the time.
        shown_steps: Steps T in which the picture is shown.
        silent_steps: Steps before, without any spike, in which the network comes to rest.
        gain: Of the rate.
    """

    kind: str
    shown_steps: int
    silent_steps: int
    gain: float = 1.0

    @property
    def steps(self) -> int:
        """All steps."""
        return self.silent_steps + self.shown_steps

    def told(self) -> str:
        """The encoding in a few words."""
        gain = f", gain {self.gain:g}" if self.kind == "rate" else ""
        return f"{self.kind}{gain}, {self.silent_steps} silent and {self.shown_steps} shown steps"

    def spikes(
        self, pictures: Pictures | EventPictures, rng: np.random.Generator
    ) -> NDArray[np.bool_]:
        """(steps, P, C) where there is a spike; `rng` decides those by rate."""
        made = np.zeros((self.steps, len(pictures.labels), pictures.size), dtype=bool)
        shown = made[self.silent_steps :]
        if isinstance(pictures, EventPictures):
            shown[:] = pictures.frames(self.shown_steps)
        elif self.kind == "latency":
            _by_latency(pictures.pixels, shown)
        elif self.kind == "rate":
            drawn = rng.random(shown.shape, dtype=np.float32)
            np.less(drawn, pictures.pixels * np.float32(self.gain), out=shown)
        else:
            raise SpecError(f"encoding {self.kind}: these pictures have no events of their own")
        return made


def _by_latency(pixels: NDArray[np.float32], shown: NDArray[np.bool_]) -> None:
    """Set one spike of each pixel that is not dark."""
    picture, channel = np.nonzero(pixels >= _DARK)
    step = np.rint((len(shown) - 1) * (1.0 - pixels[picture, channel])).astype(np.int64)
    shown[step, picture, channel] = True
