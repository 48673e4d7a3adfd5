"""Every step of a part of the trials: what is too much to keep of all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.spiking.arrays import counted, frozen_array
from bridge.spiking.essentials import names, several, told
from bridge.spiking.limits import LONGEST_TRIAL_STEPS
from bridge.spiking.values import part_name, shown

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Window:
    """What populations held and passed on in W steps of each of B trials.

    Attributes:
        start_step: The first of the steps.
        states: For each population its states by name, (W, B, n) at the end of each step.
        values: (W, B, n) what each population that emits values passed on in each step.
    """

    start_step: int
    states: Mapping[str, Mapping[str, Array]]
    values: Mapping[str, Array] = field(default_factory=dict)

    def __repr__(self) -> str:
        steps = f"{several(self.n_steps, 'step')} from step {self.start_step:,} on"
        return told(self, steps, f"states of {names(self.states)}")

    def __post_init__(self) -> None:
        start = counted("window: start_step", self.start_step, most=LONGEST_TRIAL_STEPS)
        object.__setattr__(self, "start_step", start)
        states = {
            name: MappingProxyType(_arrays(f"window: population {name}", of))
            for name, of in checked_mapping("window: states", self.states).items()
        }
        object.__setattr__(self, "states", MappingProxyType(states))
        values = MappingProxyType(_arrays("window: values", self.values))
        object.__setattr__(self, "values", values)
        shapes = {each.shape[:2] for each in self._all()}
        if len(shapes) != 1 or min(min(shapes)) < 1:
            raise SpecError("window: expected as many steps and trials, some, of every state")
        for name, array in values.items():
            if name not in states or any(s.shape != array.shape for s in states[name].values()):
                raise SpecError(f"window: values {name}: of no population whose states are there")

    def _all(self) -> list[Array]:
        return [a for of in self.states.values() for a in of.values()] + [*self.values.values()]

    def __reduce__(self) -> tuple[Any, ...]:
        """How it travels between processes, which its read-only mappings cannot."""
        states = {name: dict(of) for name, of in self.states.items()}
        made = partial(Window, start_step=self.start_step, states=states, values=dict(self.values))
        return made, ()

    @property
    def n_steps(self) -> int:
        """Number of steps W."""
        return len(self._all()[0])

    @property
    def stop_step(self) -> int:
        """The first step after it."""
        return self.start_step + self.n_steps

    def check(self, n_steps: int, n_trials: int, populations: Mapping[str, int]) -> None:
        """Raise SpecError unless it is one of such trials."""
        if self.stop_step > n_steps:
            raise SpecError(
                f"window: steps {self.start_step:,} to {self.stop_step:,} reach beyond a trial of "
                f"{n_steps:,} steps"
            )
        for name, states in self.states.items():
            shape = (self.n_steps, n_trials, populations.get(name))
            for state, array in states.items():
                if array.shape != shape:
                    raise SpecError(
                        f"window: population {name}, state {state}: expected shape {shape}, got "
                        f"{array.shape}"
                    )

    def chosen(self, trials: NDArray[np.int64]) -> "Window":
        """That of some of the trials, by number."""
        return Window(
            start_step=self.start_step,
            states={
                name: {state: array[:, trials] for state, array in of.items()}
                for name, of in self.states.items()
            },
            values={name: array[:, trials] for name, array in self.values.items()},
        )

    @classmethod
    def joined(cls, parts: "Sequence[Window]") -> "Window":
        """Windows of the same steps as one: trial after trial."""
        first = parts[0]
        return cls(
            start_step=first.start_step,
            states={
                name: {
                    state: np.concatenate([part.states[name][state] for part in parts], axis=1)
                    for state in of
                }
                for name, of in first.states.items()
            },
            values={
                name: np.concatenate([part.values[name] for part in parts], axis=1)
                for name in first.values
            },
        )


def checked_mapping(name: str, value: object) -> Mapping[Any, Any]:
    """`value`, if it is names with values; SpecError if not."""
    if not isinstance(value, Mapping):
        raise SpecError(f"{name}: expected names with values, got {shown(value)}")
    return value


def _arrays(name: str, value: object) -> dict[str, Array]:
    """Read-only (any, any, any) arrays by names that a file can hold."""
    return {
        part_name(name, each): frozen_array(f"{name}: {each}", array, (None, None, None))
        for each, array in checked_mapping(name, value).items()
    }
