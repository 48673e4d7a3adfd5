"""Every error raised on purpose: each message is one sentence a user can act on."""


class BridgeError(Exception):
    """Any error that spikebridge raises on purpose; the command prints it and exits with 2."""


class SpecError(BridgeError, ValueError):
    """A description, an option or a drive does not make sense: says what, expected and got."""


class TrainingError(SpecError):
    """A network cannot be trained from this seed: it diverged, or its seed lacks units."""


class DivergedError(TrainingError):
    """Learning diverged; `kept` is what was learned until then, the last good state."""

    def __init__(self, reason: str, *, kept: object = None) -> None:
        super().__init__(reason)
        self.kept = kept


class FormatError(BridgeError, ValueError):
    """A file is damaged, foreign, too new or of another kind than what was asked for."""


class OutputError(BridgeError, OSError):
    """A result could not be written: it exists, the folder is not writable, the disk is full."""


class BackendError(BridgeError, RuntimeError):
    """A simulator cannot do what was asked here: no compiler, no CUDA device, a failed build."""


class UnsuitedError(BackendError):
    """A backend does not take this network where it was to run; `reason` says why."""

    def __init__(self, reason: str, otherwise: str) -> None:
        super().__init__(f"{reason}; {otherwise}")
        self.reason = reason
