"""Linear nodes as sparse weights and a bias, (post, pre), on numbers in row-major order."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from bridge.exchange.nir.file import Array
from bridge.exchange.nir.metadata import SPARSE
from bridge.exchange.nir.nodes import Place
from bridge.spiking.weights import Matrix

Shape = tuple[int, ...]
_MOST_SYNAPSES = 200_000_000


class Map:
    """What a linear node does to numbers of a shape: y = W x + b.

    Attributes:
        weights: W, (post, pre), dense where it is dense in the file.
        bias: b, (post,); None where there is none.
        shape: Shape of y.
    """

    def __init__(self, weights: Matrix, bias: Array | None, shape: Shape) -> None:
        self.weights, self.shape = weights, shape
        self.bias = None if bias is None or not np.any(bias) else bias


def map_of(place: Place, shape: Shape) -> Map:
    """The map of a linear node for what arrives of that shape.

    Raises:
        FormatError: it takes other shapes, or its fields make no sense.
    """
    if place.kind in ("Affine", "Linear"):
        return _affine(place, shape)
    if place.kind == "Scale":
        scale = spread(place, "scale", shape)
        return Map(sparse.csc_array(sparse.diags_array(scale)), None, shape)
    return _local(place, shape)


def map_shape(place: Place, shape: Shape) -> Shape:
    """The shape of what such a node gives, without its weights being made."""
    if place.kind in ("Affine", "Linear"):
        return (*shape[:-1], _matrix(place, shape).shape[0])
    if place.kind == "Scale":
        spread(place, "scale", shape)
        return shape
    channels, kernel = _kernel(place)
    grid = _Grid(place, shape, kernel)
    if channels < 0:
        return (grid.channels, *grid.outputs)
    _groups(place, place.numbers("weight"), grid.channels)
    return (channels, *grid.outputs)


def spread(place: Place, field: str, shape: Shape) -> Array:
    """Numbers of a field, one for each of what arrives, in row-major order."""
    values = place.numbers(field)
    while values.ndim > len(shape) and values.shape[0] == 1:
        values = values[0]
    try:
        return np.broadcast_to(values, shape).reshape(-1)
    except ValueError:
        raise place.error(
            f"{field} is of shape {place.numbers(field).shape}, and what arrives is of {shape}"
        ) from None


def _matrix(place: Place, shape: Shape) -> Array:
    weight = place.numbers("weight")
    if weight.ndim != 2:
        raise place.error(f"weight: expected (post, pre), got shape {weight.shape}")
    if not shape or shape[-1] != weight.shape[1]:
        raise place.error(
            f"weight of shape {weight.shape} takes {weight.shape[1]} numbers, and what arrives is "
            f"of shape {shape}"
        )
    return weight


def _affine(place: Place, shape: Shape) -> Map:
    weight = _matrix(place, shape)
    post, times = weight.shape[0], int(np.prod(shape[:-1]))
    bias = None
    if place.has("bias"):
        bias = np.tile(spread(place, "bias", (post,)), times)
    if times == 1 and SPARSE not in place.kept:
        return Map(weight, bias, (*shape[:-1], post))
    _check_count(place, times * weight.size)
    repeated = sparse.kron(sparse.eye_array(times), sparse.csc_array(weight), format="csc")
    return Map(sparse.csc_array(repeated), bias, (*shape[:-1], post))


def _check_count(place: Place, synapses: int) -> None:
    if synapses > _MOST_SYNAPSES:
        raise place.error(f"{synapses:,} synapses are too many; {_MOST_SYNAPSES:,} are read")


def _kernel(place: Place) -> tuple[int, tuple[int, ...]]:
    """How many channels a convolution gives, and the size of its kernel; pools keep theirs."""
    if place.has("kernel_size"):
        return -1, place.whole("kernel_size", 1, 2)
    weight = place.numbers("weight")
    axes = 1 if place.kind == "Conv1d" else 2
    if weight.ndim != 2 + axes or 0 in weight.shape:
        raise place.error(f"weight: expected {2 + axes} dimensions, got shape {weight.shape}")
    return weight.shape[0], weight.shape[2:]


class _Grid:
    """Where a kernel lies: for each place of the output and of the kernel one of the input.

    Attributes:
        channels: Channels of the input.
        inputs: The other dimensions of the input.
        outputs: Those of the output.
        reached: For each axis (output, kernel) places of the input; -1 in the padding.
    """

    def __init__(self, place: Place, shape: Shape, kernel: tuple[int, ...]) -> None:
        axes = len(kernel)
        if len(shape) != axes + 1:
            raise place.error(
                f"takes channels and {axes} more dimension{'s' * (axes > 1)}, and what arrives is "
                f"of shape {shape}"
            )
        self.channels, self.inputs = shape[0], shape[1:]
        if place.has("input_shape"):
            said = place.whole("input_shape", 1, axes)
            if said != self.inputs:
                raise place.error(f"input_shape is {said}, and what arrives is of shape {shape}")
        stride = place.whole("stride", 1, axes)
        dilation = place.whole("dilation", 1, axes) if place.has("dilation") else (1,) * axes
        before, after = _padding(place, kernel, stride, dilation)
        self.reached = [
            _reached(place, size, (kernel[a], stride[a], dilation[a]), (before[a], after[a]))
            for a, size in enumerate(self.inputs)
        ]
        self.outputs = tuple(len(axis) for axis in self.reached)


def _padding(
    place: Place, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> tuple[Sequence[int], Sequence[int]]:
    """Zeros before and after each axis."""
    padding = place.node.fields["padding"]
    if not isinstance(padding, str):
        same = place.whole("padding", 0, len(kernel))
        return same, same
    if padding == "valid":
        return (0,) * len(kernel), (0,) * len(kernel)
    if padding != "same" or any(step != 1 for step in stride):
        raise place.error(
            f"padding {padding!r} with stride {tuple(stride)}: known are numbers, 'valid', and "
            "'same' with stride 1"
        )
    whole = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    return [w // 2 for w in whole], [w - w // 2 for w in whole]


def _reached(
    place: Place, size: int, of_kernel: tuple[int, int, int], padding: tuple[int, int]
) -> NDArray[np.int64]:
    kernel, stride, dilation = of_kernel
    count = (size + sum(padding) - dilation * (kernel - 1) - 1) // stride + 1
    if count < 1:
        raise place.error(f"its kernel of {kernel} is larger than what arrives, {size}")
    _check_count(place, count * kernel)
    at = np.arange(count)[:, None] * stride + np.arange(kernel) * dilation - padding[0]
    return np.where((at >= 0) & (at < size), at, -1)


def _local(place: Place, shape: Shape) -> Map:
    """A convolution or a pool, unrolled."""
    channels, kernel = _kernel(place)
    grid = _Grid(place, shape, kernel)
    if channels < 0:
        # Zeros in the padding count in the mean, as in PyTorch.
        share = 1.0 / float(np.prod(kernel)) if place.kind == "AvgPool2d" else 1.0
        weight, groups = np.full((grid.channels, 1, *kernel), share), grid.channels
    else:
        weight = place.numbers("weight")
        groups = _groups(place, weight, grid.channels)
    out = weight.shape[0]
    _check_count(place, weight.size * int(np.prod(grid.outputs)))
    unrolled = _unrolled(weight, grid, out // groups)
    bias = None
    if place.has("bias"):
        bias = np.repeat(spread(place, "bias", (out,)), int(np.prod(grid.outputs)))
    return Map(unrolled, bias, (out, *grid.outputs))


def _groups(place: Place, weight: Array, channels: int) -> int:
    """How many groups of channels a convolution has."""
    (groups,) = place.whole("groups", 1, 1)
    out, of_group = weight.shape[:2]
    if of_group * groups != channels or out % groups:
        raise place.error(
            f"weight of shape {weight.shape} in {groups} group{'s' * (groups > 1)} takes "
            f"{of_group * groups} channels, and {channels} arrive"
        )
    return groups


def _unrolled(weight: Array, grid: _Grid, out_of_group: int) -> sparse.csc_array:
    """(post, pre) weights of a kernel at all its places."""
    rows, cols, data = [], [], []
    places, inputs = int(np.prod(grid.outputs)), int(np.prod(grid.inputs))
    at = _flat_places(grid)
    post, tap = np.nonzero(at >= 0)
    pre = at[post, tap]
    taps = weight.reshape(*weight.shape[:2], -1)
    for channel in range(weight.shape[0]):
        first = channel // out_of_group * weight.shape[1]
        for number in range(weight.shape[1]):
            values = taps[channel, number, tap]
            kept = values != 0
            rows.append(post[kept] + channel * places)
            cols.append(pre[kept] + (first + number) * inputs)
            data.append(values[kept])
    shape = (weight.shape[0] * places, grid.channels * inputs)
    joined = (np.concatenate(data), (np.concatenate(rows), np.concatenate(cols)))
    return sparse.csc_array(sparse.coo_array(joined, shape=shape))


def _flat_places(grid: _Grid) -> NDArray[np.int64]:
    """(places of the output, places of the kernel) place of the input in row-major order, or -1."""
    whole = np.zeros((1, 1), dtype=np.int64)
    for axis, size in zip(grid.reached, grid.inputs, strict=True):
        joined = whole[:, None, :, None] * size + axis[None, :, None, :]
        outside = (whole[:, None, :, None] < 0) | (axis[None, :, None, :] < 0)
        whole = np.where(outside, -1, joined).reshape(
            whole.shape[0] * axis.shape[0], whole.shape[1] * axis.shape[1]
        )
    return whole
