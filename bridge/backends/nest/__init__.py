"""NEST, the independent third: its own integrator, noise and synapses."""

from bridge.backends.declaration import Declaration

DECLARED = Declaration(
    place=4,
    package="nest-simulator",
    paper="Gewaltig & Diesmann 2007",
    exact=False,
    words={"parameters": ("euler", "plain")},
    own_noise_only=True,
)
