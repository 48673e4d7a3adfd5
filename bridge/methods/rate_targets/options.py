"""What a fit to rate dynamics takes: sizes, gains, phases; checked."""

from dataclasses import dataclass
from typing import Final, Literal

from bridge.arguments import flag, number, text
from bridge.errors import SpecError
from bridge.spiking.arrays import counted

MOST_UNITS, MOST_TRIALS = 20_000, 10**6
MOST_TRAINED, MOST_TEACHING = 200, 500
TEACHERS = ("current", "rate")
# A trained network in the place of one that is drawn.
TRAINED: Final = "network"


@dataclass(frozen=True, kw_only=True)
class TargetOptions:
    """Sizes, gains and phases of a fit; by default those of the authors' public code of 2018.

    Attributes:
        units: Spiking neurons N.
        teacher_units: Units N~ of the continuous network that gives the targets, at most N; None:
            N, and 500 at most.
        trained: Number n of the neurons whose outgoing connections are learned; None: 0.4 N, and
            200 at most. It is the number that decides: with many more, the error is small while
            learning, and the network fails on its own.
        teacher: "current": the targets are components of the units' currents; "rate": of the rates
            of units of the other form, and of the output; "network": of the rates of a trained
            network, which `fit_targets` is given.
        teacher_gain: g~, the gain of the teacher's recurrent weights.
        target_gain: g_z, the gain of the projection from the teacher to the spiking network.
        variance_kept: Share of the teacher's second moment that the components hold.
        slow_gain: g_s of the fixed random slow connections; 0: none.
        fast_gain: g_f of the fixed random fast connections; 0: none.
        inhibition: mu_f of the fast inhibition from all neurons to all.
        update_chance: With this chance a step is learned from.
        settle_trials: Trials with the teacher's feedback before each phase.
        component_trials: Trials from which the teacher's components are taken, at most: one is
            enough for a teacher that repeats itself. Where trials differ 40 are enough.
        mean_trials: Trials over which the mean of the random currents is taken.
        learn_trials: Trials of learning, with the network's own feedback.
        test_trials: Trials without learning, on which the network is judged.
        free_running: Whether the task's input is left out, so that the network makes the pattern
            by itself; it is judged after the shift that fits each trial best.
        factored: Whether the learned weights stay a product of two factors in the network.
        seed: Decides everything random.
    """

    units: int = 500
    teacher_units: int | None = None
    trained: int | None = None
    teacher: Literal["current", "rate", "network"] = "current"
    teacher_gain: float = 1.4
    target_gain: float = 6.0
    variance_kept: float = 0.999
    slow_gain: float = 0.0
    fast_gain: float = 0.0
    inhibition: float = -0.3
    update_chance: float = 0.5
    settle_trials: int = 50
    component_trials: int = 300
    mean_trials: int = 300
    learn_trials: int = 500
    test_trials: int = 100
    free_running: bool = False
    factored: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        counted("units", self.units, least=1, most=MOST_UNITS)
        if self.teacher_units is not None:
            counted("teacher_units", self.teacher_units, least=1, most=MOST_UNITS)
            if self.teacher_units > self.units:
                raise SpecError(
                    f"teacher_units: at most the {self.units} spiking neurons that they project "
                    f"to, got {self.teacher_units}"
                )
        if self.trained is not None:
            counted("trained", self.trained, least=1, most=self.units)
        if text("teacher", self.teacher) not in (*TEACHERS, TRAINED):
            raise SpecError(
                f"teacher: 'current' or 'rate', or 'network' with teacher_network, got "
                f"{self.teacher!r}"
            )
        for phase in ("settle", "component", "mean", "learn", "test"):
            name = f"{phase}_trials"
            counted(name, getattr(self, name), least=1, most=MOST_TRIALS)
        self._check_numbers()
        for name in ("free_running", "factored"):
            flag(name, getattr(self, name))
        counted("seed", self.seed)

    def _check_numbers(self) -> None:
        for name in ("teacher_gain", "target_gain", "slow_gain", "fast_gain"):
            if number(name, getattr(self, name)) < 0:
                raise SpecError(f"{name}: must not be negative, got {getattr(self, name)}")
        if number("inhibition", self.inhibition) > 0:
            raise SpecError(f"inhibition: must not be positive, got {self.inhibition}")
        for name in ("variance_kept", "update_chance"):
            if not 0 < number(name, getattr(self, name)) <= 1:
                raise SpecError(f"{name}: must lie above 0 and up to 1, got {getattr(self, name)}")

    @property
    def teacher_count(self) -> int:
        """Number N~ of the teacher's units."""
        return min(self.units, MOST_TEACHING) if self.teacher_units is None else self.teacher_units

    @property
    def trained_count(self) -> int:
        """Number n of neurons whose outgoing connections are learned."""
        if self.trained is not None:
            return self.trained
        return max(1, min(round(0.4 * self.units), MOST_TRAINED))
