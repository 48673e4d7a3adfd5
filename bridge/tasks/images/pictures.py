"""Labelled pictures, held in memory."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError

CLASSES = 10


@dataclass(frozen=True, eq=False)
class Pictures:
    """P labelled pictures of C pixels.

    Attributes:
        pixels: (P, C) from 0, dark, to 1.
        labels: (P,) class of each, 0 to 9.
    """

    pixels: NDArray[np.float32]
    labels: NDArray[np.int64]

    def __post_init__(self) -> None:
        pixels, labels = np.asarray(self.pixels), np.asarray(self.labels)
        if pixels.ndim != 2 or min(pixels.shape) < 1 or pixels.dtype.kind not in "fiub":
            raise SpecError(f"pictures: expected numbers (pictures, pixels), got {pixels.shape}")
        low, high = float(pixels.min()), float(pixels.max())
        if not (low >= 0 and high <= 1):
            raise SpecError(f"pictures: pixels lie between 0 and 1, got {low:g} to {high:g}")
        check_labels(labels, len(pixels))
        object.__setattr__(self, "pixels", pixels.astype(np.float32))
        object.__setattr__(self, "labels", labels.astype(np.int64))

    @property
    def size(self) -> int:
        """Number of pixels C."""
        return self.pixels.shape[1]

    def chosen(self, numbers: NDArray[np.int64]) -> "Pictures":
        """Some of the pictures, in the order of their numbers given."""
        return Pictures(self.pixels[numbers], self.labels[numbers])


def check_labels(labels: NDArray[np.int64], count: int) -> None:
    """Raise SpecError unless there is a class for each of so many pictures."""
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        raise SpecError(
            f"labels: expected a whole number for each of {count} pictures, got {labels.dtype} of "
            f"shape {labels.shape}"
        )
    if labels.min() < 0 or labels.max() >= CLASSES:
        raise SpecError(
            f"labels: classes are 0 to {CLASSES - 1}, got {labels.min()} to {labels.max()}"
        )
