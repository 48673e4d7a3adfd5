"""A step of a block compiled by Inductor while a run begins: on a GPU its code is Triton's.

What PyTorch compiles ahead of time ends the process where it is loaded on CUDA. Sizes are fixed
here, and one step is compiled, not a block: a CUDA graph repeats it for nothing.

In float64 each number must come out as the eager step has it, which rounds after each operation.
So a multiplication and an addition are not fused, and a step that is compiled is held against the
eager one, bit for bit, before it is used. Without matrix products nothing in a step is a sum whose
order could change.
"""

import json
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from bridge.activity import busy_with
from bridge.backends import cache
from bridge.backends.snntorch.block_step import BlockStep
from bridge.backends.snntorch.compiled_block import FUSED, ON_CPU, quiet, sources, working_in
from bridge.backends.snntorch.same_bits import differing
from bridge.backends.snntorch.single_steps import OneStep, Step
from bridge.errors import BackendError, first_line

OPTIONS = {
    **ON_CPU,
    **FUSED,
    # Triton fuses a multiplication with an addition unless this is asked for.
    "emulate_precision_casts": True,
    "eager_numerics.division_rounding": True,
    "use_fast_math": False,
    # Nothing is timed to choose between ways of computing, none of which may round differently.
    "max_autotune": False,
    "max_autotune_pointwise": False,
    "max_autotune_gemm": False,
    "coordinate_descent_tuning": False,
    "shape_padding": False,
    # What adds a zero is left.
    "joint_graph_constant_folding": False,
    # The step goes into a graph of our own.
    "triton.cudagraphs": False,
    "cpp_wrapper": False,
    # That would be pickled; what Triton makes is kept all the same.
    "fx_graph_cache": False,
    # Other processes would outlive the run.
    "compile_threads": 1,
}
_KIND = "torch"
_MOST_KEPT = 32
_KEPT: OrderedDict[str, Step | str] = OrderedDict()
"""Steps by what decides their code, or why there are none; the last one used is at the end."""


def is_at_hand(block: BlockStep) -> bool:
    """Whether this process has compiled the step of a block of this form and size."""
    return not isinstance(_KEPT.get(_text(OneStep(block)), ""), str)


def compiled_step(block: BlockStep) -> Step:
    """A function that does what `OneStep(block)` does, bit for bit where float64 can.

    Raises:
        BackendError: it could not be compiled, or computes something else.
    """
    one = OneStep(block)
    text = _text(one)
    if text not in _KEPT:
        _KEPT[text] = _made(one, text)
        while len(_KEPT) > _MOST_KEPT:
            _KEPT.popitem(last=False)
    _KEPT.move_to_end(text)
    found = _KEPT[text]
    if isinstance(found, str):
        raise BackendError(found)
    return found


def _made(one: OneStep, text: str) -> Step | str:
    """The step, or why there is none.

    Raises:
        BackendError: there is none, and another time there may be.
    """
    folder = cache.fetch(_KIND, [text], _empty, _there, "its steps")
    try:
        with busy_with("compiling its steps, once for networks of this form and size"):
            step = _compiled(one, folder)
            wrong = differing(one, step)
    except torch.OutOfMemoryError as error:
        raise BackendError(f"torch could not compile the step: {first_line(error)}") from error
    # Inductor, Triton, and whatever compiles for them have no class of errors in common.
    except Exception as error:
        return f"torch could not compile the step: {first_line(error)}"
    finally:
        with suppress(OSError):
            cache.close_to_others(folder)
            cache.prune(folder.parent, keep=folder)
    if wrong and _is_exact(one):
        return f"the step that torch compiled rounds differently in {wrong} places"
    return step


def _is_exact(one: OneStep) -> bool:
    """Whether the bits of the eager step are those of the reference."""
    return one.block.neurons[0].v.dtype == torch.float64 and not one.block.plan.dense


def _compiled(one: OneStep, folder: Path) -> Step:
    # It takes seconds to import.
    from torch._inductor import compile as compiled_by_inductor
    from torch.fx.experimental.proxy_tensor import make_fx

    tensors: list[Any] = [*one.state(), *one.given()]
    with quiet(), working_in(folder):
        program = make_fx(one, tracing_mode="fake")(*tensors)
        step: Callable[..., Any] = compiled_by_inductor(program, tensors, options=OPTIONS)
        # What is compiled only when it is called.
        step(*(tensor.clone() for tensor in tensors))
    return step


def _empty(folder: Path) -> None:
    folder.mkdir()


def _there(entry: Path) -> Path | None:
    return entry if entry.is_dir() else None


def _text(one: OneStep) -> str:
    """What decides the code of a step."""
    sizes = [list(tensor.shape) for tensor in (*one.state(), *one.given())]
    device = one.block.neurons[0].v.device
    known = [one.block.form(), sizes, _processor(device), torch.__version__, sources()]
    return json.dumps(known)


def _processor(device: torch.device) -> list[str]:
    """A device and what it is."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else ""
    return [str(device), name]
