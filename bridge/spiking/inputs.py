"""Inputs of a network: what comes from outside, values or spikes, each under a name of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from bridge.errors import SpecError
from bridge.spiking.arrays import counted
from bridge.spiking.essentials import several
from bridge.spiking.limits import MOST_INT32, MOST_NEURONS
from bridge.spiking.projection import INPUT
from bridge.spiking.spikes import Spikes
from bridge.spiking.values import known_model, part_name, shown, text

Emits = Literal["value", "spikes"]


@dataclass(frozen=True)
class Input:
    """What projections may have as their source in addition to populations.

    Attributes:
        name: Unique among the inputs and the populations of a network.
        size: Number of its channels, or of its units where it emits spikes.
        emits: "value": it is analog, channels of `Drive.inputs`; "spikes": its units fire when
            `Drive.spikes` says, as those of a population that stands before all others.
    """

    name: str
    size: int
    emits: Emits = "value"

    def __post_init__(self) -> None:
        name = text("input: name", self.name)
        if not name.isidentifier():
            raise SpecError(f"inputs: {shown(name)} is not a usable name (letters, digits, _)")
        if not isinstance(self.emits, str) or self.emits not in get_args(Emits):
            known = " or ".join(map(repr, get_args(Emits)))
            raise SpecError(f"input {name}: emits: {known}, got {shown(self.emits)}")
        # Numbers of spiking units are kept in 32 bits.
        least, most = (1, MOST_INT32) if self.spiking else (0, MOST_NEURONS)
        size = counted(f"input {name}: size", self.size, least=least, most=most)
        object.__setattr__(self, "size", size)

    @property
    def spiking(self) -> bool:
        """Whether it emits spikes; else it is analog."""
        return self.emits == "spikes"

    def described(self) -> str:
        """The input in a few words."""
        return several(self.size, "spiking unit" if self.spiking else "channel")


def settled_inputs(given: Sequence[Input], input_size: int | None) -> tuple[tuple[Input, ...], int]:
    """All inputs of a network, and the number of its analog channels.

    The one analog input "input" is as large as `input_size` says, where this is given.

    Raises:
        SpecError: two are called alike, or have other channels than `input_size` says.
    """
    inputs = tuple(given)
    for each in inputs:
        if type(each) is not Input:
            raise SpecError(f"inputs: unknown class {type(each).__name__}; known are Input")
    called = [each.name for each in inputs]
    if len(set(called)) != len(called):
        raise SpecError(f"inputs: names must be unique, got {called}")
    channels = sum(each.size for each in inputs if not each.spiking)
    size = channels if input_size is None else counted("input_size", input_size, most=MOST_NEURONS)
    if is_plain(inputs):
        return (Input(INPUT, size),) if size else (), size
    if size != channels:
        raise SpecError(
            f"input_size: expected {channels}, the channels of all analog inputs, got {size}"
        )
    counted("inputs: channels", size, most=MOST_NEURONS)
    return inputs, size


def is_plain(inputs: Sequence[Input]) -> bool:
    """Whether all that `inputs` say is how many channels the one analog input "input" has."""
    return not inputs or (len(inputs) == 1 and inputs[0].name == INPUT and not inputs[0].spiking)


def frozen_spikes(given: object, shape: tuple[int, int | None]) -> Mapping[str, Spikes]:
    """Spikes by the names of inputs, read-only; `shape`: (trials, steps), None: any that is one.

    Raises:
        SpecError: they are not such spikes, or of other trials or steps.
    """
    if not isinstance(given, Mapping):
        raise SpecError(f"spikes: expected spikes by the names of inputs, got {shown(given)}")
    trials, steps = shape
    for name, spikes in given.items():
        part_name("spikes: name of an input", name)
        known_model(f"spikes of input {name}", spikes, (Spikes,))
        if spikes.n_trials != trials:
            raise SpecError(
                f"spikes of input {name}: expected those of {trials} trials, got {spikes.n_trials}"
            )
        steps = spikes.n_steps if steps is None else steps
        if spikes.n_steps != steps:
            raise SpecError(
                f"spikes of input {name}: expected trials of {steps:,} steps, got "
                f"{spikes.n_steps:,}"
            )
    return MappingProxyType(dict(given))


def check_spikes(given: Mapping[str, Spikes], inputs: Sequence[Input], steps: int) -> None:
    """Raise SpecError unless there are spikes of all spiking inputs, and of nothing else."""
    spiking = {each.name: each for each in inputs if each.spiking}
    for name, spikes in given.items():
        if name not in spiking:
            known = f"has {', '.join(spiking)}" if spiking else "has none"
            raise SpecError(f"spikes: no spiking input {shown(name)}; this network {known}")
        if spikes.n_neurons != spiking[name].size:
            raise SpecError(
                f"spikes of input {name}: expected those of {spiking[name].size} units, got "
                f"{spikes.n_neurons}"
            )
        if spikes.n_steps != steps:
            raise SpecError(
                f"spikes of input {name}: expected trials of {steps:,} steps, got "
                f"{spikes.n_steps:,}"
            )
    for name in spiking:
        if name not in given:
            raise SpecError(f"spikes: those of input {name} are missing")
