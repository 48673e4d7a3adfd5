"""Networks drawn by chance go out as NIR graphs and come back the same, or fire the same spikes."""

import os
from collections import Counter
from dataclasses import replace

import numpy as np
from backends.test_drawn_networks import networks
from exchange.nir.same import assert_same
from exchange.nir.test_graphs import DT_MS, graphs
from exchange.nir_files import write_nir
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bridge
from bridge.backends import simulate
from bridge.exchange.nir.populations import cell_of
from bridge.spiking.drive import Drive, SharedNoise
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.neurons.linear import Linear
from bridge.spiking.readouts import Readout
from bridge.spiking.spikes import Spikes

COUNT = int(os.environ.get("BRIDGE_NIR_GRAPHS", "15"))
STEPS = 40
OF_NIR = ("threshold", "integrator", "leaky_integrator", "cuba_li", "cuba_lif")
NIR = (*OF_NIR, "resistive_if", "resistive_lif", "lif", "if", "linear")
SEEN = Counter()
DRAWN = settings(
    max_examples=COUNT, deadline=None, derandomize=COUNT <= 15, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@DRAWN
@given(data=st.data())
def every_graph_comes_back(folder, data):
    drawn, _, _, options = data.draw(graphs())
    write_nir(folder / "theirs.nir", drawn.file, drawn.edges)
    network = bridge.import_network(folder / "theirs.nir", dt_ms=DT_MS, **options).network
    bridge.export_network(network, folder / "ours.nir", force=True)
    back = bridge.import_network(folder / "ours.nir")
    assert back.notes == ()
    assert_same(back.network, network)
    SEEN["silent"] += any(part.name == "one" for part in network.populations)
    SEEN["loops"] += "loops" in back.assumed


def test_a_graph_goes_out_and_comes_back_as_the_same_network(tmp_path):
    every_graph_comes_back(tmp_path)
    assert SEEN["silent"]
    assert SEEN["loops"] >= COUNT // 5


def without_losses(network):
    """What of a network a NIR graph can hold."""
    cells = [
        None if type(part.neurons) is Linear else cell_of(part, network.dt_ms)
        for part in network.populations
    ]
    populations = [
        replace(
            part, noise_mv=0.0, initial_states={}, initial_voltage=starting(cell),
            neurons=replace(part.neurons, refractory_steps=0, initial_refractory_steps=0),
        )
        for part, cell in zip(network.populations, cells, strict=True)
    ]  # fmt: skip
    projections = [replace(part, initial_states={}) for part in network.projections]
    readouts = [
        read for read in network.readouts
        if isinstance(read, Readout)
        or (network.emits(read.source) == "value"
            and read.state == network.population(read.source).neurons.voltage)
    ]  # fmt: skip
    return replace(
        network, populations=populations, projections=projections, readouts=readouts,
        sample_steps=1, sample_offset_steps=0,
    )  # fmt: skip


def starting(cell):
    """At the value that is 0 in the graph, which drawn neurons of a population share."""
    value = 0.0 if cell is None else float(cell.shift[0])
    return UniformVoltage(low_mv=value, high_mv=value)


def driven(network, rng):
    """Inputs of a network as it takes them, and in a row, as a graph does."""
    given, spikes = [], {}
    for part in network.inputs:
        if part.spiking:
            fired = rng.random((1, STEPS, part.size)) < 0.2
            spikes[part.name] = Spikes.gather(*np.nonzero(fired), fired.shape)
            given.append(fired[0].astype(float))
        else:
            given.append(rng.normal(0, 1, (STEPS, part.size)))
    row = np.concatenate([*given, np.zeros((STEPS, 0))], axis=1)
    analog = [x for x, part in zip(given, network.inputs, strict=True) if not part.spiking]
    inputs = np.concatenate([*analog, np.zeros((STEPS, 0))], axis=1)
    noise = SharedNoise(seed=0)
    one = Drive(inputs=inputs[:, None], spikes=spikes, noise=noise)
    return one, Drive(inputs=row[:, None], noise=noise)


@DRAWN
@given(data=st.data())
def every_network_fires_the_same(folder, data):
    network = without_losses(data.draw(networks(NIR)))
    bridge.export_network(network, folder / "ours.nir", force=True)
    back = bridge.import_network(folder / "ours.nir").network
    mine, row = driven(network, np.random.default_rng(0))
    here = simulate(network, mine)
    there = simulate(back, row)
    for part in network.populations:
        if part.neurons.emits == "spikes":
            assert fired(back, there, part.name) == fired(network, here, part.name), part.name
            SEEN["spikes"] += len(fired(network, here, part.name))
    for name, outputs in here.readouts.items():
        # Filters and sums in another order: 2e-13 in 300 networks.
        np.testing.assert_allclose(there.readouts[name], outputs, rtol=1e-10, atol=1e-10)
        SEEN["readouts"] += 1


def fired(network, recording, name):
    """Steps and neurons of the spikes of a population."""
    span, spikes = network.span(name), recording.spikes
    mine = (spikes.neuron >= span.start) & (spikes.neuron < span.stop)
    return sorted(zip(spikes.step[mine], spikes.neuron[mine] - span.start, strict=True))


def test_a_network_with_filters_and_delays_fires_the_same_as_a_graph(tmp_path):
    every_network_fires_the_same(tmp_path)
    assert SEEN["spikes"] > 20 * COUNT
    assert SEEN["readouts"] > COUNT // 3
