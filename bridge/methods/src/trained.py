"""A spiking network that was trained directly: the network, how it went, and where to go on."""

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.errors import SpecError
from bridge.rate.learning import Checkpoint, History
from bridge.spiking.essentials import several, told
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.values import known_model


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainedNetwork:
    """A spiking network that was trained as one.

    Attributes:
        network: The network, which every backend runs.
        history: How it went, an entry for each epoch. Loss and accuracy are those of the validation
            pictures; where none are set aside, of the first training pictures.
        checkpoint: What is needed to go on; None: training is finished.
    """

    network: SpikingNetwork
    history: History
    checkpoint: Checkpoint | None = None

    def __repr__(self) -> str:
        epochs = several(len(self.history.update), "epoch")
        state = "" if self.checkpoint is None else "unfinished"
        return told(self, repr(self.network), epochs, state)

    def __post_init__(self) -> None:
        known_model("trained network: network", self.network, (SpikingNetwork,))
        known_model("trained network: history", self.history, (History,))
        if self.checkpoint is not None:
            known_model("trained network: checkpoint", self.checkpoint, (Checkpoint,))
            self.checkpoint.check_fits(trained_shapes(self.network), self.history)

    def held(self) -> tuple[object, ...]:
        """What may be taken in its place: the network."""
        return (self.network,)

    def told_accuracy(self, *, validation: int) -> str:
        """How good it was in its last evaluation, in words; "" before the first."""
        if not self.history.accuracy.size:
            return ""
        which = f"{validation} validation" if validation else "training"
        return f"{self.history.accuracy[-1]:.1%} right of the {which} pictures"

    def told_activity(self) -> dict[str, object]:
        """How much each layer spikes, by its name."""
        layers = self.network.provenance.get("activity", ())
        return {
            f"layer {number}": (
                f"{part['onsets']:.2f} spikes per cell and picture, above 0.5 in "
                f"{part['duty']:.1%} of the steps, {part['silent']:.0%} of the cells silent"
            )
            for number, part in enumerate(layers, start=1)
        }


def trained_shapes(network: SpikingNetwork) -> dict[str, tuple[int, ...]]:
    """Shapes of what was trained, by name: weights_0, bias_0, weights_1, ..."""
    options = network.provenance.get("options")
    layers = options.get("layers") if isinstance(options, Mapping) else None
    if not isinstance(options, Mapping) or not isinstance(layers, list | tuple):
        raise SpecError("trained network: its provenance does not say how it was trained")
    shapes: dict[str, tuple[int, ...]] = {}
    for number, projection in enumerate(network.projections[: len(layers)]):
        shapes[f"weights_{number}"] = projection.shape
        if options.get("learn_bias"):
            shapes[f"bias_{number}"] = projection.shape[:1]
    return shapes
