"""What acts in which step: layers within it, loops a step later, delays, and the first step."""

import numpy as np
from exchange.nir_files import chain, graph, lif, node, write_nir

import bridge
from bridge.spiking.drive import Drive, SharedNoise


def relay(size, **fields):
    """Neurons that fire where what arrives in steps of 1 s sums up beyond a threshold."""
    return node("IF", r=np.full(size, 1.0), v_threshold=np.full(size, fields.get("at", 0.5)))


def fired(path, inputs, **options):
    """(K, N) who fired, by population, where an input of 1 in a step adds 1."""
    network = bridge.import_network(path, dt_ms=1000, **options).network
    drive = Drive(inputs=np.array(inputs, dtype=float)[:, None, :], noise=SharedNoise(seed=0))
    spikes = bridge.simulate(network, drive).spikes
    whole = np.zeros((len(inputs), network.size), dtype=int)
    whole[spikes.step, spikes.neuron] = 1
    return {part.name: whole[:, network.span(part.name)] for part in network.populations}


PULSE = [[1.0]] + [[0.0]] * 5


def weights(*rows, bias=None):
    matrix = np.array(rows, dtype=float)
    return (
        node("Linear", weight=matrix)
        if bias is None
        else node("Affine", weight=matrix, bias=np.array(bias, dtype=float))
    )


def one_input(size=1):
    return node("Input", shape=np.array([size]))


def test_layers_pass_a_spike_through_in_the_step_whatever_their_names(tmp_path):
    nodes = {"input": one_input(), "z": relay(1), "m": relay(1), "a": relay(1)}
    path = write_nir(tmp_path / "a.nir", nodes, chain("input", "z", "m", "a"))
    for spikes in fired(path, PULSE).values():
        assert spikes[:, 0].tolist() == [1, 0, 0, 0, 0, 0]


def test_a_loop_to_itself_takes_a_step(tmp_path):
    nodes = {"input": one_input(), "n": relay(1), "w": weights([1.0])}
    path = write_nir(tmp_path / "a.nir", nodes, [*chain("input", "n", "w", "n")])
    assert fired(path, PULSE)["n"][:, 0].tolist() == [1] * 6


def test_a_loop_of_two_takes_one_step_where_it_leads_back(tmp_path):
    nodes = {"input": one_input(), "z": relay(1), "a": relay(1)}
    path = write_nir(tmp_path / "a.nir", nodes, ["input z", "z a", "a z"])
    got = bridge.import_network(path, dt_ms=1000)
    assert got.assumed["loops"] == "a step is taken from a to z"
    spikes = fired(path, PULSE)
    assert spikes["z"][:, 0].tolist() == spikes["a"][:, 0].tolist() == [1] * 6


def test_a_nested_loop_is_the_flat_one(tmp_path):
    inside = {"input": one_input(2), "n": lif(2), "w": weights([0.3, -1.0], [0.8, 0.1]),
              "output": node("Output", shape=np.array([2]))}  # fmt: skip
    inner = [*chain("input", "n", "w", "n"), ("n", "output")]
    outer = {"input": one_input(2), "fc": weights([0.9, 0.5], [0.2, 1.1], bias=[0.2, 0.3])}
    nested = write_nir(
        tmp_path / "a.nir", {**outer, "rec": graph(inside, inner)}, chain("input", "fc", "rec")
    )
    flat = write_nir(
        tmp_path / "b.nir", {**outer, "n": inside["n"], "w": inside["w"]},
        chain("input", "fc", "n", "w", "n"),
    )  # fmt: skip
    drive = Drive(
        inputs=np.random.default_rng(1).uniform(0, 2, (80, 1, 2)), noise=SharedNoise(seed=0)
    )
    one, other = (
        bridge.simulate(bridge.import_network(path, dt_ms=1).network, drive, voltages=True)
        for path in (nested, flat)
    )
    assert one.spikes.count > 10
    np.testing.assert_array_equal(one.voltages_mv, other.voltages_mv)


def test_a_bias_on_the_way_back_acts_at_once_or_from_the_second_step_on(tmp_path):
    nodes = {"input": one_input(), "n": relay(1), "w": weights([0.0], bias=[1.0])}
    path = write_nir(tmp_path / "a.nir", nodes, [*chain("input", "n", "w", "n")])
    silence = [[0.0]] * 4
    assert fired(path, silence)["n"][:, 0].tolist() == [1, 1, 1, 1]
    assert fired(path, silence, recurrent_start="silent")["n"][:, 0].tolist() == [0, 1, 1, 1]
    said = {start: bridge.import_network(path, dt_ms=1000, recurrent_start=start).assumed
            for start in ("equations", "silent")}  # fmt: skip
    assert said["equations"]["first step"] == "biases on the way back act in it (equations)"
    assert said["silent"]["first step"] == "biases on the way back do not act in it (silent)"


def test_a_bias_of_what_input_reaches_too_is_never_silent(tmp_path):
    nodes = {"input": one_input(), "n": relay(1), "w": weights([0.0], bias=[1.0])}
    path = write_nir(tmp_path / "a.nir", nodes, [*chain("input", "w", "n"), ("n", "w")])
    silence = [[0.0]] * 4
    assert fired(path, silence, recurrent_start="silent")["n"][:, 0].tolist() == [1, 1, 1, 1]


def test_no_bias_on_the_way_back_needs_nothing_to_keep_it_silent(tmp_path):
    nodes = {"input": one_input(), "n": relay(1), "w": weights([1.0], bias=[0.0])}
    path = write_nir(tmp_path / "a.nir", nodes, [*chain("input", "n", "w", "n")])
    network = bridge.import_network(path, dt_ms=1000, recurrent_start="silent").network
    assert [part.name for part in network.populations] == ["n"]


def test_a_bias_of_a_chain_on_the_way_back_does_as_well(tmp_path):
    nodes = {"input": one_input(), "n": relay(1), "v": weights([0.0], bias=[1.0]),
             "w": weights([1.0])}  # fmt: skip
    path = write_nir(tmp_path / "a.nir", nodes, [*chain("input", "n", "v", "w", "n")])
    silence = [[0.0]] * 4
    assert fired(path, silence)["n"][:, 0].tolist() == [1, 1, 1, 1]
    assert fired(path, silence, recurrent_start="silent")["n"][:, 0].tolist() == [0, 1, 1, 1]


def test_a_sum_that_leads_forward_and_back_is_in_time_for_both(tmp_path):
    # v is multiplied further on both ways: by w back to n, by x on to m.
    nodes = {"input": one_input(), "n": relay(1), "v": weights([1.0]), "w": weights([1.0]),
             "x": weights([1.0]), "m": relay(1)}  # fmt: skip
    edges = [*chain("input", "n", "v", "w", "n"), *chain("v", "x", "m")]
    path = write_nir(tmp_path / "a.nir", nodes, edges)
    spikes = fired(path, PULSE)
    assert spikes["n"][:, 0].tolist() == spikes["m"][:, 0].tolist() == [1] * 6


def test_delays_count_in_steps_forward_and_in_loops(tmp_path):
    late = node("Delay", delay=np.array([0.0, 3.0]))
    nodes = {"input": one_input(2), "n": relay(2), "late": late, "m": relay(2)}
    path = write_nir(tmp_path / "a.nir", nodes, chain("input", "n", "late", "m"))
    both = [[1.0, 1.0]] + [[0.0, 0.0]] * 5
    assert fired(path, both)["m"].T.tolist() == [[1, 0, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0]]
    looped = {"input": one_input(), "n": relay(1), "late": node("Delay", delay=np.array([2.0]))}
    path = write_nir(tmp_path / "b.nir", looped, chain("input", "n", "late", "n"))
    assert fired(path, PULSE)["n"][:, 0].tolist() == [1, 0, 1, 0, 1, 0]
    # Of a loop that is delayed in part the rest takes its step.
    part = {"input": one_input(2), "n": relay(2), "late": node("Delay", delay=np.array([0.0, 2.0]))}
    path = write_nir(tmp_path / "c.nir", part, chain("input", "n", "late", "n"))
    assert fired(path, both)["n"].T.tolist() == [[1] * 6, [1, 0, 1, 0, 1, 0]]


def test_populations_stand_in_the_order_in_which_input_reaches_them(tmp_path):
    late = node("Delay", delay=np.array([1.0]))
    nodes = {"input": one_input(), "z": relay(1), "late": late, "a": relay(1)}
    path = write_nir(tmp_path / "a.nir", nodes, chain("input", "z", "late", "a"))
    network = bridge.import_network(path, dt_ms=1000).network
    assert [part.name for part in network.populations] == ["z", "a"]


def test_an_input_may_be_delayed(tmp_path):
    nodes = {
        "input": one_input(2),
        "late": node("Delay", delay=np.array([2.0, 1.0])),
        "n": relay(2),
    }
    path = write_nir(tmp_path / "a.nir", nodes, chain("input", "late", "n"))
    both = [[1.0, 1.0]] + [[0.0, 0.0]] * 3
    assert fired(path, both)["n"].T.tolist() == [[0, 0, 1, 0], [0, 1, 0, 0]]


def test_outputs_are_readouts_where_they_are_values_and_spikes_where_not(tmp_path):
    nodes = {
        "input": one_input(2), "n": relay(2), "fc": weights([1.0, 2.0], bias=[0.5]),
        "sum": node("Output", shape=np.array([1])), "fire": node("Output", shape=np.array([2])),
        "both": node("Output", shape=np.array([2])),
    }  # fmt: skip
    edges = ["input n", "n fc", "fc sum", "n fire", "n both", "input both"]
    network = bridge.import_network(write_nir(tmp_path / "a.nir", nodes, edges), dt_ms=1000).network
    assert [part.name for part in network.readouts] == ["both", "sum"]
    assert network.provenance["outputs"] == {"both": "both", "fire": "n", "sum": "fc"}
    drive = Drive(inputs=np.array([[[1.0, 0.25]]]), noise=SharedNoise(seed=0))
    shown = bridge.simulate(network, drive).readouts
    assert shown["sum"].tolist() == [[[1.5]]]
    assert shown["both"].tolist() == [[[2.0, 0.25]]]


def test_resets_and_thresholds_are_chosen(tmp_path):
    nodes = {"input": one_input(), "n": relay(1, at=1.0)}
    path = write_nir(tmp_path / "a.nir", nodes, chain("input", "n"))
    given = [[1.0], [0.75], [0.75], [0.0]]
    assert fired(path, given)["n"][:, 0].tolist() == [0, 1, 0, 0]
    assert fired(path, given, threshold="at")["n"][:, 0].tolist() == [1, 0, 1, 0]
    assert fired(path, given, reset="subtract")["n"][:, 0].tolist() == [0, 1, 1, 0]


def test_sums_without_any_cell_are_driven_and_shown(tmp_path):
    nodes = {"fc": weights([1.0, 2.0], bias=[0.5]), "output": node("Output", shape=np.array([1]))}
    path = write_nir(tmp_path / "a.nir", nodes, chain("fc", "output"))
    network = bridge.import_network(path, dt_ms=1000).network
    drive = Drive(inputs=np.array([[[1.0, 0.25]]]), noise=SharedNoise(seed=0))
    (shown,) = bridge.simulate(network, drive).readouts.values()
    assert shown.tolist() == [[[2.0]]]


def test_an_output_behind_a_delay_is_shown_late(tmp_path):
    nodes = {"input": one_input(), "sum": node("I", r=np.ones(1)),
             "late": node("Delay", delay=np.array([1.0])),
             "output": node("Output", shape=np.array([1]))}  # fmt: skip
    path = write_nir(tmp_path / "a.nir", nodes, chain("input", "sum", "late", "output"))
    network = bridge.import_network(path, dt_ms=1000).network
    drive = Drive(inputs=np.array(PULSE)[:, None, :], noise=SharedNoise(seed=0))
    shown = bridge.simulate(network, drive).readouts["output"]
    assert shown.reshape(-1).tolist() == [0, 1, 1, 1, 1, 1]
