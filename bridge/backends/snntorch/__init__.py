"""snnTorch: many trials in one tensor program, on CPU or CUDA."""

from bridge.backends.declaration import Declaration

DECLARED = Declaration(
    place=2,
    package="snntorch",
    paper="Eshraghian et al. 2023",
    exact=True,
    unless={"dtype": ("float32",)},
    words={"dtype": ("float64", "float32"), "device": ("cpu", "cuda", "cuda:N")},
    quick={"dtype": "float32"},
    device=True,
    quickness=1,
)
