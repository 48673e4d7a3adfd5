"""What Brian2 writes as a file for each operation, gathered into few that a compiler reads quickly.

Most of the time of compiling one of its small files goes into what all of them include. Here that
is read once for the frame of a program and once for every few operations.
"""

import re
from pathlib import Path

# Operations of a file: as many as take about as long as the frame does.
TOGETHER = 16
FRAME, OPERATIONS = "frame.cpp", "operations_{}.cpp"
# In the order of what they need of each other.
_FRAME = ("objects.cpp", "network.cpp", "run.cpp", "main.cpp")
_INCLUDED = re.compile(r"^\s*#\s*include\s*\S.*$", re.MULTILINE)
_ENTRY = re.compile(r"^void (\w+)\(\)", re.MULTILINE)
# Brian2 asks the system for the CPU time in every step, a quarter of the whole run, and only to
# note how long it took.
_CLOCK = """#ifndef __THROW
#define __THROW
#endif
extern "C" std::clock_t clock() __THROW { return 0; }
"""


def gather(project: Path) -> list[str]:
    """Write the files that are to be compiled, each by itself, into a folder of Brian2's sources.

    Args:
        project: What `brian2`'s C++ standalone device has written.

    Returns:
        Their names in the folder: the operations of a step first, the frame last.
    """
    operations = sorted((project / "code_objects").glob("*.cpp"))
    names = []
    for first in range(0, len(operations), TOGETHER):
        names.append(OPERATIONS.format(first // TOGETHER))
        together = operations[first : first + TOGETHER]
        (project / names[-1]).write_text(_side_by_side([path.read_text() for path in together]))
    frame = ["#include <ctime>", _CLOCK, *(f'#include "{name}"' for name in _FRAME)]
    (project / FRAME).write_text("\n".join([*frame, ""]))
    return [*names, FRAME]


def _side_by_side(sources: list[str]) -> str:
    """Operations in one file: each brings helpers of the same names, so each has a namespace."""
    included = dict.fromkeys(line for source in sources for line in _INCLUDED.findall(source))
    lines = list(included)
    for number, source in enumerate(sources):
        lines += [f"namespace operation_{number} {{", _INCLUDED.sub("", source), "}"]
        # The frame calls them by their own names.
        lines += [
            f"void {entry}() {{ operation_{number}::{entry}(); }}"
            for entry in _ENTRY.findall(source)
        ]
    return "\n".join([*lines, ""])
