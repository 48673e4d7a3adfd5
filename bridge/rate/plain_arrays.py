"""Weights of any origin, checked, as float64 and in our orientation: (post, pre)."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.spiking.sparse_arrays import is_sparse

Array = NDArray[np.float64]
Orientation = Literal["post_pre", "pre_post"]

_ORIENTATIONS = ("post_pre", "pre_post")


def numbers(name: str, value: Any) -> Array:
    """Lists, arrays of any numeric type, torch tensors or sparse matrices as float64.

    Raises:
        SpecError: it holds text, objects, complex numbers or rows of unequal length.
    """
    if is_sparse(value):
        value = value.toarray()
    try:
        # A torch tensor: asked for its methods, so that torch need not be imported. It may carry a
        # gradient, sit on a GPU or be of a type that NumPy lacks.
        if hasattr(value, "detach"):
            value = value.detach().cpu().to_dense()
            value = value.numpy() if value.is_complex() else value.double().numpy()
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise SpecError(f"{name}: expected an array of numbers ({error})") from None
    if array.dtype.kind not in "fiub":
        raise SpecError(f"{name}: expected an array of real numbers, got {array.dtype}")
    return array.astype(np.float64)


def single(name: str, value: Any) -> float:
    """One number, of whatever type."""
    array = numbers(name, value)
    if array.size != 1:
        raise SpecError(f"{name}: expected one number, got shape {array.shape}")
    return float(array.item())


def vector(name: str, value: Any, size: int) -> Array:
    """(size,) numbers from one number for all, or from a list, a row or a column of `size`."""
    array = numbers(name, value)
    if array.ndim == 0:
        return np.full(size, array)
    if array.size != size or array.size != max(array.shape):
        raise SpecError(f"{name}: expected {size} numbers, got shape {array.shape}")
    return array.reshape(size)


def unit_signs(value: Any, size: int, name: str = "signs") -> Array:
    """(size,) of 1 and -1, from as many numbers or from a diagonal matrix."""
    array = numbers(name, value)
    if array.shape == (size, size):
        diagonal = np.diagonal(array)
        if not np.array_equal(array, np.diag(diagonal)):
            raise SpecError(f"{name}: a matrix of signs must be diagonal")
        array = diagonal
    array = vector(name, array, size)
    if not np.all(np.abs(array) == 1):
        raise SpecError(f"{name}: expected 1 for excitatory and -1 for inhibitory units")
    return array


def unit_labels(value: Any, size: int) -> NDArray[np.bool_]:
    """(size,) bools from bools, or from 0 and 1."""
    array = vector("excitatory", value, size)
    if not np.all((array == 0) | (array == 1)):
        raise SpecError(
            "excitatory: expected True or False for each unit; 1 and -1 are taken by signs"
        )
    labels: NDArray[np.bool_] = array == 1
    return labels


def square(name: str, value: Any, orientation: Orientation) -> Array:
    """(N, N) weights or mask, (post, pre)."""
    if orientation not in _ORIENTATIONS:
        raise SpecError(
            f"orientation: expected {' or '.join(map(repr, _ORIENTATIONS))}, got {orientation!r}"
        )
    array = numbers(name, value)
    if array.ndim != 2 or array.shape[0] != array.shape[1] or not array.size:
        raise SpecError(f"{name}: expected shape (N, N) of at least one unit, got {array.shape}")
    return array.T if orientation == "pre_post" else array


def outer(
    name: str, value: Any, shape: tuple[int | None, int | None], turned: Orientation
) -> Array:
    """Input weights (N, C) or output weights (O, N), (post, pre); None stands for any number.

    A list of N numbers is taken as a single channel.
    """
    array = numbers(name, value)
    if array.ndim == 1:
        array = array[:, None] if shape[1] is None else array[None]
    elif turned == "pre_post" and array.ndim == 2:
        array = array.T
    if not _fits(array, shape):
        wanted = ", ".join("any" if want is None else str(want) for want in shape)
        got = numbers(name, value).shape
        hint = "; orientation says which way the weights lie" if _fits(array.T, shape) else ""
        raise SpecError(f"{name}: expected shape ({wanted}) as (post, pre), got {got}{hint}")
    return array


def _fits(array: Array, shape: tuple[int | None, int | None]) -> bool:
    return array.ndim == 2 and all(
        want is None or want == got for want, got in zip(shape, array.shape, strict=True)
    )


def masked(weights: Array, mask: Any, orientation: Orientation) -> Array:
    """Weights where a mask of 0 and 1 is 1."""
    kept = square("mask", mask, orientation)
    if kept.shape != weights.shape:
        raise SpecError(f"mask: expected shape {weights.shape}, got {kept.shape}")
    if not np.all((kept == 0) | (kept == 1)):
        raise SpecError("mask: expected only 0 and 1")
    return weights * kept


def check_raw(raw: Array) -> None:
    """Raise SpecError where raw weights, which get their signs elsewhere, are negative."""
    negative = int(np.count_nonzero(raw < 0))
    if negative:
        raise SpecError(
            f"recurrent: {negative} of {np.count_nonzero(raw)} nonzero raw weights are negative, "
            "which breaks Dale's law; relu=True sets them to zero, as in training"
        )


def signed(
    raw: Array, signs: Any, labels: NDArray[np.bool_] | None
) -> tuple[Array, NDArray[np.bool_]]:
    """Raw weights with the sign of each presynaptic unit, and who is excitatory, (N,).

    Raises:
        SpecError: raw weights are negative, or the signs contradict Dale's labels.
    """
    by_unit = unit_signs(signs, len(raw))
    if labels is not None and not np.array_equal(labels, by_unit > 0):
        raise SpecError("excitatory: contradicts signs")
    check_raw(raw)
    return raw * by_unit, by_unit > 0
