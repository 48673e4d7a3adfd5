"""What a backend does not know is refused by name, wherever it would have been taken for another.

Descriptions refuse unknown classes when they are made; here one is let in as a class that is added
to the description is, before a backend knows of it.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
from conftest import drive_for, kim_network

from bridge import backends
from bridge.backends import simulate
from bridge.backends.brian2_form import form_of
from bridge.backends.constants import gates, membrane
from bridge.compare.faults import FAULTS
from bridge.compare.sides import Side
from bridge.errors import SpecError
from bridge.spiking import filters, neurons
from bridge.spiking.decoding import decode

BACKENDS = {
    "reference": {},
    "snntorch": {},
    "brian2": {"target": "numpy"},
    "nest": {},
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Adaptive:
    """A neuron model that has all that the others have."""

    tau_mem_ms: float = 10.0
    v_threshold_mv: float = -40.0
    v_reset_mv: float = -65.0
    bias_mv: float = 0.0
    refractory_steps: int = 0
    initial_refractory_steps: int = 0

    def sized(self, size):
        return replace(
            self,
            **{
                name: np.full(size, value)
                for name, value in vars(self).items()
                if name.endswith(("_mv", "_ms"))
            },
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Alpha:
    """A filter that has all that an exponential one has."""

    tau_ms: float = 5.0
    side: ClassVar[str] = "post"

    def sized(self, size):
        return replace(self, tau_ms=np.full(size, self.tau_ms))

    def of_readout(self):
        return self


@pytest.fixture
def with_model(monkeypatch):
    monkeypatch.setattr(neurons, "NEURON_MODELS", (*neurons.NEURON_MODELS, Adaptive))
    network = kim_network(5)
    (units,) = network.populations
    return replace(network, populations=[replace(units, neurons=Adaptive(), noise_mv=0.0)])


@pytest.fixture
def with_filter(monkeypatch):
    monkeypatch.setattr(filters, "FILTERS", (*filters.FILTERS, Alpha))
    network = kim_network(5)
    (units,), (recurrent, stimulus) = network.populations, network.projections
    return replace(
        network,
        populations=[replace(units, noise_mv=0.0)],
        projections=[replace(recurrent, filter=Alpha()), stimulus],
        readouts=[],
    )


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_unknown_neuron_model_is_refused_by_name(backend, with_model):
    with pytest.raises(SpecError, match="Adaptive is not known here"):
        simulate(with_model, drive_for(with_model, 2), backend=backend, **BACKENDS[backend])


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_unknown_filter_is_refused(backend, with_filter):
    with pytest.raises(SpecError, match=r"Alpha is not known here|no spikes without a filter"):
        simulate(with_filter, drive_for(with_filter, 2), backend=backend, **BACKENDS[backend])


def test_constants_forms_readouts_and_faults_refuse_them_as_well(with_model, with_filter):
    for refused in (
        lambda: membrane(Adaptive(), 0.1),
        lambda: gates(Alpha(), 0.1),
        lambda: filters.spike_gain(Alpha()),
        lambda: form_of(
            with_filter, drive_for(with_filter, 2), counted=True, voltages=False, margins=False
        ),
        lambda: FAULTS["decays-averaged"].change(with_filter, drive_for(with_filter, 2)),
    ):
        with pytest.raises(SpecError, match=r"(Adaptive|Alpha) is not known here"):
            refused()


def test_a_readout_through_an_unknown_filter_is_refused(monkeypatch):
    monkeypatch.setattr(filters, "FILTERS", (*filters.FILTERS, Alpha))
    network = kim_network(5)
    (output,) = network.readouts
    channel = replace(output.channels[0], filter=Alpha())
    odd = replace(network, readouts=[replace(output, channels=[channel])])
    drive = drive_for(odd, 2)
    spikes = simulate(network, drive).spikes
    with pytest.raises(SpecError, match="Alpha is not known here"):
        decode(odd, spikes, drive.n_steps(odd))


def test_a_backend_that_promises_nothing_is_held_to_no_promise(monkeypatch):
    assert Side("brian2:numpy", "brian2", {"target": "numpy"}).exact
    assert Side("snntorch", "snntorch", {"dtype": "float64"}).exact
    assert not Side("snntorch:float32", "snntorch", {"dtype": "float32"}).exact
    assert not Side("nest", "nest").exact
    monkeypatch.setattr(backends, "NAMES", (*backends.NAMES, "new"))
    assert not Side("new", "new").exact
