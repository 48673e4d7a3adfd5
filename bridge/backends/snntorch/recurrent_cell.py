"""The Spiking Recurrent Cell as an snnTorch neuron that is trained: De Geeter, Ernst & Drion 2023.

Its backward pass is the authors', a surrogate twice over: what is passed on, max(h, 0), counts as h
(the ReLU bypass), and h and h_s of the step before count as constants. So gradients flow back
through time by the synaptic current i alone. With g = dL/ds, x the bounded current and t the tanh
of h,

    dL/di[t] = g[t] (1 - z) (1 - t^2) (1 - tanh(i / rho)^2),   e[t] = dL/di[t] + alpha e[t+1],

and e is the gradient of the cell's input. That needs no graph over h: `over_time` has it.
"""

from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
from snntorch import SpikingNeuron
from torch import Tensor, nn

from bridge.backends.snntorch import cell_loops
from bridge.backends.snntorch.cell_loops import Course
from bridge.backends.snntorch.operations import TorchOperations
from bridge.spiking.neurons.src import HIGHEST_TRAINED_BIAS, SPIKE, Src


class CellState(NamedTuple):
    """What cells keep from step to step, (B, N) each: synaptic current, h, and the slow h_s."""

    i: Tensor
    h: Tensor
    h_s: Tensor


class LibraryOperations(TorchOperations):
    """The vocabulary with torch's own functions: quicker, and of other last bits than the exact."""

    def tanh(self, x: Any) -> Any:
        """Hyperbolic tangent."""
        return torch.tanh(x)

    def sigmoid(self, x: Any) -> Any:
        """1 / (1 + e^-x)."""
        return torch.sigmoid(x)


class SpikingRecurrentCell(SpikingNeuron):  # type: ignore[misc]
    """N Spiking Recurrent Cells: `emitted, state = cell(current, state)` is a step.

    The step is the model's own text, with torch's tanh. The state is passed in and out, since
    `snntorch.utils.reset` does not know neurons from elsewhere. What is emitted is graded,
    max(h, 0), and 0 between spikes.

    Args:
        neurons: The model: gate, constants and bias, for one cell or for N.
        size: Number of cells N.
        learn_bias: Whether the bias is trained, held below `HIGHEST_TRAINED_BIAS`.
        bypass: Whether the derivative of max(h, 0) counts as 1 everywhere.
        detach: Whether h and h_s of the step before count as constants.
        dtype: Precision of the constants.
    """

    def __init__(
        self,
        neurons: Src,
        size: int,
        *,
        learn_bias: bool = False,
        bypass: bool = True,
        detach: bool = True,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__(threshold=SPIKE, reset_mechanism="none", surrogate_disable=True)
        # snnTorch keeps every neuron it ever made alive in this list; nothing here reads it.
        SpikingNeuron.instances.remove(self)
        self.model, self.size = neurons.sized(size), size
        self.learn_bias, self.bypass, self.detach = learn_bias, bypass, detach
        # A cell has no unit of time: its constants are the same at every step length.
        constants = self.model.constants_of(size, dt_ms=1.0)
        for name in cell_loops.CONSTANTS:
            value = torch.tensor(constants[name], dtype=dtype)
            if name == "bias_of_h" and learn_bias:
                self.learned_bias = nn.Parameter(value)
            else:
                self.register_buffer(f"constant_{name}", value)

    @property
    def bias(self) -> Tensor:
        """(N,) bias of h as it acts."""
        if self.learn_bias:
            return self.learned_bias.clamp(max=HIGHEST_TRAINED_BIAS)
        fixed: Tensor = self.get_buffer("constant_bias_of_h")
        return fixed

    def start(self, like: Tensor) -> CellState:
        """The state before the first step of trials as many as `like`, (B, N), has."""
        return CellState(*(torch.zeros_like(like) for _ in range(3)))

    def forward(
        self, current: Tensor, state: CellState | None = None, bias: Tensor | None = None
    ) -> tuple[Tensor, CellState]:
        """One step: (B, N) current in, (B, N) emitted values and the next state out.

        Args:
            current: What arrives in this step, weighted.
            state: That of the step before; None: the start.
            bias: (N,) another than the cells' own.
        """
        old = self.start(current) if state is None else state
        kept = SimpleNamespace(i=old.i, h=old.h, h_s=old.h_s)
        if self.detach:
            kept.h, kept.h_s = old.h.detach(), old.h_s.detach()
        constant = self._constant(self.bias if bias is None else bias)
        made = self.model.step(LibraryOperations(current), kept, constant, current)
        new = CellState(*(made[name] for name in CellState._fields))
        positive = torch.clamp(new.h, min=0.0)
        if not self.bypass:
            return positive, new
        return _bypassed(new.h, positive), new

    def over_time(
        self, current: Tensor, state: CellState | None = None, *, loops: bool = True
    ) -> Tensor:
        """(T, B, N) emitted values of T steps; the same as `forward` step by step, and quicker.

        Args:
            current: (T, B, N) what arrives, weighted.
            state: That before the first step; None: the start. No gradient flows into it.
            loops: Whether the loops in C++ may be taken, where they can be.
        """
        begin = self.start(current[0]) if state is None else state
        if not self.detach:
            return self._unrolled(current, begin)
        emitted: Tensor = _over_time(current, self.bias, self, begin, loops)
        return emitted

    def _unrolled(self, current: Tensor, state: CellState) -> Tensor:
        """Step by step, with a graph over everything."""
        emitted, bias = [], self.bias
        for arriving in current:
            passed, state = self(arriving, state, bias)
            emitted.append(passed)
        return torch.stack(emitted)

    def _constant(self, bias: Tensor) -> SimpleNamespace:
        named = {name: self._buffers.get(f"constant_{name}") for name in cell_loops.CONSTANTS}
        return SimpleNamespace(**{**named, "bias_of_h": bias})

    def course(
        self, current: Tensor, bias: Tensor, state: CellState, *, loops: bool = True
    ) -> Course:
        """What the cells do over time, and the slopes that their gradient is made of."""
        if not (loops and cell_loops.available(current)):
            return self._course_in_torch(current, bias, state)
        constant = self._constant(bias)
        rows = torch.stack([getattr(constant, name) for name in cell_loops.CONSTANTS])
        return cell_loops.advance(
            current,
            rows,
            state,
            bypass=self.bypass,
            smooth=self.model.gate == "sigmoid",
            newer=self.model.gate_reads == "new",
        )

    def _course_in_torch(self, current: Tensor, bias: Tensor, state: CellState) -> Course:
        """The same by the model's own text; the slopes are read off the states."""
        constant = self._constant(bias)
        emitted, slope_h, slope_i = (torch.empty_like(current) for _ in range(3))
        for step, arriving in enumerate(current):
            before, (_, state) = state.h, self(arriving, state, bias)
            emitted[step] = torch.clamp(state.h, min=0.0)
            bounded = torch.tanh(state.i * constant.per_rho)
            # h = z h + (1 - z) t with the old h on the right; where nothing is new, nothing flows.
            fresh = torch.where(constant.new > 0, constant.new, 1.0)
            bent = (state.h - constant.z * before) / fresh
            slope_h[step] = constant.new * (1.0 - bent * bent)
            slope_i[step] = 1.0 - bounded * bounded
        if not self.bypass:
            slope_h *= emitted > 0
        return Course(emitted, slope_h, slope_i)


class _Bypassed(torch.autograd.Function):
    """max(h, 0) whose gradient is that of h."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, positive: Tensor) -> Tensor:
        return positive.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        return gradients[0], None


class _OverTime(torch.autograd.Function):
    """Cells over time with the gradient in closed form."""

    @staticmethod
    def forward(
        ctx: Any,
        current: Tensor,
        bias: Tensor,
        cell: SpikingRecurrentCell,
        state: CellState,
        loops: bool,  # noqa: FBT001
    ) -> Tensor:
        course = cell.course(current, bias, state, loops=loops)
        # Not the course as it is: what is passed on would hold itself, and never be freed.
        ctx.save_for_backward(course.slope_h, course.slope_i, cell.get_buffer("constant_alpha"))
        ctx.loops = loops and cell_loops.available(current)
        return course.emitted

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        (gradient,) = gradients
        backward = cell_loops.turn_back if ctx.loops else _turned_back
        of_current, of_bias = backward(gradient, *ctx.saved_tensors)
        return of_current, of_bias.sum(0), None, None, None


# Of functions like these torch says no types.
_bypassed: Any = _Bypassed.apply
_over_time: Any = _OverTime.apply


def _turned_back(
    gradient: Tensor, slope_h: Tensor, slope_i: Tensor, alpha: Tensor
) -> tuple[Tensor, Tensor]:
    """As `cell_loops.turn_back`."""
    of_h = gradient * slope_h
    of_i = of_h * slope_i
    of_current, later = torch.empty_like(of_i), torch.zeros_like(of_i[0])
    for step in range(len(of_i) - 1, -1, -1):
        later = of_i[step] + alpha * later
        of_current[step] = later
    return of_current, of_h.sum(0)
