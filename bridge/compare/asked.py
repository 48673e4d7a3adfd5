"""What a comparison was asked for, checked before anything runs."""

from collections.abc import Sequence

from bridge.arguments import of_kinds, texts
from bridge.compare.statistics.comparison import EFFECT, Plan
from bridge.errors import SpecError
from bridge.methods.scale_search import Conversion
from bridge.spiking.drive import Drive
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.recording import Recording

LEVELS = ("exact", "probe", "statistical")


def check_used(held: set[str], trials: int | None, plan: Plan | None, drive: Drive | None) -> None:
    """Raise SpecError for options that no level would use."""
    if plan is not None and "statistical" not in held:
        raise SpecError(
            "plan (--effect, --power, --alpha): it is the statistical level's, which is not among "
            f"{', '.join(sorted(held))}; levels (--levels) can ask for it"
        )
    if trials is not None and drive is not None:
        raise SpecError(f"trials: the drive that is given has {drive.n_trials} of its own")
    if trials is not None and held == {"probe"}:
        raise SpecError("trials: probes are not trials of the task; the other levels have some")
    if plan is not None and plan.effect != EFFECT and (trials or plan.trials or drive):
        raise SpecError(
            "effect: it decides the number of trials; with trials given the report says what is "
            "found, so give one of the two"
        )


def to_compare(what: object) -> Conversion | SpikingNetwork:
    """A conversion or a spiking network; SpecError for anything else."""
    if isinstance(what, Recording):
        raise SpecError(
            "what: expected a spiking network, got a Recording; "
            "bridge.compare_recordings(one, other) compares two of them"
        )
    found: Conversion | SpikingNetwork = of_kinds("what", what, (Conversion, SpikingNetwork))
    return found


def levels_of(given: Sequence[str] | None) -> tuple[str, ...] | None:
    """The levels asked for; SpecError for one that is none. None: those that suit the sides."""
    if given is None:
        return None
    if not texts("levels", given):
        raise SpecError(f"levels: name at least one of {', '.join(LEVELS)}")
    for level in given:
        if level not in LEVELS:
            raise SpecError(f"unknown level {level!r}; known are {', '.join(LEVELS)}")
    return tuple(given)
