"""A whole run as one compiled loop in C++: exact, a few seconds to build, no framework in it."""

from bridge.backends.declaration import Declaration

DECLARED = Declaration(
    place=3,
    package="spikebridge",
    exact=True,
    unless={"dtype": ("float32",)},
    words={"dtype": ("float64", "float32")},
    quickness=0,
    tools=("g++",),
)
