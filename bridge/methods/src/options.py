"""How a network of Spiking Recurrent Cells is made and trained, checked."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast

from bridge.arguments import flag, number, options_in
from bridge.errors import SpecError
from bridge.spiking.arrays import counted
from bridge.spiking.essentials import essentials
from bridge.spiking.neurons.src import HIGHEST_TRAINED_BIAS, Src
from bridge.tasks.images.pictures import CLASSES

_MOST_LAYERS, _MOST_CELLS = 100, 10_000
# Of the cells: all that are set by hand.
CONSTANTS = ("alpha", "rho", "r", "r_s", "z_hyp", "z_dep", "bias")


@dataclass(frozen=True, kw_only=True)
class SrcOptions:
    """How a network of Spiking Recurrent Cells is made and trained.

    Attributes:
        layers: Cells of each layer; the last has at least as many as there are classes, and cell j
            speaks for class j mod 10.
        seed: Decides everything random.
        epochs: How often each training picture is shown, encoded anew each time.
        batch: Pictures per update.
        learning_rate: Adam's, of the first layer. It rises over the first epoch, and falls along a
            cosine to 2 %.
        deep_learning_rate: The same of all other layers and of trained biases; 0: they stay as they
            start.
        start: The first layer's weights start uniform within this over the square root of the
            number of inputs.
        relay: All other layers start as this times the identity: each cell passes on the spikes of
            one cell of the layer before. Random weights lose what the picture is within a few
            layers.
        sharpness: Factor of the outputs in the loss.
        validation: Training pictures that are set aside, to choose options by; 0: none.
        gate: "heaviside" or "sigmoid", see `bridge.spiking.neurons.src.Src`.
        gate_reads: "old" or "new": which h it is in the gate.
        alpha: What a step leaves of a cell's synaptic current. This and the next ones are constants
            of `bridge.spiking.neurons.src.Src`, set by hand and never trained.
        rho: Bound of what that current does to h.
        r: Weight of h on itself.
        r_s: Weight of the slow h_s on h.
        z_hyp: What a step leaves of h_s between spikes.
        z_dep: What a step leaves of h_s in a spike.
        bias: Of the cells.
        learn_bias: Whether it is trained, held below -4.
        bypass: Whether max(h, 0) counts as h in the backward pass.
        detach: Whether h and h_s of the step before count as constants in the backward pass.
    """

    layers: tuple[int, ...] = (100,)
    seed: int = 0
    epochs: int = 40
    batch: int = 64
    learning_rate: float = 0.01
    deep_learning_rate: float = 0.0005
    start: float = 3.0
    relay: float = 0.8
    sharpness: float = 0.5
    validation: int = 0
    gate: Literal["heaviside", "sigmoid"] = "heaviside"
    gate_reads: Literal["old", "new"] = "old"
    alpha: float = 0.9
    rho: float = 3.0
    r: float = 2.0
    r_s: float = -7.0
    z_hyp: float = 0.9
    z_dep: float = 0.0
    bias: float = -6.0
    learn_bias: bool = False
    bypass: bool = True
    detach: bool = True

    __repr__ = essentials

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", _layers(self.layers))
        for name in ("epochs", "batch"):
            object.__setattr__(self, name, counted(name, getattr(self, name), least=1, most=10**6))
        for name in ("seed", "validation"):
            object.__setattr__(self, name, counted(name, getattr(self, name)))
        for name in ("learn_bias", "bypass", "detach"):
            object.__setattr__(self, name, flag(name, getattr(self, name)))
        for name in ("learning_rate", "deep_learning_rate", "start", "relay", "sharpness"):
            value = number(name, getattr(self, name))
            if value < 0 or (value == 0 and name != "deep_learning_rate"):
                raise SpecError(f"{name}: must be positive, got {value:g}")
            object.__setattr__(self, name, value)
        for name in CONSTANTS:
            object.__setattr__(self, name, number(name, getattr(self, name)))
        if self.learn_bias and self.bias > HIGHEST_TRAINED_BIAS:
            # Held there, it would get no gradient and never learn.
            raise SpecError(
                f"bias: must be at most {HIGHEST_TRAINED_BIAS:g} to be learned, got {self.bias:g}"
            )
        # The model checks its words and its constants.
        self.neurons().sized(1)

    def neurons(self) -> Src:
        """The model of the cells before training."""
        constants = {name: getattr(self, name) for name in CONSTANTS}
        return Src(gate=self.gate, gate_reads=self.gate_reads, counted="onsets", **constants)

    def plain(self) -> dict[str, Any]:
        """By name, as a file keeps them."""
        return {**asdict(self), "layers": list(self.layers)}


def options_of(given: dict[str, Any]) -> SrcOptions:
    """Options by their names; SpecError for one that is not known or makes no sense."""
    return options_in(SrcOptions, given)


def _layers(given: object) -> tuple[int, ...]:
    """Sizes of layers; one number stands for one layer."""
    several = isinstance(given, Iterable) and not isinstance(given, str)
    sizes = list(cast(Iterable[Any], given)) if several else [given]
    if not 1 <= len(sizes) <= _MOST_LAYERS:
        raise SpecError(f"layers: from 1 to {_MOST_LAYERS} of them, got {len(sizes)}")
    cells = tuple(counted("layers: cells", size, least=1, most=_MOST_CELLS) for size in sizes)
    if cells[-1] < CLASSES:
        raise SpecError(
            f"layers: the last has a cell for each of {CLASSES} classes at least, got {cells[-1]}"
        )
    return cells
