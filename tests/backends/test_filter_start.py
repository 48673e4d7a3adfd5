"""Where the filters of projections and readouts start."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from backends.test_delays import AT_ZERO, BACKENDS, SUMMING, firing, received, run, to_each
from conftest import EXACT_BACKENDS, drive_for, go_nogo_network

from bridge.backends import simulate
from bridge.errors import SpecError
from bridge.exchange.store import format_version, load, save
from bridge.spiking.filters import Direct, DoubleExponential, Exponential
from bridge.spiking.network import Channel, Readout, SpikingNetwork
from bridge.spiking.population import Population
from bridge.spiking.projection import INPUT, Projection

X, H = np.array([0.5, -1.0, 2.0]), np.array([10.0, 0.0, -30.0])
WEIGHTS = np.array([[1.0, 2.0, -0.5], [0.25, -1.0, 3.0]])


def silent_senders(filter_, start, *, source="sender", **fields):
    """Three neurons that never fire, or as many channels, onto two that sum their current."""
    sizes = {"sender": 3, "receiver": 2}
    populations = [
        Population(name=name, size=size, neurons=SUMMING, initial_voltage=AT_ZERO)
        for name, size in sizes.items()
    ]
    projection = Projection(
        name="held", source=source, target="receiver", weights=WEIGHTS, filter=filter_,
        initial_states=start, **fields,
    )  # fmt: skip
    return SpikingNetwork(
        dt_ms=1.0, populations=populations, projections=[projection], input_size=3,
        sample_steps=1,
    )  # fmt: skip


def course(x, h, decay, rise, *, first):
    """(20, n) x of a double exponential without arrivals, from step `first` on, in a loop."""
    seen = []
    for _ in range(20 + first):
        seen.append(x)
        x, h = x * decay + h * 0.001, h * rise
    return np.array(seen[first:])


@pytest.mark.parametrize("label", BACKENDS)
def test_filters_start_where_the_projection_says(label):
    parts = []
    for source, within_step, side in product(("sender", INPUT), (False, True), ("post", "pre")):
        size = 3 if side == "pre" else 2
        slow = DoubleExponential(tau_rise_ms=2.0, tau_decay_ms=10.0, side=side)
        start = {"x": X[:size], "h": H[:size]}
        alone = silent_senders(slow, start, source=source, within_step=within_step)
        parts += alone.projections
    network = to_each(parts, 3)
    recording = run(network, firing(np.zeros((20, 3))), label)
    for k, part in enumerate(parts):
        # Within the step the filter has decayed once before its first current.
        start, first = part.initial_states, int(part.within_step)
        x = course(start["x"], start["h"], np.exp(-0.1), np.exp(-0.5), first=first)
        expected = np.cumsum(x @ WEIGHTS.T if part.filter.side == "pre" else x, axis=0)
        # Powers of a decay against its repeated use; 1.8e-16 is found.
        found = received(network, recording, k)[:, 0]
        np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize("label", BACKENDS)
def test_a_start_goes_on_under_spikes_delays_and_gains(label):
    network = go_nogo_network()
    recurrent, stimulus = network.projections
    held = replace(
        recurrent,
        delay_steps=3,
        initial_states={"h": 900.0, "x": np.linspace(-40, 40, 30)},
    )
    other = replace(
        recurrent,
        name="other",
        filter=Exponential(tau_ms=9.0, normalisation="jump", side="pre"),
        initial_states={"x": np.linspace(3, 0, 30)},
    )
    network = replace(network, projections=[held, other, stimulus])
    drive = replace(drive_for(network, 12, trials=2), recurrent_gain=[0.5, 1.0])
    expected = simulate(network, drive, voltages=True)
    empty = [replace(part, initial_states={}) for part in network.projections]
    without = simulate(replace(network, projections=empty), drive, voltages=True)
    assert np.abs(expected.voltages_mv - without.voltages_mv).max() > 1
    found = run(network, drive, label)
    assert found.spikes.count > 20
    np.testing.assert_array_equal(found.voltages_mv, expected.voltages_mv)


@pytest.mark.full
def test_a_compiled_block_starts_there_too():
    slow = DoubleExponential(tau_rise_ms=2.0, tau_decay_ms=10.0)
    network = replace(silent_senders(slow, {"x": X[:2], "h": H[:2]}), sample_steps=2)
    drive = firing(np.zeros((10, 3)))
    expected = simulate(network, drive, voltages=True)
    found = simulate(network, drive, backend="snntorch", compiled=True, voltages=True)
    assert found.provenance["compiled"]
    np.testing.assert_array_equal(found.voltages_mv, expected.voltages_mv)


def test_readouts_start_where_their_channels_say():
    whole = silent_senders(Direct(), {})
    channel = Channel(
        source="sender",
        weights=WEIGHTS,
        filter=DoubleExponential(tau_rise_ms=2.0, tau_decay_ms=10.0),
        initial_states={"x": X, "h": H},
    )
    network = replace(
        whole, readouts=[Readout(name="z", channels=[channel], bias=0.5)], sample_steps=4
    )
    drive = replace(firing(np.zeros((5, 3))), recurrent_gain=[1.0, 2.0])
    x = course(X, H, np.exp(-0.1), np.exp(-0.5), first=1)[3::4]
    # The gain of a trial acts on all that a readout weighs.
    expected = 0.5 + np.array([1.0, 2.0])[:, None] * (x @ WEIGHTS.T)[:, None]
    for label in ("reference", "snntorch"):
        backend, options = EXACT_BACKENDS[label]
        found = simulate(network, drive, backend=backend, **options)
        # Powers of a decay against its repeated use.
        np.testing.assert_allclose(found.readouts["z"], expected, rtol=1e-12)


def test_starts_of_filters_are_kept_in_files(tmp_path):
    slow = DoubleExponential(tau_rise_ms=2.0, tau_decay_ms=10.0, side="pre")
    channel = Channel(
        source="sender", weights=WEIGHTS, initial_states={"x": 1.5},
        filter=Exponential(tau_ms=3.0, normalisation="jump"),
    )  # fmt: skip
    network = silent_senders(slow, {"h": H})
    assert format_version(network) == 5
    network = replace(network, readouts=[Readout(name="z", channels=[channel])])
    back = load(save(network, tmp_path / "network.h5"))
    (projection,), (readout,) = back.projections, back.readouts
    assert list(projection.initial_states) == ["h"]
    np.testing.assert_array_equal(projection.initial_states["h"], H)
    np.testing.assert_array_equal(readout.channels[0].initial_states["x"], [1.5, 1.5, 1.5])


FAULTS = {
    "a state that the filter has not": (
        Direct(),
        {"x": 1.0},
        "held: initial_states: no state 'x'; Direct has none",
    ),
    "a state of another filter": (
        Exponential(tau_ms=3.0, normalisation="jump"),
        {"h": 1.0},
        "no state 'h'; Exponential has x",
    ),
    "those of the other side": (
        Exponential(tau_ms=3.0, normalisation="jump"),
        {"x": X},
        r"held: initial state x: expected shape \(2\), got \(3,\)",
    ),
    "no number": (
        Exponential(tau_ms=3.0, normalisation="jump"),
        {"x": np.nan},
        "initial state x: holds NaN",
    ),
    "no names": (
        Exponential(tau_ms=3.0, normalisation="jump"),
        3.0,
        "held: initial_states: expected numbers by the names of states",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_start_that_does_not_fit_is_refused(fault):
    filter_, start, reason = FAULTS[fault]
    with pytest.raises(SpecError, match=reason):
        silent_senders(filter_, start)
