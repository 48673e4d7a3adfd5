"""N-MNIST: MNIST as a camera of events saw it, a file for each picture.

A file is a row of events of five bytes: column, row, and in 24 bits the polarity and the time in
microseconds. The folder has Train/0 to Train/9 and Test/0 to Test/9, the classes.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError
from bridge.tasks.images.folder import missing
from bridge.tasks.images.pictures import CLASSES

SIDE, POLARITIES = 34, 2
SIZE = POLARITIES * SIDE * SIDE
_PARTS = {"training": "Train", "held out": "Test"}
_EVENT_BYTES = 5


@dataclass(frozen=True, eq=False)
class EventPictures:
    """Labelled pictures that are read, event by event, when they are shown.

    Attributes:
        files: One for each picture.
        labels: (P,) class of each.
    """

    files: tuple[Path, ...]
    labels: NDArray[np.int64]

    @property
    def size(self) -> int:
        """Number of channels C: pixels of each polarity."""
        return SIZE

    def chosen(self, numbers: NDArray[np.int64]) -> "EventPictures":
        """Some of the pictures, in the order of their numbers given."""
        return EventPictures(tuple(self.files[n] for n in numbers), self.labels[numbers])

    def frames(self, steps: int) -> NDArray[np.bool_]:
        """(T, P, C) where at least one event falls into each of T equal parts of its picture."""
        shown = np.zeros((steps, len(self.files), SIZE), dtype=bool)
        for number, file in enumerate(self.files):
            channel, time_us = read_events(file)
            first, last = int(time_us.min()), int(time_us.max())
            part = (time_us - first) * steps // (last - first + 1)
            shown[part, number, channel] = True
        return shown


@lru_cache(maxsize=4)
def event_pictures(folder: Path, part: str) -> EventPictures:
    """The "training" or the "held out" pictures of a folder.

    Raises:
        FormatError: files are missing.
    """
    home = folder / _PARTS[part]
    files = [sorted((home / str(label)).glob("*.bin")) for label in range(CLASSES)]
    empty = [f"{_PARTS[part]}/{label}/*.bin" for label in range(CLASSES) if not files[label]]
    if empty:
        raise missing(folder, empty)
    labels = np.repeat(np.arange(CLASSES), [len(each) for each in files])
    return EventPictures(tuple(file for each in files for file in each), labels)


def read_events(path: Path) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Channel and time, in microseconds, of each event; (E,) each.

    Raises:
        FormatError: the file is cut off, empty, or has events beyond the picture.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FormatError(f"{path}: {error.strerror or error}") from None
    if not content or len(content) % _EVENT_BYTES:
        raise FormatError(
            f"{path}: has {len(content)} bytes; events have {_EVENT_BYTES} each, and there is at "
            "least one"
        )
    column, row, high, middle, low = (
        np.frombuffer(content, np.uint8).reshape(-1, _EVENT_BYTES).T.astype(np.int64)
    )
    if max(column.max(), row.max()) >= SIDE:
        raise FormatError(
            f"{path}: has an event at {column.max()}, {row.max()}; pictures have {SIDE} x {SIDE} "
            "pixels"
        )
    polarity, time_us = high >> 7, (high & 0x7F) << 16 | middle << 8 | low
    return polarity * SIDE * SIDE + row * SIDE + column, time_us
