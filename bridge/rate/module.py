"""Rate networks as one PyTorch module, with their backward pass through time written out.

K networks of one shape are computed together, in a leading dimension of every tensor. Autograd
would add a gradient of the recurrent weights in every step. Here the deltas of many steps are kept
and one matrix product gives their gradient, on a thread of its own beside the steps that follow.
"""

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bridge.rate.activations import TORCH_ACTIVATIONS, Activation
from bridge.rate.network import RateNetwork
from bridge.spiking.essentials import essentials

PARAMETERS = ("w", "gate", "w_out", "b_out")

# Steps whose deltas make one matrix product: enough to be quick, few enough to begin early.
_BLOCK = 25


class Workspace:
    """Memory of one forward and backward pass, (K, T, B, N) each, used again for the next one.

    Fresh memory would be paged in anew in every update, which costs more than the arithmetic.

    Attributes:
        r: Activities.
        delta: Gradients of the loss with respect to the states.
        helper: Computes the weight gradients of a block beside the deltas of the next one.
    """

    def __init__(
        self, shape: tuple[int, int, int, int], device: torch.device, helper: Executor
    ) -> None:
        self.r, self.delta = (torch.empty(shape, device=device) for _ in range(2))
        self.helper = helper


class Recurrence(torch.autograd.Function):
    """The recurrence and its outputs as one operation, each network for itself.

    x[t] = keep x[t-1] + V r[t-1] + U u[t-1] + noise[t];  r = phi(x);  o = W_out r.
    """

    @staticmethod
    def forward(
        ctx: Any,
        recurrent: Tensor,
        keep: Tensor,
        w_in: Tensor,
        w_out: Tensor,
        given: tuple[Tensor, Tensor],
        how: tuple[Activation, Workspace],
    ) -> Tensor:
        """Outputs o without their bias, (K, T, B, O).

        Args:
            ctx: Carries what the backward pass needs.
            recurrent: (K, N, N) V.
            keep: (K, N) what a step leaves of a state.
            w_in: (K, N, C) U.
            w_out: (K, O, N).
            given: (K, T, B, C) inputs u, and (K, T, B, N) the noise, whose first entry is the
                initial state; the states overwrite it.
            how: phi, and memory for at least K networks.
        """
        (inputs, x), (phi, space) = given, how
        networks, steps, trials, units = x.shape
        r, columns, leak = space.r[:networks], recurrent.mT.contiguous(), keep[:, None]
        driven = x[:, 1:].view(networks, (steps - 1) * trials, units)
        driven.baddbmm_(inputs[:, :-1].flatten(1, 2), w_in.mT)
        # Views made once: indexing in the loop would cost as much as the arithmetic.
        xs, rs = x.unbind(1), r.unbind(1)
        phi.rates(xs[0], rs[0])
        for t in range(1, steps):
            xs[t].baddbmm_(rs[t - 1], columns).addcmul_(xs[t - 1], leak)
            phi.rates(xs[t], rs[t])
        ctx.save_for_backward(recurrent, keep, w_out)
        ctx.kept = inputs, x, phi, space
        # Until the backward pass the memory of the deltas is free.
        delta = space.delta[:networks]
        weighted = (torch.mul(r, row[:, None, None], out=delta) for row in w_out.unbind(1))
        return torch.stack([product.sum(-1) for product in weighted], dim=-1)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients with respect to the recurrent weights, `keep`, input and output weights."""
        recurrent, keep, w_out = ctx.saved_tensors
        inputs, x, phi, space = ctx.kept
        steps, leak = x.shape[1], keep[:, None]
        r, delta = space.r[: len(x)], space.delta[: len(x)]
        torch.bmm(grad.flatten(1, 2), w_out, out=delta.flatten(1, 2))
        rs, deltas, slope = r.unbind(1), delta.unbind(1), torch.empty_like(r[:, 0])
        jobs = []
        for stop in range(steps, 1, -_BLOCK):
            start = max(1, stop - _BLOCK)
            for t in range(stop - 1, start - 1, -1):
                phi.slopes(rs[t], slope)
                if t + 1 == steps:
                    deltas[t].mul_(slope)
                    continue
                deltas[t].baddbmm_(deltas[t + 1], recurrent).mul_(slope)
                deltas[t].addcmul_(deltas[t + 1], leak)
            before = (part[:, start - 1 : stop - 1] for part in (r, x, inputs))
            jobs.append(space.helper.submit(_block_gradients, delta[:, start:stop], *before))
        blocks = zip(*[job.result() for job in jobs], strict=True)
        grad_out = _gradient_of_few(grad, r, delta)
        return *(reduce(torch.add, parts) for parts in blocks), grad_out, None, None


def _block_gradients(delta: Tensor, r: Tensor, x: Tensor, inputs: Tensor) -> tuple[Tensor, ...]:
    """What some steps add to the gradients of V, `keep` and U.

    Args:
        delta: (K, T, B, N) of these steps.
        r: (K, T, B, N) activities, one step earlier, like
        x: (K, T, B, N) the states and
        inputs: (K, T, B, C).
    """
    rows = delta.flatten(1, 2)
    grad_recurrent = torch.bmm(rows.mT, r.flatten(1, 2))
    product = x * delta
    grad_keep = product.sum(dim=(1, 2))
    return grad_recurrent, grad_keep, _gradient_of_few(inputs, delta, product).mT


def _gradient_of_few(few: Tensor, many: Tensor, memory: Tensor) -> Tensor:
    """Sums over trials and steps of products, (K, C, N).

    A matrix product this thin may be rounded by where its parts lie in memory, so otherwise for
    one network than for many; sums are not.

    Args:
        few: (K, T, B, C) of input or output channels.
        many: (K, T, B, N) of units.
        memory: As `many`; it is overwritten.
    """
    products = (torch.mul(many, part[..., None], out=memory) for part in few.unbind(-1))
    return torch.stack([product.sum(dim=(1, 2)) for product in products], dim=1)


@dataclass(frozen=True)
class Units:
    """What the units of K networks are from the start, and stay.

    Attributes:
        excitatory: (K, N) where Dale's law holds; None: it does not.
        allowed: (K, N, N) where connections may grow; None: everywhere.
        cell_types: K times the names of the N units' kinds; None: they have none.
    """

    excitatory: NDArray[np.bool_] | None = None
    allowed: NDArray[np.bool_] | None = None
    cell_types: list[tuple[str, ...]] | None = None

    __repr__ = essentials

    def signs(self) -> NDArray[np.float64] | None:
        """(K, N) 1 for excitatory and -1 for inhibitory units; None without Dale's law."""
        return None if self.excitatory is None else np.where(self.excitatory, 1.0, -1.0)


class RateModule(nn.Module):
    """K trainable `RateNetwork`s: recurrent and output weights, output bias, time constants.

    On a CPU each network is computed to the last bit as it is alone, for 4 trials or more: some
    processors round thinner matrix products by where they lie in memory.

    Attributes:
        w: (K, N, N) raw recurrent weights; under Dale's law W = (relu(w) diag(sign)) mask.
        gate: (K, N) tau = sigmoid(gate) (tau_max - tau_min) + tau_min.
        w_out: (K, O, N).
        b_out: (K, O).
        w_in: (K, N, C), not trained.
        sign: (K, N) 1 for excitatory, -1 for inhibitory units; None without Dale's law.
        mask: (K, N, N) 0 where no connection may grow, else 1; None: they may everywhere.
        cell_types: K times the names of the N units' kinds; None: they have none.
    """

    w: nn.Parameter
    gate: nn.Parameter
    w_out: nn.Parameter
    b_out: nn.Parameter
    sign: Tensor | None
    mask: Tensor | None
    w_in: Tensor

    def __init__(
        self,
        parameters: Mapping[str, NDArray[np.floating]],
        *,
        w_in: NDArray[np.float64],
        units: Units,
        tau_range_ms: tuple[float, float],
        dt_ms: float,
        activation: str = "sigmoid",
    ) -> None:
        super().__init__()
        for name in PARAMETERS:
            value = torch.tensor(parameters[name], dtype=torch.float32)
            setattr(self, name, nn.Parameter(value))
        self.register_buffer("w_in", torch.tensor(w_in, dtype=torch.float32))
        for name, values in (("sign", units.signs()), ("mask", units.allowed)):
            kept = None if values is None else torch.tensor(values, dtype=torch.float32)
            self.register_buffer(name, kept)
        self.cell_types, self.activation = units.cell_types, activation
        self.tau_range_ms, self.dt_ms = tau_range_ms, dt_ms
        if tau_range_ms[0] == tau_range_ms[1]:
            self.gate.requires_grad = False

    def recurrent(self) -> Tensor:
        """W as it acts, (K, N, N)."""
        signed = self.w if self.sign is None else self.w.relu() * self.sign[:, None]
        return signed if self.mask is None else signed * self.mask

    def tau_ms(self) -> Tensor:
        """Time constants, (K, N) ms."""
        low, high = self.tau_range_ms
        # Row by row: the last few entries of a tensor are rounded otherwise than the others.
        return torch.stack([torch.sigmoid(row) for row in self.gate]) * (high - low) + low

    def forward(self, inputs: Tensor, noise: Tensor, space: Workspace) -> Tensor:
        """Outputs of trials.

        Args:
            inputs: (K, T, B, C).
            noise: (K, T, B, N) what is added to x in each step, first the initial state. It is
                overwritten and, like `space`, must not be used again before the backward pass.
            space: Memory for at least K networks.

        Returns:
            (K, T, B, O).
        """
        rate = (self.dt_ms / self.tau_ms())[:, :, None]
        # torch does not annotate `apply`.
        outputs: Tensor = Recurrence.apply(  # type: ignore[no-untyped-call]
            rate * self.recurrent(),
            1 - rate[:, :, 0],
            rate * self.w_in,
            self.w_out,
            (inputs, noise),
            (TORCH_ACTIVATIONS[self.activation], space),
        )
        return outputs + self.b_out[:, None, None]

    def select(self, rows: list[int]) -> None:
        """Leave out all networks but these."""
        for values in (*self.parameters(), *self.buffers()):
            values.grad = None
            # Optimizers know a parameter by its identity, which `data` leaves as it is.
            values.data = values.data[rows]
        if self.cell_types is not None:
            self.cell_types = [self.cell_types[row] for row in rows]

    def network(self, index: int, **fields: Any) -> RateNetwork:
        """The description of one network as it now is; `fields` go into it as they are."""
        sign = self.sign
        return RateNetwork(
            recurrent=_array(self.recurrent()[index]),
            w_in=_array(self.w_in[index]),
            w_out=_array(self.w_out[index]),
            b_out=_array(self.b_out[index]),
            tau_ms=_array(self.tau_ms()[index]),
            dt_ms=self.dt_ms,
            activation=self.activation,
            cell_types=None if self.cell_types is None else self.cell_types[index],
            excitatory=None if sign is None else _array(sign[index]) > 0,
            **fields,
        )


def _array(values: Tensor) -> NDArray[np.float64]:
    array: NDArray[np.float64] = values.detach().cpu().double().numpy()
    return array
