"""State dicts of PyTorch in the safetensors format: weights under names, and nothing to be run.

The parts of a network are found by the names that `torch.nn.RNN` and `torch.nn.Linear` give them,
or named by the user. What the file does not say, the user does: step, time constants, activation.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from bridge.errors import FormatError, SpecError
from bridge.exchange.files import check_file, check_no_pickle
from bridge.exchange.formats import Encoded, Imported
from bridge.exchange.leaky_parts import ACTIVATIONS, Manner, assembled
from bridge.exchange.state_dicts import Names, found_names, named, parts_of
from bridge.rate.network_task import known_task_of
from bridge.versions import version

if TYPE_CHECKING:
    from bridge.exchange.store import Stored

__all__ = ["SUFFIX", "encode", "read"]

Array = NDArray[np.float64]

SUFFIX = ".safetensors"

_TYPES = {"F32": "float32", "F64": "float64", "F16": "float16", "BF16": "bfloat16"}
_TAKEN = ("F32", "F64")


# Each argument is one thing that the file does not say, or says under any name.
def read(  # noqa: PLR0913
    path: Path,
    *,
    dt_ms: float | None = None,
    tau_ms: float | str | None = None,
    activation: str | None = None,
    form: str | None = None,
    highest_rate: float | None = None,
    recurrent: str | None = None,
    w_in: str | None = None,
    readout: str | None = None,
    b_out: str | None = None,
    bias: Sequence[str] = (),
    initial_state: str | None = None,
    orientation: str = "post_pre",
    task: str | None = None,
) -> Imported:
    """The rate network of a state dict.

    Args:
        path: The file.
        dt_ms: Its step, ms.
        tau_ms: Time constants, ms, or the name of an array of them; None: the step, as of nn.RNN.
        activation: sigmoid, softplus, relu, relu6 or tanh.
        form: "x" or "h"; None: h, as of nn.RNN, if the file has its names.
        highest_rate: Where softplus and relu are clipped; None: as in PyTorch.
        recurrent: Name of W; None: that of an nn.RNN or an nn.RNNCell.
        w_in: Name of W_in; None: likewise.
        readout: Name of W_out; None: the only other matrix, if the others are found, too.
        b_out: Name of the output bias, where it is not called as its weights are.
        bias: Names of biases of the units, if they are not called as their weights are.
        initial_state: Name of x(0) or h(0).
        orientation: "post_pre" or "pre_post": how arrays lie whose name does not say `weight`.
        task: Name of its task.

    Raises:
        FormatError: no such file, a damaged one, or one that holds no such network.
    """
    check_file(path)
    told = Names(
        recurrent=recurrent,
        w_in=w_in,
        readout=readout,
        b_out=b_out,
        biases=tuple(bias),
        start=initial_state,
    )
    try:
        if orientation not in ("post_pre", "pre_post"):
            raise SpecError(f"orientation: expected post_pre or pre_post, got {orientation!r}")
        arrays = _Arrays(path)
        names = found_names(arrays.shapes, told)
        times = [named(arrays.shapes, "tau_ms", tau_ms)] if isinstance(tau_ms, str) else []
        held = arrays.read([*names.all(), *times])
        # An nn.RNN, whose names were found, has but one time constant and one form.
        own = recurrent is None
        rate = assembled(
            parts_of(held, names, turned=orientation == "pre_post"),
            Manner(
                dt_ms=_said("dt_ms", dt_ms),
                tau_ms=held[times[0]] if times else _said("tau_ms", tau_ms, optional=own),
                activation=_said("activation", activation),
                form=_said("form", "h" if own and form is None else form),
                highest_rate=highest_rate,
            ),
            task=task or "",
            provenance=_provenance(path, names),
        )
        if task:
            known_task_of(rate)
    except SpecError as error:
        raise FormatError(f"{path}: {error}") from None
    left = sorted(set(arrays.shapes) - {*names.all(), *times})
    return Imported(rate=rate, notes=_notes(left))


def encode(thing: "Stored") -> Encoded:
    """Nothing is written so: weights under names alone are not a network.

    Raises:
        SpecError: always; says what holds all of a network.
    """
    raise SpecError(
        f"the format safetensors is read and not written: it holds arrays alone, and a "
        f"{type(thing).__name__} is more; bridge.save keeps all of it"
    )


_ASKED = {
    "dt_ms": "the step in ms (--dt-ms)",
    "tau_ms": "the time constants in ms (--tau-ms)",
    "activation": f"the activation (--activation {', '.join(ACTIVATIONS)})",
    "form": "the form, x or h (--form)",
}


def _said(name: str, value: Any, *, optional: bool = False) -> Any:
    """What a user has said; SpecError where it is needed."""
    if value is None and not optional:
        raise SpecError(f"{name}: a file of weights does not say {_ASKED[name]}; give it")
    return value


def _provenance(path: Path, names: Names) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "made_by": f"spikebridge {version('spikebridge')}",
        "method": "imported from a state dict in safetensors",
        "source": path.name,
        "source_sha256": digest,
        "parts": ", ".join(names.all()),
    }


def _notes(left: list[str]) -> tuple[str, ...]:
    notes = (
        "activation, form and time constants are as stated, and not tried: bridge.from_torch tries "
        "the network on the module itself",
    )
    return (*notes, f"left aside: {', '.join(left)}") if left else notes


class _Arrays:
    """What a file holds: shapes by name, and the numbers of those that are asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with safe_open(path, framework="numpy") as file:
                # It is no mapping, and cannot be gone through itself.
                slices = {name: file.get_slice(name) for name in list(file.keys())}
                self._types = {name: each.get_dtype() for name, each in slices.items()}
                self.shapes = {name: tuple(each.get_shape()) for name, each in slices.items()}
        except (SafetensorError, OSError, ValueError) as error:
            check_no_pickle(path)
            reason = " ".join(str(error).split())
            raise FormatError(f"{path}: damaged, or no safetensors file ({reason})") from None

    def read(self, names: Sequence[str]) -> dict[str, Array]:
        """Numbers in float32 or float64; SpecError for any other type."""
        for name in names:
            kind = self._types[name]
            if kind not in _TAKEN:
                raise SpecError(
                    f"{name}: of type {_TYPES.get(kind, kind)}, expected float32 or float64; save "
                    "it with .float() where the rounding does not matter"
                )
        with safe_open(self._path, framework="numpy") as file:
            return {name: file.get_tensor(name).astype(np.float64) for name in names}
