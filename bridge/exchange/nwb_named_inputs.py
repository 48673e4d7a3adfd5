"""Several inputs of a network in NWB files: series, and populations of units, of their names."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from bridge.errors import SpecError
from bridge.exchange import nwb, nwb_inputs
from bridge.exchange.foreign import foreign_file
from bridge.exchange.links import own_part
from bridge.exchange.named_inputs import ToldInputs, assigned
from bridge.exchange.nwb_inputs import ACQUIRED, SHOWN, UNITS, series_in
from bridge.exchange.told_inputs import AnalogInput, SpikeInput
from bridge.spiking.network import SpikingNetwork


def read(path: Path, series: str | None, network: SpikingNetwork) -> ToldInputs:
    """What a file holds of the inputs of a network: series and populations of their names.

    Without such names, what `nwb_inputs.read` finds.

    Raises:
        FormatError: as that does.
        SpecError: likewise, or a series is named where the inputs' names decide.
    """
    with foreign_file(path) as file:
        places = {
            place.rpartition("/")[2]: place
            for group in (ACQUIRED, SHOWN)
            for place in series_in(file, group, path)
        }
        has_units = own_part(file, UNITS, path) is not None
    trains = nwb.read(path) if has_units else None
    populations = {} if trains is None else trains.populations
    analog = [p.name for p in network.inputs if not p.spiking and p.name in places]
    if not analog and not any(part.name in populations for part in network.spiking_inputs()):
        return assigned(nwb_inputs.read(path, series), network, path)
    if series is not None:
        raise SpecError(f"{path}: its inputs are found by their names; leave out --series (series)")
    told = {name: nwb_inputs.read(path, places[name]) for name in analog}
    found = (
        nwb_inputs.read(path, UNITS) if trains is not None and network.spiking_inputs() else None
    )
    about = next(iter(told.values()), found)
    return ToldInputs(
        analog={name: each for name, each in told.items() if isinstance(each, AnalogInput)},
        spikes=_of_populations(found, populations, network)
        if isinstance(found, SpikeInput)
        else {},
        labels=None if about is None else about.labels,
        conditions=() if about is None else about.conditions,
        notes=() if found is None else found.notes,
    )


def _of_populations(
    told: SpikeInput, populations: Mapping[str, int], network: SpikingNetwork
) -> dict[str, SpikeInput]:
    """Spikes of the populations that are called as inputs, or of all units for the only one."""
    edges = np.cumsum([0, *populations.values()])
    starts = dict(zip(populations, edges.tolist(), strict=False))
    spiking = [part.name for part in network.spiking_inputs()]
    if len(spiking) == 1 and spiking[0] not in populations:
        return {spiking[0]: told}
    found = {}
    for name in [name for name in spiking if name in populations]:
        start, size = starts[name], populations[name]
        mine = (told.channel >= start) & (told.channel < start + size)
        found[name] = replace(
            told,
            times_s=told.times_s[mine],
            channel=told.channel[mine] - start,
            trial=None if told.trial is None else told.trial[mine],
            channels=size,
        )
    return found
