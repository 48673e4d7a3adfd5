"""The command `spikebridge`: read, call one function, print."""

import io
import signal
import sys
import traceback
import warnings
from functools import cache
from typing import Any

from typer.main import get_command

from bridge import terminal
from bridge.cli import (
    benchmark,
    compare,
    conformance,
    convert,
    demo,
    exchange,
    fit,
    help_pages,
    info,
    lesion,
    run,
    study,
    tasks,
    train,
    train_src,
)
from bridge.cli.app import app
from bridge.errors import BridgeError

# In the order in which `--help` lists them.
COMMANDS = (
    compare,
    convert,
    exchange,
    fit,
    lesion,
    info,
    demo,
    benchmark,
    conformance,
    run,
    study,
    tasks,
    train,
    train_src,
)
_ORDER = [room.__name__ for room in COMMANDS]
# They have registered in the order of their imports.
app.registered_commands.sort(key=lambda each: _ORDER.index(each.callback.__module__))
help_pages.fill(app)


def main() -> None:
    """Run the command; errors on purpose are one line and exit status 2."""
    signal.signal(signal.SIGTERM, _interrupt)
    warnings.showwarning = _warn
    for stream in (sys.stdout, sys.stderr):
        # Names of files and units may hold what a terminal cannot show.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        _built()()
    except BridgeError as error:
        terminal.complain(str(error))
        sys.exit(2)
    except OSError as error:
        terminal.complain(_told(error))
        terminal.drop_output()
        sys.exit(2)
    except MemoryError as error:
        terminal.complain(f"not enough memory{f': {error}' if str(error) else ''}")
        sys.exit(2)
    except Exception:  # a mistake of ours: its traceback helps to mend it, but 1 means `differ`
        traceback.print_exc()
        sys.exit(2)


@cache
def _built() -> Any:
    """All commands with their options: it takes longer to build them than most of them run."""
    return get_command(app)


def _warn(message: Warning | str, category: type[Warning], *where: Any, **_: Any) -> None:
    """What a user should know, as a note; what programmers note for each other is left out."""
    if not issubclass(category, DeprecationWarning | PendingDeprecationWarning | FutureWarning):
        terminal.warn(str(message))


def _told(error: OSError) -> str:
    """What the operating system refused, and of which file."""
    reason = error.strerror or str(error) or type(error).__name__
    where = "reading or writing failed" if error.filename is None else error.filename
    return f"{where}: {reason[:1].lower()}{reason[1:]}"


def _interrupt(*_: object) -> None:
    """Take a polite kill as Ctrl-C, in the background as well, where Ctrl-C is ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        raise KeyboardInterrupt
    signal.raise_signal(signal.SIGINT)
