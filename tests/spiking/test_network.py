from dataclasses import replace

import numpy as np
import pytest
from conftest import kim_network, two_population_network
from scipy import sparse

from bridge.errors import SpecError
from bridge.spiking.drive import Drive, FrozenNoise, NoiseStream, SharedNoise
from bridge.spiking.filters import Direct, DoubleExponential, Exponential
from bridge.spiking.initial_voltage import NormalVoltage, UniformVoltage
from bridge.spiking.network import Channel, Readout
from bridge.spiking.neurons import Lif, Qif
from bridge.spiking.population import Population
from bridge.spiking.projection import Projection
from bridge.spiking.recording import Spikes


def lif(**fields):
    given = {
        "membrane_step": "euler", "tau_mem_ms": 10, "v_rest_mv": -60, "v_threshold_mv": -40,
        "v_reset_mv": -65,
    } | fields  # fmt: skip
    return Lif(**given)


def qif(**fields):
    return Qif(**({"tau_mem_ms": 10, "v_threshold_mv": 30, "v_reset_mv": -65} | fields))


def population(**fields):
    start = UniformVoltage(low_mv=-65, high_mv=-50)
    return Population(
        **({"name": "p", "size": 3, "neurons": lif(), "initial_voltage": start} | fields)
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: lif(membrane_step="rk4"), "'euler' or 'exact', got 'rk4'"),
        (lambda: lif(refractory_steps=-1), "refractory_steps: expected a whole number"),
        (lambda: lif(refractory_steps=1.5), "refractory_steps: expected a whole number"),
        (lambda: population(neurons=lif(tau_mem_ms=[10, 0, 10])), "tau_mem_ms: must be positive"),
        (lambda: population(neurons=lif(tau_mem_ms=[10, 20])), r"expected shape \(3\), got \(2,\)"),
        (lambda: population(neurons=lif(v_reset_mv=-40)), "must lie below v_threshold_mv"),
        (lambda: population(noise_mv=-0.1), "noise_mv must not be negative"),
        (lambda: population(size=0), "size: expected a whole number of at least 1"),
        (lambda: UniformVoltage(low_mv=1, high_mv=0), "is not a range"),
        (lambda: NormalVoltage(mean_mv=0, sd_mv=-1), "initial voltage"),
        (
            lambda: Exponential(tau_ms=5, normalisation="peak"),
            "'jump' or 'gain', got 'peak'",
        ),
        (lambda: Exponential(tau_ms=-5, normalisation="area").sized(2), "tau_ms: must be positive"),
        (lambda: Exponential(tau_ms=5, normalisation="area", side="axon"), "'post' or 'pre', got"),
        (
            lambda: DoubleExponential(tau_rise_ms=1, tau_decay_ms=5, side=1),
            "side: 'post' or 'pre', got 1",
        ),
        (lambda: qif(initial_refractory_steps=-1), "initial_refractory_steps: expected a whole"),
        (lambda: population(neurons=qif(tau_mem_ms=0)), "tau_mem_ms: must be positive"),
        (lambda: population(neurons=qif(v_reset_mv=30)), "must lie below v_threshold_mv"),
        (lambda: population(neurons=qif(bias_mv=[1, 2])), r"expected shape \(3\), got \(2,\)"),
        (lambda: population(cell_types=["PV", "SOM"]), "cell_types: expected 3 names, got 2"),
        (lambda: population(cell_types=["PV", "SOM", "a b"]), "names of letters, digits and _"),
    ],
)
def test_parts_that_make_no_sense_are_refused(make, message):
    with pytest.raises(SpecError, match=message):
        make()


def changed(network, projection):
    return replace(network, projections=[*network.projections, projection])


def projection(**fields):
    given = {
        "name": "extra", "source": "exc", "target": "inh", "weights": np.zeros((12, 20)),
        "filter": Direct(),
    } | fields  # fmt: skip
    return Projection(**given)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda n: changed(n, projection(weights=np.zeros((20, 12)))),
            r"\(12, 20\) \(post, pre\), got \(20, 12\)",
        ),
        (lambda n: changed(n, projection(source="nobody")), "no population 'nobody'"),
        (lambda n: changed(n, projection(name="exc_to_inh")), "names must be unique"),
        (lambda n: changed(n, projection(name="a b")), "'a b' is not a usable name"),
        (
            lambda n: changed(n, projection(within_step=True, delay_steps=2)),
            "what acts within the step has no delay",
        ),
        (
            lambda n: changed(n, projection(weights=sparse.csc_array(np.full((12, 20), np.nan)))),
            "NaN",
        ),
        (lambda n: replace(n, dt_ms=0.0), "dt_ms: must be positive"),
        (
            lambda n: replace(n, sample_steps=0),
            "sample_steps: expected a whole number of at least 1",
        ),
        (lambda n: replace(n, populations=[]), "at least one population"),
        (
            lambda n: replace(
                n,
                readouts=[
                    Readout(
                        name="o",
                        channels=[Channel(source="exc", weights=np.zeros((1, 3)), filter=Direct())],
                    )
                ],
            ),
            "reads 3 neurons of 'exc', which has 20",
        ),
    ],
)
def test_networks_that_do_not_fit_together_are_refused(make, message):
    with pytest.raises(SpecError, match=message):
        make(two_population_network())


@pytest.mark.parametrize(("side", "size"), [("post", 12), ("pre", 20)])
def test_a_filter_has_as_many_time_constants_as_its_side_has_neurons(side, size):
    filter_ = Exponential(tau_ms=np.arange(1, size + 1), normalisation="area", side=side)
    assert projection(filter=filter_).filter.tau_ms.shape == (size,)
    wrong = replace(filter_, tau_ms=np.ones(32 - size))
    with pytest.raises(SpecError, match=rf"tau_ms: expected shape \({size}\)"):
        projection(filter=wrong)


def test_sparse_weights_stay_sparse_and_read_only():
    network = two_population_network()
    weights = network.projections[0].weights
    assert sparse.issparse(weights)
    with pytest.raises(ValueError, match="read-only"):
        weights.data[0] = 1.0


def test_input_is_held_centred_on_its_time():
    # The original's fine step i = k + 1 takes column round(i / 100), halves rounded up.
    network = kim_network(size=2)
    for step in (0, 48, 49, 50, 148, 149, 150, 499, 599, 999):
        expected = min(int(np.floor((step + 1) / 100 + 0.5)), 6)
        assert network.input_sample(step, 7) == expected


def test_a_trial_has_the_same_noise_and_start_whatever_runs_beside_it():
    network = kim_network(size=4)
    drive = Drive(inputs=np.zeros((2, 5, 2)), noise=SharedNoise(seed=8))
    whole, start = NoiseStream(network, drive).take(200), drive.initial_voltages_mv(network)
    part = drive.trials(3, 5)
    np.testing.assert_array_equal(NoiseStream(network, part).take(200), whole[:, 3:])
    np.testing.assert_array_equal(part.initial_voltages_mv(network), start[3:])


def test_noise_taken_in_pieces_is_the_noise_taken_at_once():
    network = kim_network(size=4)
    drive = Drive(inputs=np.zeros((2, 3, 2)), noise=SharedNoise(seed=8))
    pieces = NoiseStream(network, drive)
    np.testing.assert_array_equal(
        np.concatenate([pieces.take(70), pieces.take(130)]), NoiseStream(network, drive).take(200)
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"inputs": np.zeros((0, 1, 2))}, "at least one sample and one trial"),
        ({"inputs": np.zeros((2, 1))}, "inputs: expected shape"),
        ({"inputs": np.full((2, 1, 2), np.inf)}, "NaN or infinite"),
        ({"noise": SharedNoise(seed=0), "recurrent_gain": [1.0, 2.0]}, r"expected shape \(1\)"),
        ({"noise": FrozenNoise(values_mv=np.zeros((2, 1, 3)))}, "give v_initial_mv as well"),
    ],
)
def test_drives_that_make_no_sense_are_refused(fields, message):
    with pytest.raises(SpecError, match=message):
        Drive(**({"inputs": np.zeros((2, 1, 2)), "noise": SharedNoise(seed=0)} | fields))


@pytest.mark.parametrize(
    ("events", "message"),
    [
        (([0, 0], [1, 0], [0, 0]), "sorted by trial, step and neuron"),
        (([0, 0], [1, 1], [2, 2]), "each once"),
        (([0], [1], [3]), "neuron must lie between 0 and 2"),
        (([0], [-1], [0]), "step must lie between 0 and 9"),
        (([0], [1, 2], [0]), "differ in length"),
    ],
)
def test_spikes_that_make_no_sense_are_refused(events, message):
    with pytest.raises(SpecError, match=message):
        Spikes(
            trial=events[0], step=events[1], neuron=events[2], n_trials=1, n_steps=10, n_neurons=3
        )
