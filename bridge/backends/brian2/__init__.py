"""Brian2, the reference simulator of the field."""

from bridge.backends.declaration import Declaration

DECLARED = Declaration(
    place=1,
    package="brian2",
    paper="Stimberg et al. 2019",
    exact=True,
    words={"target": ("numpy", "cython", "standalone")},
)
