"""The search for the scale factor lambda, and the conversion built on it."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bridge.backends import simulate
from bridge.errors import SpecError
from bridge.methods.one_to_one import OUTPUT, map_one_to_one
from bridge.rate.network import RateNetwork
from bridge.spiking.arrays import counted, frozen_array
from bridge.spiking.drive import Drive, OwnNoise, derived_seed
from bridge.spiking.network import SpikingNetwork
from bridge.tasks import task as find_task

INVERSE_SCALES = tuple(float(scale) for scale in range(20, 80, 5))

_TRIAL_STREAM, _NOISE_STREAM = 0, 1


@dataclass(frozen=True, kw_only=True, eq=False)
class ScaleSearch:
    """How well a network works at each scale factor.

    Attributes:
        inverse_scales: (L,) values of 1/lambda, ascending.
        correct: (L,) trials answered rightly.
        trials: Trials at each scale factor.
        best: Index of the chosen one.
        seed: Decides trials and noise.
        backend: Where it was run.
        seconds: Wall time.
    """

    inverse_scales: NDArray[np.float64]
    correct: NDArray[np.int64]
    trials: int
    best: int
    seed: int
    backend: str
    seconds: float

    def __post_init__(self) -> None:
        scales = frozen_array("inverse_scales", self.inverse_scales, (None,))
        correct = frozen_array("correct", self.correct, scales.shape, np.int64)
        object.__setattr__(self, "inverse_scales", scales)
        object.__setattr__(self, "correct", correct)
        counted("trials", self.trials, least=1)
        if not 0 <= counted("best", self.best) < scales.size:
            raise SpecError(f"best: {self.best} is no index into {scales.size} scale factors")
        if np.any(correct < 0) or np.any(correct > self.trials):
            raise SpecError(f"correct: must lie between 0 and {self.trials} trials")

    @property
    def best_inverse_scale(self) -> float:
        """The chosen 1/lambda."""
        return float(self.inverse_scales[self.best])

    def accuracies(self) -> NDArray[np.float64]:
        """(L,) share of trials answered rightly."""
        return self.correct / self.trials

    def intervals(self) -> NDArray[np.float64]:
        """(L, 2) Wilson score intervals of the accuracies, 95 %."""
        return np.array([wilson(int(count), self.trials) for count in self.correct])


@dataclass(frozen=True, kw_only=True, eq=False)
class Conversion:
    """A rate network, the spiking network it became, and the search between them."""

    network: SpikingNetwork
    rate: RateNetwork
    search: ScaleSearch


def convert(
    rate: RateNetwork,
    *,
    inverse_scales: Sequence[float] = INVERSE_SCALES,
    trials: int = 100,
    seed: int = 0,
    backend: str = "snntorch",
    device: str = "cpu",
    on_progress: Callable[[float], None] | None = None,
) -> Conversion:
    """Map a rate network one to one, at the scale factor that does its task best.

    All scale factors see the same trials. The highest accuracy wins; among equals the middle of
    the longest plateau, since a neighbour of the edge is one step from failing.

    Args:
        rate: A network with a task.
        inverse_scales: Values of 1/lambda to try.
        trials: Trials at each.
        seed: Decides trials and noise.
        backend: "snntorch" (one batch in float32), "brian2" or "reference".
        device: "cpu" or "cuda", for snntorch.
        on_progress: Called with the fraction done.

    Raises:
        SpecError: no task, no or no positive scale factor, no trial.
    """
    scales = np.unique(frozen_array("inverse_scales", inverse_scales, (None,)))
    if scales.size == 0 or scales[0] <= 0:
        raise SpecError("inverse_scales: needs at least one value, all positive")
    counted("trials", trials, least=1)
    counted("seed", seed)
    if backend != "snntorch" and device != "cpu":
        raise SpecError(f"backend {backend} has no device {device!r}; only snntorch has devices")
    if not rate.task:
        raise SpecError("this rate network names no task to search the scale factor with")
    started = time.monotonic()
    correct = _score(rate, scales, trials, seed, (backend, device), on_progress)
    search = ScaleSearch(
        inverse_scales=scales,
        correct=correct,
        trials=trials,
        best=middle_of_best_plateau(correct),
        seed=seed,
        backend=backend,
        seconds=round(time.monotonic() - started, 1),
    )
    network = map_one_to_one(rate, search.best_inverse_scale)
    provenance = {**network.provenance, "search_seed": seed, "search_trials": trials}
    return Conversion(network=replace(network, provenance=provenance), rate=rate, search=search)


def _score(
    rate: RateNetwork,
    scales: NDArray[np.float64],
    trials: int,
    seed: int,
    where: tuple[str, str],
    on_progress: Callable[[float], None] | None,
) -> NDArray[np.int64]:
    """(L,) trials answered rightly, of the same trials at each scale factor."""
    task = find_task(rate.task)
    made = task.trials(trials, np.random.default_rng((seed, _TRIAL_STREAM)))
    drive = Drive(
        inputs=np.tile(made.inputs, (1, scales.size, 1)),
        noise=OwnNoise(seed=derived_seed(seed, _NOISE_STREAM)),
        recurrent_gain=np.repeat(1.0 / scales, trials),
    )
    backend, device = where
    options = {"dtype": "float32", "device": device} if backend == "snntorch" else {}
    unscaled = map_one_to_one(rate, 1.0)
    recording = simulate(unscaled, drive, backend=backend, on_progress=on_progress, **options)
    outputs = np.split(recording.readouts[OUTPUT], scales.size, axis=1)
    return np.array([task.spiking_correct(part, made).sum() for part in outputs], dtype=np.int64)


def middle_of_best_plateau(correct: NDArray[np.int64]) -> int:
    """Index of the middle of the longest run of the highest count.

    Of equally long runs, and of the two middles of an even run, the one with the better
    neighbours wins.
    """
    count = np.asarray(correct)
    best = np.flatnonzero(count == count.max())
    runs = np.split(best, np.flatnonzero(np.diff(best) > 1) + 1)
    longest = max(len(run) for run in runs)
    padded = np.pad(count, 1, mode="edge")

    def beside(run: NDArray[np.int64]) -> int:
        return int(padded[run[0]] + padded[run[-1] + 2])

    run = max((run for run in runs if len(run) == longest), key=beside)
    left, right = run[(len(run) - 1) // 2], run[len(run) // 2]
    return int(right if padded[run[-1] + 2] > padded[run[0]] else left)


def wilson(successes: int, trials: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson score interval of a share of successes; z = 1.96 for 95 %."""
    share = successes / trials
    centre = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)
