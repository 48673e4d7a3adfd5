"""The noise of training: which seed decides what, and drawing it ahead."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future

import torch
from torch import Tensor

from bridge.spiking.drive import derived_seed

NOISE_SD, INITIAL_SD = 0.1, 0.01

# What a seed is used for: each use draws from a stream of its own.
START, TRIALS, NOISE, EVALUATION = range(4)


class NoiseAhead:
    """The noise of the updates, each drawn while the update before it is computed.

    It takes a fifth of an update, on a thread of its own. The noise of an update is decided by
    the seed, its number and its size alone, so a resumed training sees the same.

    Args:
        shape: (K, T, B, N) of an update.
        device: Where it is used.
        size: From a seed and the number of an update to the noise's s.d.; it must be known one
            update before.
        helper: Draws.
    """

    def __init__(
        self,
        shape: tuple[int, int, int, int],
        device: torch.device,
        size: Callable[[int, int], float],
        helper: Executor,
    ) -> None:
        self.size = size
        self.buffers = [torch.empty(shape, device=device) for _ in range(2)]
        self.helper = helper
        self.drawn: dict[tuple[int, ...], Future[Tensor]] = {}

    def take(self, update: int, seeds: Sequence[int]) -> Tensor:
        """The noise of an update, (K, T, B, N): a network for each seed; the caller's to write."""
        if (update, *seeds) not in self.drawn:
            self._begin(update, seeds)
        noise = self.drawn[update, *seeds].result()
        # Drawn for a batch that a network has left, there may be others.
        self.drawn.clear()
        self._begin(update + 1, seeds)
        return noise

    def _begin(self, update: int, seeds: Sequence[int]) -> None:
        buffer = self.buffers[update % 2][: len(seeds)]
        derived = [derived_seed(seed, NOISE, update) for seed in seeds]
        sizes = [self.size(seed, update) for seed in seeds]
        self.drawn[update, *seeds] = self.helper.submit(draw, buffer, derived, sizes)


def draw(noise: Tensor, seeds: Sequence[int], sizes: Sequence[float]) -> Tensor:
    """Fill (K, T, B, N) with noise, first the initial state; each network has its seed and s.d."""
    for own, seed, size in zip(noise, seeds, sizes, strict=True):
        generator = torch.Generator(noise.device).manual_seed(seed)
        own.normal_(0.0, size, generator=generator)
        own[0] *= INITIAL_SD / size
    return noise
