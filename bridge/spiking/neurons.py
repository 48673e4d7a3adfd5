"""Neuron models and the initial state of a population."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridge.errors import SpecError
from bridge.spiking.arrays import cell_types, counted, per_neuron, time_constants
from bridge.spiking.essentials import brief, clipped, essentials, names, told
from bridge.spiking.limits import LONGEST_WAIT_STEPS, MOST_NEURONS
from bridge.spiking.values import known_model, number, shown, text


@dataclass(frozen=True, kw_only=True, eq=False)
class Lif:
    """Current-based leaky integrate-and-fire neurons.

    The membrane follows tau dv/dt = -(v - v_rest) + I with I in mV (unit resistance). Every
    quantity is one number for all neurons, or (N,) numbers, one for each.

    Attributes:
        membrane_step: "euler": v += dt/tau (v_rest + I - v) (Kim et al. 2019); "exact":
            v = v_inf + (v - v_inf) exp(-dt/tau), v_inf = v_rest + I (DePasquale et al. 2016).
        tau_mem_ms: Membrane time constant, ms.
        v_rest_mv: Resting voltage without any current, mV.
        v_threshold_mv: A neuron whose v is at or above this fires, mV.
        v_reset_mv: Voltage after a spike, mV.
        bias_mv: Constant current, mV.
        refractory_steps: Membrane steps skipped after a spike (noise still acts); at most 10^6.
        initial_refractory_steps: Membrane steps skipped at the start of a trial; at most 10^6.
    """

    membrane_step: Literal["euler", "exact"]
    tau_mem_ms: ArrayLike
    v_rest_mv: ArrayLike
    v_threshold_mv: ArrayLike
    v_reset_mv: ArrayLike
    bias_mv: ArrayLike = 0.0
    refractory_steps: int = 0
    initial_refractory_steps: int = 0

    __repr__ = essentials

    def __post_init__(self) -> None:
        known = isinstance(self.membrane_step, str) and self.membrane_step in ("euler", "exact")
        if not known:
            raise SpecError(f"membrane_step: 'euler' or 'exact', got {shown(self.membrane_step)}")
        _count_refractory(self)

    def sized(self, size: int) -> "SizedLif":
        """The same neurons with every parameter as an (N,) array, checked."""
        return SizedLif(
            membrane_step=self.membrane_step,
            refractory_steps=self.refractory_steps,
            initial_refractory_steps=self.initial_refractory_steps,
            **_sized_arrays(self, LIF_ARRAYS, size),
        )


LIF_ARRAYS = ("tau_mem_ms", "v_rest_mv", "v_threshold_mv", "v_reset_mv", "bias_mv")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SizedLif(Lif):
    """`Lif` whose parameters are all (N,) arrays: what a population holds."""

    tau_mem_ms: NDArray[np.float64]
    v_rest_mv: NDArray[np.float64]
    v_threshold_mv: NDArray[np.float64]
    v_reset_mv: NDArray[np.float64]
    bias_mv: NDArray[np.float64]


# Where v^2 stops growing in a `Qif`, mV: a kilovolt is far beyond every threshold.
LARGEST_MV = 1e6


@dataclass(frozen=True, kw_only=True, eq=False)
class Qif:
    """Quadratic integrate-and-fire neurons (Kim et al. 2019, SI).

    The membrane follows tau dv/dt = v^2 + I, v and I in mV, in Euler steps: v += dt/tau (v^2 + I).
    From the larger root of v^2 + I on v runs away, and only the threshold ends that. The v of the
    square is held within +-`LARGEST_MV`, so that no v, however absurd, squares to infinity. Every
    quantity is one number for all neurons, or (N,) numbers, one for each.

    Attributes:
        tau_mem_ms: Membrane time constant, ms.
        v_threshold_mv: A neuron whose v is at or above this fires, mV.
        v_reset_mv: Voltage after a spike, mV.
        bias_mv: Constant current; it counts as mV^2 beside v^2.
        refractory_steps: Membrane steps skipped after a spike (noise still acts); at most 10^6.
        initial_refractory_steps: Membrane steps skipped at the start of a trial; at most 10^6.
    """

    tau_mem_ms: ArrayLike
    v_threshold_mv: ArrayLike
    v_reset_mv: ArrayLike
    bias_mv: ArrayLike = 0.0
    refractory_steps: int = 0
    initial_refractory_steps: int = 0

    __repr__ = essentials

    def __post_init__(self) -> None:
        _count_refractory(self)

    def sized(self, size: int) -> "SizedQif":
        """The same neurons with every parameter as an (N,) array, checked."""
        return SizedQif(
            refractory_steps=self.refractory_steps,
            initial_refractory_steps=self.initial_refractory_steps,
            **_sized_arrays(self, QIF_ARRAYS, size),
        )


QIF_ARRAYS = ("tau_mem_ms", "v_threshold_mv", "v_reset_mv", "bias_mv")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SizedQif(Qif):
    """`Qif` whose parameters are all (N,) arrays: what a population holds."""

    tau_mem_ms: NDArray[np.float64]
    v_threshold_mv: NDArray[np.float64]
    v_reset_mv: NDArray[np.float64]
    bias_mv: NDArray[np.float64]


NeuronModel = Lif | Qif
NEURON_MODELS = (Lif, SizedLif, Qif, SizedQif)


def _count_refractory(neurons: NeuronModel) -> None:
    for name in ("refractory_steps", "initial_refractory_steps"):
        steps = counted(name, getattr(neurons, name), most=LONGEST_WAIT_STEPS)
        object.__setattr__(neurons, name, steps)


def _sized_arrays(
    neurons: NeuronModel, names: tuple[str, ...], size: int
) -> dict[str, NDArray[np.float64]]:
    values = {name: per_neuron(name, getattr(neurons, name), size) for name in names}
    time_constants("tau_mem_ms", values["tau_mem_ms"])
    if np.any(values["v_reset_mv"] >= values["v_threshold_mv"]):
        raise SpecError("v_reset_mv: must lie below v_threshold_mv in every neuron")
    return values


@dataclass(frozen=True, kw_only=True)
class UniformVoltage:
    """Initial voltages drawn evenly between two values, mV."""

    low_mv: float
    high_mv: float

    def __post_init__(self) -> None:
        for name in ("low_mv", "high_mv"):
            value = number(f"initial voltage: {name}", getattr(self, name))
            object.__setattr__(self, name, value)
        # Their difference too is to be a number.
        if not 0 <= self.high_mv - self.low_mv < np.inf:
            raise SpecError(f"initial voltage: {self.low_mv:g} to {self.high_mv:g} mV is no range")

    def draw(self, rng: np.random.Generator, size: int) -> NDArray[np.float64]:
        """(size,) voltages, mV."""
        return rng.uniform(self.low_mv, self.high_mv, size)


@dataclass(frozen=True, kw_only=True)
class NormalVoltage:
    """Initial voltages drawn from a normal distribution, mV."""

    mean_mv: float
    sd_mv: float

    def __post_init__(self) -> None:
        mean = number("initial voltage: mean_mv", self.mean_mv)
        object.__setattr__(self, "mean_mv", mean)
        object.__setattr__(self, "sd_mv", number("initial voltage: sd_mv", self.sd_mv, least=0))

    def draw(self, rng: np.random.Generator, size: int) -> NDArray[np.float64]:
        """(size,) voltages, mV."""
        return self.mean_mv + self.sd_mv * rng.standard_normal(size)

    @property
    def high_mv(self) -> float:
        """What one voltage in a thousand exceeds, mV."""
        return self.mean_mv + 3.09 * self.sd_mv


InitialVoltage = UniformVoltage | NormalVoltage
INITIAL_VOLTAGES = (UniformVoltage, NormalVoltage)


@dataclass(frozen=True, kw_only=True, eq=False)
class Population:
    """`size` neurons of one model under one name.

    Attributes:
        name: Unique among the populations of a network.
        size: Number of neurons N.
        neurons: Their model; single numbers are spread over the N neurons.
        initial_voltage: Where v starts in each trial.
        noise_mv: S.d. of the independent normal noise added to v once a step, in refractory
            steps too and not scaled with the step, mV; one number or (N,).
        cell_types: (N) names of the kinds of neurons, as PYR, PV and SOM; None: they have none.
    """

    name: str
    size: int
    neurons: NeuronModel
    initial_voltage: InitialVoltage
    noise_mv: ArrayLike = 0.0
    cell_types: tuple[str, ...] | None = None

    def __repr__(self) -> str:
        kinds = names(sorted(set(self.cell_types or ())))
        kinds = kinds and f"cell types {kinds}"
        model = type(self.neurons).__name__.removeprefix("Sized")
        noise = f"noise {brief(self.noise_mv)} mV" if np.any(self.noise_mv) else ""
        return told(self, f"{clipped(self.name, 60)}: {self.size:,} {model}", kinds, noise)

    def __post_init__(self) -> None:
        text("population: name", self.name)
        size = counted(f"{self.name}: size", self.size, least=1, most=MOST_NEURONS)
        object.__setattr__(self, "size", size)
        known_model(f"{self.name}: neurons", self.neurons, NEURON_MODELS)
        known_model(f"{self.name}: initial voltage", self.initial_voltage, INITIAL_VOLTAGES)
        object.__setattr__(self, "neurons", self.neurons.sized(self.size))
        noise = per_neuron(f"{self.name}: noise_mv", self.noise_mv, self.size)
        if np.any(noise < 0):
            raise SpecError(f"{self.name}: noise_mv must not be negative, got {noise.min()}")
        object.__setattr__(self, "noise_mv", noise)
        object.__setattr__(self, "cell_types", cell_types(self.cell_types, self.size))
