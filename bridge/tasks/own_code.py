"""Code of a user's own that goes wrong: one sentence with its file and line, and what it raised."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bridge.errors import BridgeError, SpecError

_OURS = Path(__file__).parents[1]
# A text of a library may hold a whole array.
_LONGEST = 300


@contextmanager
def own_code(what: str, file: Path | None = None) -> Iterator[None]:
    """Run code that is not ours.

    Args:
        what: Is being done, for the sentence.
        file: Where the code stands; None: in the first file below that is not ours.

    Raises:
        SpecError: the code raised something, or ended the program; that is its cause.
    """
    try:
        yield
    except MemoryError:
        # Not the code's fault, and distinguished by whoever asked for so much.
        raise
    # Whatever a user's code may raise is to be reported, and nothing of it is known here.
    except (Exception, SystemExit) as error:
        place = _place(error, file)
        if not place and isinstance(error, BridgeError):
            raise
        raise SpecError(f"{what} {place or 'our own code'}: {_told(error)}") from error


def _place(error: BaseException, file: Path | None) -> str:
    """File and line that were being run: the last of the file that we called; "" if all is ours."""
    frames = traceback.extract_tb(error.__traceback__)
    # In angle brackets stands what has no file, such as the `__init__` of a dataclass.
    foreign = [f for f in frames if f.filename[:1] != "<" and _OURS not in Path(f.filename).parents]
    name = str(file) if file else foreign[0].filename if foreign else ""
    lines = [frame.lineno for frame in frames if frame.filename == name]
    return f"{name}, line {lines[-1]}" if lines else ""


def _told(error: BaseException) -> str:
    """Type and text of what was raised, in one line."""
    text = " ".join(str(error).split())
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}..."
    if isinstance(error, BridgeError):
        return text
    return f"{type(error).__name__}{': ' if text else ''}{text}"
