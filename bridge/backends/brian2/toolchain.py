"""The C++ compiler of this machine: whether there is one, which, and with what flags."""

import os
import shutil
import subprocess
from functools import cache

# Without -ffast-math, and without fused multiply-adds: both change the last bit. The last three
# change no result: nobody looks at errno or at floating point traps.
STRICT_FLAGS = ["-w", "-O3", "-march=native", "-std=c++11", "-ffp-contract=off"]
STRICT_FLAGS += ["-fno-math-errno", "-fno-trapping-math", "-mprefer-vector-width=512"]
# Brian2 declares its arrays in a way that leaves GCC in doubt about overlaps: let it test for more.
STRICT_FLAGS += ["--param", "vect-max-version-for-alias-checks=200"]
# What would add flags of the user's own to every compilation, or change what `make` does.
PLAIN_ENVIRONMENT = dict.fromkeys(
    ["CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "OPT", "MAKEFLAGS", "MFLAGS", "GNUMAKEFLAGS"], ""
)
TOOLS = {"numpy": (), "cython": ("g++",), "standalone": ("g++", "make")}


def missing_tools(target: str) -> list[str]:
    """What a target of Brian2 needs and this machine lacks."""
    return [tool for tool in TOOLS[target] if shutil.which(tool) is None]


@cache
def compiler_identity() -> str:
    """The compiler's version, and all that -march=native means to it on this machine."""
    command = ["g++", "-march=native", "-###", "-E", "-x", "c++", os.devnull]
    english = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(command, capture_output=True, env=english, check=False)
    return done.stderr.decode(errors="replace")
