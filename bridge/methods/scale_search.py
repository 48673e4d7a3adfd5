"""What a search for the scale factor found, and the conversion it belongs to."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.methods.error_curve import ErrorCurve
from bridge.methods.faithfulness import Faithfulness, refitted
from bridge.methods.findings import Findings
from bridge.methods.gain_search import GainSearch
from bridge.methods.scale_choice import check_rule
from bridge.rate.network import RateNetwork
from bridge.spiking.arrays import counted, frozen_array
from bridge.spiking.essentials import as_table, brief, clipped, in_a_line, of_task, several, source
from bridge.spiking.limits import MOST_INT32
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.values import known_model, number, text

Array = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class ScaleSearch(Findings):
    """How well a network works at each scale factor; more in `Findings`.

    Attributes:
        inverse_scales: (L,) values of 1/lambda, ascending.
        tested: (L,) trials done at each: fewer where a scale factor could no longer win.
        rule: By which it was chosen, see `bridge.methods.scale_choice`.
        rates_hz: (L,) mean rate over neurons and the trials done at each, Hz; None in files of
            before it was measured.
    """

    inverse_scales: Array
    tested: Counts | None = None
    rule: str = "accuracy"
    rates_hz: Array | None = None

    __repr__ = in_a_line
    _repr_html_ = as_table

    def rows_told(self) -> dict[str, str]:
        """Its essentials, as `bridge.spiking.essentials.Rows` says."""
        return {
            "1/lambda": f"1/lambda {self.best_inverse_scale:g} of {brief(self.inverse_scales)}",
            "found": self.told_best(),
            "seed": f"seed {self.seed}",
            "run in": clipped(self.backend, 60),
        }

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
        self._check_correct()
        self._check_measured()
        self._check_best(tested)
        counted("seed", self.seed)
        text("backend", self.backend)
        object.__setattr__(self, "seconds", number("seconds", self.seconds, least=0))
        check_rule(self.rule)
        for name in ("output_error", "rates_hz"):
            self._check_numbers(name, (tested.size,), 0.0, np.inf)
        self._check_numbers("unit_correlations", (tested.size, None), -1.0, 1.0)
        self._check_numbers("chance", (), 0.0, 1.0)

    def _check_correct(self) -> None:
        """Right answers, and those of one network alone; none of them without the first."""
        if self.correct is None:
            by_number = self.rule == "score" and self.measured is not None
            by_output = self.rule == "faithful" and self.output_error is not None
            if not (by_number or (by_output and self.measured is None)):
                raise SpecError(
                    "correct: only a search by the rule 'score' may lack it, or one by the rule "
                    "'faithful' that has the output error alone"
                )
        self._check_counts()

    def _check_measured(self) -> None:
        """A number of one measure for each scale factor, and for the rate network."""
        if self.measured is None:
            if self.rule == "score" or self.rate_measured is not None:
                raise SpecError("measured: a search by a number holds it for each scale factor")
            return
        self._check_measures(self.inverse_scales.size, "scale factors")

    def _check_best(self, tested: Counts) -> None:
        if not 0 <= counted("best", self.best) < tested.size:
            raise SpecError(f"best: {self.best} is not an index into {tested.size} scale factors")
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

    def told_further(self) -> tuple[str, ...]:
        """What else may be worth a try, a sentence each."""
        if not self.at_end:
            return ()
        end, other = ("lowest", "lower") if self.best == 0 else ("highest", "higher")
        return (
            f"1/lambda = {self.best_inverse_scale:g} is the {end} that was tried: a {other} one "
            "may be better (--inverse-scales)",
        )

    def told_choice(self) -> str:
        """The chosen one, in words."""
        return f"1/lambda = {self.best_inverse_scale:g}"

    def told_rule(self) -> str:
        """Why it was chosen, in words."""
        return f"by the rule {self.rule}"

    def done(self) -> Counts:
        """(L,) trials done at each scale factor."""
        return np.asarray(self.tested)


Search = ScaleSearch | GainSearch


@dataclass(frozen=True, kw_only=True, eq=False)
class Conversion:
    """A rate network, the spiking network it became, and the search between them.

    Attributes:
        network: The spiking network.
        rate: The rate network.
        search: Of its scale factor or gain.
        others: What searches for other kinds of neurons found that were asked for with this one.
    """

    network: SpikingNetwork
    rate: RateNetwork
    search: Search
    others: tuple[ErrorCurve, ...] = ()

    __repr__ = in_a_line
    _repr_html_ = as_table

    def rows_told(self) -> dict[str, str]:
        """Its essentials, as `bridge.spiking.essentials.Rows` says."""
        return {
            "size": several(self.network.size, "neuron"),
            "chosen": self.search.told_choice().replace(" = ", " "),
            "found": self.search.told_best(),
            "step": f"step {self.network.dt_ms:g} ms",
            "task": of_task(self.network.task),
            "made by": source(self.network.provenance),
        }

    def __post_init__(self) -> None:
        parts: dict[str, tuple[type, ...]] = {
            "network": (SpikingNetwork,),
            "rate": (RateNetwork,),
            "search": (ScaleSearch, GainSearch),
        }
        for name, kinds in parts.items():
            known_model(f"conversion: {name}", getattr(self, name), kinds)
        object.__setattr__(self, "others", tuple(self.others))
        for curve in self.others:
            known_model("conversion: others", curve, (ErrorCurve,))
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

    def error_curves(self) -> tuple[ErrorCurve, ...]:
        """Output error against spikes: its own curve, if it is known, and the others'."""
        search = self.search
        if search.rates_hz is None or search.output_error is None:
            return self.others
        own = ErrorCurve(
            neuron=self.network.populations[0].neurons.title,
            rates_hz=search.rates_hz,
            output_error=search.output_error,
            best=search.best,
        )
        return (own, *self.others)

    def held(self) -> tuple[SpikingNetwork, RateNetwork]:
        """What it stands for where one of them is wanted."""
        return self.network, self.rate
