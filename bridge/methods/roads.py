"""The two roads of a conversion that keeps units as neurons, each with the options that it takes.

LIF and QIF neurons look for a scale factor, integrate-and-fire neurons with the activation inside
for a gain.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, Self

from bridge.arguments import text
from bridge.errors import SpecError
from bridge.methods.gain_options import GainOptions
from bridge.methods.integrate_and_fire import map_integrate_and_fire
from bridge.methods.one_to_one import SpikingOptions, map_one_to_one
from bridge.methods.predicted_scale import predict_inverse_scale
from bridge.methods.scale_search import Search
from bridge.methods.scoring import SEARCH
from bridge.methods.search import search_scale
from bridge.methods.search_gain import search_gain
from bridge.methods.search_options import SearchOptions
from bridge.methods.shown_trials import TrialSource
from bridge.rate.network import RateNetwork
from bridge.spiking.network import SpikingNetwork

Progress = Callable[[float], None]
Found = tuple[Search, SpikingNetwork]

NEURONS = ("lif", "qif", "if")


class Road(Protocol):
    """How a rate network becomes a spiking one."""

    @property
    def trials(self) -> int:
        """Trials at each candidate."""

    @property
    def seed(self) -> int:
        """Decides everything random."""

    @property
    def where(self) -> str:
        """The backend."""

    def quick_options(self) -> dict[str, Any]:
        """Options of the backend."""

    def of(self, trials: int) -> Self:
        """The same with another number of trials."""

    def suited(self, rate: RateNetwork) -> Self:
        """The same in a backend that takes what becomes of a rate network."""

    def searched(self, source: TrialSource, rate: RateNetwork, on_progress: Progress) -> Found:
        """The search, and the network that it chose."""

    def told(self) -> dict[str, Any]:
        """What a provenance says of the choice."""


@dataclass(frozen=True, kw_only=True)
class ScaleRoad:
    """LIF and QIF neurons.

    Attributes:
        scale: "searched" or "predicted".
        search: How the scale factor is searched.
        spiking: What units and connections become.
    """

    scale: str
    search: SearchOptions
    spiking: SpikingOptions

    def __post_init__(self) -> None:
        if text("scale", self.scale) not in ("searched", "predicted"):
            raise SpecError(f"scale: 'searched' or 'predicted', got {self.scale!r}")
        if self.scale == "searched":
            return
        if self.search.inverse_scales is not None:
            raise SpecError("inverse_scales: a predicted scale factor has none to try")
        if self.search.exhaustive:
            raise SpecError(
                "exhaustive: a predicted scale factor is the only one, and does all trials"
            )

    @property
    def trials(self) -> int:
        """As `Road`."""
        return self.search.trials

    @property
    def seed(self) -> int:
        """As `Road`."""
        return self.search.seed

    @property
    def where(self) -> str:
        """As `Road`."""
        return self.search.where

    def quick_options(self) -> dict[str, Any]:
        """As `Road`."""
        return self.search.quick_options()

    def of(self, trials: int) -> Self:
        """As `Road`."""
        return replace(self, search=replace(self.search, trials=trials))

    def suited(self, rate: RateNetwork) -> Self:
        """As `Road`."""
        if not self.search.elsewhere:
            return self
        # Scale factors change weights alone.
        network = map_one_to_one(rate, 1.0, self.spiking)
        return replace(self, search=self.search.suited(network))

    def searched(self, source: TrialSource, rate: RateNetwork, on_progress: Progress) -> Found:
        """As `Road`."""
        search = self.search
        if self.scale == "predicted":
            scale = predict_inverse_scale(source, rate, self.spiking, seed=search.seed)
            search = replace(search, inverse_scales=(scale,))
        found = search_scale(source.shown(SEARCH), rate, search, self.spiking, on_progress)
        return found, map_one_to_one(rate, found.best_inverse_scale, self.spiking)

    def told(self) -> dict[str, Any]:
        """As `Road`."""
        return {"scale": self.scale}


@dataclass(frozen=True, kw_only=True)
class GainRoad:
    """Integrate-and-fire neurons with the activation inside.

    Attributes:
        options: How the gain is searched.
    """

    options: GainOptions

    @property
    def trials(self) -> int:
        """As `Road`."""
        return self.options.trials

    @property
    def seed(self) -> int:
        """As `Road`."""
        return self.options.seed

    @property
    def where(self) -> str:
        """As `Road`."""
        return self.options.where

    def quick_options(self) -> dict[str, Any]:
        """As `Road`."""
        return self.options.quick_options()

    def of(self, trials: int) -> Self:
        """As `Road`."""
        return replace(self, options=replace(self.options, trials=trials))

    def suited(self, rate: RateNetwork) -> Self:
        """As `Road`."""
        search = self.options.search
        if not search.elsewhere:
            return self
        # Gains change constants alone, and the lowest fits into any step.
        suited = search.suited(map_integrate_and_fire(rate, gain_hz=1.0))
        return replace(self, options=replace(self.options, backend=suited.backend))

    def searched(self, source: TrialSource, rate: RateNetwork, on_progress: Progress) -> Found:
        """As `Road`."""
        return search_gain(source.shown(SEARCH), rate, self.options, on_progress)

    def told(self) -> dict[str, Any]:
        """As `Road`."""
        return {}


def _names(*kinds: type) -> set[str]:
    return {entry.name for kind in kinds for entry in fields(kind)}


_SEARCH, _SPIKING, _GAIN = _names(SearchOptions), _names(SpikingOptions), _names(GainOptions)
# Options that only one of the roads takes.
SCALE_ONLY = (_SEARCH | _SPIKING | {"scale"}) - _GAIN - {"neuron"}
GAIN_ONLY = _GAIN - _SEARCH


def default_neuron(rate: RateNetwork, given: Mapping[str, Any]) -> str:
    """The neuron of a conversion for which none is named.

    Args:
        rate: The rate network.
        given: Options: those that only one road takes decide it.
    """
    if set(given) & SCALE_ONLY:
        return "lif"
    other = {"form", "initial_state"} & set(rate.told_units())
    if set(given) & GAIN_ONLY or other or rate.activation in ("relu", "tanh"):
        return "if"
    return "lif"


def road_of(rate: RateNetwork, given: Mapping[str, Any]) -> Road:
    """The road that options name, with these options.

    Raises:
        SpecError: an option that is not known, or of the other road, or that makes no sense.
    """
    known = _SEARCH | _SPIKING | _GAIN | {"scale"}
    unknown = sorted(set(given) - known)
    if unknown:
        raise SpecError(
            f"unknown option of a conversion {unknown[0]!r}; known are {', '.join(sorted(known))}"
        )
    neuron = text("neuron", given.get("neuron", default_neuron(rate, given)))
    if neuron not in NEURONS:
        raise unknown_neuron(neuron)
    own = known_by(neuron)
    other = sorted(set(given) - own)
    if other:
        raise SpecError(
            f"{other[0]}: no option of neuron {neuron!r}, which takes {', '.join(sorted(own))}"
        )
    if neuron == "if":
        return GainRoad(options=GainOptions(**_of(_GAIN, given)))
    spiking = {**_of(_SPIKING, given), "neuron": neuron}
    return ScaleRoad(
        scale=given.get("scale", "searched"),
        search=SearchOptions(**_of(_SEARCH, given)),
        spiking=SpikingOptions(**spiking),
    )


def unknown_neuron(given: object) -> SpecError:
    """The error of a neuron that there is not."""
    *others, last = map(repr, NEURONS)
    return SpecError(f"neuron: {', '.join(others)} or {last}, got {given!r}")


def known_by(neuron: str | None) -> set[str]:
    """The options that a neuron's road takes; None: where an option of a scale factor is given."""
    return (_GAIN if neuron == "if" else _SEARCH | _SPIKING | {"scale"}) | {"neuron"}


def _of(names: set[str], given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in names & set(given)}
