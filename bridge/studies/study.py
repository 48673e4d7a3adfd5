"""What a study is: conditions, what is measured in each, and what the paper reports."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from bridge.rate.options import Options
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
        training: Options of `bridge.train` besides the seed.
        value: Where it stands on the figure's axis, or None.
        variants: At least one; the first has its scale factor searched.
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


@dataclass(frozen=True)
class Study:
    """A figure of the paper.

    Attributes:
        name: As the command takes it, such as "2c".
        title: What the figure shows.
        axis: What the values of cells or variants are; "" where they are names.
        networks: How many networks in each cell unless told otherwise.
        cells: Its conditions.
        paper: What the paper reports, by name of the cell or variant; "" for the whole figure.
        details: What is kept of each network besides accuracies.
    """

    name: str
    title: str
    axis: str
    networks: int
    cells: tuple[Cell, ...]
    paper: Mapping[str, str] = field(default_factory=dict)
    details: Details = ""


@dataclass(frozen=True)
class Effort:
    """How much is measured of each network.

    Attributes:
        trials: Fresh trials that decide the accuracy.
        search_trials: Trials at each scale factor.
        inverse_scales: Scale factors to try; None: those of `bridge.convert`.
        max_updates: Training gives up after; None: as the cell says.
    """

    trials: int = 200
    search_trials: int = 100
    inverse_scales: tuple[float, ...] | None = None
    max_updates: int | None = None

    def __post_init__(self) -> None:
        counted("trials", self.trials, least=1)
        counted("search_trials", self.search_trials, least=1)
        if self.max_updates is not None:
            counted("max_updates", self.max_updates, least=1)

    def plain(self) -> dict[str, Any]:
        """As plain values."""
        kept = asdict(self)
        scales = self.inverse_scales
        return {**kept, "inverse_scales": None if scales is None else list(scales)}
