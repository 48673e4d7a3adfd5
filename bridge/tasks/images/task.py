"""Which class is a picture of? A task whose trials are pictures that no training has seen."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.tasks.images import digits, event_files, folder, idx_files
from bridge.tasks.images.encoding import Encoding
from bridge.tasks.images.event_files import EventPictures
from bridge.tasks.images.pictures import CLASSES, Pictures
from bridge.tasks.options import Option, check_range, full_name, read_options
from bridge.tasks.summary import task_in_a_line
from bridge.tasks.trials import Trials

FASHION = (
    *("T-shirt", "trouser", "pullover", "dress", "coat"),
    *("sandal", "shirt", "sneaker", "bag", "boot"),
)
_LONGEST = 10_000


@dataclass(frozen=True)
class _Set:
    """A set of pictures: what it is, how it is shown by default, and where it comes from."""

    summary: str
    size: int
    encoding: Encoding
    load: Callable[[str], Pictures | EventPictures]
    classes: tuple[str, ...] = tuple(map(str, range(CLASSES)))


def _from_idx(family: str) -> Callable[[str], Pictures]:
    return lambda part: idx_files.idx_pictures(folder.folder_of(family), part)


_AS_IN_THE_PAPER = Encoding(kind="rate", shown_steps=200, silent_steps=20, gain=0.25)
SETS = {
    "digits": _Set(
        "which digit is it? 8 x 8 pixels, from scikit-learn",
        digits.SIZE,
        Encoding(kind="rate", shown_steps=100, silent_steps=10),
        digits.digits,
    ),
    "mnist": _Set(
        "the same, 28 x 28 pixels, from files (--data)",
        idx_files.SIZE,
        _AS_IN_THE_PAPER,
        _from_idx("mnist"),
    ),
    "fashion-mnist": _Set(
        "ten kinds of clothing, 28 x 28 pixels, from files (--data)",
        idx_files.SIZE,
        _AS_IN_THE_PAPER,
        _from_idx("fashion-mnist"),
        FASHION,
    ),
    "n-mnist": _Set(
        "MNIST as events of a camera, 2 x 34 x 34 channels, from files (--data)",
        event_files.SIZE,
        Encoding(kind="events", shown_steps=200, silent_steps=20),
        lambda part: event_files.event_pictures(folder.folder_of("n-mnist"), part),
    ),
}


def options_of(family: str) -> tuple[Option, ...]:
    """The options that the name of such a task can set."""
    usual = SETS[family].encoding
    always = (
        Option("shown", usual.shown_steps, "steps in which the picture is shown"),
        Option("silent", usual.silent_steps, "steps before"),
    )
    if usual.kind == "events":
        return always
    percent = round(100 * usual.gain)
    return (
        Option("latency", default=False, meaning="a spike a pixel, the brighter the earlier"),
        Option("gain", percent, "chance of a spike in a step, percent, where a pixel is white"),
        *always,
    )


@dataclass(frozen=True, kw_only=True)
class ImageTask:
    """Name the class of a picture: the greatest of ten outputs in the last step.

    Trials are drawn from the held-out pictures, each once before any comes again. `pictures` has
    those to train on.

    Attributes:
        family: Name of the set.
        latency: Shown by latency, not by rate.
        gain: Chance of a spike in a step where a pixel is white, percent.
        shown: Steps in which the picture is shown.
        silent: Steps before.
    """

    family: str
    latency: bool = False
    gain: int = 100
    shown: int = 100
    silent: int = 10
    step_ms: float = 1.0
    output_size: int = CLASSES

    __repr__ = task_in_a_line

    # Nobody trains on what trials show.
    held_out = True

    def __post_init__(self) -> None:
        check_range(self.family, "shown", self.shown, 2, _LONGEST)
        check_range(self.family, "silent", self.silent, 0, _LONGEST)
        check_range(self.family, "gain", self.gain, 1, 100)
        usual = round(100 * SETS[self.family].encoding.gain)
        if self.latency and self.gain != usual:
            raise SpecError(f"task {self.family}: gain is of the rate, and latency has none")

    @property
    def name(self) -> str:
        """The set, with its options."""
        return full_name(self.family, options_of(self.family), self)

    @property
    def steps(self) -> int:
        """Samples of a trial."""
        return self.encoding.steps

    @property
    def input_size(self) -> int:
        """Number of channels: pixels, of each polarity."""
        return SETS[self.family].size

    @property
    def conditions(self) -> tuple[str, ...]:
        """The classes."""
        return SETS[self.family].classes

    @property
    def encoding(self) -> Encoding:
        """How pictures are shown."""
        events = SETS[self.family].encoding.kind == "events"
        kind = "events" if events else "latency" if self.latency else "rate"
        gain = self.gain / 100 if kind == "rate" else 1.0
        return Encoding(kind=kind, shown_steps=self.shown, silent_steps=self.silent, gain=gain)

    def pictures(self, part: str) -> Pictures | EventPictures:
        """The "training" or the "held out" pictures.

        Raises:
            SpecError: the package that they come with is not installed.
            FormatError: their files are missing or damaged.
        """
        return SETS[self.family].load(part)

    def trials(self, count: int, rng: np.random.Generator) -> Trials:
        """Draw `count` trials of held-out pictures; the target is 1 for their class, else 0."""
        held_out = self.pictures("held out")
        there = len(held_out.labels)
        rounds = [rng.permutation(there) for _ in range(-(-count // there))]
        shown = held_out.chosen(np.concatenate(rounds)[:count])
        spikes = self.encoding.spikes(shown, rng)
        wanted = np.eye(CLASSES)[shown.labels]
        return Trials(
            inputs=spikes.astype(np.float64),
            targets=np.repeat(wanted[None], self.steps, axis=0),
            labels=shown.labels,
        )

    def answers(self, outputs: NDArray[np.float64]) -> NDArray[np.int64]:
        """(T, B) class that (T, B, O) outputs name after each sample."""
        return np.asarray(outputs.argmax(axis=2), dtype=np.int64)

    def rate_correct(self, outputs: NDArray[np.float64], trials: Trials) -> NDArray[np.bool_]:
        """Whether the last outputs name the class; (B,)."""
        return np.asarray(self.answers(outputs[-1:])[0] == trials.labels)

    spiking_correct = rate_correct


def image_task(name: str, family: str, parts: list[str]) -> ImageTask:
    """The task of a set, of the options that stand in its name.

    Raises:
        SpecError: an option is unknown or makes no sense.
    """
    options = options_of(family)
    usual: dict[str, Any] = {option.name: option.default for option in options}
    return ImageTask(family=family, **{**usual, **read_options(name, parts, options)})
