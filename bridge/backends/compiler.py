"""The C++ compiler of this machine: whether there is one, which, and how it is called."""

import errno
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from bridge.backends.processes import Children

# What would add flags of the user's own to every compilation.
PLAIN_ENVIRONMENT = dict.fromkeys(["CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "OPT"], "")
# Not every compiler knows these for every processor: what is given instead, where one refuses.
# Apple's, which answers to the name g++, wants -mcpu on ARM; a width of vectors is x86's alone.
_INSTEAD = {"-march=native": ["-mcpu=native"], "-mprefer-vector-width=512": list[str]()}
# Errors of a disk without room.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def can_compile() -> bool:
    """Whether there is a C++ compiler."""
    return shutil.which("g++") is not None


def understood(flags: list[str]) -> list[str]:
    """Flags as the compiler of this machine takes them; none of them changes a result."""
    kept: list[str] = []
    for flag in flags:
        if flag not in _INSTEAD or _takes(flag):
            kept.append(flag)
        else:
            kept += filter(_takes, _INSTEAD[flag])
    return kept


@cache
def _takes(flag: str) -> bool:
    """Whether the compiler knows a flag; where there is none, nobody asks it for more."""
    if not can_compile():
        return True
    command = ["g++", flag, "-E", "-x", "c++", os.devnull]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@cache
def compiler_identity() -> str:
    """The compiler's version, and all that the processor means to it on this machine."""
    command = ["g++", *understood(["-march=native"]), "-###", "-E", "-x", "c++", os.devnull]
    english = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(command, capture_output=True, env=english, check=False)
    return done.stderr.decode(errors="replace")


def run_tool(
    family: Children, command: list[str], folder: Path, changes: dict[str, str]
) -> tuple[int, str]:
    """Run a command of a build, whose temporary files lie in its folder as well.

    Returns:
        Its exit status, and all it printed.

    Raises:
        OSError: it failed for want of room.
    """
    here = {"TMPDIR": str(folder), "LC_ALL": "C"}
    status, printed = family.run(command, folder, {**changes, **here})
    for number in _NO_ROOM if status else ():
        if os.strerror(number) in printed:
            raise OSError(number, os.strerror(number), str(folder.parent))
    return status, printed


def why_failed(status: int, printed: str) -> str:
    """What a failed compiler gives as the reason: its first error, else its last line."""
    errors = [line for line in printed.splitlines() if "error" in line.lower()]
    return errors[0] if errors else last_line(status, printed)


def last_line(status: int, printed: str) -> str:
    """The last line that a failed command printed."""
    lines = printed.strip().splitlines()
    return lines[-1] if lines else f"it ended with status {status}"
