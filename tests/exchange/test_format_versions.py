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
from bridge.spiking.filters import DoubleExponential, Exponential
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import Channel, Readout, SpikingNetwork
from bridge.spiking.neurons import Lif, Qif
from bridge.spiking.population import Population
from bridge.spiking.projection import Projection
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


ON_RECORD = {
    "version_1_network.h5": network_on_record,
    "version_1_drive.h5": drive_on_record,
    "version_2_network.h5": network_on_record_2,
    "version_2_drive.h5": drive_on_record_2,
}


@pytest.mark.parametrize("name", ON_RECORD)
def test_a_file_of_every_version_is_read_as_what_was_written(name):
    path = Path(__file__).parent / "files" / name
    with h5py.File(path) as file:
        assert file.attrs["format_version"] == int(name.split("_")[1])
    assert parts(load(path)) == parts(ON_RECORD[name]())
