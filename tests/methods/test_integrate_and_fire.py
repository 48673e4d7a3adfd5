"""A rate network as integrate-and-fire neurons: the equations, and where more spikes lead."""

import math

import numpy as np
import pytest
from conftest import EXACT_BACKENDS

import bridge
from bridge.backends import simulate
from bridge.errors import SpecError
from bridge.methods.gain_steps import highest_activity_of
from bridge.methods.integrate_and_fire import map_integrate_and_fire
from bridge.methods.output_error import output_error
from bridge.rate.network import RateNetwork
from bridge.spiking.decoding import decode
from bridge.spiking.drive import Drive, SharedNoise

FORMS = ("x", "h")
ACTIVATIONS = ("sigmoid", "softplus", "relu", "tanh")
# In steps between 0 and 1; what they stand for is a * f + b.
SPIKES = {
    "sigmoid": (lambda c: 1 / (1 + np.exp(-c)), 1, 0),
    "softplus": (lambda c: np.minimum(np.logaddexp(0, c), 3.0), 1, 0),
    "relu": (lambda c: np.clip(c, 0, 3.0), 1, 0),
    "tanh": (lambda c: (1 + np.tanh(c)) / 2, 2, -1),
}


def rate_network(form, activation, *, size=12, alike=False, dt_ms=5.0, seed=0, **fields):
    """Units with a bias and a start, of two inputs and two outputs."""
    rng = np.random.default_rng(seed)
    if activation in ("softplus", "relu"):
        fields = {"highest_rate": 3.0} | fields
    start = rng.normal(0, 0.5, size)
    given = {
        "recurrent": rng.normal(0, 0.8 / math.sqrt(size), (size, size)),
        "w_in": rng.normal(0, 1, (size, 2)),
        "w_out": rng.normal(0, 1, (2, size)),
        "b_out": np.array([0.3, -0.2]),
        "tau_ms": np.full(size, 40.0) if alike else rng.uniform(25, 80, size),
        "bias": rng.normal(0, 0.3, size),
        "initial_state": start if form == "x" else np.abs(start),
    }
    return RateNetwork(form=form, activation=activation, dt_ms=dt_ms, **given | fields)


def drive_of(network, samples, trials=3):
    """Input that goes in steps of 30 ms."""
    rng = np.random.default_rng(1)
    held = round(30 / (network.dt_ms * network.sample_steps))
    inputs = rng.normal(0, 1, (samples // held + 1, trials, 2)).repeat(held, axis=0)[:samples]
    start = rng.random((trials, network.size))
    return Drive(inputs=inputs, noise=SharedNoise(seed=0), v_initial_mv=start)


def looped(rate, drive, gain_hz, dt_ms, waits, late, readout_lag_ms=None):
    """Spikes (K, B, N) and outputs (T, B, O), by the equations, one line after the other."""
    f, a, b = SPIKES[rate.activation]
    steps = round(rate.dt_ms / dt_ms)
    v = np.array(drive.v_initial_mv)
    # As much is left after a sample as of a state of the rate network.
    left = (1 - rate.dt_ms / rate.tau_ms) ** (1 / steps)
    per_spike = 1 / (gain_hz * dt_ms / 1000)
    # Form x: an oscillation of damping 0.6, by the trapezoidal rule; a train settles at i.
    lag_ms = rate.tau_ms if readout_lag_ms is None else readout_lag_ms
    half = 0.6 / lag_ms * (-0.6 + 0.8j) * dt_ms
    turn = (1 + half) / (1 - half)
    entry = np.abs(1 - turn) ** 2 / turn.imag
    # Form h: one more stage, if any.
    stage_left = 0.0 if readout_lag_ms is None else np.exp(-dt_ms / readout_lag_ms)
    # What filters of spikes hold: y stands for an activity of a y + b.
    start = np.tile(rate.initial_state, (len(v), 1))
    low = start.copy()
    y = f(start) if rate.form == "x" else (start - b) / a
    # Spikes are late: till then h is heard as it was at the start, and of W f(x(0)) arrives as much
    # as by then.
    gone, stage = left**late, y.copy()
    turning = y * entry / (1 - turn)
    h = y / gone
    arrived = a * y @ rate.recurrent.T * (1 - gone) / gone
    before = [np.zeros_like(start)] * late
    always = rate.bias + b * rate.recurrent.sum(axis=1)
    fired, outputs = [], []
    for step in range(steps * len(drive.inputs)):
        spikes = np.zeros_like(v)
        if step >= waits:
            driven = drive.inputs[(step - waits) // steps] @ rate.w_in.T + always
            if rate.form == "x":
                v += gain_hz * dt_ms / 1000 * f(low + arrived)
            else:
                v += gain_hz * dt_ms / 1000 * f(a * h @ rate.recurrent.T + driven)
            spikes[v >= 1] = 1
            v -= spikes
            before.append(spikes)
            heard = before.pop(0)
            low = left * low + (1 - left) * driven
            sent = a * per_spike * heard @ rate.recurrent.T
            arrived = left * arrived + (1 - left) * sent
            h = left * h + (1 - left) * per_spike * heard
            if rate.form == "x":
                turning = turn * turning + entry * per_spike * spikes
                y = turning.imag
            elif readout_lag_ms is None:
                y = left * y + (1 - left) * per_spike * spikes
            else:
                y = left * y + (1 - left) * stage
                stage = stage_left * stage + (1 - stage_left) * per_spike * spikes
        fired.append(spikes)
        if (step + 1) % steps == 0:
            outputs.append((a * y + b) @ rate.w_out.T + rate.b_out)
    return np.array(fired), np.array(outputs)


@pytest.mark.parametrize("alike", [True, False])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("form", FORMS)
def test_spikes_and_outputs_are_those_of_the_equations(form, activation, alike):
    rate = rate_network(form, activation, alike=alike, dt_ms=20.0)
    network = map_integrate_and_fire(rate, gain_hz=150.0)
    assert (network.dt_ms, network.sample_steps) == (0.5, 40)
    drive = drive_of(network, 15)
    recording = simulate(network, drive)
    # What a unit loses in a step of 20 ms it loses in less time, and is heard as much later.
    late = round(np.median(rate.tau_ms + 20.0 / np.log(1 - 20.0 / rate.tau_ms)) / 0.5)
    # Form x runs ahead by 10 ms.
    fired, outputs = looped(rate, drive, 150.0, 0.5, waits=20 if form == "x" else 40, late=late)
    step, trial, neuron = np.nonzero(fired)
    spikes = recording.spikes
    order = np.lexsort((spikes.neuron, spikes.trial, spikes.step))
    assert spikes.count == len(step) > 500
    np.testing.assert_array_equal(spikes.step[order], step)
    np.testing.assert_array_equal(spikes.trial[order], trial)
    np.testing.assert_array_equal(spikes.neuron[order], neuron)
    # Constants and sums up to 10 are rounded in another order, over 600 steps.
    np.testing.assert_allclose(recording.readouts["output"], outputs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("form", FORMS)
def test_a_readout_with_a_lag_of_its_own_reads_the_same_spikes(form):
    rate = rate_network(form, "relu", dt_ms=20.0)
    own, other = (map_integrate_and_fire(rate, gain_hz=100, readout_lag_ms=t) for t in (None, 10))
    drive = drive_of(own, 40)
    recording = simulate(own, drive)
    late = own.projections[0].delay_steps
    waits = own.projections[1].delay_steps
    _, outputs = looped(rate, drive, 100, 0.5, waits=waits, late=late, readout_lag_ms=10)
    # Rounded in another order, as above.
    np.testing.assert_allclose(
        decode(other, recording.spikes)["output"], outputs, rtol=0, atol=1e-12
    )


def test_what_is_remembered_is_what_the_start_says_and_no_share_of_a_spike_more():
    # Each unit holds what it starts with: h = relu(h).
    start = np.linspace(0.3, 1.2, 10)
    rate = RateNetwork(
        recurrent=np.eye(10), w_in=np.zeros((10, 2)), w_out=np.eye(10), b_out=np.zeros(10),
        tau_ms=np.full(10, 100.0), activation="relu", form="h", dt_ms=10.0, initial_state=start,
    )  # fmt: skip
    network = map_integrate_and_fire(rate, gain_hz=100)
    drive = Drive(inputs=np.zeros((100, 1, 2)), noise=SharedNoise(seed=0))
    held = simulate(network, drive).readouts["output"][50:].mean(axis=(0, 1))
    # A spike is worth 0.1: a remainder drawn evenly would be off by 0.03 in the mean.
    assert np.abs(held - start).mean() < 0.01


@pytest.mark.parametrize("label", ["brian2-numpy", "snntorch", "compiled"])
@pytest.mark.parametrize("form", FORMS)
def test_every_backend_gives_the_same_bits(form, label):
    rate = rate_network(form, "tanh" if form == "h" else "softplus", dt_ms=10.0)
    network = map_integrate_and_fire(rate, gain_hz=100.0)
    drive = drive_of(network, 20)
    expected = simulate(network, drive, voltages=True)
    backend, options = EXACT_BACKENDS[label]
    got = simulate(network, drive, backend=backend, voltages=True, **options)
    np.testing.assert_array_equal(got.voltages_mv, expected.voltages_mv)
    np.testing.assert_array_equal(got.readouts["output"], expected.readouts["output"])


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("form", FORMS)
def test_the_output_nears_the_rate_networks_as_spikes_grow(form, activation):
    # Steps so short that what is left is the spikes' share alone.
    rate = rate_network(form, activation, size=20, dt_ms=1.0)
    # A network of form x runs ahead by no more than a sample.
    read = {"readout_lag_ms": 1.0} if form == "x" else {}
    errors = []
    for gain_hz in (100.0, 400.0, 1600.0):
        network = map_integrate_and_fire(rate, gain_hz=gain_hz, dt_ms=0.5, **read)
        drive = drive_of(network, 200)
        outputs = simulate(network, drive, backend="compiled").readouts["output"]
        errors.append(output_error(outputs, rate.run(drive.inputs, None)[0]))
    assert errors[1] < errors[0] / 3
    assert errors[2] < errors[1] / 1.5


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_what_spikes_cannot_mend_is_of_second_order_in_the_rate_networks_step(activation):
    # A rate network of short steps is its equation; of steps as long as these it is 3 % from it.
    rate = rate_network("h", activation, size=20, tau_ms=np.full(20, 50.0), dt_ms=20.0)
    network = map_integrate_and_fire(rate, gain_hz=1600.0)
    drive = drive_of(network, 100)
    outputs = simulate(network, drive, backend="compiled").readouts["output"]
    assert output_error(outputs, rate.run(drive.inputs, None)[0]) < 0.003


def test_units_that_keep_nothing_from_step_to_step_are_followed_too():
    rate = rate_network("h", "tanh", size=20, tau_ms=np.full(20, 20.0), dt_ms=20.0)
    network = map_integrate_and_fire(rate, gain_hz=1600.0)
    filter_, delay = network.projections[0].filter, network.projections[0].delay_steps
    assert (filter_.tau_ms[0], delay * network.dt_ms) == (10.0, 10.0)
    drive = drive_of(network, 100)
    outputs = simulate(network, drive, backend="compiled").readouts["output"]
    # A filter of the whole step comes to 0.2.
    assert output_error(outputs, rate.run(drive.inputs, None)[0]) < 0.08


def test_the_first_sample_is_the_output_of_the_start():
    rate = rate_network("h", "relu", dt_ms=20.0)
    network = map_integrate_and_fire(rate, gain_hz=100)
    drive = drive_of(network, 3)
    outputs = simulate(network, drive).readouts["output"][0]
    # Forty steps of decay are undone by what the filters start with, but for rounding.
    np.testing.assert_allclose(outputs, rate.run(drive.inputs, None)[0][0], rtol=0, atol=1e-12)


def test_a_step_is_a_fraction_of_the_rate_networks_and_halved_as_often_as_it_must_be():
    def step_of(gain_hz, dt_ms=5.0, **given):
        rate = rate_network("x", "relu", dt_ms=dt_ms)
        network = map_integrate_and_fire(rate, gain_hz=gain_hz, **given)
        assert network.dt_ms * network.sample_steps == pytest.approx(dt_ms)
        return network.dt_ms

    # The highest rate is 3: at most 3 * gain spikes a second.
    assert step_of(600.0) == 0.5
    assert step_of(700.0) == 0.25
    assert step_of(5000.0) == 0.0625
    assert step_of(700.0, highest_activity=2.0) == 0.5
    assert step_of(100.0, dt_ms=0.7) == 0.35
    assert step_of(100.0, dt_ms=0.2) == 0.2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"gain_hz": 6000.0}, "an activation of 3 asks for more than one spike in 0.0625 ms: a "
         "step of 0.056 ms would do"),
        ({"gain_hz": 0.0}, "gain_hz: must be positive, got 0"),
        ({"gain_hz": math.inf}, "gain_hz"),
        ({"gain_hz": 9.0, "dt_ms": -1.0}, "dt_ms: must be positive, got -1"),
        ({"gain_hz": 9.0, "readout_lag_ms": 0.1}, "readout_lag_ms: expected at least 0.25 and"),
        ({"gain_hz": 9.0, "highest_activity": math.nan}, "highest_activity"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(given, said):
    with pytest.raises(SpecError, match=said):
        map_integrate_and_fire(rate_network("x", "relu"), **given)


def test_an_activation_without_an_end_needs_its_highest():
    rate = rate_network("h", "relu", highest_rate=math.inf)
    with pytest.raises(SpecError, match="has to be given for an activation without an upper end"):
        map_integrate_and_fire(rate, gain_hz=100.0)
    inputs = np.ones((50, 2, 2))
    _, activity = rate.run(inputs, None)
    drive = activity[:-1] @ rate.recurrent.T + inputs[:-1] @ rate.w_in.T + rate.bias
    highest = highest_activity_of(rate, activity)
    assert highest == pytest.approx(1.2 * np.maximum(drive, 0).max())
    assert map_integrate_and_fire(rate, gain_hz=100.0, highest_activity=highest).dt_ms == 0.5


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_an_activation_with_an_end_is_never_higher(activation):
    rate = rate_network("x", activation)
    assert highest_activity_of(rate, np.full((2, 1, 12), 0.3)) == 1


def test_cell_types_and_task_go_over():
    kinds = ("PYR", "PV") * 6
    rate = rate_network("x", "relu", cell_types=kinds, task="go-nogo")
    network = map_integrate_and_fire(rate, gain_hz=50.0)
    assert (network.populations[0].cell_types, network.task) == (kinds, "go-nogo")
    assert network.provenance["gain_hz"] == 50.0


def test_it_is_stored_and_read_back(tmp_path):
    rate = rate_network("h", "softplus", dt_ms=10.0)
    network = map_integrate_and_fire(rate, gain_hz=100.0)
    drive = drive_of(network, 10)
    back = bridge.load(bridge.save(network, tmp_path / "network.h5"))
    one, other = (simulate(each, drive, voltages=True) for each in (network, back))
    np.testing.assert_array_equal(one.voltages_mv, other.voltages_mv)
