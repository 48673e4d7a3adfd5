"""Whether a kernel takes a network, found before a search begins."""

import numpy as np

from bridge.backends.compiled.gpu import build
from bridge.backends.compiled.gpu.refusals import reason_of, unsuited
from bridge.backends.compiled.gpu.simulation import simulate
from bridge.backends.devices import torch_device
from bridge.backends.kept import Wanted
from bridge.errors import UnsuitedError
from bridge.spiking.drive import Drive, SharedNoise
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.spikes import Spikes


def why_not_there(network: SpikingNetwork, name: str, dtype: str) -> str | None:
    """Why the device of a name does not take a network, as a sentence; None where it does.

    In one precision the state may stay in registers, and not in another.

    Raises:
        BackendError: there is no such device, or no Triton for it.
    """
    device = torch_device(name)
    build.check_triton()
    if reason := reason_of(network):
        return unsuited(reason, name).reason
    # Whether the state stays in registers, compiling says: of a run of one sample.
    try:
        simulate(network, _shortest(network), Wanted(), (device, dtype))
    except UnsuitedError as error:
        return error.reason
    return None


def _shortest(network: SpikingNetwork) -> Drive:
    """One sample of one trial, without any input."""
    steps = network.sample_steps
    nothing = np.zeros(0, dtype=np.int64)
    spikes = {
        part.name: Spikes.gather(nothing, nothing, nothing, (1, steps, part.size))
        for part in network.spiking_inputs()
    }
    inputs = np.zeros((1, 1, network.input_size))
    return Drive(inputs=inputs, noise=SharedNoise(seed=0), spikes=spikes)
