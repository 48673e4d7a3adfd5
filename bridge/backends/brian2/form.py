"""What decides the code that Brian2 generates for a run, and what is filled in afterwards.

A `Form` holds no values: no weight, constant, input, seed or connection. Networks of one form share
their generated code, and a compiled program of that form runs all of them.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bridge.spiking.filters import Side

Array = NDArray[np.float64]
NoiseKind = Literal["none", "given", "counted", "own"]


@dataclass(frozen=True)
class PopulationForm:
    """A population without its values.

    Attributes:
        size: Number of neurons n.
        stage: What acts within the step acts on a later stage.
        states: Variables of the states.
        voltage: The one that takes noise and stimulation.
        constants: Variables of the constants.
        step: Statements of the model's step; "{current}" stands for its current.
        emission: Those that set "emitted", where the model passes on values.
        condition: Where a neuron fires; "" where none does.
        reset: What then becomes of its states.
        gated: Whether neurons are ever refractory.
        noise: "given" number by number, "counted" (`bridge.spiking.noise`, computed by the
            generated code) or the simulator's "own".
        stimulated: The stimulations that push some of its neurons.
        sampled: Variables that are kept at the end of each sample.
        stepped: Those that are kept in each step of a window.
        given: Whether it is an input that emits spikes: it fires when a table says.
    """

    size: int
    stage: int
    states: tuple[str, ...]
    voltage: str
    constants: tuple[str, ...]
    step: tuple[str, ...]
    emission: tuple[str, ...]
    condition: str
    reset: tuple[str, ...]
    gated: bool
    noise: NoiseKind
    stimulated: tuple[int, ...]
    sampled: tuple[str, ...]
    stepped: tuple[str, ...]
    given: bool = False


@dataclass(frozen=True)
class ProjectionForm:
    """A projection without its values; populations by number, an analog input as source -1.

    Attributes:
        source: Number of the source.
        target: Number of the target.
        given: Whether its current is known beforehand, step by step: an input that is delayed, or
            filtered on the presynaptic side.
        states: Variables of the filter's states; none: what arrives is the output.
        output: The one that is the current.
        constants: Variables of the filter's constants.
        decay: Statements of the filter's decay.
        side: Whose neurons the filter runs over.
        graded: Whether the source passes on values.
        within_step: Whether it acts in the step in which the source emits.
        delay_steps: Steps by which spikes arrive later.
        late: Whether there are delays that are filled in afterwards instead: each presynaptic
            neuron has its own, or passes on values.
        scaled: Whether the gain of a trial acts on it.
        rank: Number of factors K, where the weights are factored; else 0.
        connected: Whether there is a synapse.
    """

    source: int
    target: int
    given: bool
    states: tuple[str, ...]
    output: str
    constants: tuple[str, ...]
    decay: tuple[str, ...]
    side: Side
    graded: bool
    within_step: bool
    delay_steps: int
    late: bool
    scaled: bool
    rank: int
    connected: bool

    @property
    def counts(self) -> bool:
        """Whether the weights of arriving spikes are added up for its filter, or the spikes."""
        return self.source >= 0 and not self.graded and (self.side == "pre" or not self.rank)


@dataclass(frozen=True)
class Form:
    """What decides the generated code of a run: B = `trials` side by side, T = `samples`.

    The inputs that emit spikes follow the populations, as such.
    """

    dt_ms: float
    trials: int
    samples: int
    sample_steps: int
    sample_offset_steps: int
    populations: tuple[PopulationForm, ...]
    projections: tuple[ProjectionForm, ...]
    numbers: dict[str, float]
    gain: bool
    margins: bool

    @property
    def steps(self) -> int:
        """Number of steps K of a trial."""
        return self.samples * self.sample_steps

    @property
    def neurons(self) -> range:
        """The numbers of the populations without the inputs."""
        return range(sum(not population.given for population in self.populations))

    def owner(self, number: int) -> int | None:
        """The population whose neurons hold the filter of a projection; None: nobody does."""
        projection = self.projections[number]
        if projection.given:
            return None
        return projection.source if projection.side == "pre" else projection.target

    def plain(self) -> dict[str, Any]:
        """The form as plain values, to be hashed or handed to another process."""
        return asdict(self)

    @property
    def stages(self) -> int:
        """How many stages the populations make."""
        return 1 + max(population.stage for population in self.populations)

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> "Form":
        """The form of what `plain` gave, also after a way through JSON."""
        populations = [PopulationForm(**_tuples(part)) for part in plain["populations"]]
        projections = [ProjectionForm(**_tuples(part)) for part in plain["projections"]]
        parts = {"populations": tuple(populations), "projections": tuple(projections)}
        return cls(**{**plain, **parts})


def _tuples(plain: dict[str, Any]) -> dict[str, Any]:
    """JSON knows lists only."""
    return {k: tuple(value) if isinstance(value, list) else value for k, value in plain.items()}
