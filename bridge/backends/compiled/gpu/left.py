"""What a launch leaves: the arrays that a kernel writes, and how much memory they take."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from bridge.backends.compiled.form import Form


@dataclass(frozen=True)
class Left:
    """An array that a kernel writes.

    Attributes:
        shape: Of the array.
        dtype: Of its numbers.
        first: What it holds throughout before the launch.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    first: float = 0

    def empty(self, device: torch.device) -> Tensor:
        """The array before the launch."""
        return torch.full(self.shape, self.first, dtype=self.dtype, device=device)


def left_by(
    form: Form, numbers: Mapping[str, int], blocks: Mapping[str, int], trials: int
) -> dict[str, Left]:
    """What a launch of so many trials writes, by name.

    Args:
        form: Of the run.
        numbers: The kernel's, with the `room` for the spikes of a trial, and the number of steps
            in the `window`.
        blocks: The sizes of rows.
        trials: How many there are.
    """
    left = {
        "spikes": Left((trials, numbers["room"]), torch.int64),
        "counts": Left((trials,), torch.int64),
        # Population, state, neuron and sample where a state is not finite.
        "failures": Left((trials, 4), torch.int64, -1),
    }
    if form.margins:
        left["margins"] = Left((trials,), real(form), np.inf)
    left |= dict(_kept(form, numbers, trials))
    for number, part in enumerate(form.projections):
        if 0 <= part.source < len(form.populations) and part.delayed:
            ring = (trials, numbers[f"ring_turns_{number}"], blocks[f"BLOCK_{part.source}"])
            left[f"ring_{number}"] = Left(ring, torch.int8)
    return left


def _kept(form: Form, numbers: Mapping[str, int], trials: int) -> Iterator[tuple[str, Left]]:
    """What is kept of populations at the end of samples, and in each step of the window."""
    for number, mine in enumerate(form.populations):
        for part, names, rows in (
            ("sampled", mine.sampled, numbers["samples"]),
            ("stepped", mine.stepped, numbers["window"]),
        ):
            shape = (rows, trials, numbers[f"size_{number}"])
            for place in range(len(names)):
                yield f"{part}_{number}_{place}", Left(shape, real(form))


def real(form: Form) -> torch.dtype:
    """What the numbers of a form are."""
    return torch.float64 if form.dtype == "float64" else torch.float32


def bytes_of(left: Mapping[str, Left]) -> int:
    """How much memory these arrays take."""
    return sum(int(np.prod(each.shape)) * each.dtype.itemsize for each in left.values())
