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
        # Both are its arguments, from which another process makes it again.
        super().__init__(reason, otherwise)
        self.reason, self.otherwise = reason, otherwise

    def __str__(self) -> str:
        return f"{self.reason}; {self.otherwise}"


class FullError(BackendError):
    """A device has no room for the work.

    Attributes:
        reason: Which, and how much was asked for.
        otherwise: What can be done instead, in Python; "": nothing is known.
        options: Of the options of commands those whose smaller values take less room.
    """

    def __init__(self, reason: str, otherwise: str = "", options: tuple[str, ...] = ()) -> None:
        super().__init__(reason, otherwise, options)
        self.reason, self.otherwise, self.options = reason, otherwise, options

    def __str__(self) -> str:
        return "; ".join(filter(None, (self.reason, self.otherwise)))


def first_line(error: BaseException) -> str:
    """What an error of another program says, in a line: the first that it has, if it has any."""
    said = str(error).strip().partition("\n")[0].rstrip()
    return said[:_LONGEST] or type(error).__name__


# So much of a line goes into a sentence, in letters.
_LONGEST = 300


def written_out(value: object) -> str:
    """A value as Python writes it, whole numbers of any length."""
    try:
        return repr(value)
    # Of thousands of digits Python writes none in tens.
    except ValueError:
        return hex(value) if isinstance(value, int) else f"a {type(value).__name__}"
