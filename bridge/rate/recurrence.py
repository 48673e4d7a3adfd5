"""The recurrence of rate networks as one operation, its backward pass through time written out.

Autograd would add a gradient of the recurrent weights in every step. Here the deltas of many steps
are kept and one matrix product gives their gradient, on its own thread in parallel with the
steps that follow.
"""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import reduce
from typing import Any

import torch
from torch import Tensor

from bridge.rate.activations import Activation

# Steps whose deltas make one matrix product: enough to be quick, few enough to begin early.
BLOCK = 25


class AtOnce(Executor):
    """Computes what it is handed before it answers, on the same thread."""

    def submit(self, work: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        """A future that is done."""
        future: Future[Any] = Future()
        future.set_result(work(*given, **named))
        return future


class Workspace:
    """Memory of one forward and backward pass, (K, T, B, N) each, used again for the next one.

    Fresh memory would be paged in anew in every update, which costs more than the arithmetic.

    Attributes:
        r: Activities.
        delta: Gradients of the loss with respect to the states.
        helper: Computes the weight gradients of a block during the deltas of the next one.
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
        start: Tensor | None,
        given: tuple[Tensor, Tensor, Activation, Workspace],
    ) -> Tensor:
        """Outputs o without their bias, (K, T, B, O).

        Args:
            ctx: Carries what the backward pass needs.
            recurrent: (K, N, N) V.
            keep: (K, N) what a step leaves of a state.
            w_in: (K, N, C) U.
            w_out: (K, O, N).
            start: (K, N) the initial state without its noise; None: zero.
            given: (K, T, B, C) inputs u; (K, T, B, N) the noise, whose first entry is that of the
                initial state, and which the states overwrite; phi; memory for at least K networks.
        """
        inputs, x, phi, space = given
        networks, steps, trials, units = x.shape
        r, columns, leak = space.r[:networks], recurrent.mT.contiguous(), keep[:, None]
        if start is not None:
            x[:, 0] += start[:, None]
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
        ctx.starts = start is not None
        # Until the backward pass the memory of the deltas is free.
        return read_out(r, w_out, space.delta[:networks])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of recurrent weights, `keep`, input and output weights, and start."""
        recurrent, keep, w_out = ctx.saved_tensors
        inputs, x, phi, space = ctx.kept
        steps, leak = x.shape[1], keep[:, None]
        r, delta = space.r[: len(x)], space.delta[: len(x)]
        torch.bmm(grad.flatten(1, 2), w_out, out=delta.flatten(1, 2))
        rs, deltas, slope = r.unbind(1), delta.unbind(1), torch.empty_like(r[:, 0])
        jobs = []
        for stop in range(steps, 1, -BLOCK):
            start = max(1, stop - BLOCK)
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
        grad_start = None
        if ctx.starts:
            phi.slopes(rs[0], slope)
            deltas[0].baddbmm_(deltas[1], recurrent).mul_(slope).addcmul_(deltas[1], leak)
            grad_start = deltas[0].sum(dim=1)
        grad_out = gradient_of_few(grad, r, delta)
        return *(reduce(torch.add, parts) for parts in blocks), grad_out, grad_start, None


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
    return grad_recurrent, grad_keep, gradient_of_few(inputs, delta, product).mT


def read_out(states: Tensor, w_out: Tensor, memory: Tensor) -> Tensor:
    """Outputs without their bias, (K, T, B, O).

    Args:
        states: (K, T, B, N) of what the output weights sum.
        w_out: (K, O, N).
        memory: As `states`; it is overwritten.
    """
    weighted = (torch.mul(states, row[:, None, None], out=memory) for row in w_out.unbind(1))
    return torch.stack([product.sum(-1) for product in weighted], dim=-1)


def gradient_of_few(few: Tensor, many: Tensor, memory: Tensor) -> Tensor:
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
