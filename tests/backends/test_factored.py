"""Weights that are a product of two factors: B (D s), never the matrix B D."""

from dataclasses import replace

import numpy as np
import pytest
from backends.test_delays import (
    AT_ZERO,
    BACKENDS,
    SUMMING,
    between,
    firing,
    received,
    run,
    sender,
    to_each,
)
from conftest import drive_for, go_nogo_network
from exchange.test_store import rewrite, set_item
from scipy import sparse

from bridge.backends import simulate
from bridge.describe import describe
from bridge.errors import FormatError, SpecError
from bridge.exchange.store import format_version, load, save
from bridge.methods.lesion import lesion
from bridge.spiking.filters import Direct, DoubleExponential, Exponential
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.neurons.src import Src
from bridge.spiking.population import Population
from bridge.spiking.projection import INPUT, Projection
from bridge.spiking.weights import Factored

RNG = np.random.default_rng(8)
LEFT, RIGHT = RNG.integers(-8, 9, (4, 2)) / 4, RNG.integers(-8, 9, (2, 5)) / 4


def factored_network(filter_, *, neurons=None, weights=None, **fields):
    """Five senders, told by the input, onto four that sum up what arrives through two factors."""
    receiver = Population(name="receiver", size=4, neurons=SUMMING, initial_voltage=AT_ZERO)
    told = Projection(
        name="told", source=INPUT, target="sender", weights=np.eye(5), filter=Direct()
    )
    low = Projection(
        name="low", source="sender", target="receiver", filter=filter_,
        weights=weights or Factored(left=LEFT, right=RIGHT), **fields,
    )  # fmt: skip
    return SpikingNetwork(
        dt_ms=1.0, populations=[sender(5, neurons), receiver], projections=[told, low],
        input_size=5,
    )  # fmt: skip


@pytest.mark.parametrize("label", BACKENDS)
def test_spikes_act_through_the_factors_as_through_their_product(label):
    trains = (np.random.default_rng(3).random((30, 5)) < 0.4).astype(float)
    parts = [
        between(Factored(left=make(LEFT), right=make(RIGHT)), delay)
        for make in (np.asarray, sparse.csc_array)
        for delay in (0, [3, 0, 1, 7, 2])
    ]
    network = to_each(parts, 5)
    recording = run(network, firing(trains), label)
    for k, part in enumerate(parts):
        found = received(network, recording, k)[:, 0]
        arrived, delays = np.zeros((30, 4)), np.broadcast_to(part.delay_steps, 5)
        for step in range(30):
            for pre in range(5):
                if step >= delays[pre]:
                    # Quarters: every product and every sum is exact.
                    arrived[step] += (LEFT @ RIGHT)[:, pre] * trains[step - delays[pre], pre]
        np.testing.assert_array_equal(found[1:], np.cumsum(arrived, axis=0)[:-1])
        assert np.abs(found).max() > 3


@pytest.mark.parametrize("label", BACKENDS)
def test_what_arrives_is_summed_onto_the_factors_first(label):
    # D s = 1e16 + 1 is 1e16, and then B (D s) = 0; by the product it would be 1 or more.
    weights = Factored(left=[[1.0, -1.0]] * 4, right=[[1e16, 1.0, 0, 0, 0], [1e16, 0, 0, 0, 0]])
    trains = np.zeros((6, 5))
    trains[1, :2] = 1.0
    slow = [Exponential(tau_ms=1e6, normalisation="jump", side=side) for side in ("post", "pre")]
    network = to_each([between(weights, 0, filter_) for filter_ in (Direct(), *slow)], 5)
    # 1e16 and what is left of it after a step differ by rounding of 1e16 itself.
    found = run(network, firing(trains), label)
    np.testing.assert_array_equal(found.voltages_mv[:3, 0, 5:], 0.0)


@pytest.mark.parametrize("label", BACKENDS)
def test_values_act_through_the_factors(label):
    slow = [Exponential(tau_ms=4.0, normalisation="jump", side=side) for side in ("post", "pre")]
    weights = Factored(left=LEFT, right=RIGHT)
    parts = [
        replace(between(weights, delays, filter_), within_step=within)
        for delays, within in ((0, False), (0, True), ([3, 0, 1, 7, 2], False))
        for filter_ in slow
    ]
    network = to_each(parts, 5, Src(bias=-4.0))
    drive = firing(np.random.default_rng(9).normal(0, 6, (30, 5)))
    recording = run(network, drive, label)
    values = np.maximum(recording.voltages_mv[:, 0, :5], 0.0)
    assert np.count_nonzero(values) > 10
    for k, part in enumerate(parts):
        found, delays = received(network, recording, k)[:, 0], np.broadcast_to(part.delay_steps, 5)
        x, v = np.zeros(4), np.zeros(4)
        for step in range(30):
            at = step - delays - (0 if part.within_step else 1)
            arrived = np.where(at >= 0, values[at, np.arange(5)], 0.0)
            x = x * np.exp(-1 / 4) + LEFT @ (RIGHT @ arrived)
            v = v + x
            # A product of matrices sums in another order; 1.4e-14 is found.
            np.testing.assert_allclose(found[step], v, rtol=0, atol=1e-12)
    expected = run(network, drive, "reference")
    np.testing.assert_array_equal(recording.voltages_mv, expected.voltages_mv)


@pytest.mark.parametrize("label", BACKENDS)
def test_the_input_acts_through_the_factors(label):
    whole = go_nogo_network()
    recurrent, stimulus = whole.projections
    rng = np.random.default_rng(2)
    weights = Factored(left=rng.normal(0, 2, (30, 3)), right=rng.normal(0, 1, (3, 1)))
    low = replace(recurrent, weights=Factored(left=rng.normal(0, 0.4, (30, 3)),
                                              right=rng.normal(0, 0.4, (3, 30))))  # fmt: skip
    network = replace(whole, projections=[low, replace(stimulus, weights=weights)])
    drive = replace(drive_for(network, 12, trials=2), recurrent_gain=[0.7, 1.0])
    expected = simulate(network, drive, voltages=True)
    found = run(network, drive, label)
    np.testing.assert_array_equal(found.voltages_mv, expected.voltages_mv)
    product = replace(stimulus, weights=weights.left @ weights.right)
    dense = replace(low, weights=low.weights.left @ low.weights.right)
    other = simulate(replace(whole, projections=[dense, product]), drive, voltages=True)
    # Factors and their product round apart, 1e-14 mV a step; later a spike may move by it.
    np.testing.assert_allclose(found.voltages_mv[:3], other.voltages_mv[:3], rtol=0, atol=1e-9)
    assert found.spikes.count > 50


def test_a_large_low_rank_network_is_never_made_a_matrix(tmp_path):
    # 10^5 x 10^5 weights would take 80 GB.
    size, rng = 10**5, np.random.default_rng(0)
    big = Factored(left=rng.normal(size=(size, 1)), right=rng.normal(size=(1, size)))
    population = Population(name="units", size=size, neurons=SUMMING, initial_voltage=AT_ZERO)
    projection = Projection(
        name="low", source="units", target="units", weights=big, filter=Direct()
    )
    network = SpikingNetwork(dt_ms=1.0, populations=[population], projections=[projection])
    drive = replace(firing(np.zeros((2, 0))), v_initial_mv=np.full((2, size), 1e30))
    found = simulate(network, drive, voltages=True)
    # All fire in step 0, each with weight 1: what arrives in step 1 is B times the sum of D.
    expected = big.left[:, 0] * np.cumsum(big.right[0])[-1]
    np.testing.assert_array_equal(found.voltages_mv[1, 0], expected)
    assert load(save(network, tmp_path / "network.h5")).projections[0].rank == 1


def test_factored_weights_are_kept_in_files(tmp_path):
    slow = DoubleExponential(tau_rise_ms=2.0, tau_decay_ms=10.0)
    mixed = Factored(left=LEFT, right=sparse.csc_array(RIGHT))
    network = factored_network(slow, weights=mixed)
    assert format_version(network) == 5
    back = load(save(network, tmp_path / "network.h5")).projections[1].weights
    assert (type(back), back.shape, back.rank) == (Factored, (4, 5), 2)
    np.testing.assert_array_equal(back.left, LEFT)
    np.testing.assert_array_equal(back.right.toarray(), RIGHT)


WRONG = {
    "factors that do not meet": (
        {"left": LEFT, "right": RIGHT.T},
        r"expected left \(post, K\) and right \(K, pre\), got \(4, 2\) and \(5, 2\)",
    ),
    "no factor": ({"left": np.ones((4, 0)), "right": np.ones((0, 5))}, "expected left"),
    "a number that is none": (
        {"left": LEFT * np.nan, "right": RIGHT},
        "factored weights: left: holds NaN",
    ),
    "a row": ({"left": LEFT, "right": np.ones(2)}, r"right: expected shape \(any, any\)"),
    "words": ({"left": "abc", "right": RIGHT}, "left: expected numbers"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_factors_that_are_none_are_refused(wrong):
    factors, reason = WRONG[wrong]
    with pytest.raises(SpecError, match=reason):
        Factored(**factors)


def test_factors_of_another_size_than_the_populations_are_refused():
    with pytest.raises(SpecError, match=r"low: expected weights of shape \(4, 5\)"):
        factored_network(Direct(), weights=Factored(left=LEFT[:3], right=RIGHT))


def test_a_lesion_of_factored_weights_silences_units():
    network = factored_network(Direct())
    weights = lesion(network, units=[1, 3], scale=0.5).projections[1].weights
    kept = np.array([1, 0.5, 1, 0.5, 1])
    np.testing.assert_array_equal(weights.left @ weights.right, (LEFT @ RIGHT) * kept)
    typed = replace(
        network,
        populations=[
            replace(network.populations[0], cell_types=["A"] * 5),
            replace(network.populations[1], cell_types=["A", "B", "B", "B"]),
        ],
    )
    with pytest.raises(SpecError, match="low: its weights are factored, and cannot be changed"):
        lesion(typed, units=[1], onto="B")


def test_what_is_shown_of_factored_weights_are_the_factors():
    network = factored_network(Direct())
    assert "Factored(left 4 x 2 float64, right 2 x 5 float64)" in repr(network.projections[1])
    nonzero = np.count_nonzero(RIGHT), np.count_nonzero(LEFT)
    told = describe(network)[1]["projection low"]
    assert f"{nonzero[0]} and {nonzero[1]} synapses through 2 factors" in told
    with pytest.raises(SpecError, match="projection low: its weights are factored"):
        network.projections[1].synapses()
    with pytest.raises(SpecError, match=r"dense: not for networks .* factored weights"):
        simulate(network, firing(np.zeros((5, 5))), backend="snntorch", dense=True)


def test_a_file_whose_factors_do_not_meet_is_refused(tmp_path):

    path = save(factored_network(Direct()), tmp_path / "network.h5")
    rewrite(path, set_item("projections", "001", "weights", "left", value=np.ones((4, 3))))
    with pytest.raises(FormatError, match="factored weights: expected left"):
        load(path)
