"""The one-to-one mapping of a rate network onto spiking neurons (Kim et al. 2019).

Each unit becomes one neuron. Recurrent and output weights are multiplied by the scale factor
lambda, which is the same as divided by 1/lambda, the number that the paper prints; the time
constant of a unit becomes the decay time of the synapses onto its neuron.
"""

from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from bridge.arguments import flag, in_words, number, of_kind, text
from bridge.errors import SpecError
from bridge.rate.network import RateNetwork
from bridge.rate.spiking_step import DT_MS, spiking_steps
from bridge.spiking.filters import Direct, DoubleExponential, Exponential
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import Channel, Readout, SpikingNetwork
from bridge.spiking.neurons import Lif, Qif
from bridge.spiking.population import Population
from bridge.spiking.projection import INPUT, Projection
from bridge.versions import version

# SI Table S1, and what the authors' code adds to it: noise, start; the step is `DT_MS`.
TAU_RISE_MS = 2.0
NOISE_MV = 0.1
RESET_MV = -65.0
TAU_MEM_MS = 10.0
LIF_THRESHOLD_MV, LIF_BIAS_MV = -40.0, -40.0
QIF_THRESHOLD_MV, QIF_BIAS_MV = 30.0, 0.0
START_MV = (-65.0, 30.0)

POPULATION, RECURRENT, STIMULUS, OUTPUT = "units", "recurrent", "stimulus", "output"


def _whole(steps: float) -> bool:
    return abs(steps - round(steps)) < 1e-6


@dataclass(frozen=True, kw_only=True)
class SpikingOptions:
    """What a rate network's units and connections become; `ORIGINAL` is what the paper took.

    Attributes:
        neuron: "lif": leaky, or "qif": quadratic integrate-and-fire (SI Fig. S7).
        synapse: "double": with a rise time of 2 ms, or "single" exponential (Fig. 6B). Readouts
            are filtered alike.
        tau_side: Whose time constant a synapse has: "post", the receiving unit's, as in the
            authors' code, or "pre", the sending unit's, as in the paper's equation.
        refractory_ms: After a spike and at the start of a trial, a whole number of steps of
            0.05 ms (Fig. 6A: 0 to 50 ms).
        start_mv: Lowest and highest voltage at the start of a trial, mV; neurons that begin beyond
            threshold, as the original's do, fire at once.
        output_bias: Whether the output keeps the bias b_out of the rate network. The original
            leaves it out, and an output that rests on it then differs from the rate network's.
    """

    neuron: Literal["lif", "qif"] = "lif"
    synapse: Literal["double", "single"] = "double"
    tau_side: Literal["post", "pre"] = "post"
    refractory_ms: float = 2.0
    start_mv: tuple[float, float] = START_MV
    output_bias: bool = True

    def __post_init__(self) -> None:
        known = {
            "neuron": ("lif", "qif"),
            "synapse": ("double", "single"),
            "tau_side": ("post", "pre"),
        }
        for name, (one, other) in known.items():
            if text(name, getattr(self, name)) not in (one, other):
                raise SpecError(f"{name}: {one!r} or {other!r}, got {getattr(self, name)!r}")
        refractory_ms = number("refractory_ms", self.refractory_ms)
        if refractory_ms < 0 or not _whole(refractory_ms / DT_MS):
            raise SpecError(
                f"refractory_ms: expected a multiple of {DT_MS} ms from 0 on, "
                f"got {self.refractory_ms}"
            )
        low, high = _pair("start_mv", self.start_mv)
        if low > high:
            raise SpecError(f"start_mv: expected lowest <= highest, got {low:g} and {high:g}")
        flag("output_bias", self.output_bias)

    @property
    def refractory_steps(self) -> int:
        """The refractory time in steps of the spiking network."""
        return round(self.refractory_ms / DT_MS)


def _pair(name: str, given: object) -> tuple[float, float]:
    """Two numbers; SpecError for anything else."""
    if not isinstance(given, list | tuple) or len(given) != 2:
        raise SpecError(f"{name}: expected two numbers, lowest and highest, got {in_words(given)}")
    return number(name, given[0]), number(name, given[1])


DEFAULT = SpikingOptions()
ORIGINAL = SpikingOptions(output_bias=False)
"""What the authors' code makes."""


def map_one_to_one(
    rate: RateNetwork, inverse_scale: float, options: SpikingOptions = DEFAULT
) -> SpikingNetwork:
    """A spiking network of the same size whose filtered spikes follow the rates.

    A bias of the units is a constant current, unfiltered as the input is. Where the activation is
    clipped makes no difference: the response of the neuron stands in its place.

    Args:
        rate: N units; of a conversion its rate network.
        inverse_scale: 1/lambda as the paper prints it (sigmoid 20 to 75, softplus and ReLU 4 to
            26): recurrent and output weights are divided by it.
        options: Neurons, synapses, refractory time.

    Returns:
        One population of N neurons at 0.05 ms, with the units' names of cell types, and their
        synapses. The output reads spikes filtered with each unit's own time constant, and has the
        output bias of the rate network.

    Raises:
        SpecError: the scale factor is not positive, or the rate step is not a multiple of 0.05 ms.
            Or these neurons cannot represent the units, see `check_units`.
    """
    rate = of_kind("rate", rate, RateNetwork)
    check_units(rate)
    of_kind("options", options, SpikingOptions)
    if number("inverse_scale", inverse_scale) <= 0:
        raise SpecError(f"inverse_scale: must be positive, got {inverse_scale}")
    steps = spiking_steps(rate.dt_ms)
    return SpikingNetwork(
        dt_ms=DT_MS,
        populations=(_population(rate, options),),
        projections=_projections(rate, inverse_scale, options),
        readouts=(_readout(rate, inverse_scale, options),),
        input_size=rate.input_size,
        sample_steps=steps,
        # Fine step i = 1, 2, ... takes input sample round(i / steps), halves rounded up: the
        # input is held centred on its time.
        sample_offset_steps=1 + steps // 2,
        task=rate.task,
        provenance={
            "made_by": f"spikebridge {version('spikebridge')}",
            "method": "one-to-one mapping (Kim et al. 2019)",
            "inverse_scale": float(inverse_scale),
            # As it comes back from a file.
            "options": {**asdict(options), "start_mv": list(options.start_mv)},
        },
    )


def check_units(rate: RateNetwork) -> None:
    """Raise SpecError for units that neither LIF nor QIF neurons can stand for.

    Their filtered spikes are never negative, drive others by currents of form x, and start from
    silence.
    """
    other = {"tanh": "the activation tanh"} if rate.activation == "tanh" else {}
    told = rate.told_units()
    other |= {name: told[name] for name in ("form", "initial_state") if name in told}
    if other:
        raise SpecError(
            f"LIF and QIF neurons cannot stand for units with {' and '.join(other.values())}; "
            "integrate-and-fire neurons can (convert --neuron if)"
        )


def _population(rate: RateNetwork, options: SpikingOptions) -> Population:
    return Population(
        name=POPULATION,
        size=rate.size,
        neurons=_neurons(rate, options),
        initial_voltage=UniformVoltage(low_mv=options.start_mv[0], high_mv=options.start_mv[1]),
        noise_mv=NOISE_MV,
        cell_types=rate.cell_types,
    )


def _neurons(rate: RateNetwork, options: SpikingOptions) -> Lif | Qif:
    skipped = options.refractory_steps
    constant_mv = rate.bias if np.any(rate.bias) else 0.0
    if options.neuron == "qif":
        return Qif(
            tau_mem_ms=TAU_MEM_MS,
            v_threshold_mv=QIF_THRESHOLD_MV,
            v_reset_mv=RESET_MV,
            bias_mv=QIF_BIAS_MV + constant_mv,
            refractory_steps=skipped,
            initial_refractory_steps=skipped,
        )
    return Lif(
        membrane_step="euler",
        tau_mem_ms=TAU_MEM_MS,
        v_rest_mv=0.0,
        v_threshold_mv=LIF_THRESHOLD_MV,
        v_reset_mv=RESET_MV,
        bias_mv=LIF_BIAS_MV + constant_mv,
        refractory_steps=skipped,
        initial_refractory_steps=skipped,
    )


def _projections(
    rate: RateNetwork, inverse_scale: float, options: SpikingOptions
) -> tuple[Projection, Projection]:
    recurrent = Projection(
        name=RECURRENT,
        source=POPULATION,
        target=POPULATION,
        weights=rate.recurrent / inverse_scale,
        filter=_filter(rate, options, options.tau_side),
    )
    stimulus = Projection(
        name=STIMULUS,
        source=INPUT,
        target=POPULATION,
        weights=rate.w_in,
        filter=Direct(),
    )
    return recurrent, stimulus


def _readout(rate: RateNetwork, inverse_scale: float, options: SpikingOptions) -> Readout:
    channel = Channel(
        source=POPULATION,
        weights=rate.w_out / inverse_scale,
        # In a readout time constants belong to the neuron that is read: there are no sides.
        filter=_filter(rate, options, "post"),
    )
    bias = rate.b_out if options.output_bias else np.zeros_like(rate.b_out)
    return Readout(name=OUTPUT, channels=(channel,), bias=bias)


def _filter(
    rate: RateNetwork, options: SpikingOptions, side: Literal["post", "pre"]
) -> Exponential | DoubleExponential:
    if options.synapse == "single":
        return Exponential(tau_ms=rate.tau_ms, normalisation="area", side=side)
    return DoubleExponential(tau_rise_ms=TAU_RISE_MS, tau_decay_ms=rate.tau_ms, side=side)
