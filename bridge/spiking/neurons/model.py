"""What a neuron model is: everything that simulators, files and people need to know of one."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.spiking.operations import NUMPY, Operations
from bridge.spiking.parts import Part, Prototype, known_part, register, steps
from bridge.spiking.tracing import Trace, check_trace, trace

Array = NDArray[np.float64]

KNOWN: dict[str, type["NeuronModel"]] = {}
"""The neuron models there are, by their kind: a class that names its kind adds itself."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class NeuronModel(Part):
    """A neuron model: its parameters, and what they do in a step.

    A model is a subclass that is a frozen dataclass with a `kind` of its own, in a file of its own.
    Its `step`, `reset` and `emitted` are plain functions of arrays in the vocabulary of
    `bridge.spiking.operations`: they may use the model's words and whole numbers to decide what to
    do, and no other number than those of `state`, `constant` and `current`.

    Of its `constants` "bias" is where the current's sum begins, and "threshold" is there where the
    model fires.

    The contract of a step (`bridge.backends.reference.simulation`) calls them: the current is
    summed from the bias on; the step is taken where the neuron is not refractory; noise and
    stimulation are added to the voltage; a neuron fires where its voltage is at the threshold;
    then it is reset.

    Attributes:
        states: Names of the states, each with its value at the start of a trial; the voltage's is
            drawn by the population.
        voltage: The state that takes noise and stimulation, is compared with the threshold, and is
            recorded as the voltage.
        fires: Whether there is a threshold, a constant of that name.
        emits: What it passes on to others: its "spikes", a "value" in every step, or "nothing".
        refractory_steps: Steps skipped after a spike (noise still acts); at most 10^6.
        initial_refractory_steps: Steps skipped at the start of a trial; at most 10^6.
    """

    states: ClassVar[Mapping[str, float]] = MappingProxyType({"v": 0.0})
    voltage: ClassVar[str] = "v"
    fires: ClassVar[bool] = True
    emits: ClassVar[Literal["spikes", "value", "nothing"]] = "spikes"

    refractory_steps: int = steps(0)
    initial_refractory_steps: int = steps(0)

    def __init_subclass__(cls) -> None:
        register(KNOWN, cls, "neuron model")

    def step(self, ops: Operations, state: Any, constant: Any, current: Any) -> dict[str, Any]:
        """The new value of every state."""
        raise self.lacks("step")

    def reset(self, ops: Operations, state: Any, constant: Any) -> dict[str, Any]:
        """The states that are set anew where a neuron fired."""
        return {}

    def emitted(self, ops: Operations, state: Any, constant: Any) -> dict[str, Any]:
        """What it passes on, as "value", where it emits one."""
        return {}

    def leaves(self, dt_ms: float) -> Array | None:
        """(n,) q, where the step is v = I + (v - I) q with the current I; None where it is not.

        Formulas of leaky membranes hold then, whatever the model.
        """
        return None

    @property
    def strictly(self) -> bool:
        """Whether a neuron fires strictly above threshold only, not at it."""
        return False

    @property
    def onsets_alone(self) -> bool:
        """Whether of steps in a row in which a neuron fires the first alone is recorded."""
        return False

    def operations(self) -> str:
        """A hash of its step, reset and emission."""
        traced = traces(self)
        return "-".join(each.digest() for each in (traced.step, traced.reset, traced.emitted))

    @property
    def gated(self) -> bool:
        """Whether a neuron is ever refractory."""
        return self.refractory_steps > 0 or self.initial_refractory_steps > 0

    def described(self) -> str:
        """The model in a few words."""
        first = [name for name in self.named("choice") if name not in self.added()]
        words = [f"{getattr(self, name)} {name.split('_')[-1]}" for name in first]
        later = [name for name in self.named("choice") if name in self.said_later()]
        words += [f"{name} {getattr(self, name)}".replace("_", " ") for name in later]
        skipped = f"{self.refractory_steps} refractory steps"
        return ", ".join([self.title, *words, skipped])


def known_neurons(name: str, value: Any) -> NeuronModel:
    """`value`, if it is a neuron model; SpecError if not."""
    model: NeuronModel = known_part(name, value, KNOWN)
    return model


@dataclass(frozen=True)
class NeuronTraces:
    """The functions of a model as operations: what other simulators' code is written from.

    Attributes:
        step: The new value of every state.
        reset: The states that a spike sets anew.
        emitted: What is passed on, where it is values.
        change: What the step adds to the only state, as "change"; None where it is another step.
    """

    step: Trace
    reset: Trace
    emitted: Trace
    change: Trace | None


def traces(neurons: NeuronModel, dtype: str = "float64") -> NeuronTraces:
    """What a model does in a step, on numbers of a `dtype`.

    Raises:
        SpecError: it does what not every simulator could repeat, or leaves out a state.
    """
    return _traces(Prototype(neurons), dtype)


@lru_cache(maxsize=256)
def _traces(prototype: Prototype[NeuronModel], dtype: str) -> NeuronTraces:
    neurons = prototype.part
    groups = {
        "state": tuple(neurons.states),
        "constant": neurons.named_constants(),
    }
    title = f"neuron model {neurons.kind}"
    step = _checked(title, neurons.step, dtype, **groups, current=("current",))
    if set(step.outputs) != set(neurons.states):
        raise SpecError(
            f"{title}: its step gives {', '.join(step.outputs)}; its states are "
            f"{', '.join(neurons.states)}"
        )
    reset = _checked(f"{title}, reset", neurons.reset, dtype, **groups)
    unknown = set(reset.outputs) - set(neurons.states)
    if unknown:
        raise SpecError(f"{title}: its reset sets {', '.join(sorted(unknown))}, no state of it")
    emitted = _checked(f"{title}, emission", neurons.emitted, dtype, **groups)
    if (neurons.emits == "value") != ("value" in emitted.outputs):
        raise SpecError(f"{title}: it emits {neurons.emits}, but its emission gives another")
    return NeuronTraces(step, reset, emitted, _change(step))


def _change(step: Trace) -> Trace | None:
    if len(step.outputs) != 1 or not step.operations:
        return None
    ((state, made),) = step.outputs.items()
    *before, last = step.operations
    grows = last.name == "+" and last.result == made and last.arguments[0] == f"state.{state}"
    return Trace(tuple(before), {"change": last.arguments[1]}) if grows else None


def _checked(title: str, function: Any, dtype: str, **groups: tuple[str, ...]) -> Trace:
    made = trace(title, function, dtype, **groups)
    check_trace(title, made, function, NUMPY, dtype, **groups)
    return made
