"""A trained rate network as the teacher: it gives the targets as it does its task, without noise.

As in the public code to the follow-up of 2023, the components are those of its rates, and currents
are made of them by its recurrent weights: u = U W Q y~.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.errors import SpecError
from bridge.rate.network import RateNetwork
from bridge.tasks import Task, Trials, check_fit

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TrainedTeacher:
    """What a rate network shows; each trial begins anew in its initial state.

    Attributes:
        network: It has N~ units.
        hold: Steps of the spiking network for each of its own.
    """

    network: RateNetwork
    hold: int

    @property
    def start(self) -> Array:
        """(N~,) where its trials begin."""
        return self.network.initial_state

    @property
    def w_in(self) -> Array:
        """(N~, C) weights of the task's input."""
        return self.network.w_in

    def trial(self, state: Array, trial: Trials, dt_ms: float) -> tuple[Array, Array]:
        """One trial: (T, N~) rates of the units, each held, and the state that was given."""
        _, rates = self.network.run(trial.inputs[:: self.hold], None)
        return np.repeat(rates[:, 0], self.hold, axis=0), state

    def currents(self) -> Array:
        """(N~, N~) what makes currents of the rates."""
        return self.network.recurrent


def check_teacher(network: RateNetwork, task: Task) -> None:
    """Raise SpecError unless a rate network can show how a task is done."""
    outputs = len(network.w_out)
    check_fit(task, step_ms=network.dt_ms, inputs=network.input_size, outputs=outputs)
    if not network.recurrent.any():
        raise SpecError("teacher_network: its recurrent weights are 0, so it shows no currents")
