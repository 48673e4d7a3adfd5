"""The rate network as a PyTorch module, with its backward pass through time written out.

Autograd would add a gradient of the recurrent weights in every step. Here the deltas of all steps
are kept and one matrix product gives the whole gradient.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bridge.rate.network import RateNetwork


class Workspace:
    """Memory of one forward and backward pass, (T, B, N) each, used again for the next one.

    Fresh memory would be paged in anew in every update, which costs more than the arithmetic.
    """

    def __init__(self, steps: int, trials: int, units: int, device: torch.device) -> None:
        parts = torch.zeros((5, steps, trials, units), device=device)
        self.x, self.r, self.pull, self.delta, self.scaled = parts.unbind()


class Recurrence(torch.autograd.Function):
    """The recurrence and its outputs as one operation.

    x[t] = (1 - a) x[t-1] + a (W r[t-1] + W_in u[t-1]) + noise[t];  r = sigmoid(x);  o = W_out r.
    """

    @staticmethod
    def forward(
        ctx: Any,
        weights: Tensor,
        rate: Tensor,
        w_out: Tensor,
        driven: tuple[Tensor, Tensor],
        space: Workspace,
    ) -> Tensor:
        """Outputs o without their bias, (T, B, O).

        Args:
            ctx: Carries what the backward pass needs.
            weights: (N, N) W.
            rate: (N,) a = dt/tau.
            w_out: (O, N).
            driven: (T, B, C) inputs u, and (N, C) W_in.
            space: Holds the noise in x, whose first entry is the initial state; overwritten.
        """
        inputs, w_in = driven
        keep, columns = 1 - rate, weights.T.contiguous()
        torch.matmul(inputs[:-1], w_in.T, out=space.pull[1:])
        # Views made once: indexing in the loop would cost as much as the arithmetic.
        xs, rs, pulls = space.x.unbind(), space.r.unbind(), space.pull.unbind()
        torch.sigmoid(xs[0], out=rs[0])
        for t in range(1, len(xs)):
            pulls[t].addmm_(rs[t - 1], columns)
            xs[t].addcmul_(xs[t - 1], keep).addcmul_(pulls[t], rate)
            torch.sigmoid(xs[t], out=rs[t])
        ctx.save_for_backward(weights, rate, w_out)
        ctx.space = space
        return space.r @ w_out.T

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients with respect to the weights, the rates and the output weights."""
        weights, rate, w_out = ctx.saved_tensors
        space, keep = ctx.space, 1 - rate
        grad_out = grad.flatten(0, 1).T @ space.r.flatten(0, 1)
        # delta[t] is the gradient of the loss with respect to x[t]; scaled[t] is a delta[t].
        torch.matmul(grad, w_out, out=space.delta)
        deltas, scaleds, rs = space.delta.unbind(), space.scaled.unbind(), space.r.unbind()
        back, slope = torch.empty_like(rs[0]), torch.empty_like(rs[0])
        later = torch.zeros_like(back)
        for t in range(len(rs) - 1, -1, -1):
            torch.mul(later, keep, out=back)
            deltas[t].addmm_(scaleds[t + 1], weights) if t + 1 < len(rs) else None
            torch.addcmul(rs[t], rs[t], rs[t], value=-1, out=slope)
            later = torch.addcmul(back, deltas[t], slope, out=deltas[t])
            torch.mul(later, rate, out=scaleds[t])
        grad_weights = space.scaled[1:].flatten(0, 1).T @ space.r[:-1].flatten(0, 1)
        moved = torch.sub(space.pull[1:], space.x[:-1], out=space.scaled[1:]).mul_(space.delta[1:])
        return grad_weights, moved.sum(dim=(0, 1)), grad_out, None, None


class RateModule(nn.Module):
    """A trainable `RateNetwork`: recurrent and output weights, output bias, time constants.

    Attributes:
        w: (N, N) raw recurrent weights; under Dale's law W = relu(w) diag(sign).
        gate: (N,) tau = sigmoid(gate) (tau_max - tau_min) + tau_min.
        w_out: (O, N).
        b_out: (O,).
    """

    w: nn.Parameter
    gate: nn.Parameter
    w_out: nn.Parameter
    b_out: nn.Parameter
    sign: Tensor | None
    w_in: Tensor

    def __init__(
        self,
        parameters: Mapping[str, NDArray[np.floating]],
        *,
        w_in: NDArray[np.float64],
        excitatory: NDArray[np.bool_] | None,
        tau_range_ms: tuple[float, float],
        dt_ms: float,
    ) -> None:
        super().__init__()
        for name in PARAMETERS:
            value = torch.tensor(parameters[name], dtype=torch.float32)
            setattr(self, name, nn.Parameter(value))
        self.register_buffer("w_in", torch.tensor(w_in, dtype=torch.float32))
        sign = None if excitatory is None else torch.tensor(np.where(excitatory, 1.0, -1.0)).float()
        self.register_buffer("sign", sign)
        self.tau_range_ms, self.dt_ms = tau_range_ms, dt_ms
        if tau_range_ms[0] == tau_range_ms[1]:
            self.gate.requires_grad = False

    def recurrent(self) -> Tensor:
        """W as it acts, (N, N)."""
        return self.w if self.sign is None else self.w.relu() * self.sign

    def tau_ms(self) -> Tensor:
        """Time constants, (N,) ms."""
        low, high = self.tau_range_ms
        return torch.sigmoid(self.gate) * (high - low) + low

    def forward(self, inputs: Tensor, space: Workspace) -> Tensor:
        """Outputs of trials.

        Args:
            inputs: (T, B, C).
            space: Holds in x what is added to x in each step, first the initial state; it is
                overwritten, and must not be used again before the backward pass.

        Returns:
            (T, B, O).
        """
        rate = self.dt_ms / self.tau_ms()
        driven = (inputs, self.w_in)
        # torch does not annotate `apply`.
        outputs: Tensor = Recurrence.apply(  # type: ignore[no-untyped-call]
            self.recurrent(), rate, self.w_out, driven, space
        )
        return outputs + self.b_out

    def network(self, **fields: Any) -> RateNetwork:
        """The description of the network as it now is; `fields` go into it as they are."""
        sign = self.sign
        return RateNetwork(
            recurrent=_array(self.recurrent()),
            w_in=_array(self.w_in),
            w_out=_array(self.w_out),
            b_out=_array(self.b_out),
            tau_ms=_array(self.tau_ms()),
            dt_ms=self.dt_ms,
            excitatory=None if sign is None else _array(sign) > 0,
            **fields,
        )


PARAMETERS = ("w", "gate", "w_out", "b_out")


def _array(values: Tensor) -> NDArray[np.float64]:
    array: NDArray[np.float64] = values.detach().cpu().double().numpy()
    return array
