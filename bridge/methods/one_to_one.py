"""The one-to-one mapping of a rate network onto LIF neurons (Kim et al. 2019).

Each unit becomes one neuron. Recurrent and output weights are divided by lambda, the time constant
of a unit becomes the decay time of the synapses onto its neuron.
"""

from importlib.metadata import version

import numpy as np

from bridge.errors import SpecError
from bridge.rate.network import RateNetwork
from bridge.spiking.filters import Direct, DoubleExponential
from bridge.spiking.network import INPUT, Channel, Projection, Readout, SpikingNetwork
from bridge.spiking.neurons import Lif, Population, UniformVoltage

# SI Table S1, and what the authors' code adds to it: noise, start, step.
DT_MS = 0.05
TAU_RISE_MS = 2.0
NOISE_MV = 0.1
REFRACTORY_MS = 2.0
THRESHOLD_MV = -40.0
RESET_MV = -65.0
BIAS_MV = -40.0
TAU_MEM_MS = 10.0
START_MV = UniformVoltage(low_mv=-65.0, high_mv=30.0)

POPULATION, RECURRENT, STIMULUS, OUTPUT = "units", "recurrent", "stimulus", "output"


def map_one_to_one(rate: RateNetwork, inverse_scale: float) -> SpikingNetwork:
    """A LIF network of the same size whose filtered spikes follow the rates.

    Args:
        rate: N units with sigmoid rates between 0 and 1.
        inverse_scale: 1/lambda as the paper prints it (20 to 75): the weights are divided by it.

    Returns:
        One population of N neurons at 0.05 ms, double-exponential synapses with the postsynaptic
        unit's decay time, an output that reads spikes filtered with each unit's own; the output
        bias of the rate network is not used, as in the original.

    Raises:
        SpecError: the scale factor is not positive, or the rate step is no multiple of 0.05 ms.
    """
    if not 0 < inverse_scale < np.inf:
        raise SpecError(f"inverse_scale: must be positive, got {inverse_scale}")
    steps = round(rate.dt_ms / DT_MS)
    if steps < 1 or abs(steps * DT_MS - rate.dt_ms) > 1e-9:
        raise SpecError(f"the rate network's step of {rate.dt_ms} ms is no multiple of {DT_MS} ms")
    synapse = DoubleExponential(tau_rise_ms=TAU_RISE_MS, tau_decay_ms=rate.tau_ms)
    return SpikingNetwork(
        dt_ms=DT_MS,
        populations=(_population(rate.size),),
        projections=(
            Projection(
                name=RECURRENT,
                source=POPULATION,
                target=POPULATION,
                weights=rate.recurrent / inverse_scale,
                filter=synapse,
            ),
            Projection(
                name=STIMULUS,
                source=INPUT,
                target=POPULATION,
                weights=rate.w_in,
                filter=Direct(),
            ),
        ),
        readouts=(
            Readout(
                name=OUTPUT,
                channels=(
                    Channel(
                        source=POPULATION,
                        weights=rate.w_out / inverse_scale,
                        filter=synapse,
                    ),
                ),
            ),
        ),
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
        },
    )


def _population(size: int) -> Population:
    skipped = round(REFRACTORY_MS / DT_MS)
    return Population(
        name=POPULATION,
        size=size,
        neurons=Lif(
            membrane_step="euler",
            tau_mem_ms=TAU_MEM_MS,
            v_rest_mv=0.0,
            v_threshold_mv=THRESHOLD_MV,
            v_reset_mv=RESET_MV,
            bias_mv=BIAS_MV,
            refractory_steps=skipped,
            initial_refractory_steps=skipped,
        ),
        initial_voltage=START_MV,
        noise_mv=NOISE_MV,
    )
