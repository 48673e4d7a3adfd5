"""The `.mat` files of Kim et al. 2019: rate networks of the authors' code and of its ports.

W = (w m) * som_m, (post, pre): w as trained, m with the sign of each unit on its diagonal, som_m
with zeros where the motif of SOM units allows no connection. `taus` are in steps of 5 ms: one value
for all units, or the two ends of a range in which sigmoid(taus_gaus) says where each unit lies.
After a search for the scale factor there are also `opt_scaling_factor` (1/lambda), `all_perfs` (the
accuracy at each) and `scaling_factors`.
"""

import hashlib
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.errors import FormatError, SpecError
from bridge.exchange.formats import Imported
from bridge.exchange.mat5 import mat_content, read_mat
from bridge.exchange.matlab_fields import STEP_MS, encode
from bridge.exchange.som_motif import som_units, types_of
from bridge.rate.network import RateNetwork, sigmoid
from bridge.rate.plain_arrays import numbers, unit_signs, vector
from bridge.spiking.arrays import positive

__all__ = ["SUFFIX", "encode", "read"]

Array = NDArray[np.float64]
Fields = dict[str, Array]

SUFFIX = ".mat"

_NEEDED = ("w", "m", "som_m", "w_in", "w_out", "b_out", "taus")
_SEARCH = ("opt_scaling_factor", "all_perfs", "scaling_factors")
_WANTED = (*_NEEDED, "taus_gaus", "N", "inh", "inh_som", "activation", *_SEARCH)

# What the authors' code calls its tasks in the names of its files, and their input channels.
_TASKS = {"gonogo": ("go-nogo", 1), "xor": ("xor", 2), "mante": ("context", 4)}
_ACTIVATIONS = {
    "sigmoid": "sigmoid",
    "softplus": "softplus",
    "clipped_relu": "relu",
    "relu": "relu",
}


def read(
    path: Path, *, task: str | None = None, activation: str | None = None, relu: bool = False
) -> Imported:
    """The rate network of a `.mat` file, and the scale factor that was found for it.

    Args:
        path: The file.
        task: Name of its task; None: the one that both the file's name and the number of input
            channels point to, or "".
        activation: Name of phi; None: what the file or its name says, or sigmoid.
        relu: Set negative raw weights to zero, as training did in each step.

    Raises:
        FormatError: no such file, or not one of these.
    """
    content = mat_content(path)
    held = read_mat(path, content, _WANTED)
    try:
        named = _activation(path, held.pop("activation", None), activation)
        fields = {name: numbers(name, value) for name, value in held.items()}
        _check_fields(fields)
        notes: list[str] = []
        weights = _weights(fields, notes, relu=relu)
        scale, search = _search(fields, notes)
        rate = RateNetwork.from_arrays(
            **weights,
            w_in=fields["w_in"],
            w_out=fields["w_out"],
            b_out=fields["b_out"],
            tau_ms=_tau_ms(fields),
            dt_ms=STEP_MS,
            activation=named,
            cell_types=_cell_types(fields, notes),
            task=_task(path, fields) if task is None else task,
            provenance=_provenance(path, content, relu=relu) | search | _noted(notes),
        )
    except FormatError:
        raise
    except SpecError as error:
        raise FormatError(f"{path}: {error}") from None
    return Imported(rate=rate, inverse_scale=scale, notes=tuple(notes))


def _check_fields(fields: Fields) -> None:
    missing = [name for name in _NEEDED if name not in fields]
    if fields.get("taus", np.zeros(1)).size == 2 and "taus_gaus" not in fields:
        missing.append("taus_gaus")
    if missing:
        raise SpecError(f"lacks {', '.join(missing)}; that is no rate network of the authors' code")
    for name in (*_NEEDED, "taus_gaus"):
        if name in fields and not np.isfinite(fields[name]).all():
            raise SpecError(f"{name}: holds NaN or infinite values")
    shape = fields["w"].shape
    if len(shape) != 2 or shape[0] != shape[1] or not shape[0]:
        raise SpecError(f"w: expected shape (N, N) of at least one unit, got {shape}")
    for name in ("m", "som_m"):
        if fields[name].shape != shape:
            raise SpecError(f"{name}: expected shape {shape}, got {fields[name].shape}")
    if "N" in fields and not np.array_equal(fields["N"].ravel(), shape[:1]):
        raise SpecError(f"N: expected {shape[0]}, the size of w, got {fields['N'].ravel()}")


def _weights(fields: Fields, notes: list[str], *, relu: bool) -> dict[str, Any]:
    """Arguments of `from_arrays`: with the signs where Dale's law holds, as they act without."""
    # Weights that the mask takes away do not act, whatever their sign.
    mask = fields["som_m"]
    w = np.where(mask != 0, fields["w"], 0.0)
    signs = unit_signs(fields["m"], len(w))
    if "inh" in fields and not np.array_equal(vector("inh", fields["inh"], len(w)) > 0, signs < 0):
        raise SpecError("inh: contradicts the signs in m")
    negative = int(np.count_nonzero(w < 0))
    if relu or not negative:
        if negative:
            notes.append(f"{negative} negative weights of w were set to zero")
        return {"recurrent": w, "signs": signs, "mask": mask, "relu": relu}
    if np.any(signs < 0):
        notes.append(
            f"w holds {negative} negative weights of {np.count_nonzero(w)} that are not zero: "
            "Dale's law is broken, and the network is taken without it; --relu (relu=True) sets "
            "them to zero, as training does where it keeps the law"
        )
    return {"recurrent": w * signs, "mask": mask}


def _tau_ms(fields: Fields) -> Array:
    """(N,) time constants, ms."""
    taus, size = fields["taus"].ravel(), len(fields["w"])
    if taus.size not in (1, 2):
        raise SpecError(f"taus: expected one or two values, got {taus.size}")
    positive("taus", taus)
    if taus.size == 1:
        return np.full(size, STEP_MS * taus[0])
    low, high = taus
    return STEP_MS * (sigmoid(vector("taus_gaus", fields["taus_gaus"], size)) * (high - low) + low)


def _cell_types(fields: Fields, notes: list[str]) -> tuple[str, ...] | None:
    size, mask = len(fields["w"]), fields["som_m"]
    inhibitory = unit_signs(fields["m"], size) < 0
    if "inh_som" in fields and np.any(fields["inh_som"]):
        som = vector("inh_som", fields["inh_som"], size) > 0
        if not np.all(inhibitory[som]):
            raise SpecError("inh_som: names units that are not inhibitory")
        return types_of(som, inhibitory)
    if np.all(mask):
        return None
    by_mask = som_units(mask, inhibitory)
    if by_mask is None:
        notes.append("the zeros of som_m are no motif of SOM units: no cell types are known")
        return None
    return types_of(by_mask, inhibitory)


def _search(fields: Fields, notes: list[str]) -> tuple[float | None, dict[str, Any]]:
    """The chosen 1/lambda, and what the file says of the search for it."""
    found: dict[str, Any] = {}
    tried, right = (fields.get(name, np.zeros(0)).ravel() for name in _SEARCH[:0:-1])
    if tried.size and tried.size == right.size and np.isfinite([*tried, *right]).all():
        found = {"inverse_scales": tried.tolist(), "accuracies": right.tolist()}
    elif tried.size or right.size:
        notes.append("scaling_factors and all_perfs do not fit each other and were left out")
    chosen = fields.get("opt_scaling_factor")
    if chosen is None:
        return None, {"search": found} if found else {}
    # It divides the weights: 20 to 75 for sigmoid rates, 4 to 26 for the others.
    if chosen.size != 1 or not 1 <= chosen.item() < np.inf:
        raise SpecError(f"opt_scaling_factor: expected one number above 1, got {chosen.ravel()}")
    return chosen.item(), {"search": {"inverse_scale": chosen.item(), **found}}


def _activation(path: Path, held: Array | str | None, given: str | None) -> str:
    if given is not None:
        return given
    if held is None:
        by_name = re.search(r"_act_(clipped_relu|[a-z]+)", path.stem.lower())
        held = by_name.group(1) if by_name else "sigmoid"
    if not isinstance(held, str) or held not in _ACTIVATIONS:
        raise SpecError(f"unknown activation {held!r}; known are {', '.join(_ACTIVATIONS)}")
    return _ACTIVATIONS[held]


def _task(path: Path, fields: Fields) -> str:
    """The task that the file's name and the number of input channels agree on, or ""."""
    letters = re.sub("[^a-z]", "", path.stem.lower())
    named = [known for word, known in _TASKS.items() if word in letters]
    if len(named) != 1 or fields["w_in"].ndim != 2 or fields["w_in"].shape[1] != named[0][1]:
        return ""
    return named[0][0]


def _provenance(path: Path, content: bytes, *, relu: bool) -> dict[str, Any]:
    return {
        "made_by": f"spikebridge {version('spikebridge')}",
        "method": "imported from a .mat file of Kim et al. 2019",
        "source": path.name,
        "source_sha256": hashlib.sha256(content).hexdigest(),
        "relu": relu,
    }


def _noted(notes: list[str]) -> dict[str, Any]:
    return {"notes": list(notes)} if notes else {}
