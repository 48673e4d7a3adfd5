"""Which arrays of a state dict are the parts of a rate network: by PyTorch's names, or a user's."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.exchange.leaky_parts import Parts
from bridge.rate.unit_names import is_start
from bridge.spiking.essentials import essentials
from bridge.spiking.values import shown

Array = NDArray[np.float64]
Shapes = Mapping[str, tuple[int, ...]]

# What nn.RNN and nn.RNNCell call their recurrent weights.
_LAYERS = ("weight_hh_l0", "weight_hh")
_GATES = {3: "a GRU", 4: "an LSTM"}
_MOST_NAMED = 12


@dataclass(frozen=True, kw_only=True)
class Names:
    """Names of arrays: W, W_in, W_out, the output bias, biases of the units, a state to start."""

    recurrent: str | None = None
    w_in: str | None = None
    readout: str | None = None
    b_out: str | None = None
    biases: tuple[str, ...] = ()
    start: str | None = None

    __repr__ = essentials

    def all(self) -> list[str]:
        """Those that there are."""
        single = (self.recurrent, self.w_in, self.readout, self.b_out, self.start)
        return [name for name in (*single, *self.biases) if name is not None]


def found_names(shapes: Shapes, given: Names) -> Names:
    """The parts that a user names, and those that have PyTorch's names.

    Raises:
        SpecError: something named is not there, or nothing is named and not all is clear.
    """
    if (given.recurrent is None) != (given.w_in is None):
        raise SpecError("recurrent and w_in: name both, or neither of an nn.RNN")
    if given.recurrent is None:
        return _by_themselves(shapes, _with_vectors(shapes, given, _layer(shapes)))
    weights = {
        argument: named(shapes, argument, name)
        for argument, name in (("recurrent", given.recurrent), ("w_in", given.w_in))
        if name is not None
    }
    biases = [bias for name in weights.values() if (bias := _bias_of(shapes, name)) is not None]
    return _with_vectors(shapes, given, Names(**weights, biases=tuple(biases)))


def _with_vectors(shapes: Shapes, given: Names, found: Names) -> Names:
    """What is found, with the readout, biases and start that a user names."""
    extra = [named(shapes, "bias", name) for name in given.biases]
    # A bias counts once, by whichever way it came.
    found = replace(found, biases=tuple(dict.fromkeys([*found.biases, *extra])))
    if given.readout is not None:
        readout = named(shapes, "readout", given.readout)
        found = replace(found, readout=readout, b_out=_bias_of(shapes, readout))
    if given.b_out is not None:
        found = replace(found, b_out=named(shapes, "b_out", given.b_out))
    if given.start is not None:
        found = replace(found, start=named(shapes, "initial_state", given.start))
    return found


def _layer(shapes: Shapes) -> Names:
    """The weights and biases of the only nn.RNN or nn.RNNCell."""
    found = [name for name in shapes if name.rpartition(".")[2] in _LAYERS]
    if len(found) != 1:
        many = f"several nn.RNN, {_listed(found)}" if found else "no names of an nn.RNN"
        raise SpecError(
            f"{many}; name its parts, recurrent, w_in and readout, among {_told(shapes)}"
        )
    name = found[0]
    above = name.removesuffix(name.rpartition(".")[2])
    rows, columns = (*shapes[name], 0, 0)[:2]
    for times, what in _GATES.items():
        if rows == times * columns > 0:
            raise SpecError(f"{name}: of {what}, whose gates no rate network has")
    for end, what in (("_l1", "several layers"), ("_l0_reverse", "two directions")):
        if f"{above}weight_hh{end}" in shapes:
            raise SpecError(f"{name}: of {what}, and a rate network has one layer, and one way")
    biases = (_bias_of(shapes, each) for each in (name.replace("_hh", "_ih"), name))
    return Names(
        recurrent=name,
        w_in=named(shapes, "w_in", name.replace("weight_hh", "weight_ih")),
        biases=tuple(bias for bias in biases if bias is not None),
    )


def _by_themselves(shapes: Shapes, found: Names) -> Names:
    """With the readout and a start that are the only ones left; SpecError for anything else."""
    left = [name for name in shapes if name not in found.all()]
    matrices = [name for name in left if len(shapes[name]) == 2 and not _starts(name)]
    if found.readout is None and len(matrices) == 1:
        found = replace(found, readout=matrices[0])
        found = replace(found, b_out=found.b_out or _bias_of(shapes, matrices[0]))
    starts = [name for name in left if _starts(name)]
    if found.start is None and len(starts) == 1:
        found = replace(found, start=starts[0])
    unknown = [name for name in left if name not in found.all()]
    if unknown:
        raise SpecError(
            f"apart from an nn.RNN it has arrays of unknown use, {_listed(unknown)}; name its "
            "parts: recurrent, w_in, readout"
        )
    return found


def named(shapes: Shapes, argument: str, name: str) -> str:
    """The array of that name, or the weights of the layer of that name.

    Raises:
        SpecError: there is neither; says what there is.
    """
    for each in (name, f"{name}.weight"):
        if each in shapes:
            return each
    raise SpecError(f"{argument}: it has no {shown(name)}, but {_told(shapes)}")


def _bias_of(shapes: Shapes, weights: str) -> str | None:
    """The bias that is called as some weights are: `fc.bias` next to `fc.weight`."""
    above, dot, last = weights.rpartition(".")
    bias = f"{above}{dot}{last.replace('weight', 'bias')}"
    return bias if "weight" in last and bias in shapes else None


def _starts(name: str) -> bool:
    return is_start(name.rpartition(".")[2])


def parts_of(arrays: Mapping[str, Array], names: Names, *, turned: bool) -> Parts:
    """The parts; arrays that PyTorch has not named lie (pre, post) where `turned`."""

    def matrix(name: str) -> Array:
        return (
            arrays[name].T if turned and "weight" not in name.rpartition(".")[2] else arrays[name]
        )

    return Parts(
        recurrent=None if names.recurrent is None else matrix(names.recurrent),
        w_in=None if names.w_in is None else matrix(names.w_in),
        w_out=None if names.readout is None else matrix(names.readout),
        b_out=None if names.b_out is None else arrays[names.b_out],
        biases={name: arrays[name] for name in names.biases},
        start={} if names.start is None else {names.start: arrays[names.start]},
    )


def _told(shapes: Shapes) -> str:
    sized = [f"{name} {shapes[name]}" for name in shapes]
    return _listed(sized) or "no arrays at all"


def _listed(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
