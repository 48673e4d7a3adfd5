"""The output error of a rate network as neurons of one kind, against how much these fire."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.spiking.arrays import counted, frozen_array
from bridge.spiking.essentials import essentials
from bridge.spiking.values import text

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class ErrorCurve:
    """What the L candidates of a search, scale factors or gains, came to.

    Attributes:
        neuron: The kind of neuron, as people call it: "LIF".
        rates_hz: (L,) mean rate over neurons and trials, Hz.
        output_error: (L,) as in `bridge.methods.output_error`.
        best: Index of the chosen one.
    """

    neuron: str
    rates_hz: Array
    output_error: Array
    best: int

    __repr__ = essentials

    def __post_init__(self) -> None:
        text("curve: neuron", self.neuron)
        rates_hz = frozen_array("curve: rates_hz", self.rates_hz, (None,))
        error = frozen_array("curve: output_error", self.output_error, rates_hz.shape)
        if not rates_hz.size or min(rates_hz.min(), error.min()) < 0:
            raise SpecError("curve: expected rates and output errors of at least 0, one or more")
        if counted("curve: best", self.best) >= rates_hz.size:
            raise SpecError(f"curve: best: {self.best} is no index into {rates_hz.size} rates")
        object.__setattr__(self, "rates_hz", rates_hz)
        object.__setattr__(self, "output_error", error)
