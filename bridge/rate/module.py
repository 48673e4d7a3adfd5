"""Rate networks as one PyTorch module.

K networks of one shape are computed together, in a leading dimension of every tensor.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bridge.rate.activations import TORCH_ACTIVATIONS
from bridge.rate.network import RateNetwork
from bridge.rate.recurrence import Recurrence, Workspace
from bridge.rate.recurrence_h import RecurrenceH
from bridge.rate.unit_forms import Form
from bridge.spiking.essentials import essentials

PARAMETERS = ("w", "gate", "w_out", "b_out", "bias", "initial_state")
"""All that may be trained; a network need have neither of the last two."""


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
    """K trainable `RateNetwork`s: recurrent and output weights, biases, time constants.

    On a CPU each network is computed to the last bit as it is alone, for 4 trials or more: some
    processors round thinner matrix products by where they lie in memory.

    Attributes:
        w: (K, N, N) raw recurrent weights; under Dale's law W = (relu(w) diag(sign)) mask.
        gate: (K, N) tau = sigmoid(gate) (tau_max - tau_min) + tau_min.
        w_out: (K, O, N).
        b_out: (K, O).
        bias: (K, N) of the units; None: they have none.
        initial_state: (K, N) x(0) or h(0); None: zero.
        w_in: (K, N, C), not trained.
        sign: (K, N) 1 for excitatory, -1 for inhibitory units; None without Dale's law.
        mask: (K, N, N) 0 where no connection may grow, else 1; None: they may everywhere.
        cell_types: K times the names of the N units' kinds; None: they have none.
    """

    w: nn.Parameter
    gate: nn.Parameter
    w_out: nn.Parameter
    b_out: nn.Parameter
    bias: nn.Parameter | None
    initial_state: nn.Parameter | None
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
        form: Form = "x",
    ) -> None:
        super().__init__()
        for name in PARAMETERS:
            given = parameters.get(name)
            value = None if given is None else torch.tensor(given, dtype=torch.float32)
            setattr(self, name, None if value is None else nn.Parameter(value))
        self.register_buffer("w_in", torch.tensor(w_in, dtype=torch.float32))
        for name, values in (("sign", units.signs()), ("mask", units.allowed)):
            kept = None if values is None else torch.tensor(values, dtype=torch.float32)
            self.register_buffer(name, kept)
        self.cell_types, self.activation = units.cell_types, activation
        self.tau_range_ms, self.dt_ms, self.form = tau_range_ms, dt_ms, form
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
            noise: (K, T, B, N) what is added to the state in each step, first at the start. It is
                overwritten and, like `space`, must not be used again before the backward pass.
            space: Memory for at least K networks.

        Returns:
            (K, T, B, O).
        """
        rate = (self.dt_ms / self.tau_ms())[:, :, None]
        w_in, inputs = self._with_constant(inputs)
        # In form h the weights stand inside the activation.
        operation, share = (Recurrence, rate) if self.form == "x" else (RecurrenceH, 1)
        # torch does not annotate `apply`.
        outputs: Tensor = operation.apply(  # type: ignore[no-untyped-call]
            share * self.recurrent(),
            1 - rate[:, :, 0],
            share * w_in,
            self.w_out,
            self.initial_state,
            (inputs, noise, TORCH_ACTIVATIONS[self.activation], space),
        )
        return outputs + self.b_out[:, None, None]

    def _with_constant(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Input weights and inputs; a bias is the weight of one more input, which is always 1."""
        if self.bias is None:
            return self.w_in, inputs
        ones = torch.ones_like(inputs[..., :1])
        return torch.cat([self.w_in, self.bias[..., None]], -1), torch.cat([inputs, ones], -1)

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
        for name in ("bias", "initial_state"):
            values = getattr(self, name)
            if values is not None:
                fields[name] = _array(values[index])
        return RateNetwork(
            recurrent=_array(self.recurrent()[index]),
            w_in=_array(self.w_in[index]),
            w_out=_array(self.w_out[index]),
            b_out=_array(self.b_out[index]),
            tau_ms=_array(self.tau_ms()[index]),
            dt_ms=self.dt_ms,
            activation=self.activation,
            form=self.form,
            cell_types=None if self.cell_types is None else self.cell_types[index],
            excitatory=None if sign is None else _array(sign[index]) > 0,
            **fields,
        )


def _array(values: Tensor) -> NDArray[np.float64]:
    array: NDArray[np.float64] = values.detach().cpu().double().numpy()
    return array
