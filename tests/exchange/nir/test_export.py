"""Networks as NIR graphs: their form, what they do not hold, and what is refused."""

from dataclasses import replace

import h5py
import numpy as np
import pytest
from exchange.nir.same import assert_same
from exchange.nir.test_export_drawn import fired
from exchange.nir_files import chain, lif, node, small, write_nir

import bridge
from bridge.errors import SpecError
from bridge.exchange.nir import chains
from bridge.exchange.nir.metadata import milliseconds, seconds_of
from bridge.spiking.drive import Drive, SharedNoise
from bridge.spiking.filters import Direct, Exponential
from bridge.spiking.filters.second_order import SecondOrder
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.neurons import Lif, Qif
from bridge.spiking.neurons.leaky_integrator import LeakyIntegrator
from bridge.spiking.neurons.linear import Linear
from bridge.spiking.neurons.resistive_lif import ResistiveLif
from bridge.spiking.neurons.threshold import Threshold
from bridge.spiking.population import Population
from bridge.spiking.projection import Projection
from bridge.spiking.readouts import Channel, Readout, StateReadout

START = UniformVoltage(low_mv=0.0, high_mv=0.0)


def neurons(**changed):
    given = {"membrane_step": "euler", "tau_mem_ms": 10.0, "v_rest_mv": 0.0, "v_threshold_mv": 1.0,
             "v_reset_mv": 0.0, "bias_mv": 0.0}  # fmt: skip
    return Lif(**given | changed)


def network(model=None, *, loops=(), **changed):
    """Two neurons with an input, and projections to themselves."""
    population = {"name": "cells", "size": 2, "neurons": model or neurons(),
                  "initial_voltage": START} | changed  # fmt: skip
    first = Projection(name="first", source="input", target="cells", scaled=False,
                       weights=np.array([[3.0], [2.0]]), filter=Direct())  # fmt: skip
    return SpikingNetwork(
        dt_ms=1.0, populations=[Population(**population)], projections=[first, *loops], input_size=1
    )


def loop(name="loop", **changed):
    given = {"weights": np.array([[0.0, 4.0], [-2.0, 1.0]]), "filter": Direct(), "scaled": False}
    return Projection(name=name, source="cells", target="cells", **given | changed)


def exported(network, path):
    """What the file does not hold."""
    return bridge.export_network(network, path, force=True)


def content(path):
    """(type, fields, edges) of the top, and what of it is a graph."""
    with h5py.File(path) as file:
        top = file["node"]
        kinds = {name: each["type"][()].decode() for name, each in top["nodes"].items()}
        return kinds, [tuple(name.decode() for name in edge) for edge in top["edges"][()]]


def test_a_loop_over_weights_is_the_nested_graph_that_readers_know(tmp_path):
    path = tmp_path / "net.nir"
    exported(network(loops=[loop()]), path)
    kinds, edges = content(path)
    assert kinds == {"n1_input": "Input", "n2_first": "Linear", "n3_cells": "NIRGraph",
                     "n4_output_cells": "Output"}  # fmt: skip
    # Alphabetical order is the order in which they act.
    assert edges == chain(*sorted(kinds))
    with h5py.File(path) as file:
        inside = file["node/nodes/n3_cells"]
        assert list(inside["nodes"]) == ["n1_input", "n2_cells", "n3_loop", "n4_output"]
        assert inside["nodes/n2_cells/tau"][()].tolist() == [0.01, 0.01]
        assert file["version"][()] == b"1.0.8"


def test_alphabetical_order_is_that_of_acting_whatever_the_names(tmp_path):
    nodes = {"input": node("Input", shape=np.array([1])), "z": lif(1), "m": lif(1), "a": lif(1),
             "w": node("Linear", weight=np.eye(1))}  # fmt: skip
    theirs = write_nir(
        tmp_path / "a.nir", nodes, [*chain("input", "z", "m", "a"), *chain("a", "w", "z")]
    )
    ours = tmp_path / "b.nir"
    exported(bridge.import_network(theirs, dt_ms=1).network, ours)
    kinds, edges = content(ours)
    backwards = [edge for edge in edges if edge[0] > edge[1]]
    assert [tuple(kinds[name] for name in edge) for edge in backwards] == [("Linear", "LIF")]


def pair(first, second, *edges):
    """Two populations in an order; edges "source target when" act within the step or later."""
    size = {"input": 1, first: 2, second: 2}
    model = ResistiveLif(tau_mem_ms=5.0, v_threshold=1.0, bias=0.2)
    populations = [
        Population(name=name, size=2, neurons=model, initial_voltage=START)
        for name in (first, second)
    ]
    projections = [
        Projection(name=f"{source}_{target}", source=source, target=target, filter=Direct(),
                   weights=np.full((2, size[source]), 3.0), within_step=when == "within",
                   scaled=False)
        for source, target, when in map(str.split, edges)
    ]  # fmt: skip
    return SpikingNetwork(dt_ms=1.0, populations=populations, projections=projections, input_size=1)


@pytest.mark.parametrize(
    ("whole", "delays"),
    [
        # Input reaches x first, so that by our own rule the loop would take its step from y to x.
        (pair("x", "y", "input x at", "x y within", "y x later"), 0),
        (pair("y", "x", "input x at", "y x within", "x y later"), 1),
        # No loop: that it acts a step later has to be said.
        (pair("x", "y", "input x at", "x y later"), 1),
        # A loop takes one step: where it is to take two there is none to be read.
        (pair("x", "y", "input x at", "x y later", "y x later"), 2),
    ],
)
def test_a_step_is_taken_where_the_network_takes_it(whole, delays, tmp_path):
    path = tmp_path / "net.nir"
    exported(whole, path)
    kinds, _ = content(path)
    assert list(kinds.values()).count("Delay") == delays
    assert_same(bridge.import_network(path).network, whole)


def test_the_shipped_conversion_fires_the_same_spikes_as_a_graph(tmp_path):
    conversion = bridge.load("go_nogo_n200_lif")
    path = tmp_path / "net.nir"
    notes = " ".join(exported(conversion, path))
    for lost in ("40 refractory steps", "noise of up to 0.1 mV", "initial voltages", "100 steps"):
        assert lost in notes
    whole = conversion.network
    (units,) = whole.populations
    reset = float(units.neurons.v_reset_mv[0])
    units = replace(
        units, noise_mv=0.0, initial_voltage=UniformVoltage(low_mv=reset, high_mv=reset),
        neurons=replace(units.neurons, refractory_steps=0, initial_refractory_steps=0),
    )  # fmt: skip
    stripped = replace(whole, populations=[units], sample_steps=1, sample_offset_steps=0)
    assert not any("not held" in note for note in exported(stripped, path) if "gain" not in note)
    graph = bridge.import_network(path).network
    drive = Drive(inputs=np.full((2000, 1, 1), 20.0), noise=SharedNoise(seed=0))
    here, there = bridge.simulate(stripped, drive), bridge.simulate(graph, drive)
    assert len(fired(stripped, here, "units")) > 900
    assert fired(graph, there, "units") == fired(stripped, here, "units")
    np.testing.assert_allclose(there.readouts["output"], here.readouts["output"], rtol=1e-9)


def test_what_neurons_do_at_threshold_comes_back_unless_a_user_says_else(tmp_path):
    path = tmp_path / "net.nir"
    exported(network(neurons(reset_by="subtraction")), path)
    back = bridge.import_network(path)
    model = back.network.population("cells").neurons
    assert (model.reset_by, model.fires_where) == ("subtraction", "at_threshold")
    assert back.assumed["reset"].endswith("at once, as the metadata say")
    assert back.assumed["time step"] == "1 ms, as the metadata say"
    told = bridge.import_network(path, dt_ms=2, reset="value", threshold="above").network
    model = told.population("cells").neurons
    assert (told.dt_ms, model.reset_by, model.fires_where) == (2, "value", "above_threshold")


def test_metadata_that_say_nothing_of_use_are_passed_over(tmp_path):
    ours = {"name": np.arange(2.0), "place": "first", "tau_ms": np.array([3.0, 3.0, 3.0]),
            "reset": "never", "threshold": np.array(1.0)}  # fmt: skip
    path = small(tmp_path / "a.nir", lif={**lif(3), "metadata": {"spikebridge": ours}})
    plain = small(tmp_path / "b.nir")
    one, other = (bridge.import_network(each, dt_ms=1).network for each in (path, plain))
    assert_same(one, other)


def test_times_go_out_as_they_came_in():
    rng = np.random.default_rng(0)
    digits = np.round(rng.uniform(0.001, 0.1, 2000), 5)
    single = rng.uniform(0.001, 0.1, 2000).astype(np.float32).astype(np.float64)
    for seconds in (digits, single):
        np.testing.assert_array_equal(seconds_of(seconds * 1000.0), seconds)
    any_ms = rng.uniform(1, 100, 2000)
    seconds = seconds_of(any_ms)
    assert np.all(np.abs(seconds - any_ms / 1000) <= np.spacing(seconds))
    # Some ms are those of no number of seconds: they are kept, and taken where they fit.
    assert np.any(seconds * 1000.0 != any_ms)
    np.testing.assert_array_equal(milliseconds(seconds, any_ms), any_ms)
    np.testing.assert_array_equal(milliseconds(seconds, any_ms + 1), seconds * 1000.0)


def test_a_population_that_nothing_drives_hangs_on_an_input(tmp_path):
    path = tmp_path / "net.nir"
    alone = Population(name="alone", size=1, neurons=neurons(bias_mv=3.0), initial_voltage=START)
    lonely = SpikingNetwork(dt_ms=1.0, populations=[alone], projections=[])
    assert any("hangs on weights of 0" in note for note in exported(lonely, path))
    kinds, _ = content(path)
    assert list(kinds.values()) == ["Input", "Affine", "LIF", "Output"]
    back = bridge.import_network(path).network
    assert (back.inputs, back.projections) == ((), ())
    drive = Drive(inputs=np.zeros((50, 1, 0)), noise=SharedNoise(seed=0))
    spikes = [bridge.simulate(each, drive).spikes.step.tolist() for each in (lonely, back)]
    assert spikes[0] == spikes[1] != []


def sums(*loops):
    """Two neurons that fire, and two linear units, which are read, under other projections."""
    cells = Population(name="cells", size=2, neurons=neurons(), initial_voltage=START)
    units = Population(name="units", size=2, neurons=Linear(bias=0.1), initial_voltage=START)
    parts = [
        Projection(name=f"q{number}", filter=Direct(), scaled=False, **each)
        for number, each in enumerate(loops)
    ]
    return SpikingNetwork(
        dt_ms=1.0, populations=[cells, units], projections=[*network().projections, *parts],
        readouts=[StateReadout(name="read", source="units")], input_size=1,
    )  # fmt: skip


def to_units(source, scale, **named):
    size = 1 if source == "input" else 2
    return {"source": source, "target": "units", "weights": np.full((2, size), scale), **named}


@pytest.mark.parametrize(
    "parts",
    [
        # The same weights twice from one source: edges are a set, in which they would be one.
        [to_units("cells", 0.5), to_units("cells", 0.5)],
        [to_units("cells", 0.5, within_step=True), to_units("cells", 0.5)],
        [to_units("cells", 0.5, within_step=True), to_units("cells", 0.5, delay_steps=2)],
        [to_units("cells", 0.5, delay_steps=3), to_units("cells", 0.5, delay_steps=2)],
        [to_units("input", 0.5), to_units("input", 0.5)],
        # A loop without any state but its own step.
        [to_units("input", 0.5), to_units("units", -0.3)],
        [to_units("units", -0.3)],
        # Their own bias takes the step of a loop, too.
        [
            to_units("cells", 0.5, within_step=True),
            {"source": "units", "target": "cells", "weights": np.full((2, 2), 100.0)},
        ],
    ],
)
def test_linear_units_sum_all_that_arrives(parts, tmp_path):
    path, whole = tmp_path / "net.nir", sums(*parts)
    exported(whole, path)
    inputs = np.random.default_rng(0).uniform(0, 2, (60, 1, 1))
    drive = Drive(inputs=inputs, noise=SharedNoise(seed=0))
    here, there = (
        bridge.simulate(each, drive) for each in (whole, bridge.import_network(path).network)
    )
    np.testing.assert_array_equal(there.readouts["read"], here.readouts["read"])
    assert len(np.unique(here.readouts["read"])) > 1


@pytest.mark.parametrize("side", ["post", "pre"])
def test_a_bias_from_the_second_step_on_is_not_filtered_with_what_arrives(side, tmp_path):
    # As a graph whose loops are silent in the first step is read, but with a filter.
    path, model = tmp_path / "net.nir", ResistiveLif(tau_mem_ms=5.0, v_threshold=1.0)
    slow = Exponential(tau_ms=5.0, normalisation="jump", side=side)
    bias = Projection(name="loop_bias", source="one", target="cells", filter=Direct(), scaled=False,
                      weights=np.array([[0.3], [0.2]]))  # fmt: skip
    weights = np.array([[0.1, 0.2], [0.3, 0.1]])
    plain = network(model, loops=[loop(filter=slow, weights=weights)])
    one = Population(name="one", size=1, neurons=Linear(bias=1.0), initial_voltage=START)
    whole = replace(
        plain, populations=[one, *plain.populations], projections=[*plain.projections, bias]
    )
    exported(whole, path)
    back = bridge.import_network(path).network
    drive = Drive(inputs=np.random.default_rng(0).uniform(0, 0.4, (60, 1, 1)),
                  noise=SharedNoise(seed=0))  # fmt: skip
    here, there = bridge.simulate(whole, drive), bridge.simulate(back, drive)
    assert fired(back, there, "cells") == fired(whole, here, "cells") != []


def test_a_readout_may_have_the_name_of_a_population_that_leads_nowhere(tmp_path):
    path, whole = tmp_path / "net.nir", network()
    channel = Channel(source="cells", weights=np.ones((3, 2)), filter=Direct())
    whole = replace(whole, readouts=[Readout(name="last", channels=[channel])], populations=[
        *whole.populations, replace(whole.populations[0], name="last")])  # fmt: skip
    exported(whole, path)
    kinds, _ = content(path)
    assert list(kinds.values()).count("Output") == 2
    drive = Drive(inputs=np.ones((50, 1, 1)), noise=SharedNoise(seed=0))
    here, there = (
        bridge.simulate(each, drive) for each in (whole, bridge.import_network(path).network)
    )
    np.testing.assert_array_equal(there.readouts["last"], here.readouts["last"])
    assert here.readouts["last"].any()


def test_where_values_and_readouts_start_is_told_if_it_is_not_at_zero(tmp_path):
    path = tmp_path / "net.nir"
    start = UniformVoltage(low_mv=3.0, high_mv=3.0)

    def told(model):
        return " ".join(exported(network(model, initial_voltage=start), path))

    assert "population cells: initial voltages: not held" in told(LeakyIntegrator(tau_mem_ms=5.0))
    # These keep nothing from step to step.
    assert "initial voltages" not in told(Threshold(threshold=1.0)) + told(Linear())
    channel = Channel(source="cells", weights=np.eye(2), initial_states={"x": 2.0},
                      filter=Exponential(tau_ms=5.0, normalisation="jump"))  # fmt: skip
    whole = replace(network(), readouts=[Readout(name="sum", channels=[channel])])
    assert "initial states of filters (sum): not held" in " ".join(exported(whole, path))


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (network(Qif(tau_mem_ms=10.0, v_threshold_mv=30.0, v_reset_mv=-65.0)),
         "population cells: NIR has no node for neurons of type QIF"),
        (network(loops=[loop("slow", filter=SecondOrder(lag_ms=5.0))]),
         "projection slow: NIR has no node for filters of type SecondOrder"),
        (network(neurons(tau_mem_ms=0.7)), "population cells: tau of 0.7 ms is not longer than"),
        (network(loops=[loop("fast", filter=Exponential(tau_ms=1e-3, normalisation="jump"))]),
         "projection fast: tau of 1 ms is not longer than the time step of 1 ms"),
    ],
)  # fmt: skip
def test_what_nir_cannot_hold_is_refused_by_name(broken, sentence, tmp_path):
    with pytest.raises(SpecError, match=sentence):
        exported(broken, tmp_path / "net.nir")
    assert not (tmp_path / "net.nir").exists()


def test_weights_that_would_not_fit_are_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(chains, "_MOST_WEIGHTS", 3)
    with pytest.raises(SpecError, match="projection loop: 2 x 2 weights are too many"):
        exported(network(loops=[loop()]), tmp_path / "net.nir")


def test_a_rate_network_is_no_spiking_one(tmp_path):
    with pytest.raises(SpecError, match="a RateNetwork is none; convert makes one"):
        bridge.export_network(bridge.load("go_nogo_n200"), tmp_path / "net.nir")


def test_what_is_lost_is_printed_and_in_the_file(command, refused, tmp_path):
    net, path = tmp_path / "net.h5", tmp_path / "net.nir"
    bridge.save(network(neurons(refractory_steps=2), noise_mv=0.5), net)
    outcome = command("export", net, "--to", "nir", "--out", path)
    assert outcome.status == 0
    lost = ("2 refractory steps after a spike: not held", "noise of up to 0.5 mV: not held")
    with h5py.File(path) as file:
        kept = file["node/metadata/spikebridge/lost"][()].decode()
    for sentence in lost:
        assert sentence in " ".join(outcome.err.split())
        assert sentence in kept
    assert str(path) in refused("export", net, "--out", path)
    assert command("import", path, "--out", tmp_path / "back.h5").status == 0
