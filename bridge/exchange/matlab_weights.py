"""The fields of a `.mat` file that make the network, as the arguments of `from_arrays`."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.exchange.som_motif import som_units, types_of
from bridge.rate.plain_activations import sigmoid
from bridge.rate.plain_arrays import unit_signs, vector
from bridge.spiking.arrays import positive

Array = NDArray[np.float64]
Fields = dict[str, Array]

NEEDED = ("w", "m", "som_m", "w_in", "w_out", "b_out", "taus")
UNITS = ("taus_gaus", "N", "inh", "inh_som")


def check_fields(fields: Fields) -> None:
    """Raise SpecError where one is lacking, of another shape, or no number."""
    missing = [name for name in NEEDED if name not in fields]
    if fields.get("taus", np.zeros(1)).size == 2 and "taus_gaus" not in fields:
        missing.append("taus_gaus")
    if missing:
        raise SpecError(
            f"lacks {', '.join(missing)}; that is not a rate network of the authors' code"
        )
    for name in NEEDED if fields["taus"].size == 1 else (*NEEDED, "taus_gaus"):
        if name in fields and not np.isfinite(fields[name]).all():
            raise SpecError(f"{name}: holds NaN or infinite values")
    shape = fields["w"].shape
    if len(shape) != 2 or shape[0] != shape[1] or not shape[0]:
        raise SpecError(f"w: expected shape (N, N) of at least one unit, got {shape}")
    # Signs alone, without the diagonal matrix, are as good.
    allowed = {"m": (shape, (shape[0], 1), (1, shape[0])), "som_m": (shape,)}
    for name, shapes in allowed.items():
        if fields[name].shape not in shapes:
            raise SpecError(f"{name}: expected shape {shape}, got {fields[name].shape}")
    if "N" in fields and not np.array_equal(fields["N"].ravel(), shape[:1]):
        raise SpecError(f"N: expected {shape[0]}, the size of w, got {fields['N'].ravel()}")


def weights(fields: Fields, notes: list[str], *, relu: bool) -> dict[str, Any]:
    """Arguments of `from_arrays`: with the signs where Dale's law holds, as they act without."""
    # Weights that the mask takes away do not act, whatever their sign.
    mask = fields["som_m"]
    w = np.where(mask != 0, fields["w"], 0.0)
    signs = unit_signs(fields["m"], len(w), "m")
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


def tau_ms(fields: Fields, step_ms: float) -> Array:
    """(N,) time constants, ms, counted in steps."""
    taus, size = fields["taus"].ravel(), len(fields["w"])
    if taus.size not in (1, 2):
        raise SpecError(f"taus: expected one or two values, got {taus.size}")
    positive("taus", taus)
    if taus.size == 1:
        return np.full(size, step_ms * taus[0])
    low, high = taus
    return step_ms * (sigmoid(vector("taus_gaus", fields["taus_gaus"], size)) * (high - low) + low)


def cell_types(fields: Fields, notes: list[str]) -> tuple[str, ...] | None:
    """(N) names of the kinds of units, by `inh_som` or by the zeros of the mask; None: unknown."""
    size, mask = len(fields["w"]), fields["som_m"]
    inhibitory = unit_signs(fields["m"], size, "m") < 0
    if "inh_som" in fields and np.any(fields["inh_som"]):
        som = vector("inh_som", fields["inh_som"], size) > 0
        if not np.all(inhibitory[som]):
            raise SpecError("inh_som: names units that are not inhibitory")
        return types_of(som, inhibitory)
    if np.all(mask):
        return None
    by_mask = som_units(mask, inhibitory)
    if by_mask is None:
        notes.append("the zeros of som_m are not a motif of SOM units: no cell types are known")
        return None
    return types_of(by_mask, inhibitory)


def outside(fields: Fields) -> dict[str, Any]:
    """Weights from the inputs and onto the outputs, (N, C) and (O, N), with the output's bias.

    MATLAB and savemat make rows or columns of vectors: where one of N numbers stands for the one
    channel, N decides which way it lies.
    """
    w_in, w_out, size = fields["w_in"], fields["w_out"], len(fields["w"])
    turned = (size > 1 and w_in.shape == (1, size), size > 1 and w_out.shape == (size, 1))
    many = (_lies_across(w_in, size), _lies_across(w_out.T, size))
    if all(turned) or any(many):
        raise SpecError(
            f"w_in of shape {w_in.shape} and w_out of shape {w_out.shape} are those of row "
            f"vectors, (C, N) and (N, O) with N = {size}, so w lies (pre, post) too: turn w, w_in "
            "and w_out round and save them again"
        )
    w_in, w_out = w_in.T if turned[0] else w_in, w_out.T if turned[1] else w_out
    for name, value, fits in (
        ("w_in", w_in, w_in.ndim == 2 and len(w_in) == size),
        ("w_out", w_out, w_out.ndim == 2 and w_out.shape[1] == size),
    ):
        if not fits or not value.size:
            wanted = f"({size}, any)" if name == "w_in" else f"(any, {size})"
            raise SpecError(f"{name}: expected shape {wanted}, got {fields[name].shape}")
    return {"w_in": w_in, "w_out": w_out, "b_out": fields["b_out"]}


def _lies_across(weights: Array, size: int) -> bool:
    """Whether (N, C) weights of several channels lie as (C, N), and not as they should."""
    return weights.ndim == 2 and len(weights) not in (1, size) and weights.shape[1] == size
