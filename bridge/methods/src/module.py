"""The network in training: layers of cells over time, and the readout after the last step."""

from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bridge.backends.snntorch.recurrent_cell import SpikingRecurrentCell
from bridge.methods.src.options import SrcOptions
from bridge.methods.src.readout import KEPT, grouped
from bridge.spiking.neurons.src import SPIKE

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Activity:
    """How much a layer spikes in a batch of pictures.

    Attributes:
        onsets: Rising crossings of 0.5 of a cell, in a picture, on average.
        duty: Share of all cells and steps that are above 0.5.
        silent: Share of the cells that are never, in any picture.
    """

    onsets: float
    duty: float
    silent: float


class SrcModule(nn.Module):
    """Layers of Spiking Recurrent Cells, each fed by the one before in the same step."""

    def __init__(self, inputs: int, classes: int, options: SrcOptions) -> None:
        super().__init__()
        sizes = (inputs, *options.layers)
        starts = first_weights(sizes, options)
        self.weights = nn.ParameterList(torch.tensor(w, dtype=torch.float32) for w in starts)
        self.cells = nn.ModuleList(
            SpikingRecurrentCell(
                options.neurons(),
                size,
                learn_bias=options.learn_bias,
                bypass=options.bypass,
                detach=options.detach,
            )
            for size in options.layers
        )
        readout = torch.tensor(grouped(options.layers[-1], classes), dtype=torch.float32)
        self.register_buffer("readout", readout)

    def forward(self, spikes: Tensor) -> Tensor:
        """(B, C) outputs after the last step of (T, B, inputs) spikes."""
        *_, last = self.layers(spikes)
        steps = len(last)
        left = KEPT ** torch.arange(steps - 1, -1, -1, dtype=last.dtype)
        outputs: Tensor = torch.tensordot(left, last, dims=1) @ self.get_buffer("readout").T
        return outputs

    def layers(self, spikes: Tensor) -> list[Tensor]:
        """What each layer passes on, (T, B, N) each."""
        passed, found = spikes, []
        for weights, cell in self.pairs():
            passed = cell.over_time(nn.functional.linear(passed, weights))
            found.append(passed)
        return found

    def pairs(self) -> list[tuple[nn.Parameter, SpikingRecurrentCell]]:
        """The weights and the cells of each layer."""
        pairs = zip(self.weights, self.cells, strict=True)
        return cast(list[tuple[nn.Parameter, SpikingRecurrentCell]], list(pairs))

    def trained(self) -> dict[str, nn.Parameter]:
        """All that is trained, by name: weights_0, bias_0, weights_1, ..."""
        named: dict[str, nn.Parameter] = {}
        for number, (weights, cell) in enumerate(self.pairs()):
            named[f"weights_{number}"] = weights
            if cell.learn_bias:
                named[f"bias_{number}"] = cell.learned_bias
        return named

    def biases(self) -> list[Array]:
        """(N,) biases of each layer, as they act."""
        return [cell.bias.detach().numpy().astype(np.float64) for _, cell in self.pairs()]

    @torch.no_grad()
    def activity(self, spikes: Tensor) -> list[Activity]:
        """How much each layer spikes."""
        return [_activity(passed > SPIKE) for passed in self.layers(spikes)]


def _activity(above: Tensor) -> Activity:
    _, trials, size = above.shape
    rising = above.clone()
    rising[1:] &= ~above[:-1]
    return Activity(
        onsets=float(rising.sum()) / (trials * size),
        duty=float(above.float().mean()),
        silent=1.0 - float(above.any(dim=0).any(dim=0).float().mean()),
    )


def first_weights(sizes: tuple[int, ...], options: SrcOptions) -> list[Array]:
    """Weights before training: the first layer's at random, then relays."""
    rng = np.random.default_rng((options.seed, 0))
    shape = (sizes[1], sizes[0])
    bound = options.start / np.sqrt(sizes[0])
    return [
        rng.uniform(-bound, bound, shape),
        *(relay(post, pre, options.relay) for pre, post in pairwise(sizes[1:])),
    ]


def relay(post: int, pre: int, weight: float) -> Array:
    """(post, pre) weights by which each cell passes on one; where few pass on many, several."""
    weights = np.zeros((post, pre))
    number = np.arange(max(post, pre))
    weights[number % post, number % pre] = weight
    return weights
