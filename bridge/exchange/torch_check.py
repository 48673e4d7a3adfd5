"""A rate network held against the forward pass of the PyTorch module that it was read from."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special
from torch import Tensor

from bridge.errors import SpecError
from bridge.exchange.torch_runs import FAILURES, Trial
from bridge.rate.network import RateNetwork
from bridge.rate.plain_activations import ACTIVATIONS
from bridge.spiking.essentials import essentials, several

Array = NDArray[np.float64]
Function = Callable[[Array], Array]

TOLERANCE = 1e-5
"""Largest difference of two outputs, of the largest output."""

# What modules do with their outputs, which no readout does.
_AFTER: Mapping[str, Function] = {
    **ACTIVATIONS,
    "softmax": lambda values: np.asarray(special.softmax(values, axis=-1)),
    "log_softmax": lambda values: np.asarray(special.log_softmax(values, axis=-1)),
}


@dataclass(frozen=True, kw_only=True)
class Match:
    """How far a network's outputs are from its module's.

    Attributes:
        difference: The largest, of the largest output.
        lag_samples: How much later the network's outputs come, samples.
        first: Sample and trial of the first difference beyond `TOLERANCE`; None: there is none.
        varies: Whether the module's outputs vary so much that a difference means something.
        inputs: What they were shown, in words.
    """

    difference: float
    lag_samples: int
    first: tuple[int, int] | None
    varies: bool
    inputs: str

    __repr__ = essentials

    @property
    def fits(self) -> bool:
        """Whether they are the same outputs."""
        return self.difference <= TOLERANCE

    def told(self) -> str:
        """The match in a sentence."""
        lag = f", {several(self.lag_samples, 'sample')} later" if self.lag_samples else ""
        return (
            f"outputs equal the module's to {self.difference:.1e} of the largest{lag}, in "
            f"{self.inputs}"
        )


def match(rate: RateNetwork, trial: Trial) -> Match:
    """The network next to its module, in the layout and at the lag at which they are nearest.

    Where rounding to float32 grows too much for the two to be compared, as it does in a network
    that is chaotic, a copy of the module in float64 is.

    Raises:
        SpecError: the module cannot be run, gives no outputs of this shape or none that vary, or
            the two differ.
    """
    best = _nearest(rate, trial)
    finer = None if best.fits else trial.in_float64()
    if finer is not None:
        exact = _nearest(rate, finer)
        best = replace(exact, inputs=f"{exact.inputs}, in float64") if exact.fits else best
    if best.fits and best.varies:
        return best
    if best.fits:
        raise SpecError(
            f"module: its outputs are all alike in {best.inputs}, which shows nothing of the "
            "network; give inputs that drive it (check=...)"
        )
    sample, number = best.first or (0, 0)
    raise SpecError(
        f"module: the network read from it has other outputs than its own forward pass, by up to "
        f"{best.difference:.2g} of the largest, first at sample {sample} of trial {number}; "
        f"{_hint(rate, finer or trial)}"
    )


def _hint(rate: RateNetwork, trial: Trial) -> str:
    """What would resolve it, where that is known."""
    form: Literal["x", "h"] = "h" if rate.form == "x" else "x"
    turned = replace(rate, recurrent=rate.recurrent.T, excitatory=None)
    if _nearest(replace(rate, form=form), trial).fits:
        return f"form={form!r} would agree"
    if _nearest(turned, trial).fits:
        return "recurrent weights turned round would agree (orientation)"
    for name, function in _AFTER.items():
        if _nearest(rate, trial, function).fits:
            return (
                f"it passes its outputs through {name}, which no readout does: run it without "
                "(forward=...)"
            )
    return (
        "its parts, activation, form and time constants must be given as it has them, and no noise"
    )


def _nearest(rate: RateNetwork, trial: Trial, after: Function | None = None) -> Match:
    """The best of all that may be meant; `after`: what is done with the network's outputs."""
    layouts = (False, True) if trial.batch_first is None else (trial.batch_first,)
    found: list[Match] = []
    reasons = []
    for batch_first in layouts:
        inputs, said = trial.inputs(rate.input_size, batch_first=batch_first)
        laid = inputs.transpose(0, 1) if batch_first else inputs
        try:
            returned = trial.returned(laid)
        except FAILURES as error:
            reasons.append(
                f"it cannot be run on inputs of shape {tuple(laid.shape)} ({error}); give others "
                "(check=...), or say how it is run (forward=...)"
            )
            continue
        theirs = [_samples_first(each, batch_first=batch_first) for each in returned]
        matches = list(_matches(rate, inputs.double().numpy(), theirs, after))
        found += [replace(each, inputs=said) for each in matches]
        if not matches:
            shapes = " and ".join(str(tuple(each.shape)) for each in returned) or "no tensor"
            reasons.append(
                f"of inputs of shape {tuple(laid.shape)} it makes {shapes}, and not "
                f"{several(len(rate.w_out), 'output')} or {rate.size} activities"
            )
    if not found:
        raise SpecError(f"module: {' '.join(reasons[0].split())}")
    return min(found, key=lambda each: each.difference)


def _samples_first(returned: Tensor, *, batch_first: bool) -> Array:
    array: Array = returned.detach().double().numpy()
    return array.swapaxes(0, 1) if batch_first and array.ndim == 3 else array


def _matches(
    rate: RateNetwork, inputs: Array, returned: list[Array], after: Function | None
) -> Iterator[Match]:
    """Each array that may be the outputs, or else the activities, at each lag."""
    steps, trials, _ = inputs.shape
    # One sample more, since the first of a network is of its first state.
    outputs, activity = rate.run(np.concatenate([inputs, np.zeros_like(inputs[:1])]), None)
    for ours in (outputs if after is None else after(outputs), activity):
        # Some modules give only the output at the end.
        shapes: dict[Any, int] = {
            (steps, trials, ours.shape[2]): 0,
            (trials, ours.shape[2]): steps - 1,
        }
        fitting = [(each, shapes[each.shape]) for each in returned if each.shape in shapes]
        for theirs, start in fitting:
            laid = theirs if theirs.ndim == 3 else theirs[None]
            for lag in (0, 1):
                yield _compared(laid, ours[start + lag : start + lag + len(laid)], lag)
        if fitting:
            return


def _compared(theirs: Array, mine: Array, lag: int) -> Match:
    if not np.isfinite(theirs).all():
        raise SpecError("module: its own outputs hold NaN or infinite values")
    scale = float(np.abs(theirs).max()) or 1.0
    differences = np.abs(theirs - mine) / scale
    beyond = np.argwhere(differences.max(axis=2) > TOLERANCE)
    return Match(
        difference=float(differences.max()),
        lag_samples=lag,
        first=(int(beyond[0, 0]), int(beyond[0, 1])) if len(beyond) else None,
        varies=bool(np.ptp(theirs) > 100 * TOLERANCE * scale),
        inputs="",
    )
