"""Files of every version of the format, each written by a program of its time, are still read."""

import dataclasses
from pathlib import Path

import h5py
import numpy as np
import pytest
from exchange.test_store import parts
from scipy import sparse

from bridge.exchange.store import load
from bridge.spiking.drive import Drive, SharedNoise
from bridge.spiking.filters import Direct, DoubleExponential, Exponential
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import Channel, Readout, SpikingNetwork
from bridge.spiking.neurons import Lif, Qif
from bridge.spiking.neurons.integrate_and_fire import IntegrateAndFire
from bridge.spiking.neurons.src import Src
from bridge.spiking.population import Population
from bridge.spiking.projection import INPUT, Projection
from bridge.spiking.recording import Recording, Spikes
from bridge.spiking.stimulation import Stimulation


def network_on_record(**fields):
    """Numbers written out: nothing here depends on a generator."""
    lif = Lif(
        membrane_step="euler", tau_mem_ms=[10.0, 20.0, 1 / 3], v_rest_mv=-60.0,
        v_threshold_mv=-50.0, v_reset_mv=-65.0, bias_mv=9.5, refractory_steps=20,
    )  # fmt: skip
    given = {"neurons": lif, "noise_mv": 0.25} | fields
    start = UniformVoltage(low_mv=-65.0, high_mv=-51.0)
    filters = [
        DoubleExponential(tau_rise_ms=2.0, tau_decay_ms=[20.0, 30.0, 1 / 3]),
        Exponential(tau_ms=[5.0, 6.0, 7.0], normalisation="area"),
    ]
    weights = [[0.0, 0.5, -1 / 3], [0.25, 0.0, 0.0], [0.0, -2.0, 0.125]]
    return SpikingNetwork(
        dt_ms=0.1,
        populations=[Population(name="all", size=3, initial_voltage=start, **given)],
        projections=[
            Projection(
                name=f"p{number}", source="all", target="all", filter=filter_, delay_steps=number,
                weights=sparse.csc_array(weights) if number else weights,
            )
            for number, filter_ in enumerate(filters)
        ],
        readouts=[
            Readout(
                name="z", bias=0.5,
                channels=[Channel(source="all", weights=[[1.0, 0.0, -1.0]], filter=filters[1])],
            )
        ],
        sample_steps=10,
        provenance={"made_by": "a test"},
    )  # fmt: skip


def network_on_record_2():
    """The same with all that version 2 adds to a network."""
    qif = Qif(tau_mem_ms=10.0, v_threshold_mv=30.0, v_reset_mv=-65.0, bias_mv=1 / 3)
    older = network_on_record(neurons=qif, cell_types=("PV", "SOM", "PV"))
    sided = [
        dataclasses.replace(p, filter=dataclasses.replace(p.filter, side="pre"))
        for p in older.projections
    ]
    return dataclasses.replace(older, projections=sided)


def drive_on_record(**fields):
    inputs = np.zeros((4, 2, 0))
    return Drive(inputs=inputs, noise=SharedNoise(seed=3), recurrent_gain=[1.0, 0.5], **fields)


def drive_on_record_2():
    push = Stimulation(start_step=3, stop_step=30, neurons=[2, 0], amplitude_mv=-0.25, seed=5)
    return drive_on_record(stimulation=(push,))


def drive_on_record_3():
    """What version 3 adds: of what the trials are."""
    return drive_on_record(labels=[1, 0], conditions=("go", "no-go"), task="go-nogo", seed=12)


def recording_on_record_3():
    """The same of a recording, and what it was shown."""
    spikes = Spikes.gather([0, 1, 1], [3, 0, 39], [2, 0, 1], (2, 40, 3))
    return Recording(
        spikes=spikes,
        readouts={"z": np.arange(8.0).reshape(4, 2, 1) / 3},
        dt_ms=0.1,
        sample_ms=1.0,
        populations={"all": 3},
        inputs=np.arange(16.0).reshape(4, 2, 2) / 7,
        labels=[1, 0],
        conditions=("go", "no-go"),
        task="go-nogo",
        seed=12,
        voltages_mv=np.arange(24.0).reshape(4, 2, 3) / -3,
        margins_mv=[0.5, 1 / 3],
        provenance={"backend": "reference"},
    )


def network_on_record_4():
    """What version 4 adds to a network."""
    integrating = IntegrateAndFire(
        tau_mem_ms=[10.0, 1 / 3, 7.0], v_threshold_mv=1.0, v_reset_mv=0.0, bias_mv=0.25,
        fires_where="above_threshold", reset_by="subtraction", refractory_steps=2,
    )  # fmt: skip
    cells = Src(gate="sigmoid", bias=[-6.0, -4.25], z=1 / 3)
    start = UniformVoltage(low_mv=-0.5, high_mv=0.5)
    euler = {"normalisation": "gain", "filter_step": "euler"}
    return SpikingNetwork(
        dt_ms=1.0,
        input_size=1,
        populations=[
            Population(name="first", size=3, neurons=integrating, initial_voltage=start),
            Population(
                name="second", size=2, neurons=cells, initial_voltage=start,
                initial_states={"h_s": [-0.125, 1 / 3]},
            ),
        ],
        projections=[
            Projection(
                name="shown", source=INPUT, target="first", filter=Direct(), delay_steps=4,
                weights=[[1.0], [0.5], [-1 / 3]],
            ),
            Projection(
                name="on", source="first", target="second", within_step=True,
                filter=Exponential(tau_ms=[5.0, 6.0], gain=[0.5, 1 / 3], **euler),
                weights=[[1.0, 0.0, -2.0], [0.0, 1 / 7, 0.5]],
            ),
            Projection(
                name="back", source="second", target="first", weights=[[0.5, 1.0]] * 3,
                filter=Exponential(tau_ms=[4.0, 8.0], gain=2.0, side="pre", **euler),
            ),
        ],
    )  # fmt: skip


ON_RECORD = {
    "version_1_network.h5": network_on_record,
    "version_1_drive.h5": drive_on_record,
    "version_2_network.h5": network_on_record_2,
    "version_2_drive.h5": drive_on_record_2,
    "version_3_drive.h5": drive_on_record_3,
    "version_3_recording.h5": recording_on_record_3,
    "version_4_network.h5": network_on_record_4,
}


@pytest.mark.parametrize("name", ON_RECORD)
def test_a_file_of_every_version_is_read_as_what_was_written(name):
    path = Path(__file__).parent / "files" / name
    with h5py.File(path) as file:
        assert file.attrs["format_version"] == int(name.split("_")[1])
    assert parts(load(path)) == parts(ON_RECORD[name]())
