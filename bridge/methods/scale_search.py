"""What a search for the scale factor found, and the conversion it belongs to."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.methods.faithfulness import Faithfulness, refitted
from bridge.methods.measured import Measured
from bridge.methods.scale_choice import check_rule
from bridge.methods.scoring import wilson
from bridge.rate.network import RateNetwork
from bridge.spiking.arrays import counted, frozen_array
from bridge.spiking.essentials import brief, clipped, of_task, several, source, told
from bridge.spiking.limits import MOST_INT32
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.values import known_model, number, text

Array = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class ScaleSearch:
    """How well a network works at each scale factor.

    What is None was not measured: files of before there was anything but accuracy lack it.

    Attributes:
        inverse_scales: (L,) values of 1/lambda, ascending.
        correct: (L,) trials answered rightly; None: the task gives numbers alone, or no task
            judges what a drive shows, and there is the output error alone.
        trials: Trials at each scale factor that could win.
        tested: (L,) trials done at each: fewer where a scale factor could no longer win.
        best: Index of the chosen one.
        seed: Decides trials and noise.
        backend: Where it was run.
        seconds: Wall time.
        rule: By which it was chosen, see `bridge.methods.scale_choice`.
        output_error: (L,) as in `bridge.methods.output_error`, in the trials tested.
        unit_correlations: (L, N) of each neuron's filtered spikes with its unit's rate, in the
            first fifth of the trials; 0 where either never varies.
        lost: (L,) trials that the rate network, with its noise, answers rightly and this does not.
        gained: (L,) trials that this answers rightly and the rate network does not.
        chance: Share of the trials that the chosen one's outputs get right as answers to one
            another's trials; None, too, where all trials want the same answer.
        measured: (L,) what the task's number came to in the trials tested; None, too, where it
            gives none.
        rate_measured: The same of the rate network, with its noise, in all trials.
    """

    inverse_scales: Array
    correct: Counts | None = None
    trials: int
    best: int
    seed: int
    backend: str
    seconds: float
    tested: Counts | None = None
    rule: str = "accuracy"
    output_error: Array | None = None
    unit_correlations: Array | None = None
    lost: Counts | None = None
    gained: Counts | None = None
    chance: float | None = None
    measured: tuple[Measured, ...] | None = None
    rate_measured: Measured | None = None

    def __repr__(self) -> str:
        scales = self.inverse_scales
        return told(
            self,
            f"1/lambda {self.best_inverse_scale:g} of {brief(scales)}",
            self.told_best(),
            f"seed {self.seed}",
            clipped(self.backend, 60),
        )

    def __post_init__(self) -> None:
        scales = frozen_array("inverse_scales", self.inverse_scales, (None,))
        if not scales.size or scales[0] <= 0 or np.any(np.diff(scales) <= 0):
            raise SpecError("inverse_scales: expected positive numbers, each once, ascending")
        object.__setattr__(self, "inverse_scales", scales)
        if self.correct is not None:
            correct = frozen_array("correct", self.correct, scales.shape, np.int64)
            object.__setattr__(self, "correct", correct)
        counted("trials", self.trials, least=1, most=MOST_INT32)
        tested = np.full(scales.shape, self.trials) if self.tested is None else self.tested
        tested = frozen_array("tested", tested, scales.shape, np.int64)
        object.__setattr__(self, "tested", tested)
        if np.any(tested < 1) or np.any(tested > self.trials):
            raise SpecError(f"tested: must lie between 1 and {self.trials} trials")
        self._check_correct(tested)
        self._check_measured()
        self._check_best(tested)
        counted("seed", self.seed)
        text("backend", self.backend)
        object.__setattr__(self, "seconds", number("seconds", self.seconds, least=0))
        check_rule(self.rule)
        self._check_numbers("output_error", (tested.size,), 0.0, np.inf)
        self._check_numbers("unit_correlations", (tested.size, None), -1.0, 1.0)
        self._check_numbers("chance", (), 0.0, 1.0)

    def _check_correct(self, tested: Counts) -> None:
        """Right answers, and those of one network alone; none of them without the first."""
        correct = self.correct
        if correct is None:
            by_number = self.rule == "score" and self.measured is not None
            by_output = self.rule == "faithful" and self.output_error is not None
            if not (by_number or (by_output and self.measured is None)):
                raise SpecError(
                    "correct: only a search by the rule 'score' may lack it, or one by the rule "
                    "'faithful' that has the output error alone"
                )
            if any(each is not None for each in (self.lost, self.gained, self.chance)):
                raise SpecError("lost, gained and chance: they are of right answers (correct)")
            return
        if np.any(correct < 0) or np.any(correct > tested):
            raise SpecError("correct: must lie between 0 and the trials tested")
        for name, most in (("lost", tested - correct), ("gained", correct)):
            if getattr(self, name) is None:
                continue
            counts = frozen_array(name, getattr(self, name), correct.shape, np.int64)
            object.__setattr__(self, name, counts)
            if np.any(counts < 0) or np.any(counts > most):
                raise SpecError(f"{name}: does not fit the trials answered rightly")

    def _check_measured(self) -> None:
        """A number of one measure for each scale factor, and for the rate network."""
        if self.measured is None:
            if self.rule == "score" or self.rate_measured is not None:
                raise SpecError("measured: a search by a number holds it for each scale factor")
            return
        object.__setattr__(self, "measured", tuple(self.measured))
        if len(self.measured) != self.inverse_scales.size:
            raise SpecError(
                f"measured: expected one for each of {self.inverse_scales.size} scale factors, "
                f"got {len(self.measured)}"
            )
        rate = () if self.rate_measured is None else (self.rate_measured,)
        if len({(each.name, each.unit, each.better) for each in (*self.measured, *rate)}) > 1:
            raise SpecError("measured: expected numbers of one measure")

    def _check_numbers(
        self, name: str, shape: tuple[int | None, ...], least: float, most: float
    ) -> None:
        """Numbers of a shape between two ends, where they are known."""
        given = getattr(self, name)
        if given is None:
            return
        values = frozen_array(name, given, shape) if shape else number(name, given)
        object.__setattr__(self, name, values)
        if np.any(values < least) or np.any(values > most):
            raise SpecError(f"{name}: must lie between {least:g} and {most:g}")

    def _check_best(self, tested: Counts) -> None:
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

    @property
    def at_end(self) -> bool:
        """Whether a lower or higher one than those tried might have been better."""
        return self.inverse_scales.size > 1 and self.best in (0, self.inverse_scales.size - 1)

    def faithfulness(self) -> Faithfulness | None:
        """Of the network at the chosen scale factor, in the trials of the search."""
        counts = (self.correct, self.lost, self.gained)
        # Files of before there was anything but accuracy say nothing of the rate network.
        if self.correct is not None and (self.lost is None or self.gained is None):
            return None
        best = self.best
        correct, lost, gained = (None if each is None else int(each[best]) for each in counts)
        return Faithfulness(
            trials=self.trials,
            correct=correct,
            lost=lost,
            gained=gained,
            output_error=None if self.output_error is None else float(self.output_error[best]),
            unit_correlation=None
            if self.unit_correlations is None
            else float(np.median(self.unit_correlations[best])),
            chance=self.chance,
            measured=None if self.measured is None else self.measured[best],
            rate_measured=self.rate_measured,
        )

    def told_best(self) -> str:
        """How the chosen one answers, in words: "95.0% of 100 trials right"."""
        if self.correct is not None:
            return f"{self.accuracies()[self.best]:.1%} of {several(self.trials, 'trial')} right"
        if self.measured is not None:
            return str(self.measured[self.best])
        if self.output_error is None:
            return ""
        error = self.output_error[self.best]
        return f"output error {error:.2g} in {several(self.trials, 'trial')}"

    def accuracies(self) -> Array:
        """(L,) share of trials answered rightly.

        Raises:
            SpecError: the task does not say which are.
        """
        return self._counted() / self._tested()

    def intervals(self) -> Array:
        """(L, 2) Wilson score intervals of the accuracies, 95 %; SpecError as `accuracies`."""
        pairs = zip(self._counted().tolist(), self._tested().tolist(), strict=True)
        return np.array([wilson(count, trials) for count, trials in pairs])

    def _counted(self) -> Counts:
        if self.correct is None:
            found = "its task gives numbers alone (measured)"
            if self.measured is None:
                found = "no task judged the answers (output_error)"
            raise SpecError(f"this search has no accuracy: {found}")
        return self.correct

    def _tested(self) -> Counts:
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
            found.told_best(),
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

    @property
    def refitted(self) -> bool:
        """Whether its readout was fitted to spikes, and scored on fresh trials."""
        return refitted(self.network.provenance, None) is not None

    @property
    def driven(self) -> bool:
        """Whether it was searched on the trials of a drive, and not of a task."""
        return "drive_sha256" in self.network.provenance

    def faithfulness(self) -> Faithfulness | None:
        """Is the spiking network still the rate network; None where that was never measured.

        In the trials of the search; where the readout was refitted, in fresh ones.
        """
        found, made = self.search.faithfulness(), self.network.provenance
        return refitted(made, found) or found

    def held(self) -> tuple[SpikingNetwork, RateNetwork]:
        """What it stands for where one of them is wanted."""
        return self.network, self.rate
