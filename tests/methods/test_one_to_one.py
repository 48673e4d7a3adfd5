from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import bridge
from bridge.backends import simulate
from bridge.errors import SpecError
from bridge.methods.one_to_one import ORIGINAL, OUTPUT, SpikingOptions, map_one_to_one
from bridge.rate.network import RateNetwork
from bridge.spiking.drive import Drive, FrozenNoise, SharedNoise

# Where what is asked is the same in all backends.
run = partial(simulate, backend="compiled")
UNITS, SAMPLES, SCALE = 14, 32, 12.0


def rate_network(**fields):
    rng = np.random.default_rng(0)
    given = {
        "recurrent": rng.normal(0, 1.5, (UNITS, UNITS)), "w_in": rng.normal(0, 30, (UNITS, 2)),
        "w_out": rng.normal(0, 1, (1, UNITS)), "b_out": [9.0],
        "tau_ms": rng.uniform(20, 100, UNITS),
    } | fields  # fmt: skip
    return RateNetwork(**given)


def step_equations(rate, inputs, noise_mv, v, options):
    """The original code's step for one trial, in its own order, times in seconds (SI Table S1)."""
    dt, tau_m, tau_r, tau_d = 5e-5, 0.01, 0.002, np.asarray(rate.tau_ms) / 1000
    weights, w_out = np.asarray(rate.recurrent) / SCALE, np.asarray(rate.w_out) / SCALE
    bias, threshold = (-40, -40) if options.neuron == "lif" else (0, 30)
    skipped = int(options.refractory_ms / 0.05 + 0.5)
    ipsc, h, r, hr = np.zeros((4, UNITS))
    skipped_until, spikes, outputs = np.full(UNITS, skipped), [], []
    for i in range(1, len(noise_mv) + 1):
        column = min(int(np.floor(i / 100 + 0.5)), len(inputs) - 1)
        # The paper's own equation weighs spikes filtered by the sending unit; the code filters
        # the weighted spikes by the receiving one.
        synaptic = weights @ r if options.tau_side == "pre" else ipsc
        current = synaptic + bias + np.asarray(rate.w_in) @ inputs[column]
        slope = -v + current if options.neuron == "lif" else v**2 + current
        v = np.where(i > skipped_until, v + dt / tau_m * slope, v)
        v = v + noise_mv[i - 1]
        s = (v >= threshold).astype(float)
        if options.synapse == "double":
            ipsc, h = (
                ipsc * np.exp(-dt / tau_d) + h * dt,
                h * np.exp(-dt / tau_r) + weights @ s / (tau_r * tau_d),
            )
            r, hr = (
                r * np.exp(-dt / tau_d) + hr * dt,
                hr * np.exp(-dt / tau_r) + s / (tau_r * tau_d),
            )
        else:
            ipsc = ipsc * np.exp(-dt / tau_d) + weights @ s / tau_d
            r = r * np.exp(-dt / tau_d) + s / tau_d
        skipped_until = np.where(s > 0, i + skipped, skipped_until)
        v = np.where(s > 0, -65, v)
        spikes += [(i - 1, n) for n in np.flatnonzero(s)]
        outputs.append((w_out @ r)[0])
    return spikes, np.array(outputs)


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"neuron": "qif"},
        {"synapse": "single"},
        {"tau_side": "pre"},
        {"tau_side": "pre", "synapse": "single", "neuron": "qif"},
        {"refractory_ms": 0},
        {"refractory_ms": 0.35},
        {"refractory_ms": 50},
    ],
    ids=str,
)
def test_the_mapped_network_follows_the_originals_step_equations_spike_for_spike(chosen):
    rate, rng = rate_network(), np.random.default_rng(1)
    options = SpikingOptions(output_bias=False, **chosen)
    inputs = rng.normal(0, 1, (SAMPLES, 2))
    noise, start = rng.normal(0, 0.1, (SAMPLES * 100, UNITS)), rng.uniform(-65, 30, UNITS)
    spikes, outputs = step_equations(rate, inputs, noise, start, options)
    drive = Drive(
        inputs=inputs[:, None],
        noise=FrozenNoise(values_mv=noise[:, None]),
        v_initial_mv=start[None],
    )
    recording = simulate(map_one_to_one(rate, SCALE, options), drive, backend="reference")
    assert len(spikes) > 30
    assert list(zip(recording.spikes.step, recording.spikes.neuron, strict=True)) == spikes
    # Decoded a sample at a time instead of step by step: rounding of some 3,200 steps.
    np.testing.assert_allclose(
        recording.readouts[OUTPUT][:, 0, 0], outputs[99::100], rtol=1e-9, atol=1e-12
    )


def test_a_network_keeps_its_cell_types_and_the_options_it_was_made_with():
    types = ("PYR",) * 9 + ("PV",) * 3 + ("SOM",) * 2
    options = SpikingOptions(neuron="qif", refractory_ms=5)
    network = map_one_to_one(rate_network(cell_types=types), SCALE, options)
    assert network.populations[0].cell_types == types
    assert network.provenance["options"] == {
        "neuron": "qif", "synapse": "double", "tau_side": "post", "refractory_ms": 5,
        "start_mv": [-65.0, 30.0], "output_bias": True,
    }  # fmt: skip


def test_the_output_bias_is_kept_unless_the_original_is_asked_for():
    rate, inputs = rate_network(), np.random.default_rng(1).normal(0, 1, (SAMPLES, 2, 2))
    for network, bias in (
        (map_one_to_one(rate, SCALE), 9.0),
        (map_one_to_one(rate, SCALE, ORIGINAL), 0.0),
    ):
        drive = Drive(inputs=inputs, noise=SharedNoise(seed=1))
        recording = run(network, drive)
        # Before anything has fired, nothing else is in the output.
        silent = run(network, replace(drive, v_initial_mv=np.full((2, UNITS), -65.0)))
        assert silent.readouts[OUTPUT][0].tolist() == [[bias], [bias]]
        assert not np.all(recording.readouts[OUTPUT] == bias)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"neuron": "izhikevich"}, "neuron: 'lif' or 'qif', got 'izhikevich'"),
        ({"synapse": "alpha"}, "synapse: 'double' or 'single', got 'alpha'"),
        ({"tau_side": "both"}, "tau_side: 'post' or 'pre', got 'both'"),
        ({"refractory_ms": 0.07}, r"a multiple of 0\.05 ms from 0 on, got 0\.07"),
        ({"refractory_ms": -2}, r"a multiple of 0\.05 ms from 0 on, got -2"),
        ({"refractory_ms": np.inf}, "refractory_ms"),
        ({"refractory_ms": np.nan}, "refractory_ms"),
        ({"start_mv": (30, -65)}, "start_mv: expected lowest <= highest, got 30 and -65"),
        ({"output_bias": "no"}, "output_bias: expected True or False, got the text 'no'"),
        ({"start_mv": (-65, np.inf)}, "start_mv: expected a finite number, got the number inf"),
    ],
)
def test_options_that_make_no_sense_are_refused(chosen, message):
    with pytest.raises(SpecError, match=message):
        SpikingOptions(**chosen)


def test_a_gain_of_one_over_lambda_is_the_network_mapped_at_lambda():
    rate, rng = rate_network(), np.random.default_rng(2)
    inputs = rng.normal(0, 1, (SAMPLES, 3, 2))
    noise = bridge.SharedNoise(seed=4)
    mapped = run(map_one_to_one(rate, SCALE), Drive(inputs=inputs, noise=noise))
    scaled = Drive(inputs=inputs, noise=noise, recurrent_gain=np.full(3, 1 / SCALE))
    gained = run(map_one_to_one(rate, 1.0), scaled)
    # The same up to rounding, which moves no spike in a run this short.
    np.testing.assert_array_equal(mapped.spikes.codes(), gained.spikes.codes())
    # (W / scale) s and (W s) / scale round differently.
    np.testing.assert_allclose(mapped.readouts[OUTPUT], gained.readouts[OUTPUT], rtol=1e-9)


@pytest.mark.parametrize("neuron", ["lif", "qif"])
def test_a_bias_of_the_units_acts_as_an_input_that_is_always_one(neuron):
    rng, options = np.random.default_rng(2), SpikingOptions(neuron=neuron)
    inputs, bias = rng.normal(0, 1, (SAMPLES, 3, 2)), rng.normal(0, 30, UNITS)
    with_bias, without = rate_network(bias=bias), rate_network()
    column = replace(without, w_in=np.column_stack([without.w_in, bias]))
    constant = np.concatenate([inputs, np.ones((SAMPLES, 3, 1))], axis=2)
    noise = SharedNoise(seed=4)
    found, expected, other = (
        run(map_one_to_one(rate, SCALE, options), Drive(inputs=shown, noise=noise)).spikes
        for rate, shown in ((with_bias, inputs), (column, constant), (without, inputs))
    )
    # The same up to rounding, which moves no spike in a run this short.
    assert found.count > 100
    np.testing.assert_array_equal(found.codes(), expected.codes())
    assert not np.array_equal(found.codes(), other.codes())


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"form": "h"}, "form h"),
        ({"activation": "tanh"}, "the activation tanh"),
        ({"initial_state": np.ones(UNITS)}, "a state to start from"),
        (
            {"form": "h", "activation": "tanh", "initial_state": 0.5},
            "the activation tanh and form h and a state to start from",
        ),
    ],
)
def test_units_that_these_neurons_cannot_stand_for_are_refused(fields, what):
    rate = rate_network(**fields, task="go-nogo")
    expected = rf"with {what}; integrate-and-fire neurons can \(convert --neuron if\)$"
    with pytest.raises(SpecError, match=expected):
        map_one_to_one(rate, SCALE)
    for scale in ("searched", "predicted"):
        with pytest.raises(SpecError, match=expected):
            bridge.convert(replace(rate, w_in=np.ones((UNITS, 1))), scale=scale, neuron="lif")


@pytest.mark.parametrize(
    ("scale", "said"),
    [
        (0.0, "must be positive"),
        (-20.0, "must be positive"),
        (np.inf, "expected a finite number, got the number inf"),
        (np.nan, "expected a finite number, got the number nan"),
    ],
)
def test_a_scale_that_is_not_positive_is_refused(scale, said):
    with pytest.raises(SpecError, match=f"inverse_scale: {said}"):
        map_one_to_one(rate_network(), scale)


def test_a_rate_step_that_does_not_divide_is_refused():
    with pytest.raises(SpecError, match=r"is not a multiple of 0\.05 ms"):
        map_one_to_one(rate_network(dt_ms=1.03), SCALE)
