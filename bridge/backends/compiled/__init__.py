"""A whole run as one compiled loop: exact, in C++ on the CPU, as one kernel on a GPU."""

from bridge.backends.declaration import Declaration

DECLARED = Declaration(
    place=3,
    package="spikebridge",
    exact=True,
    unless={"dtype": ("float32",)},
    words={"dtype": ("float64", "float32"), "device": ("cpu", "cuda", "cuda:N")},
    device=True,
    on_device=("triton",),
    # With one of them Triton compiles what launches a kernel.
    device_tools=("gcc", "clang"),
    quickness=0,
    tools=("g++",),
)
