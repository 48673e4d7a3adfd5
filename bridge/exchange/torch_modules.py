"""A rate network from a PyTorch module, checked against the module's own forward pass."""

from collections.abc import Callable
from dataclasses import replace
from numbers import Real
from typing import Any

import torch
from torch import Tensor, nn

from bridge.arguments import callback, flag, in_words, text
from bridge.errors import SpecError
from bridge.exchange.leaky_parts import Manner, Parts, assembled
from bridge.exchange.torch_check import Match, match
from bridge.exchange.torch_parts import (
    Recurrent,
    activation_name,
    check_module,
    found_parts,
    looked_up,
    named_parts,
    with_readout,
)
from bridge.exchange.torch_runs import Trial
from bridge.rate.network import RateNetwork
from bridge.rate.unit_forms import check_form
from bridge.versions import version

_FIELDS = ("task", "excitatory", "cell_types")


# Each argument is one part that people's modules have.
def from_torch(  # noqa: PLR0913
    module: nn.Module,
    *,
    dt_ms: float,
    tau_ms: Any = None,
    recurrent: Any = None,
    w_in: Any = None,
    readout: Any = None,
    b_out: Any = None,
    bias: Any = None,
    initial_state: Any = None,
    activation: Any = None,
    form: str | None = None,
    highest_rate: float | None = None,
    noise_sd: float = 0.0,
    orientation: str = "post_pre",
    batch_first: bool | None = None,
    check: Any = None,
    forward: Callable[[Tensor], Any] | None = None,
    **fields: Any,
) -> RateNetwork:
    """A rate network that computes what a PyTorch module does, which is tried before it is given.

    A module that is an `nn.RNN` or an `nn.RNNCell`, or holds one and at most one `nn.Linear`,
    is read by itself: `from_torch(module, dt_ms=10)`. Of any other the parts are named:
    `from_torch(module, dt_ms=10, tau_ms=100, recurrent="w_rec", w_in="w_in", readout="out",
    activation="tanh", form="x")`. A part is a name in the module (`"cell.w_rec"`), a layer or an
    array. The module stays as it is.

    Args:
        module: It takes inputs (T, B, C) or (B, T, C). It gives outputs (T, B, O), or the last of
            them; in a tuple they come first.
        dt_ms: How long a step is, ms: PyTorch does not say.
        tau_ms: Time constants, ms: one number, (N,) or a part's name; None: the step, as of
            `nn.RNN` where no module around it makes it leaky.
        recurrent: W as it acts; of a linear layer its bias counts, too.
        w_in: W_in; of a linear layer its bias counts, too.
        readout: W_out, of a linear layer with its bias; None: the only linear layer apart from an
            `nn.RNN`, else the outputs are the activities.
        b_out: Output bias, where the readout is not a linear layer.
        bias: Biases of the units in addition to those of layers: one, or a list; they add up.
        initial_state: x(0) or h(0).
        activation: Its name, a function of torch or a module: sigmoid, softplus, relu, relu6, tanh.
        form: "x": tau dx/dt = -x + W phi(x) + W_in u + b; "h": tau dh/dt = -h + phi(W h + ...).
        highest_rate: Where softplus and relu are clipped; None: as in PyTorch.
        noise_sd: S.d. of the noise that the network adds to its state in each step.
        orientation: "post_pre" or "pre_post": how arrays and parameters lie that are not layers'.
        batch_first: Whether the module takes (B, T, C); None: it is tried.
        check: Inputs to try the network on, as the module takes them; None: they are drawn.
        forward: How to run the module, where `module(inputs)` is not it.
        **fields: `task`, `excitatory`, `cell_types` of the network.

    Returns:
        The network. `provenance["check"]` says how near it is to the module; where its outputs
        come one sample later than the module's, `lag_samples` is 1.

    Raises:
        SpecError: a part is lacking, is none of a rate network (gates, layers, dropout), or the
            network does something else than the module.
    """
    _check_given(module, orientation, fields)
    callback("forward", forward)
    if batch_first is not None:
        flag("batch_first", batch_first)
    if (recurrent is None) != (w_in is None):
        raise SpecError("recurrent and w_in: name both, or neither of an nn.RNN")
    if form is not None:
        check_form(form)
    manner = Manner(
        dt_ms=dt_ms,
        tau_ms=looked_up(module, "tau_ms", tau_ms),
        activation="" if activation is None else activation_name(module, activation),
        form=form or "",
        highest_rate=highest_rate,
        noise_sd=noise_sd,
    )
    told = _vectors(module, b_out, bias, initial_state)
    turned, layer = orientation == "pre_post", None
    if recurrent is None:
        known = [value for group in told.values() for value in group.values()]
        layer, parts = found_parts(module, readout, known)
        manner = _manner_of(layer, manner, bare=layer is module)
        batch_first = _layout(module, layer, given=batch_first)
    else:
        parts = named_parts(module, recurrent, w_in, turned=turned)
        parts = parts if readout is None else with_readout(module, parts, readout, turned=turned)
        manner = _named_manner(manner)
    parts = _with_vectors(parts, told)
    rate = assembled(parts, manner, **fields)
    trial = Trial(
        module=module,
        bare=parts if layer is module else None,
        forward=forward,
        given=check,
        batch_first=batch_first,
    )
    return replace(rate, provenance=_provenance(module, match(rate, trial)))


def _check_given(module: object, orientation: str, fields: dict[str, Any]) -> None:
    if not isinstance(module, nn.Module):
        raise SpecError(
            f"module: expected a torch.nn.Module, got {in_words(module)}; arrays are taken by "
            "bridge.RateNetwork.from_arrays, files of weights by bridge.import_network"
        )
    if text("orientation", orientation) not in ("post_pre", "pre_post"):
        raise SpecError(f"orientation: expected 'post_pre' or 'pre_post', got {orientation!r}")
    unknown = sorted(set(fields) - set(_FIELDS))
    if unknown:
        raise SpecError(
            f"unknown argument {unknown[0]!r} of from_torch; fields of the network that it takes "
            f"are {', '.join(_FIELDS)}"
        )
    check_module(module)
    for name, value in (*module.named_parameters(), *module.named_buffers()):
        if not value.is_floating_point():
            continue
        if value.device.type != "cpu":
            raise SpecError(
                f"{name}: lies on {value.device.type}, and is read on the CPU; give "
                "copy.deepcopy(module).cpu()"
            )
        if value.dtype not in (torch.float32, torch.float64):
            kind = str(value.dtype).removeprefix("torch.")
            raise SpecError(
                f"{name}: of type {kind}, expected float32 or float64; give "
                "copy.deepcopy(module).float() where the rounding does not matter"
            )


def _manner_of(layer: Recurrent, given: Manner, *, bare: bool) -> Manner:
    """How nn.RNN acts; SpecError where a user says otherwise.

    A module around it may make it leaky, as by h = (1 - a) h + a cell(u, h).
    """
    own = {"activation": layer.nonlinearity, "form": "h"}
    for name, value in own.items():
        if getattr(given, name) not in ("", value):
            raise SpecError(
                f"{name}: {type(layer).__name__} has {value}, got {getattr(given, name)!r}"
            )
    if bare and given.tau_ms is not None:
        raise SpecError(
            f"tau_ms: of {type(layer).__name__} it is the step, dt_ms; leave it out, or name the "
            "parts of a leaky network"
        )
    return replace(given, activation=layer.nonlinearity, form="h")


def _named_manner(given: Manner) -> Manner:
    missing = [
        name for name in ("tau_ms", "activation", "form") if getattr(given, name) in ("", None)
    ]
    if missing:
        raise SpecError(
            f"{', '.join(missing)}: to be said where parts are named: time constants in ms, an "
            "activation by its name, form 'x' or 'h'"
        )
    return given


def _layout(module: nn.Module, layer: Recurrent, *, given: bool | None) -> bool | None:
    """Whether trials come first, where that is known: of a bare layer it is."""
    if layer is not module:
        return given
    own = bool(getattr(layer, "batch_first", False))
    if given not in (None, own):
        raise SpecError(f"batch_first: {type(layer).__name__} has {own}, got {given}")
    return own


def _vectors(
    module: nn.Module, b_out: Any, bias: Any, initial_state: Any
) -> dict[str, dict[str, Any]]:
    """An output bias, biases of the units and a first state that a user names, each by a name."""
    several = isinstance(bias, list | tuple) and not all(isinstance(each, Real) for each in bias)
    biases = bias if several else [] if bias is None else [bias]
    named = [each if isinstance(each, str) else f"bias {n}" for n, each in enumerate(biases)]
    return {
        "b_out": {} if b_out is None else {"b_out": looked_up(module, "b_out", b_out)},
        "biases": {
            name: looked_up(module, "bias", each) for name, each in zip(named, biases, strict=True)
        },
        "start": {}
        if initial_state is None
        else {"initial_state": looked_up(module, "initial_state", initial_state)},
    }


def _with_vectors(parts: Parts, told: dict[str, dict[str, Any]]) -> Parts:
    """The parts with what a user names in addition."""
    b_out = told["b_out"].get("b_out")
    if b_out is not None and parts.b_out is not None:
        raise SpecError("b_out: the readout has a bias of its own")
    return replace(
        parts,
        b_out=parts.b_out if b_out is None else b_out,
        biases={**parts.biases, **told["biases"]},
        start=told["start"] or parts.start,
    )


def _provenance(module: nn.Module, found: Match) -> dict[str, Any]:
    name = type(module).__name__
    return {
        "made_by": f"spikebridge {version('spikebridge')}",
        "method": f"from PyTorch's {name}, equal to {found.difference:.1e}",
        "package": f"torch {version('torch')}",
        "check": found.told(),
        "largest_difference": found.difference,
        "lag_samples": found.lag_samples,
    }
