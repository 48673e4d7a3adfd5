"""The reference: NumPy, one line an equation; it defines what a description means."""

from bridge.backends.declaration import Declaration

DECLARED = Declaration(place=0, package="numpy", exact=True)
