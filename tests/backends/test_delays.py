"""A delay for each presynaptic neuron: of spikes, of values, and of what comes from the input."""

from dataclasses import replace

import numpy as np
import pytest
from backends.test_start import QUICK
from conftest import EXACT_BACKENDS, drive_for, go_nogo_network, kim_network
from exchange.test_store import rewrite, set_item
from scipy import sparse

from bridge.backends import simulate
from bridge.errors import FormatError, SpecError
from bridge.exchange.store import format_version, load, save
from bridge.spiking.drive import Drive, SharedNoise
from bridge.spiking.filters import Direct, Exponential
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.neurons.integrate_and_fire import IntegrateAndFire
from bridge.spiking.neurons.src import Src
from bridge.spiking.population import Population
from bridge.spiking.projection import INPUT, Projection
from bridge.spiking.weights import Factored

BACKENDS = ["reference", *QUICK]
# One step of these adds the current, exactly: tau is the step.
SUMMING = IntegrateAndFire(tau_mem_ms=1.0, v_threshold_mv=1e30, v_reset_mv=0.0)
AT_ZERO = UniformVoltage(low_mv=0, high_mv=0)


def run(network, drive, label):
    backend, options = EXACT_BACKENDS[label]
    return simulate(network, drive, backend=backend, voltages=True, **options)


def sender(size, neurons=None):
    """Neurons that fire in the step in which their channel of the input is 1."""
    told = IntegrateAndFire(tau_mem_ms=1.0, v_threshold_mv=1.0, v_reset_mv=0.0)
    return Population(name="sender", size=size, neurons=neurons or told, initial_voltage=AT_ZERO)


def to_one(projection, size, neurons=None):
    """Senders, told by the input, onto what sums up all that arrives."""
    weights = np.eye(size)
    receiver = Population(
        name="receiver", size=projection.shape[0], neurons=SUMMING, initial_voltage=AT_ZERO
    )
    told = Projection(name="told", source=INPUT, target="sender", weights=weights, filter=Direct())
    return SpikingNetwork(
        dt_ms=1.0, populations=[sender(size, neurons), receiver], projections=[told, projection],
        input_size=size,
    )  # fmt: skip


def to_each(projections, size, neurons=None):
    """The same with a receiver of its own for each projection: one program for many questions."""
    one = to_one(projections[0], size, neurons)
    told, senders = one.projections[0], one.populations[0]
    receivers = [
        Population(
            name=f"receiver_{k}", size=part.shape[0], neurons=SUMMING, initial_voltage=AT_ZERO
        )
        for k, part in enumerate(projections)
    ]
    own = [
        replace(part, name=f"late_{k}", target=f"receiver_{k}")
        for k, part in enumerate(projections)
    ]
    return replace(one, populations=[senders, *receivers], projections=[told, *own])


def received(network, recording, k):
    """(K, B, n) what has arrived at receiver `k`."""
    return recording.voltages_mv[:, :, network.span(f"receiver_{k}")]


def firing(trains):
    """(K, B, C) input for senders that fire where (K, C) `trains` say so, in two trials."""
    return Drive(inputs=np.stack([trains, trains[::-1]], axis=1), noise=SharedNoise(seed=0))


def arrivals(weights, trains, delays):
    """(K, post) what arrives, summed in a plain loop over steps and presynaptic neurons."""
    arrived = np.zeros((len(trains), len(weights)))
    for step in range(len(trains)):
        for pre, delay in enumerate(delays):
            if step >= delay:
                arrived[step] += weights[:, pre] * trains[step - delay, pre]
    return arrived


def between(weights, delays, filter_=None):
    return Projection(
        name="late", source="sender", target="receiver", weights=weights,
        filter=filter_ or Direct(), delay_steps=delays,
    )  # fmt: skip


@pytest.mark.parametrize("label", BACKENDS)
def test_spikes_of_each_neuron_arrive_after_its_own_delay(label):
    rng = np.random.default_rng(5)
    weights, delays = rng.integers(-8, 9, (3, 6)) / 8, [0, 13, 2, 2, 7, 1]
    trains = (rng.random((40, 6)) < 0.3).astype(float)
    network = to_each(
        [between(make(weights), delays) for make in (np.asarray, sparse.csc_array)], 6
    )
    found = run(network, firing(trains), label)
    for trial, each in enumerate((trains, trains[::-1])):
        # A spike acts in the step after that in which it arrives; sums of eighths are exact.
        expected = np.cumsum(arrivals(weights, each, delays), axis=0)
        for k in range(2):
            np.testing.assert_array_equal(received(network, found, k)[1:, trial], expected[:-1])


@pytest.mark.parametrize("label", BACKENDS)
def test_what_arrives_together_is_summed_in_the_order_of_the_neurons(label):
    # The last neuron fires first, and all arrive in step 5: (1 + 1e16) - 1e16 = 0, while
    # (-1e16 + 1e16) + 1 = 1.
    weights, trains = np.array([[1.0, 1e16, -1e16]]), np.zeros((9, 3))
    for neuron, step in enumerate((4, 2, 1)):
        trains[step, neuron] = 1.0
    slow = [Exponential(tau_ms=1e6, normalisation="jump", side=side) for side in ("post", "pre")]
    filters = [None, *slow]
    network = to_each([between(weights, [1, 3, 4], filter_) for filter_ in filters], 3)
    found = run(network, firing(trains), label)
    for k in range(3):
        voltages = received(network, found, k)[:, 0, 0]
        np.testing.assert_array_equal(voltages[:6], 0.0)
        assert abs(voltages[6]) < 0.5


@pytest.mark.parametrize("label", BACKENDS)
def test_values_of_each_neuron_arrive_after_its_own_delay(label):
    rng = np.random.default_rng(6)
    weights, kicks = rng.normal(0, 1, (2, 4)), rng.normal(0, 6, (50, 4))
    slow = [Exponential(tau_ms=4.0, normalisation="jump", side=side) for side in ("post", "pre")]
    late = [between(weights, delays, filter_) for delays in (3, [4, 0, 9, 1]) for filter_ in slow]
    network = to_each(late, 4, Src(bias=-4.0))
    found = run(network, firing(kicks), label)
    # What an SRC hands on is its h, where that is above 0.
    values = np.maximum(found.voltages_mv[:, 0, :4], 0.0)
    assert np.count_nonzero(values) > 20
    for k, part in enumerate(late):
        expected, x = np.zeros((50, 2)), np.zeros(2)
        arrived = arrivals(weights, values, np.broadcast_to(part.delay_steps, 4))
        for step in range(1, 50):
            x = x * np.exp(-1 / 4) + arrived[step - 1]
            expected[step] = expected[step - 1] + x
        # Fifty steps of products and sums in another order, each rounded; 2e-14 is found.
        got = received(network, found, k)[:, 0]
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


def two_channels():
    """The one-to-one mapping's form in long steps, with an input of two channels."""
    short, whole = go_nogo_network(), kim_network()
    projections = [short.projections[0], whole.projections[1]]
    return replace(short, projections=projections, input_size=2)


@pytest.mark.parametrize("label", BACKENDS)
@pytest.mark.parametrize("side", ["direct", "post", "pre"])
def test_each_channel_of_the_input_acts_after_its_own_delay(label, side):
    network = two_channels()
    recurrent, stimulus = network.projections
    if side != "direct":
        slow = Exponential(tau_ms=3.0, normalisation="jump", side=side)
        stimulus = replace(stimulus, filter=slow)
    late = replace(network, projections=[recurrent, replace(stimulus, delay_steps=[0, 26])])
    drive = drive_for(network, 10, trials=2)
    # The same as a network whose channels are two projections, each with one delay. Sums of one
    # channel after the other round alike, but for those that a filter takes one by one.
    alone = [
        replace(stimulus, name=f"channel_{channel}", delay_steps=delay,
                weights=stimulus.weights * (np.arange(2) == channel))
        for channel, delay in enumerate((0, 26))
    ]  # fmt: skip
    expected = simulate(replace(network, projections=[recurrent, *alone]), drive, voltages=True)
    found = run(late, drive, label)
    # 60 mV are rounded to 7e-15 in each of 200 steps, and a threshold apart would be millivolts.
    np.testing.assert_allclose(found.voltages_mv, expected.voltages_mv, rtol=0, atol=1e-9)
    at_once = simulate(network, drive, voltages=True)
    assert np.abs(at_once.voltages_mv - found.voltages_mv).max() > 0.1


def newer_forms(rng):
    """Spikes and values on their way to two populations, in all that this file and its like hold:

    delays of their own, factored weights, filters that hold something, no gain.
    """
    units, cells = (
        sender(4),
        Population(name="cells", size=3, neurons=Src(bias=-4.0), initial_voltage=AT_ZERO),
    )
    told = [
        Projection(name=f"to_{name}", source=INPUT, target=name, filter=Direct(),
                   weights=rng.normal(0, 2, (size, 2)), delay_steps=[3, 0])
        for name, size in (("sender", 4), ("cells", 3))
    ]  # fmt: skip
    sizes = {"sender": 4, "cells": 3}
    between = []
    for number, (source, side, rank) in enumerate(
        (source, side, rank) for source in sizes for side in ("post", "pre") for rank in (0, 2)
    ):
        post, pre = sizes["sender"], sizes[source]
        weights = rng.normal(0, 0.4, (post, pre))
        if rank:
            weights = Factored(left=weights[:, :rank], right=rng.normal(0, 1, (rank, pre)))
        held = pre if side == "pre" else post
        between.append(
            Projection(
                name=f"late_{number}", source=source, target="sender", weights=weights,
                filter=Exponential(tau_ms=rng.uniform(2, 9, held), normalisation="jump", side=side),
                delay_steps=rng.permutation(8)[:pre], scaled=number % 3 > 0,
                initial_states={"x": rng.normal(0, 0.3, held)},
            )
        )  # fmt: skip
    return SpikingNetwork(
        dt_ms=1.0, populations=[units, cells], projections=[*told, *between], input_size=2
    )


@pytest.mark.full
@pytest.mark.parametrize("label", [*QUICK, "brian2-cython", "brian2-standalone"])
def test_all_of_it_is_the_same_in_every_backend(label):
    network = newer_forms(np.random.default_rng(4))
    inputs = np.random.default_rng(5).normal(0, 1, (60, 3, 2))
    drive = Drive(inputs=inputs, noise=SharedNoise(seed=0), recurrent_gain=[1.0, 0.7, 1.3])
    expected, found = run(network, drive, "reference"), run(network, drive, label)
    assert expected.spikes.count > 100
    np.testing.assert_array_equal(found.spikes.codes(), expected.spikes.codes())
    np.testing.assert_array_equal(found.voltages_mv, expected.voltages_mv)


def test_delays_that_are_all_the_same_are_one_number():
    made = between(np.ones((2, 3)), np.array([4, 4, 4], dtype=np.int32))
    assert (type(made.delay_steps), made.delay_steps) == (int, 4)
    assert not made.own_delays


def test_delays_of_their_own_cannot_be_changed_afterwards():
    given = np.array([1, 2, 3])
    made = between(np.ones((2, 3)), given)
    given[0] = 7
    np.testing.assert_array_equal(made.delay_steps, [1, 2, 3])
    with pytest.raises(ValueError, match="read-only"):
        made.delay_steps[0] = 7


WRONG = {
    "too few": ([1, 2], r"late: delay_steps: expected shape \(3\), got \(2,\)"),
    "negative": ([1, -2, 0], "late: delay_steps: expected a whole number of at least 0, got -2"),
    "too long": ([1, 10**5 + 1, 0], "late: delay_steps: 100001 is too large; at most 100,000"),
    "no whole numbers": ([1.0, 2.0, 3.0], "late: delay_steps: expected whole numbers"),
    "yes and no": ([True, False, True], "late: delay_steps: expected whole numbers"),
    "a word": ("abc", "late: delay_steps: expected"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_delays_that_are_none_are_refused(wrong):
    delays, reason = WRONG[wrong]
    with pytest.raises(SpecError, match=reason):
        between(np.ones((2, 3)), delays)


def test_what_acts_within_the_step_has_no_delay_of_any_neuron():
    with pytest.raises(SpecError, match="what acts within the step has no delay"):
        to_one(replace(between(np.ones((2, 3)), [0, 1, 0]), within_step=True), 3)


def test_matrix_products_are_refused_where_neurons_have_delays_of_their_own():
    network, drive = to_one(between(np.ones((2, 3)), [0, 1, 0]), 3), firing(np.zeros((5, 3)))
    with pytest.raises(SpecError, match=r"dense: not for networks .* a delay for each neuron"):
        simulate(network, drive, backend="snntorch", dense=True)


def test_delays_of_their_own_are_kept_in_files(tmp_path):
    network = to_one(between(np.ones((2, 3)), [0, 1, 5]), 3)
    assert format_version(network) == 5
    back = load(save(network, tmp_path / "network.h5"))
    np.testing.assert_array_equal(back.projections[1].delay_steps, [0, 1, 5])


@pytest.mark.parametrize("label", BACKENDS)
def test_the_gain_acts_on_projections_that_are_marked_for_it(label):
    network = go_nogo_network()
    recurrent, stimulus = network.projections
    more = replace(recurrent, name="more", weights=recurrent.weights[::-1])
    drive = drive_for(network, 10, trials=2)
    gained = replace(drive, recurrent_gain=[0.5, 2.0])
    free = replace(network, projections=[recurrent, replace(more, scaled=False), stimulus])
    found = run(free, gained, label)
    for trial, gain in enumerate((0.5, 2.0)):
        # Factors of two round nothing.
        scaled = replace(recurrent, weights=recurrent.weights * gain)
        whole = replace(network, projections=[scaled, more, stimulus])
        expected = simulate(whole, drive, voltages=True)
        np.testing.assert_array_equal(found.voltages_mv[:, trial], expected.voltages_mv[:, trial])
    assert expected.spikes.count > 20


def test_a_projection_that_is_not_scaled_says_so_in_its_file(tmp_path):
    network = kim_network()
    recurrent, stimulus = network.projections
    free = replace(network, projections=[replace(recurrent, scaled=False), stimulus])
    assert (format_version(network), format_version(free)) == (1, 5)
    back = load(save(free, tmp_path / "network.h5"))
    assert [part.scaled for part in back.projections] == [False, True]
    with pytest.raises(SpecError, match="scaled: expected true or false"):
        replace(recurrent, scaled=1)


STORED = {
    "one too few": (("delay_steps", np.array([0, 1])), r"delay_steps: expected shape \(3\)"),
    "parts of steps": (("delay_steps", np.array([0.5, 1, 2])), "delay_steps: expected whole"),
    "none": (("delay_steps", np.array([np.nan, 1, 2])), "delay_steps: expected whole"),
    "back in time": (("delay_steps", np.array([0, -1, 2])), "whole number of at least 0, got -1"),
    "a year": (("delay_steps", np.array([0, 10**12, 2])), "1000000000000 is too large"),
    "neither yes nor no": (("scaled", 2), "scaled: 2 is too large; at most 1"),
    "no such state": (("initial_states", {"y": np.zeros(2)}), "no state 'y'; Exponential has x"),
    "a start for all": (("initial_states", {"x": 1.0}), "x: expected a number for each neuron"),
    "starts for too many": (("initial_states", {"x": np.zeros(3)}), r"expected shape \(2\)"),
    "no starts": (("initial_states", 3.0), "missing or misplaced parts"),
}


@pytest.mark.parametrize("wrong", STORED)
def test_what_a_file_says_of_them_is_checked(wrong, tmp_path):
    slow = Exponential(tau_ms=3.0, normalisation="jump")
    late = replace(between(np.ones((2, 3)), [0, 1, 5], slow), initial_states={"x": 1.0})
    path = save(to_one(replace(late, scaled=False), 3), tmp_path / "network.h5")
    (name, value), reason = STORED[wrong]
    rewrite(path, set_item("projections", "001", name, value=value))
    with pytest.raises(FormatError, match=reason):
        load(path)
