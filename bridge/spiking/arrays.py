"""Checked, read-only arrays: the one place where shapes and finiteness are tested."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridge.errors import SpecError
from bridge.spiking.limits import SHORTEST_STEP_MS
from bridge.spiking.values import shown

Number = TypeVar("Number", bound=np.generic)


@overload
def frozen_array(
    name: str, value: ArrayLike, shape: Sequence[int | None]
) -> NDArray[np.float64]: ...
@overload
def frozen_array(
    name: str, value: ArrayLike, shape: Sequence[int | None], dtype: type[Number]
) -> NDArray[Number]: ...
def frozen_array(
    name: str,
    value: ArrayLike,
    shape: Sequence[int | None],
    dtype: type[np.generic] = np.float64,
) -> NDArray[Any]:
    """Copy `value` into a read-only C-ordered array of `shape` (None: any length).

    Raises:
        SpecError: if it has another shape, is not a number or is not finite.
    """
    try:
        given = np.asarray(value)
        # NumPy would make numbers of words, and drop what is imaginary.
        if given.dtype.kind in "SUcmM":
            raise TypeError(f"not {'text' if given.dtype.kind in 'SU' else given.dtype}")
        with np.errstate(invalid="ignore"):
            array: NDArray[Any] = np.array(given, dtype=dtype, order="C", copy=True)
    except (TypeError, ValueError, OverflowError) as error:
        raise SpecError(f"{name}: expected numbers of type {np.dtype(dtype)} ({error})") from None
    fits = array.ndim == len(shape) and all(
        want is None or want == got for want, got in zip(shape, array.shape, strict=True)
    )
    if not fits:
        wanted = ", ".join("any" if want is None else str(want) for want in shape)
        raise SpecError(f"{name}: expected shape ({wanted}), got {array.shape}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise SpecError(f"{name}: holds NaN or infinite values")
    same = array.dtype == given.dtype or array.dtype.kind == "f"
    if not same and given.size and not np.array_equal(array, given):
        raise SpecError(f"{name}: expected whole numbers of type {array.dtype}")
    # A frozen dataclass does not freeze the arrays it holds.
    array.flags.writeable = False
    return array


def per_neuron(name: str, value: ArrayLike, size: int) -> NDArray[np.float64]:
    """A read-only (size,) array from one number for all neurons or one number for each."""
    array = np.asarray(value)
    return frozen_array(name, np.full(size, array) if array.ndim == 0 else array, (size,))


def cell_types(given: Sequence[str] | None, size: int) -> tuple[str, ...] | None:
    """One name for each of `size` neurons, or None; SpecError for anything else."""
    if given is None:
        return None
    if not isinstance(given, Iterable):
        raise SpecError(f"cell_types: expected {size} names, got {shown(given)}")
    names = tuple(given)
    if isinstance(given, str) or len(names) != size:
        raise SpecError(f"cell_types: expected {size} names, got {len(names)}")
    if not all(isinstance(name, str) and name.isidentifier() for name in names):
        raise SpecError("cell_types: expected names of letters, digits and _")
    return tuple(str(name) for name in names)


def positive(name: str, value: NDArray[np.float64] | float) -> None:
    """Raise SpecError unless every entry of `value` is above zero."""
    if not np.all(np.asarray(value) > 0):
        raise SpecError(f"{name}: must be positive, got {np.min(value)}")


def time_constants(name: str, value: NDArray[np.float64]) -> None:
    """Raise SpecError for time constants in ms, by which the gain of a filter would be infinite."""
    positive(name, value)
    if np.any(value < SHORTEST_STEP_MS):
        raise SpecError(f"{name}: must be at least {SHORTEST_STEP_MS:g} ms, got {np.min(value):g}")


def counted(name: str, value: object, least: int = 0, most: int = 2**63 - 1) -> int:
    """`value` as an int, at least `least`; SpecError for anything that is not a whole number."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise SpecError(f"{name}: expected a whole number of at least {least}, got {shown(value)}")
    if value > most:
        raise SpecError(f"{name}: {shown(value)} is too large; at most {most:,} can be taken")
    return int(value)
