"""The recurrence of form h as one operation, its backward pass written out.

As `bridge.rate.recurrence`, of states that follow the activation: what the weights sum is the state
itself, and the activation's slope stands between a state and what it came from.
"""

from functools import reduce
from typing import Any

import torch
from torch import Tensor

from bridge.rate.activations import Activation
from bridge.rate.recurrence import BLOCK, Workspace, gradient_of_few, read_out


class RecurrenceH(torch.autograd.Function):
    """The recurrence of form h and its outputs as one operation, each network for itself.

    h[t] = keep h[t-1] + (1 - keep) a[t] + noise[t];  a[t] = phi(W h[t-1] + U u[t-1]);  o = W_out h.
    """

    @staticmethod
    def forward(
        ctx: Any,
        recurrent: Tensor,
        keep: Tensor,
        w_in: Tensor,
        w_out: Tensor,
        start: Tensor | None,
        given: tuple[Tensor, Tensor, Activation, Workspace],
    ) -> Tensor:
        """Outputs o without their bias, (K, T, B, O); the arguments of `Recurrence`."""
        inputs, h, phi, space = given
        networks, steps, trials, units = h.shape
        a, columns, leak = space.r[:networks], recurrent.mT.contiguous(), keep[:, None]
        if start is not None:
            h[:, 0] += start[:, None]
        driven = a[:, 1:].view(networks, (steps - 1) * trials, units)
        # Nothing of what is there: it may be no number.
        driven.baddbmm_(inputs[:, :-1].flatten(1, 2), w_in.mT, beta=0)
        hs, rates, new = h.unbind(1), a.unbind(1), 1 - leak
        for t in range(1, steps):
            rates[t].baddbmm_(hs[t - 1], columns)
            phi.rates(rates[t], rates[t])
            hs[t].addcmul_(hs[t - 1], leak).addcmul_(rates[t], new)
        ctx.save_for_backward(recurrent, keep, w_out)
        ctx.kept = inputs, h, phi, space
        ctx.starts = start is not None
        return read_out(h, w_out, space.delta[:networks])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of recurrent weights, `keep`, input and output weights, and start."""
        recurrent, keep, w_out = ctx.saved_tensors
        inputs, h, phi, space = ctx.kept
        steps, leak = h.shape[1], keep[:, None]
        a, delta = space.r[: len(h)], space.delta[: len(h)]
        torch.bmm(grad.flatten(1, 2), w_out, out=delta.flatten(1, 2))
        # Of what the activation is taken of.
        driven = torch.empty_like(delta)
        rates, deltas, slopes, new = a.unbind(1), delta.unbind(1), driven.unbind(1), 1 - leak
        jobs = []
        for stop in range(steps, 1, -BLOCK):
            first = max(1, stop - BLOCK)
            for t in range(stop - 1, first - 1, -1):
                phi.slopes(rates[t], slopes[t])
                slopes[t].mul_(deltas[t]).mul_(new)
                deltas[t - 1].baddbmm_(slopes[t], recurrent).addcmul_(deltas[t], leak)
            before = (part[:, first - 1 : stop - 1] for part in (h, inputs))
            own = (part[:, first:stop] for part in (driven, delta, a))
            jobs.append(space.helper.submit(_block_gradients, *own, *before))
        blocks = zip(*[job.result() for job in jobs], strict=True)
        grad_start = delta[:, 0].sum(dim=1) if ctx.starts else None
        grad_out = gradient_of_few(grad, h, driven)
        return *(reduce(torch.add, parts) for parts in blocks), grad_out, grad_start, None


def _block_gradients(
    driven: Tensor, delta: Tensor, a: Tensor, h: Tensor, inputs: Tensor
) -> tuple[Tensor, ...]:
    """What some steps add to the gradients of W, `keep` and U.

    Args:
        driven: (K, T, B, N) gradients of what the activation is taken of, in these steps, like
        delta: (K, T, B, N) those of the states and
        a: (K, T, B, N) the activations.
        h: (K, T, B, N) the states, one step earlier, like
        inputs: (K, T, B, C).
    """
    grad_recurrent = torch.bmm(driven.flatten(1, 2).mT, h.flatten(1, 2))
    product = (h - a) * delta
    grad_keep = product.sum(dim=(1, 2))
    return grad_recurrent, grad_keep, gradient_of_few(inputs, driven, product).mT
