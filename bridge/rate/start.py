"""What a rate network is before training, in the original's distributions (Kim et al. 2019)."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.errors import TrainingError
from bridge.rate.noise import START
from bridge.rate.training_options import Options
from bridge.tasks import Task

Array = NDArray[np.float64]
Values = dict[str, NDArray[Any]]

SOM_MOTIF = "SOM units receive nothing from inhibitory units"
"""SI Fig. S3, as the authors' code has it: som_m is 0 from inhibitory units onto SOM units."""


def first_values(task: Task, options: Options, seed: int) -> Values:
    """Raw parameters and the nature of the units, as `seed` decides.

    Returns:
        w (N, N), gate (N,), w_in (N, C), w_out (O, N), b_out (O,), bias and initial_state (N,) if
        they are trained, as in `RateModule`; excitatory (N,); allowed (N, N), False where no
        connection may grow; som (N,).

    Raises:
        TrainingError: more SOM units are asked for than there are inhibitory ones.
    """
    rng, size = np.random.default_rng((seed, START)), options.units
    excitatory = rng.random(size) >= options.inhibitory
    w = rng.standard_normal((size, size)) * options.gain / math.sqrt(size * options.sparsity)
    w *= rng.random((size, size)) < options.sparsity
    if options.dale:
        w = np.abs(w)
    som = _som(excitatory, options.som)
    # Rows are postsynaptic.
    allowed = ~(som[:, None] & ~excitatory)
    if options.balanced:
        w = balanced(w * allowed, excitatory)
    return {
        "w": w,
        "gate": rng.standard_normal(size),
        "w_in": rng.standard_normal((size, task.input_size)),
        "w_out": rng.standard_normal((task.output_size, size)) / 100.0,
        "b_out": np.zeros(task.output_size),
        **{name: np.zeros(size) for name in ("bias", "initial_state") if getattr(options, name)},
        "excitatory": excitatory,
        "allowed": allowed,
        "som": som,
    }


def _som(excitatory: NDArray[np.bool_], count: int) -> NDArray[np.bool_]:
    """(N,) the first `count` of the inhibitory units; which these are is random already."""
    inhibitory = np.flatnonzero(~excitatory)
    if count > inhibitory.size:
        raise TrainingError(
            f"som: {count} units asked for, but with this seed {inhibitory.size} are inhibitory"
        )
    som = np.zeros(excitatory.size, dtype=np.bool_)
    som[inhibitory[:count]] = True
    return som


def balanced(w: Array, excitatory: NDArray[np.bool_]) -> Array:
    """Sizes of weights, (N, N), such that at each unit excitation equals inhibition in sum.

    The inhibitory weights of each unit are scaled to the sum of the excitatory ones, then all of
    them together back to the root mean square they had.
    """
    excitation = (w * excitatory).sum(axis=1, keepdims=True)
    inhibition = (w * ~excitatory).sum(axis=1, keepdims=True)
    # A unit that lacks one of the two cannot be balanced.
    both = (excitation > 0) & (inhibition > 0)
    ratio = np.where(both, excitation / np.where(both, inhibition, 1.0), 1.0)
    even = np.where(excitatory, w, w * ratio)
    size = np.linalg.norm(even)
    return even * (np.linalg.norm(w) / size) if size else even


def names_of(excitatory: NDArray[np.bool_], som: NDArray[np.bool_]) -> tuple[str, ...]:
    """PYR for excitatory units, SOM and PV for inhibitory ones."""
    return tuple(np.where(excitatory, "PYR", np.where(som, "SOM", "PV")).tolist())
