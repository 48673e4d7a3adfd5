"""Networks of layers that differ in their cells alone; `depth.py` trains them.

All have layers of 100, each fed by the one before in the same step, and the readout of
`bridge.methods.src.readout`, which is not trained.
"""

from collections.abc import Callable, Iterator
from typing import cast

import numpy as np
import snntorch
import torch
from snntorch import surrogate
from torch import Tensor, nn

from bridge.backends.snntorch.recurrent_cell import SpikingRecurrentCell
from bridge.methods.src.module import relay
from bridge.methods.src.readout import KEPT, grouped
from bridge.spiking.neurons.src import Src

SIZE, CLASSES = 100, 10
# One spike of a cell makes the next one spike: a weight above threshold, or, for the Spiking
# Recurrent Cell, the one that its training starts with.
LIF_RELAY, SRC_RELAY = 1.2, 0.8


class Layered(nn.Module):
    """Layers over time, of whatever cells."""

    def __init__(self, layers: list[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        readout = torch.tensor(grouped(SIZE, CLASSES), dtype=torch.float32)
        self.register_buffer("readout", readout)

    def passed(self, spikes: Tensor) -> list[Tensor]:
        """What each layer passes on, (T, B, N), for (T, B, inputs) spikes."""
        found = [spikes]
        for layer in self.layers:
            found.append(layer(found[-1]))
        return found[1:]

    def answered(self, last: Tensor) -> Tensor:
        """(B, C) outputs after the last step of what the last layer passes on."""
        left = KEPT ** torch.arange(len(last) - 1, -1, -1, dtype=last.dtype)
        outputs: Tensor = torch.tensordot(left, last, dims=1) @ self.get_buffer("readout").T
        return outputs

    def groups(self) -> Iterator[tuple[int, list[nn.Parameter]]]:
        """The parameters of each layer, with its number."""
        for number, layer in enumerate(self.layers):
            yield number, list(layer.parameters())


class _Weighted(nn.Module):
    """A layer of cells that spike, behind weights without a bias."""

    def __init__(self, weights: np.ndarray) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.tensor(weights, dtype=torch.float32))


class SrcLayer(_Weighted):
    """Spiking Recurrent Cells; without `detach` gradients flow through h and h_s as well."""

    def __init__(self, weights: np.ndarray, *, bypass: bool, detach: bool) -> None:
        super().__init__(weights)
        self.cell = SpikingRecurrentCell(Src(), SIZE, bypass=bypass, detach=detach)

    def forward(self, spikes: Tensor) -> Tensor:
        """(T, B, N) graded spikes."""
        return self.cell.over_time(nn.functional.linear(spikes, self.weights))


class LifLayer(_Weighted):
    """snnTorch's leaky neurons, reset by subtraction, with an arctangent's surrogate gradient."""

    def __init__(self, weights: np.ndarray) -> None:
        super().__init__(weights)
        self.cell = snntorch.Leaky(beta=0.9, spike_grad=surrogate.atan())

    def forward(self, spikes: Tensor) -> Tensor:
        """(T, B, N) spikes, 0 or 1."""
        membrane, fired = self.cell.init_leaky(), []
        for current in nn.functional.linear(spikes, self.weights):
            spike, membrane = self.cell(current, membrane)
            fired.append(spike)
        return torch.stack(fired)


class GatedLayer(nn.Module):
    """PyTorch's GRU or LSTM, as it starts by itself; each cell sees all of its layer."""

    def __init__(self, kind: type[nn.GRU] | type[nn.LSTM], inputs: int) -> None:
        super().__init__()
        self.cell = kind(inputs, SIZE)

    def forward(self, spikes: Tensor) -> Tensor:
        """(T, B, N) hidden states."""
        return cast(Tensor, self.cell(spikes)[0])


def _spiking(
    make: Callable[[np.ndarray], nn.Module], weight: float
) -> Callable[[int, int, int], Layered]:
    """Networks whose first layer starts at random, and whose others relay."""

    def network(inputs: int, depth: int, seed: int) -> Layered:
        bound = 3.0 / np.sqrt(inputs)
        first = np.random.default_rng((seed, 0)).uniform(-bound, bound, (SIZE, inputs))
        return Layered([make(first), *(make(relay(SIZE, SIZE, weight)) for _ in range(depth - 1))])

    return network


def _gated(kind: type[nn.GRU] | type[nn.LSTM]) -> Callable[[int, int, int], Layered]:
    def network(inputs: int, depth: int, seed: int) -> Layered:
        torch.manual_seed(seed)
        return Layered([GatedLayer(kind, SIZE if number else inputs) for number in range(depth)])

    return network


CELLS: dict[str, Callable[[int, int, int], Layered]] = {
    "SRC": _spiking(lambda w: SrcLayer(w, bypass=True, detach=True), SRC_RELAY),
    "SRC, no bypass": _spiking(lambda w: SrcLayer(w, bypass=False, detach=True), SRC_RELAY),
    "SRC, whole gradient": _spiking(lambda w: SrcLayer(w, bypass=True, detach=False), SRC_RELAY),
    "LIF": _spiking(LifLayer, LIF_RELAY),
    "GRU": _gated(nn.GRU),
    "LSTM": _gated(nn.LSTM),
}
