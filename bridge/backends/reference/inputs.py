"""What comes from outside in a step of the reference: values of analog inputs, and spikes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge.spiking.drive import Drive
from bridge.spiking.network import SpikingNetwork

Array = NDArray[np.float64]


class Inputs:
    """The inputs of a run, step by step."""

    def __init__(self, network: SpikingNetwork, drive: Drive) -> None:
        self._network, self._inputs, self._sample = network, drive.inputs, -1
        self._analog: dict[str, Array] = {}
        self._spiking = {name: _Train(network, drive, name) for name in drive.spikes}

    def at(self, step: int) -> dict[str, NDArray[Any]]:
        """(B, n) what each input sends in a step, by name.

        Of an analog input it is the very same array while a sample lasts.
        """
        sample = self._network.input_sample(step, len(self._inputs))
        if sample != self._sample:
            self._sample, u = sample, self._inputs[sample]
            names = {part.source for part in self._network.projections}
            self._analog = {
                name: u[:, self._network.channels(name)]
                for name in names
                if self._network.is_analog(name)
            }
        return self._analog | {name: train.at(step) for name, train in self._spiking.items()}


class _Train:
    """The spikes of one input, found step by step."""

    def __init__(self, network: SpikingNetwork, drive: Drive, name: str) -> None:
        spikes = drive.spikes[name]
        order = np.argsort(spikes.step, kind="stable")
        self._trial, self._unit = spikes.trial[order], spikes.neuron[order]
        self._step = spikes.step[order]
        self._shape = (drive.n_trials, spikes.n_neurons)

    def at(self, step: int) -> NDArray[np.bool_]:
        """(B, n) which units fire in a step."""
        fired = np.zeros(self._shape, dtype=bool)
        first, last = np.searchsorted(self._step, (step, step + 1))
        fired[self._trial[first:last], self._unit[first:last]] = True
        return fired
