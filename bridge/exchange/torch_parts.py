"""What a PyTorch module holds of a rate network: found by itself, or by the names of its parts."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from bridge.errors import SpecError
from bridge.exchange.leaky_parts import ACTIVATIONS, Parts
from bridge.rate.unit_names import is_start
from bridge.spiking.values import shown

Recurrent = nn.RNN | nn.RNNCell

_GATED = (nn.LSTM, nn.GRU, nn.LSTMCell, nn.GRUCell)
_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout)
_FUNCTIONS: Mapping[Any, str] = {
    torch.sigmoid: "sigmoid",
    torch.tanh: "tanh",
    torch.relu: "relu",
    nn.functional.sigmoid: "sigmoid",
    nn.functional.tanh: "tanh",
    nn.functional.relu: "relu",
    nn.functional.relu6: "relu6",
    nn.functional.softplus: "softplus",
}
_MODULES = {
    nn.Sigmoid: "sigmoid",
    nn.Tanh: "tanh",
    nn.ReLU: "relu",
    nn.ReLU6: "relu6",
    nn.Softplus: "softplus",
}
_MOST_NAMED = 12


def check_module(module: nn.Module) -> None:
    """Raise SpecError for what no rate network does: gates, dropout, several layers."""
    for name, part in module.named_modules():
        place = name or type(module).__name__
        if isinstance(part, _GATED):
            raise SpecError(
                f"{place}: {type(part).__name__} has gates, which no rate network has; nn.RNN, "
                "nn.RNNCell and leaky networks of one's own are taken"
            )
        rate = getattr(part, "p", 0.0) if isinstance(part, _DROPOUTS) else 0.0
        if isinstance(part, nn.RNN):
            _check_layers(place, part)
            rate = part.dropout
        if rate:
            raise SpecError(
                f"{place}: dropout of {rate:g} is not a part of a rate network; set it to 0 where "
                "the network is to be taken as it is without"
            )


def _check_layers(place: str, rnn: nn.RNN) -> None:
    if rnn.num_layers > 1:
        raise SpecError(
            f"{place}: {rnn.num_layers} layers, and a rate network has one recurrent layer"
        )
    if rnn.bidirectional:
        raise SpecError(f"{place}: it runs in both directions, and a rate network only forwards")


def found_parts(module: nn.Module, readout: Any, known: list[Any]) -> tuple[Recurrent, Parts]:
    """The only nn.RNN or nn.RNNCell of a module, and with it the only nn.Linear as its readout.

    Args:
        module: The module.
        readout: What a user names as the readout, if anything.
        known: Parameters whose use a user names in addition.

    Raises:
        SpecError: there is no such layer, or several, or weights that are of neither.
    """
    layers = {n: part for n, part in module.named_modules() if isinstance(part, Recurrent)}
    if len(layers) != 1:
        held = "no nn.RNN and no nn.RNNCell" if not layers else f"several: {', '.join(layers)}"
        raise SpecError(
            f"module: {type(module).__name__} has {held}; name its parts: recurrent, w_in, "
            f"readout, tau_ms, activation and form, of {_parameters(module)}"
        )
    ((name, layer),) = layers.items()
    parts = _of_layer(name, layer)
    rest = {n: part for n, part in module.named_modules() if isinstance(part, nn.Linear)}
    read: Any = None
    if readout is not None:
        read = looked_up(module, "readout", readout)
        parts = with_readout(module, parts, readout)
    elif len(rest) == 1:
        (read,) = rest.values()
        parts = replace(parts, w_out=read.weight, b_out=read.bias)
    elif rest:
        raise SpecError(
            f"module: several linear layers, {', '.join(rest)}; name the readout, and all parts "
            "where another acts on the input"
        )
    # Weights of a layer may be computed from others, as with weight_norm.
    used = [
        *known,
        *layer.parameters(),
        *(read.parameters() if isinstance(read, nn.Module) else [read]),
    ]
    return layer, _with_leftover(module, parts, used)


def _with_leftover(module: nn.Module, parts: Parts, used: list[Any]) -> Parts:
    """The parts with a first state among what is left over; SpecError for other weights."""
    known = {id(value) for value in used}
    left = {n: value for n, value in module.named_parameters() if id(value) not in known}
    start = {name: value for name, value in left.items() if is_start(name.rpartition(".")[2])}
    others = [name for name in left if name not in start]
    if others:
        raise SpecError(
            "module: apart from a recurrent layer and its readout it has weights of unknown use, "
            f"{_listed(others)}; name its parts: recurrent, w_in, readout"
        )
    return replace(parts, start=start)


def _of_layer(name: str, layer: Recurrent) -> Parts:
    end = "_l0" if isinstance(layer, nn.RNN) else ""
    above = f"{name}." if name else ""
    biases = (f"bias_ih{end}", f"bias_hh{end}")
    return Parts(
        recurrent=getattr(layer, f"weight_hh{end}"),
        w_in=getattr(layer, f"weight_ih{end}"),
        biases={f"{above}{each}": getattr(layer, each) for each in biases} if layer.bias else {},
    )


def named_parts(module: nn.Module, recurrent: Any, w_in: Any, *, turned: bool) -> Parts:
    """Recurrent and input weights that a user names, with the biases of linear layers.

    Args:
        module: Where names are looked up, dotted ones in its submodules.
        recurrent: A name, a linear layer, or an array.
        w_in: Likewise.
        turned: Whether arrays are (pre, post).

    Raises:
        SpecError: there is nothing of that name, or it is nothing with weights.
    """
    biases, weights = {}, []
    for argument, given in (("recurrent", recurrent), ("w_in", w_in)):
        weight, bias = weight_and_bias(module, argument, given, turned=turned)
        weights.append(weight)
        if bias is not None:
            biases[f"{given}.bias" if isinstance(given, str) else f"bias of {argument}"] = bias
    return Parts(recurrent=weights[0], w_in=weights[1], biases=biases)


def with_readout(module: nn.Module, parts: Parts, readout: Any, *, turned: bool = False) -> Parts:
    """The parts with a readout that a user names."""
    weight, bias = weight_and_bias(module, "readout", readout, turned=turned)
    return replace(parts, w_out=weight, b_out=bias)


def weight_and_bias(
    module: nn.Module, argument: str, given: Any, *, turned: bool
) -> tuple[Any, Any]:
    """(post, pre) weights, and a linear layer's bias, or None."""
    found = looked_up(module, argument, given)
    if isinstance(found, nn.Linear):
        return found.weight, found.bias
    if isinstance(found, nn.Module):
        raise SpecError(
            f"{argument}: {type(found).__name__} is not a linear layer; name an nn.Linear, a "
            "parameter, or give a tensor"
        )
    return (found.T if turned and getattr(found, "ndim", 0) == 2 else found), None


def looked_up(module: nn.Module, argument: str, given: Any) -> Any:
    """What a dotted name stands for in a module; anything else as it is."""
    if not isinstance(given, str):
        return given
    found: Any = module
    for part in given.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, nn.Module | Tensor | float | int) or isinstance(found, bool):
        raise SpecError(
            f"{argument}: {type(module).__name__} has no part {given!r}; it has "
            f"{_parameters(module)}"
        )
    return found


def activation_name(module: nn.Module, given: Any) -> str:
    """One of `ACTIVATIONS` from its name, a function or module of torch, or a part of the module.

    Raises:
        SpecError: it is not known.
    """
    if isinstance(given, str) and given not in ACTIVATIONS:
        given = getattr(module, given, given)
    if isinstance(given, str) and given in ACTIVATIONS:
        return given
    # A softplus of another steepness or end is another function.
    plain = not isinstance(given, nn.Softplus) or (given.beta == 1 and given.threshold >= 20)
    name = _MODULES.get(type(given)) if plain else None
    name = next((known for function, known in _FUNCTIONS.items() if function is given), name)
    if name is None:
        called = given if isinstance(given, str) else getattr(given, "__name__", given)
        raise SpecError(
            f"activation: {shown(called)} is not known; known are {', '.join(ACTIVATIONS)}"
        )
    return name


def _parameters(module: nn.Module) -> str:
    return _listed([name for name, _ in module.named_parameters()]) or "no parameters"


def _listed(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
