"""What one Spiking Recurrent Cell does under a constant current, by its equations alone.

A constant current only adds to the bias: what counts is b + x, with x between -rho and rho.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from bridge.spiking.neurons.src import SPIKE

Array = NDArray[np.float64]
# b + x that are tried, and steps in which a cell settles, and is watched.
DRIVES, SETTLING, WATCHED = np.arange(-12.0, 12.0, 0.01), 500, 500


@dataclass(frozen=True, kw_only=True)
class Constants:
    """A cell, with the Heaviside gate and z = 0; see `bridge.spiking.neurons.src.Src`."""

    alpha: float = 0.9
    rho: float = 3.0
    r: float = 2.0
    r_s: float = -7.0
    z_hyp: float = 0.9
    z_dep: float = 0.0
    bias: float = -6.0


def rest(cell: Constants) -> float:
    """Lowest h = h_s that a step without current leaves as it is: h = tanh((r + r_s) h + b)."""

    def gained(h: float) -> float:
        return float(np.tanh((cell.r + cell.r_s) * h + cell.bias) - h)

    grid = np.linspace(-1.0, 1.0, 2001)
    first = int(np.argmax([gained(h) <= 0 for h in grid]))
    return float(brentq(gained, grid[first - 1], grid[first]))


def onsets(cell: Constants, drives: Array) -> NDArray[np.int64]:
    """How often h rises above 0.5 under each b + x, after settling from h = h_s = 0."""
    h, h_s = np.zeros_like(drives), np.zeros_like(drives)
    found = np.zeros(drives.shape, np.int64)
    for step in range(SETTLING + WATCHED):
        new = np.tanh(drives + cell.r * h + cell.r_s * h_s)
        kept = np.where(h > SPIKE, cell.z_dep, cell.z_hyp)
        h_s = kept * h_s + (1 - kept) * h
        if step >= SETTLING:
            found += (new > SPIKE) & ~(h > SPIKE)
        h = new
    return found


def tonic(cell: Constants) -> tuple[float, float] | None:
    """The lowest and the highest b + x at which a cell fires for ever; None: at none."""
    firing = DRIVES[onsets(cell, DRIVES) > 1]
    return (float(firing[0]), float(firing[-1])) if firing.size else None


def expected(cell: Constants) -> str:
    """What the cell is, by its equations.

    "excitable" is silent without a current and fires under a lasting one that it can have.
    """
    between = tonic(cell)
    if between is None:
        return "never fires"
    if onsets(cell, np.array([cell.bias]))[0] > 1:
        return "fires by itself"
    lowest, _ = between
    return "excitable" if cell.bias < lowest < cell.bias + cell.rho else "needs more current"
