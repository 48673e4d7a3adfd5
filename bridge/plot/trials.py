"""Which trial a picture shows, and what it says of it."""

from bridge.errors import SpecError
from bridge.spiking.arrays import counted
from bridge.spiking.recording import Recording


def checked_trial(recording: Recording, trial: int) -> int:
    """The number of a trial that is there.

    Raises:
        SpecError: there is none of that number.
    """
    trial, count = counted("trial", trial), recording.spikes.n_trials
    if trial >= count:
        raise SpecError(f"trial: expected a number from 0 to {count - 1}, got {trial}")
    return trial


def told_trial(recording: Recording, trial: int) -> str:
    """The trial's number, with its condition where that is known."""
    if recording.labels is None:
        return f"trial {trial}"
    return f"trial {trial} ({recording.conditions[recording.labels[trial]]})"
