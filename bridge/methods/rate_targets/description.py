"""A learned network as a description: what it learned, and where it was when learning ended."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.methods.rate_targets.learner import (
    RESET_MV,
    TAU_FAST_MS,
    TAU_MEM_MS,
    TAU_SLOW_MS,
    THRESHOLD_MV,
    Fixed,
    Learner,
)
from bridge.methods.rate_targets.targets import Targets
from bridge.spiking.filters import Direct, Exponential
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.inputs import Input
from bridge.spiking.network import Channel, Readout, SpikingNetwork
from bridge.spiking.neurons import Lif
from bridge.spiking.population import Population
from bridge.spiking.projection import INPUT, Projection
from bridge.spiking.weights import Factored, Weights
from bridge.versions import version

Array = NDArray[np.float64]

POPULATION, OUTPUT, TARGETS = "neurons", "output", "targets"


@dataclass(frozen=True, eq=False)
class Channels:
    """The connections of one time constant.

    Attributes:
        name: "slow" or "fast".
        tau_ms: Their time constant, ms.
        onto: (N, M) B.
        learned: (M, N) D, 0 from neurons that are not trained.
        outputs: (O, N) w.
        traces: (N,) filtered spikes of the trained neurons, 0 of the others.
        random: (N, N) fixed random weights, mV; None: there are none.
        random_current: (N,) what they give, mV.
        inhibition_mv: Weight of the inhibition of all by all, mV; 0: there is none.
        inhibition: What it gives, mV.
    """

    name: str
    tau_ms: float
    onto: Array
    learned: Array
    outputs: Array
    traces: Array
    random: Array | None
    random_current: Array
    inhibition_mv: float = 0.0
    inhibition: float = 0.0

    def filter(self) -> Exponential:
        """A spike moves it by the weight."""
        return Exponential(tau_ms=self.tau_ms, normalisation="jump")

    def merged(self) -> list[Projection]:
        """One projection, of all that has this time constant."""
        weights = self.onto @ self.learned + self.inhibition_mv
        start = self.onto @ (self.learned @ self.traces) + self.random_current + self.inhibition
        if self.random is not None:
            weights = weights + self.random
        return [self._projection(self.name, weights, start)]

    def factored(self) -> list[Projection]:
        """The learned weights as B D, and the fixed ones apart."""
        weights = Factored(left=self.onto, right=self.learned)
        start = self.onto @ (self.learned @ self.traces)
        return [self._projection(self.name, weights, start), *self.fixed()]

    def fixed(self) -> list[Projection]:
        """What was not learned: random connections and inhibition, where there are any."""
        found, size = [], len(self.onto)
        if self.random is not None:
            name = f"random_{self.name}"
            found.append(self._projection(name, self.random, self.random_current))
        if self.inhibition_mv:
            all_ = Factored(left=np.ones((size, 1)), right=np.full((1, size), self.inhibition_mv))
            start = np.full(size, self.inhibition)
            found.append(self._projection("inhibition", all_, start))
        return found

    def readout(self) -> Channel:
        """What the outputs read of it."""
        return Channel(
            source=POPULATION,
            weights=self.outputs,
            filter=self.filter(),
            initial_states=_unless_at_rest(self.traces),
        )

    def _projection(self, name: str, weights: Weights, start: Array) -> Projection:
        return Projection(
            name=name,
            source=POPULATION,
            target=POPULATION,
            weights=weights,
            filter=self.filter(),
            initial_states=_unless_at_rest(start),
        )


def _unless_at_rest(state: Array) -> dict[str, Array]:
    """The start of a filter, where it is not the usual one."""
    return {"x": state} if state.any() else {}


def channels_of(learner: Learner, targets: Targets) -> tuple[Channels, Channels]:
    """The slow and the fast connections of a learner, and their state."""
    fixed, count = learner.fixed, len(learner.fixed.trained)
    size, components = targets.onto.shape

    def parts(part: slice) -> dict[str, Any]:
        weights = _spread(learner.rls.weights[:, part], fixed, size)
        return {
            "onto": targets.onto,
            "learned": weights[:components],
            "outputs": weights[components:],
            "traces": _spread(learner.traces[part], fixed, size),
        }

    slow = Channels(
        name="slow",
        tau_ms=TAU_SLOW_MS,
        random=fixed.random_slow,
        random_current=learner.slow,
        **parts(slice(0, count)),
    )
    fast = Channels(
        name="fast",
        tau_ms=TAU_FAST_MS,
        random=fixed.random_fast,
        random_current=learner.fast,
        inhibition_mv=fixed.inhibition_mv,
        inhibition=learner.inhibition,
        **parts(slice(count, 2 * count)),
    )
    return slow, fast


def _spread(values: Array, fixed: Fixed, size: int) -> Array:
    """(..., n) numbers of the trained neurons as (..., N), 0 for the others."""
    whole = np.zeros((*values.shape[:-1], size))
    whole[..., fixed.trained] = values
    return whole


def described(
    learner: Learner,
    targets: Targets,
    *,
    dt_ms: float,
    task: str,
    factored: bool = False,
    provenance: dict[str, Any] | None = None,
) -> SpikingNetwork:
    """The learned network with its own feedback, its synapses as they are at this moment.

    Args:
        learner: What has learned.
        targets: What it learned from.
        dt_ms: Time step, ms.
        task: Name of the task.
        factored: Keep the learned weights as B D. Else all connections of a time constant are one.
        provenance: How it was made.
    """
    slow, fast = channels_of(learner, targets)
    recurrent = (
        [*slow.factored(), *fast.factored()] if factored else [*slow.merged(), *fast.merged()]
    )
    return SpikingNetwork(
        dt_ms=dt_ms,
        populations=(_population(learner.fixed),),
        projections=(*recurrent, _stimulus(targets)),
        readouts=(Readout(name=OUTPUT, channels=(slow.readout(), fast.readout())),),
        input_size=targets.w_in.shape[1],
        task=task,
        provenance={"made_by": f"spikebridge {version('spikebridge')}", **(provenance or {})},
    )


def described_under_targets(
    learner: Learner, targets: Targets, *, dt_ms: float, task: str
) -> SpikingNetwork:
    """The same network with the teacher's feedback: B y~ in the place of what was learned.

    The components y~ are an input of their own, `targets`, after that of the task; they act a step
    later, as spikes do.
    """
    slow, fast = channels_of(learner, targets)
    feedback = Projection(
        name=TARGETS,
        source=TARGETS,
        target=POPULATION,
        weights=targets.onto,
        filter=Direct(),
        delay_steps=1,
    )
    return SpikingNetwork(
        dt_ms=dt_ms,
        populations=(_population(learner.fixed),),
        projections=(feedback, *slow.fixed(), *fast.fixed(), _stimulus(targets)),
        readouts=(Readout(name=OUTPUT, channels=(slow.readout(), fast.readout())),),
        inputs=(Input(INPUT, targets.w_in.shape[1]), Input(TARGETS, targets.onto.shape[1])),
        task=task,
    )


def _population(fixed: Fixed) -> Population:
    return Population(
        name=POPULATION,
        size=len(fixed.bias),
        neurons=Lif(
            membrane_step="exact",
            tau_mem_ms=TAU_MEM_MS,
            v_rest_mv=0.0,
            v_threshold_mv=THRESHOLD_MV,
            v_reset_mv=RESET_MV,
            bias_mv=fixed.bias,
        ),
        # Where voltages are not given: spread over the range in which neurons wait to fire.
        initial_voltage=UniformVoltage(low_mv=RESET_MV, high_mv=0.0),
    )


def _stimulus(targets: Targets) -> Projection:
    return Projection(
        name="stimulus",
        source=INPUT,
        target=POPULATION,
        weights=targets.w_in,
        filter=Direct(),
    )
