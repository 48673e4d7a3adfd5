import dataclasses

import numpy as np
import pytest
from conftest import drive_for, kim_network, two_population_network

import bridge
from bridge.errors import SpecError
from bridge.methods.lesion import chosen_units
from bridge.rate.network import RateNetwork

TYPES = ("PYR",) * 20 + ("PV",) * 6 + ("SOM",) * 4
SOM = [26, 27, 28, 29]


def typed_network():
    network = kim_network()
    population = dataclasses.replace(network.populations[0], cell_types=TYPES)
    return dataclasses.replace(network, populations=(population,))


def outcome(network, start):
    """Spikes and outputs where the neurons of `SOM` start, and so fire, elsewhere."""
    v = np.random.default_rng(0).uniform(-65, -40, (2, network.size))
    v[:, SOM] = start
    recording = bridge.simulate(network, drive_for(network, 15, v_initial_mv=v))
    return recording.spikes, recording.readouts["output"]


def test_silenced_units_change_nothing_downstream():
    network = bridge.lesion(typed_network(), cell_type="SOM")
    (early, read_early), (late, read_late) = (outcome(network, v) for v in (-39.0, -65.0))
    kept_early, kept_late = (spikes.codes()[spikes.neuron < 26] for spikes in (early, late))
    np.testing.assert_array_equal(kept_early, kept_late)
    np.testing.assert_array_equal(read_early, read_late)
    # They fire themselves, at other times; unsilenced that is heard.
    assert not np.array_equal(early.codes(), late.codes())
    assert kept_early.size > 20
    heard = [outcome(typed_network(), v)[1] for v in (-39.0, -65.0)]
    assert not np.array_equal(*heard)


def test_a_lesion_by_number_is_one_by_cell_type():
    one = bridge.lesion(typed_network(), units=SOM, scale=0.5)
    other = bridge.lesion(typed_network(), cell_type="SOM", scale=0.5)
    before = typed_network()
    factor = np.where(np.isin(np.arange(30), SOM), 0.5, 1.0)
    for network in (one, other):
        expected = before.projections[0].weights * factor
        np.testing.assert_array_equal(network.projections[0].weights, expected)
        # The input, and what the units themselves receive, stay.
        assert network.projections[1].weights.tobytes() == before.projections[1].weights.tobytes()
        expected = before.readouts[0].channels[0].weights * factor
        np.testing.assert_array_equal(network.readouts[0].channels[0].weights, expected)


def test_a_lesion_onto_a_cell_type_leaves_other_targets_and_readouts():
    before = typed_network()
    after = bridge.lesion(before, cell_type="SOM", onto="PYR", scale=3.0)
    expected = np.array(before.projections[0].weights)
    expected[:20, SOM] *= 3.0
    np.testing.assert_array_equal(after.projections[0].weights, expected)
    assert after.readouts[0].channels[0].weights.tobytes() == (
        before.readouts[0].channels[0].weights.tobytes()
    )
    assert after.provenance["lesions"] == ({"units": "SOM", "onto": "PYR", "scale": 3.0},)


def test_neurons_are_numbered_through_populations_and_sparse_weights_too():
    before = two_population_network()
    # Neurons 19 and 20: the last excitatory and the first inhibitory one.
    after = bridge.lesion(before, units=[19, 20], scale=0.0)
    for old, new in zip(before.projections, after.projections, strict=True):
        expected = old.synapses().toarray()
        column = {"exc": 19, "inh": 0}.get(old.source)
        if column is not None:
            expected[:, column] = 0.0
        np.testing.assert_array_equal(new.synapses().toarray(), expected)
    for channel, column in zip(after.readouts[0].channels, (19, 0), strict=True):
        assert np.flatnonzero(channel.weights[0] == 0).tolist() == [column]


def test_units_keep_their_form_bias_and_start():
    rate = RateNetwork(
        recurrent=np.ones((3, 3)), w_in=np.ones((3, 1)), w_out=np.ones((1, 3)), b_out=[0.0],
        tau_ms=20.0, form="h", bias=0.5, initial_state=[1, 2, 3], activation="relu",
        highest_rate=6.0,
    )  # fmt: skip
    after = bridge.lesion(rate, units=[1])
    assert after.told_units() == rate.told_units()
    assert (after.bias.tolist(), after.initial_state.tolist()) == ([0.5] * 3, [1, 2, 3])
    # Its activity, h itself, goes on; nothing hears it.
    _, activity = after.run(np.zeros((2, 1, 1)), None)
    assert activity[1, 0].tolist() == [0.75 * h + 0.25 * (0.5 + 4) for h in (1, 2, 3)]


def test_a_rate_network_is_lesioned_alike_and_forgets_its_training():
    rate = RateNetwork(
        recurrent=np.ones((3, 3)), w_in=np.ones((3, 1)), w_out=np.ones((1, 3)), b_out=[0.0],
        tau_ms=20.0, cell_types=("PYR", "PV", "SOM"),
        history=bridge.rate.network.History(update=[1], loss=[1.0], accuracy=[0.5]),
    )  # fmt: skip
    after = bridge.lesion(bridge.lesion(rate, cell_type="SOM"), cell_type="PV", scale=2.0)
    np.testing.assert_array_equal(after.recurrent, [[1, 2, 0]] * 3)
    np.testing.assert_array_equal(after.w_out, [[1, 2, 0]])
    assert after.history is None
    assert [note["units"] for note in after.provenance["lesions"]] == ["SOM", "PV"]


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({}, "either by number or by cell type"),
        ({"units": [1], "cell_type": "SOM"}, "either by number or by cell type"),
        ({"units": []}, "expected numbers from 0 to 29, at least one"),
        ({"units": [3, 30]}, "expected numbers from 0 to 29"),
        ({"units": [-1]}, "expected numbers from 0 to 29"),
        ({"units": [1.5]}, "units: expected whole numbers"),
        ({"cell_type": "VIP"}, "cell type 'VIP'; this network has PV, PYR, SOM"),
        ({"cell_type": "SOM", "onto": "VIP"}, "cell type 'VIP'"),
        ({"cell_type": "SOM", "scale": -1.0}, "scale: must not be negative, got -1.0"),
        ({"cell_type": "SOM", "scale": np.nan}, "scale: expected a finite number, got the number"),
        ({"cell_type": "SOM", "scale": np.inf}, "scale: expected a finite number, got the number"),
        ({"cell_type": "SOM", "scale": 10**400}, "scale: expected a finite number, got"),
        ({"cell_type": "SOM", "scale": -(10**5000)}, "scale: expected a finite number, got"),
    ],
)
def test_a_lesion_that_makes_no_sense_is_refused(chosen, message):
    with pytest.raises(SpecError, match=message):
        bridge.lesion(typed_network(), **chosen)


def test_without_cell_types_there_is_none_to_choose():
    with pytest.raises(SpecError, match="this network has none"):
        chosen_units(kim_network(), cell_type="SOM")
