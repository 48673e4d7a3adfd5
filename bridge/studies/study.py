"""What a study is: conditions, what is measured in each, and what the paper reports."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

from bridge.errors import SpecError
from bridge.methods.roads import NEURONS, known_by, unknown_neuron
from bridge.rate.training_options import Options
from bridge.spiking.arrays import counted


@dataclass(frozen=True)
class Variant:
    """One way of making a rate network spike.

    Attributes:
        name: What the table calls it; "" where a study has no others.
        value: Where it stands on the figure's axis, or None.
        spiking: Options of `bridge.convert`, such as refractory_ms.
        searched: The scale factor is searched for it; else that of the first variant is taken.
    """

    name: str = ""
    value: float | None = None
    spiking: Mapping[str, Any] = field(default_factory=dict)
    searched: bool = True


@dataclass(frozen=True)
class Cell:
    """One condition: how its networks are trained, and how each is made to spike.

    Attributes:
        name: Unique in its study; letters, digits and simple signs.
        task: What its networks learn.
        training: Options of `bridge.train` in addition to the seed.
        value: Where it stands on the figure's axis, or None.
        variants: The first has its scale factor searched; none where the rate networks are all that
            is measured.
    """

    name: str
    task: str
    training: Mapping[str, Any]
    value: float | None = None
    variants: tuple[Variant, ...] = (Variant(),)

    def options(self, seed: int) -> Options:
        """All training options of the network with that seed."""
        return Options(**{**self.training, "seed": seed})


Details = Literal["", "units", "components"]

# How the paper chose scale factors, and what its code makes of a rate network.
PAPER: Mapping[str, Any] = MappingProxyType({"rule": "accuracy", "output_bias": False})
OURS: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Study:
    """A figure of the paper.

    Attributes:
        name: As the command takes it, such as "2c".
        title: What the figure shows.
        axis: What the values of cells or variants are; "" where they are names.
        networks: How many networks in each cell unless stated otherwise.
        cells: Its conditions.
        paper: What the paper reports, by name of the cell or variant; "" for the whole figure.
        details: What is kept of each network in addition to accuracies.
        converting: Options of `bridge.convert` for all variants, which may have others.
    """

    name: str
    title: str
    axis: str
    networks: int
    cells: tuple[Cell, ...]
    paper: Mapping[str, str] = field(default_factory=dict)
    details: Details = ""
    converting: Mapping[str, Any] = field(default_factory=lambda: PAPER)

    def spiking(self, variant: Variant) -> dict[str, Any]:
        """All options of the conversion of a variant."""
        neuron = variant.spiking.get("neuron")
        # How the paper chose a scale factor says nothing to neurons that have none.
        common = self.converting if neuron is None else _known(self.converting, neuron)
        return {**common, **variant.spiking}

    def with_neuron(self, neuron: str) -> "Study":
        """The same study of other neurons, under a name of its own.

        Raises:
            SpecError: it varies what these neurons do not have, or compares neurons itself.
        """
        if neuron not in NEURONS:
            raise unknown_neuron(neuron)
        cells = tuple(
            replace(cell, variants=tuple(self._of(variant, neuron) for variant in cell.variants))
            for cell in self.cells
        )
        # What the paper reports is of its own neurons.
        paper = {name: f"{said}, with its own neurons" for name, said in self.paper.items()}
        title = f"{self.title}, neurons: {neuron}"
        return replace(self, name=f"{self.name}-{neuron}", title=title, cells=cells, paper=paper)

    def _of(self, variant: Variant, neuron: str) -> Variant:
        if "neuron" in variant.spiking:
            raise SpecError(f"study {self.name} compares neurons itself: leave --neuron out")
        other = sorted(set(variant.spiking) - known_by(neuron) - {"refit_readout"})
        if other:
            raise SpecError(
                f"study {self.name} varies {other[0]}, which neurons {neuron!r} do not have"
            )
        return replace(variant, spiking={**variant.spiking, "neuron": neuron})


def _known(options: Mapping[str, Any], neuron: str) -> dict[str, Any]:
    """Those that a neuron's road takes."""
    return {name: options[name] for name in set(options) & known_by(neuron)}


Scheme = Literal["ours", "original"]

# Kim et al. 2019 and their code: single trials, noise of 0.1, no clipping of gradients; every 100
# trials 100 evaluation trials, until their mean loss is below 7 and their accuracy above 95 %, but
# in Go-NoGo not before trial 1,500; given up at 6,000.
ORIGINAL_TRAINING: Mapping[str, Any] = MappingProxyType(
    {
        "batch": 1,
        "training_noise_sd": 0.1,
        "clip_norm": None,
        "learning_rate": 0.01,
        "target_loss": 7.0,
        "target_accuracy": 0.95,
        "evaluation_trials": 100,
        "check_every": 100,
        "max_updates": 6000,
    }
)
ORIGINAL_MIN_UPDATES = {"go-nogo": 1500}


@dataclass(frozen=True)
class Effort:
    """How much is measured of each network.

    Attributes:
        trials: Fresh trials that decide the accuracy.
        search_trials: Trials at each scale factor.
        inverse_scales: Scale factors to try; None: those of `bridge.convert`.
        max_updates: Training gives up after; None: as the cell says.
        scheme: How networks are trained: "ours", or "original": `ORIGINAL_TRAINING`, from the
            original's start, where excitation is not balanced by inhibition.
        device: Where networks are trained and converted: "cpu", "cuda" or "cuda:N". A seed decides
            other noise on a GPU than on the CPU, so their networks are not the same.
    """

    trials: int = 200
    search_trials: int = 100
    inverse_scales: tuple[float, ...] | None = None
    max_updates: int | None = None
    scheme: Scheme = "ours"
    device: str = "cpu"

    def __post_init__(self) -> None:
        counted("trials", self.trials, least=1)
        counted("search_trials", self.search_trials, least=1)
        if self.max_updates is not None:
            counted("max_updates", self.max_updates, least=1)
        if self.scheme not in ("ours", "original"):
            raise SpecError(f"scheme: 'ours' or 'original', got {self.scheme!r}")

    def plain(self) -> dict[str, Any]:
        """As plain values."""
        kept = asdict(self)
        scales = self.inverse_scales
        kept["inverse_scales"] = None if scales is None else list(scales)
        # As in settings of before there was a choice.
        if self.scheme == "ours":
            del kept["scheme"]
        kept |= self.kind_of_device()
        if self.device == "cpu":
            del kept["device"]
        return kept

    def elsewhere(self) -> dict[str, Any]:
        """The device as an option of what runs on the CPU by itself."""
        return {} if self.device == "cpu" else {"device": self.device}

    def kind_of_device(self) -> dict[str, Any]:
        """As `elsewhere`, whichever of several alike it is."""
        return {name: device.partition(":")[0] for name, device in self.elsewhere().items()}

    def folder_of(self, study: Study) -> str:
        """The name of a study's folder: each scheme has its own."""
        return study.name if self.scheme == "ours" else f"{study.name}-{self.scheme}"

    def training(self, cell: Cell, seed: int) -> dict[str, Any]:
        """All training options of a network of a cell."""
        options = cell.options(seed).plain()
        if self.scheme == "original":
            options |= {**ORIGINAL_TRAINING, "balanced": False}
            options["min_updates"] = ORIGINAL_MIN_UPDATES.get(cell.task, 0)
        if self.max_updates is not None:
            options["max_updates"] = self.max_updates
            options["min_updates"] = min(options["min_updates"], self.max_updates)
        return options
