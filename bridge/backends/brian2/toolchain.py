"""What Brian2's targets need of the C++ compiler, and the flags they are compiled with."""

import shutil

from bridge.backends import compiler

# Without -ffast-math, and without fused multiply-adds: both change the last bit. The last three
# change no result: nobody looks at errno or at floating point traps.
STRICT_FLAGS = ["-w", "-O3", "-march=native", "-std=c++11", "-ffp-contract=off"]
STRICT_FLAGS += ["-fno-math-errno", "-fno-trapping-math", "-mprefer-vector-width=512"]
# Brian2 declares its arrays in a way that leaves GCC in doubt about overlaps: let it test for more.
STRICT_FLAGS += ["--param", "vect-max-version-for-alias-checks=200"]
TOOLS = {"numpy": (), "cython": ("g++",), "standalone": ("g++",)}


def strict_flags() -> list[str]:
    """The flags, as the compiler of this machine takes them."""
    return compiler.understood(STRICT_FLAGS)


def missing_tools(target: str) -> list[str]:
    """What a target of Brian2 needs and this machine lacks."""
    return [tool for tool in TOOLS[target] if shutil.which(tool) is None]
