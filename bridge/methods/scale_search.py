"""The search for the scale factor lambda."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.arguments import flag
from bridge.backends import parse_backend, simulate
from bridge.errors import SpecError
from bridge.methods.halving import expected_counts, round_ends, still_in
from bridge.methods.one_to_one import DEFAULT, OUTPUT, SpikingOptions, map_one_to_one
from bridge.methods.scoring import KNOWN_SCALE, SEARCH, no_task, quick_options, wilson
from bridge.rate.network import RateNetwork
from bridge.rate.task import task_of
from bridge.spiking.arrays import counted, frozen_array
from bridge.spiking.drive import Drive, SharedNoise, derived_seed
from bridge.spiking.essentials import brief, clipped, essentials, of_task, several, source, told
from bridge.spiking.limits import MOST_INT32
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.values import known_model, number, text
from bridge.tasks import draw, spiking_correct

INVERSE_SCALES = tuple(float(scale) for scale in range(20, 80, 5))
# For activations without an upper end.
UNBOUNDED_INVERSE_SCALES = tuple(float(scale) for scale in range(4, 28, 2))


@dataclass(frozen=True, kw_only=True, eq=False)
class ScaleSearch:
    """How well a network works at each scale factor.

    Attributes:
        inverse_scales: (L,) values of 1/lambda, ascending.
        correct: (L,) trials answered rightly.
        trials: Trials at each scale factor that could win.
        tested: (L,) trials done at each: fewer where a scale factor could no longer win.
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
    tested: NDArray[np.int64] | None = None

    def __repr__(self) -> str:
        scales = self.inverse_scales
        return told(
            self,
            f"1/lambda {self.best_inverse_scale:g} of {brief(scales)}",
            f"{self.accuracies()[self.best]:.1%} of {several(self.trials, 'trial')} right",
            f"seed {self.seed}",
            clipped(self.backend, 60),
        )

    def __post_init__(self) -> None:
        scales = frozen_array("inverse_scales", self.inverse_scales, (None,))
        if not scales.size or scales[0] <= 0 or np.any(np.diff(scales) <= 0):
            raise SpecError("inverse_scales: expected positive numbers, each once, ascending")
        correct = frozen_array("correct", self.correct, scales.shape, np.int64)
        object.__setattr__(self, "inverse_scales", scales)
        object.__setattr__(self, "correct", correct)
        counted("trials", self.trials, least=1, most=MOST_INT32)
        tested = np.full(scales.shape, self.trials) if self.tested is None else self.tested
        tested = frozen_array("tested", tested, scales.shape, np.int64)
        object.__setattr__(self, "tested", tested)
        if np.any(tested < 1) or np.any(tested > self.trials):
            raise SpecError(f"tested: must lie between 1 and {self.trials} trials")
        if np.any(correct < 0) or np.any(correct > tested):
            raise SpecError("correct: must lie between 0 and the trials tested")
        self._check_best(tested)
        counted("seed", self.seed)
        text("backend", self.backend)
        object.__setattr__(self, "seconds", number("seconds", self.seconds, least=0))

    def _check_best(self, tested: NDArray[np.int64]) -> None:
        if not 0 <= counted("best", self.best) < tested.size:
            raise SpecError(f"best: {self.best} is no index into {tested.size} scale factors")
        if tested[self.best] != self.trials:
            raise SpecError(
                f"best: expected one of the scale factors that did all {self.trials} trials, "
                f"number {self.best} did {tested[self.best]}"
            )

    @property
    def best_inverse_scale(self) -> float:
        """The chosen 1/lambda."""
        return float(self.inverse_scales[self.best])

    def accuracies(self) -> NDArray[np.float64]:
        """(L,) share of trials answered rightly."""
        return self.correct / self._tested()

    def intervals(self) -> NDArray[np.float64]:
        """(L, 2) Wilson score intervals of the accuracies, 95 %."""
        pairs = zip(self.correct.tolist(), self._tested().tolist(), strict=True)
        return np.array([wilson(count, trials) for count, trials in pairs])

    def _tested(self) -> NDArray[np.int64]:
        return np.asarray(self.tested)


@dataclass(frozen=True, kw_only=True, eq=False)
class Conversion:
    """A rate network, the spiking network it became, and the search between them."""

    network: SpikingNetwork
    rate: RateNetwork
    search: ScaleSearch

    def __repr__(self) -> str:
        found = self.search
        return told(
            self,
            several(self.network.size, "neuron"),
            f"1/lambda {found.best_inverse_scale:g}",
            f"{found.accuracies()[found.best]:.1%} of {several(found.trials, 'trial')} right",
            f"step {self.network.dt_ms:g} ms",
            of_task(self.network.task),
            source(self.network.provenance),
        )

    def __post_init__(self) -> None:
        for name, kind in (
            ("network", SpikingNetwork),
            ("rate", RateNetwork),
            ("search", ScaleSearch),
        ):
            known_model(f"conversion: {name}", getattr(self, name), (kind,))
        for name in ("size", "input_size", "task"):
            one, other = getattr(self.network, name), getattr(self.rate, name)
            if one != other:
                raise SpecError(
                    f"conversion: the {name} of the spiking network is {one!r}, that of the rate "
                    f"network {other!r}"
                )

    def held(self) -> tuple[SpikingNetwork, RateNetwork]:
        """What it stands for where one of them is wanted."""
        return self.network, self.rate


@dataclass(frozen=True, kw_only=True)
class SearchOptions:
    """How the scale factor is searched.

    Attributes:
        inverse_scales: Values of 1/lambda to try, kept in ascending order; None: those of the
            rate network's activation, `default_inverse_scales`.
        trials: Trials at each that stays in.
        seed: Decides trials and noise.
        backend: "snntorch" (one batch in float32), "brian2" or "reference", with what may follow
            a colon in `bridge.simulate`.
        device: "cpu" or "cuda", for snntorch; None: "cpu", or what follows the backend's colon.
        exhaustive: Do all trials at every scale factor.
    """

    inverse_scales: Sequence[float] | None = None
    trials: int = 100
    seed: int = 0
    backend: str = "snntorch"
    device: str | None = None
    exhaustive: bool = False

    __repr__ = essentials

    def __post_init__(self) -> None:
        if self.inverse_scales is not None:
            scales = np.unique(frozen_array("inverse_scales", self.inverse_scales, (None,)))
            if scales.size == 0 or scales[0] <= 0:
                raise SpecError("inverse_scales: needs at least one value, all positive")
            object.__setattr__(self, "inverse_scales", tuple(scales.tolist()))
        counted("trials", self.trials, least=1)
        counted("seed", self.seed)
        if self.device is not None:
            text("device", self.device)
        name, _ = parse_backend(self.backend, {"device": self.device})
        if name != "snntorch" and self.device not in (None, "cpu"):
            raise SpecError(
                f"backend {self.backend} has no device {self.device!r}; only snntorch has devices"
            )
        flag("exhaustive", self.exhaustive)

    def quick_options(self) -> dict[str, Any]:
        """Options of the backend, for `bridge.simulate`."""
        has_device = self.backend.startswith("snntorch")
        return quick_options(self.backend, {"device": self.device} if has_device else {})


def default_inverse_scales(activation: str) -> tuple[float, ...]:
    """The original's grid: 20 to 75 by 5 for the sigmoid, 4 to 26 by 2 for softplus and ReLU."""
    return INVERSE_SCALES if activation == "sigmoid" else UNBOUNDED_INVERSE_SCALES


def search_scale(
    rate: RateNetwork,
    options: SearchOptions,
    spiking: SpikingOptions = DEFAULT,
    on_progress: Callable[[float], None] | None = None,
) -> ScaleSearch:
    """How well a rate network's spiking counterpart does its task at each scale factor.

    All scale factors see the same trials and the same noise. Those that can no longer win are
    dropped on the way (`bridge.methods.halving`). The highest accuracy wins; among equals the
    middle of the longest plateau, since a neighbour of the edge is one step from failing.

    Args:
        rate: A network with a task.
        options: Scale factors, trials, where they run.
        spiking: What the units become.
        on_progress: Called with the fraction done.

    Raises:
        SpecError: the rate network has no task, or one in other steps.
    """
    if not rate.task:
        raise no_task("search the scale factor with", KNOWN_SCALE)
    started, trials = time.monotonic(), options.trials
    scales = np.array(options.inverse_scales or default_inverse_scales(rate.activation))
    plan = _Trials(rate, scales, options, spiking)
    ends = round_ends(trials, exhaustive=options.exhaustive)
    correct, tested = _rounds(plan, ends, on_progress)
    return ScaleSearch(
        inverse_scales=scales,
        correct=correct,
        tested=tested,
        trials=trials,
        # Only those that did all trials can be best: the others had fewer to get right.
        best=middle_of_best_plateau(expected_counts(correct, tested, trials)),
        seed=options.seed,
        backend=options.backend,
        seconds=round(time.monotonic() - started, 1),
    )


class _Trials:
    """The trials of a search, the same at each scale factor, and where they run."""

    def __init__(
        self,
        rate: RateNetwork,
        scales: NDArray[np.float64],
        search: SearchOptions,
        spiking: SpikingOptions = DEFAULT,
    ) -> None:
        seed = search.seed
        self.task, self.scales = task_of(rate), scales
        self.made = draw(self.task, search.trials, np.random.default_rng((seed, SEARCH[0])))
        self.noise = SharedNoise(seed=derived_seed(seed, SEARCH[1]))
        self.unscaled = map_one_to_one(rate, 1.0, spiking)
        self.backend, self.options = search.backend, search.quick_options()

    def correct(
        self, chosen: NDArray[np.int64], span: range, on_progress: Callable[[float], None]
    ) -> NDArray[np.bool_]:
        """(chosen scale factors, trials of `span`) whether each was answered rightly."""
        numbers = np.arange(span.start, span.stop)
        part = self.made.chosen(numbers)
        drive = Drive(
            inputs=np.tile(part.inputs, (1, chosen.size, 1)),
            noise=self.noise,
            recurrent_gain=np.repeat(1.0 / self.scales[chosen], numbers.size),
            trial_numbers=np.tile(numbers, chosen.size),
        )
        recording = simulate(
            self.unscaled, drive, backend=self.backend, on_progress=on_progress, **self.options
        )
        outputs = np.split(recording.readouts[OUTPUT], chosen.size, axis=1)
        return np.array([spiking_correct(self.task, output, part) for output in outputs])


def _rounds(
    plan: _Trials, ends: list[int], on_progress: Callable[[float], None] | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(L,) trials answered rightly, and done, at each scale factor."""
    correct = np.zeros((plan.scales.size, ends[-1]), dtype=bool)
    tested = np.zeros(plan.scales.size, dtype=np.int64)
    alive: NDArray[np.int64] = np.arange(plan.scales.size)
    start = done = 0
    for end in ends:
        coming, all_of_it = alive.size * (end - start), done + alive.size * (ends[-1] - start)

        def report(
            fraction: float, done: int = done, coming: int = coming, whole: int = all_of_it
        ) -> None:
            if on_progress is not None:
                on_progress((done + fraction * coming) / whole)

        correct[alive, start:end] = plan.correct(alive, range(start, end), report)
        tested[alive] = end
        alive = alive[still_in(correct[alive, :end], ends[-1] - end)]
        start, done = end, done + coming
    return correct.sum(axis=1), tested


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
