"""Networks as `.mat` files of the authors' code: what stands in them, and what they run to."""

import dataclasses

import numpy as np
import pytest
from exchange.mat_files import INHIBITORY, SIGNS, SOM, UNITS, write_original
from scipy.io import loadmat

import bridge
from bridge.errors import OutputError, SpecError
from bridge.methods.one_to_one import map_one_to_one
from bridge.methods.scale_search import Conversion, ScaleSearch
from bridge.spiking.drive import Drive, FrozenNoise, SharedNoise
from bridge.spiking.filters import Exponential

TYPES = tuple(np.where(SOM, "SOM", np.where(INHIBITORY, "PV", "PYR")).tolist())


def rate_network(**fields):
    rng = np.random.default_rng(3)
    recurrent = np.abs(rng.normal(0, 1.5, (UNITS, UNITS))) * SIGNS
    recurrent[np.ix_(SOM, INHIBITORY)] = 0
    given = {
        "recurrent": recurrent, "w_in": rng.normal(0, 30, (UNITS, 2)),
        "w_out": rng.normal(0, 1, (1, UNITS)), "b_out": [0.25],
        "tau_ms": rng.uniform(20, 100, UNITS), "excitatory": ~INHIBITORY, "cell_types": TYPES,
    } | fields  # fmt: skip
    return bridge.RateNetwork(**given)


def conversion(scale=12.0, **fields):
    rate = rate_network(**fields)
    search = ScaleSearch(
        inverse_scales=[8.0, 12.0, 16.0], correct=[1, 4, 2], trials=4, best=1, seed=0,
        backend="reference", seconds=0.1,
    )  # fmt: skip
    return Conversion(network=map_one_to_one(rate, scale), rate=rate, search=search)


@pytest.fixture
def exported(tmp_path):
    """Export, and read with scipy."""

    def make(thing):
        notes = bridge.export_network(thing, tmp_path / "model.mat")
        return loadmat(tmp_path / "model.mat"), notes

    return make


def test_an_output_bias_that_is_not_there_needs_no_note(exported):
    assert exported(conversion(b_out=[0.0]))[1] == ()


def back(tmp_path, **options):
    return bridge.import_network(tmp_path / "model.mat", **options)


def test_the_fields_have_the_authors_shapes_and_are_doubles(exported):
    fields, notes = exported(conversion())
    shapes = {
        "w": (UNITS, UNITS), "w0": (UNITS, UNITS), "m": (UNITS, UNITS), "som_m": (UNITS, UNITS),
        "w_in": (UNITS, 2), "w_out": (1, UNITS), "b_out": (1, 1), "N": (1, 1), "taus": (1, 2),
        "taus_gaus": (UNITS, 1), "taus_gaus0": (UNITS, 1), "som_N": (1, 1),
        "opt_scaling_factor": (1, 1), "all_perfs": (3, 1), "scaling_factors": (1, 3),
    }  # fmt: skip
    assert {name: fields[name].shape for name in shapes} == shapes
    assert {fields[name].dtype for name in shapes} == {np.dtype(float)}
    np.testing.assert_array_equal(fields["inh"].ravel(), INHIBITORY)
    np.testing.assert_array_equal(fields["exc"].ravel(), ~INHIBITORY)
    assert fields["opt_scaling_factor"].item() == 12.0
    assert fields["all_perfs"].ravel().tolist() == [0.25, 1.0, 0.5]
    assert fields["scaling_factors"].ravel().tolist() == [8.0, 12.0, 16.0]
    (note,) = notes
    assert "the output bias (up to 0.25) stands in the field b_out, which" in note


def test_the_weights_act_as_ours_do(exported):
    fields, _ = exported(rate_network())
    acting = (fields["w"] @ fields["m"]) * fields["som_m"]
    np.testing.assert_array_equal(acting, rate_network().recurrent)
    assert np.all(fields["w"] >= 0)
    np.testing.assert_array_equal(fields["som_m"] == 0, np.outer(SOM, INHIBITORY))


def same_network(one, other):
    for name in ("recurrent", "w_in", "w_out", "b_out"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), name)
    # The file holds the argument of a sigmoid: a logarithm there, an exponential back.
    np.testing.assert_allclose(one.tau_ms, other.tau_ms, rtol=1e-12)
    assert one.cell_types == other.cell_types
    assert (one.activation, one.dt_ms) == (other.activation, other.dt_ms)
    np.testing.assert_array_equal(one.excitatory, other.excitatory)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"tau_ms": np.linspace(20, 100, UNITS)},
        {"tau_ms": [20.0] * 6 + [20.0000001]},
        {"tau_ms": [3.0, 4, 5, 6, 7, 1000, 2000]},
        {"tau_ms": 35.0},
        {"tau_ms": 1 / 3},
        {"excitatory": None, "cell_types": None},
        {"cell_types": None},
        {"activation": "softplus"},
        {"activation": "relu"},
    ],
)
def test_a_network_comes_back_as_it_was(fields, tmp_path):
    network = rate_network(**fields)
    if network.excitatory is None:
        network = rate_network(**fields, recurrent=np.random.default_rng(0).normal(size=(7, 7)))
    bridge.export_network(network, tmp_path / "model.mat")
    same_network(back(tmp_path).rate, network)


def test_a_foreign_file_goes_through_unchanged(tmp_path):
    first = bridge.import_network(write_original(tmp_path / "theirs.mat")).rate
    bridge.export_network(first, tmp_path / "model.mat")
    same_network(back(tmp_path).rate, first)


def test_the_range_of_time_constants_is_whole_steps_around_them(exported):
    fields, _ = exported(rate_network(tau_ms=[20.5, 30, 40, 50, 60, 70, 99.5]))
    assert fields["taus"].tolist() == [[4.0, 20.0]]
    assert np.isfinite(fields["taus_gaus"]).all()


def test_the_chosen_scale_factor_comes_back(tmp_path):
    bridge.export_network(conversion(), tmp_path / "model.mat")
    given = back(tmp_path)
    assert given.inverse_scale == 12.0
    assert given.rate.provenance["search"]["accuracies"] == [0.25, 1.0, 0.5]


def run_the_file(fields, inputs, noise_mv, v):
    """Spikes (step, neuron) of one trial by the authors' step, from the fields of a file alone."""
    dt, tau_m, tau_r = 5e-5, 0.01, 0.002
    w = (fields["w"] @ fields["m"]) * fields["som_m"] / fields["opt_scaling_factor"].item()
    low, high = fields["taus"].ravel()
    tau_d = (1 / (1 + np.exp(-fields["taus_gaus"].ravel())) * (high - low) + low) * 5 / 1000
    ipsc, h = np.zeros((2, len(v)))
    free, spikes = np.full(len(v), 40), []
    for i in range(1, len(noise_mv) + 1):
        column = min(int(np.floor(i / 100 + 0.5)), len(inputs) - 1)
        current = ipsc - 40 + fields["w_in"] @ inputs[column]
        v = np.where(i > free, v + dt / tau_m * (current - v), v) + noise_mv[i - 1]
        s = v >= -40
        ipsc = ipsc * np.exp(-dt / tau_d) + h * dt
        h = h * np.exp(-dt / tau_r) + w @ s / (tau_r * tau_d)
        free, v = np.where(s, i + 40, free), np.where(s, -65, v)
        spikes += [(i - 1, n) for n in np.flatnonzero(s)]
    return spikes


def test_the_authors_step_on_the_file_fires_the_spikes_of_the_reference(exported):
    thing, rng, samples = conversion(), np.random.default_rng(5), 80
    inputs = rng.normal(0, 1, (samples, 2))
    noise, start = rng.normal(0, 0.1, (100 * samples, UNITS)), rng.uniform(-65, 30, UNITS)
    spikes = run_the_file(exported(thing)[0], inputs, noise, start)
    frozen = FrozenNoise(values_mv=noise[:, None])
    drive = Drive(inputs=inputs[:, None], noise=frozen, v_initial_mv=start[None])
    recording = bridge.simulate(thing.network, drive, backend="reference")
    assert len(spikes) > 100
    assert list(zip(recording.spikes.step, recording.spikes.neuron, strict=True)) == spikes


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        ({"activation": "softplus"}, "the activation softplus stands in the field activation"),
        ({"noise_sd": 0.3}, "noise_sd 0.3 and initial_sd 0.01 are not held"),
        ({"cell_types": ["a"] * UNITS}, "cell types are not held"),
        ({"recurrent": np.ones((UNITS, UNITS)) * SIGNS}, "do not follow the motif"),
    ],
)
def test_what_the_format_does_not_hold_is_said(fields, note, exported):
    written, notes = exported(rate_network(**fields))
    assert [note in said for said in notes] == [True]
    expected = rate_network(**fields).recurrent
    np.testing.assert_array_equal((written["w"] @ written["m"]) * written["som_m"], expected)


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"activation": "tanh"}, "the activation tanh"),
        ({"bias": np.ones(UNITS)}, "a bias"),
        ({"form": "h", "initial_state": np.ones(UNITS)}, "form h and a state to start from"),
        ({"activation": "relu", "highest_rate": 6.0}, "a highest rate of 6"),
    ],
)
def test_units_that_the_authors_code_does_not_run_are_refused(fields, what, exported):
    with pytest.raises(SpecError, match=f"and not units with {what}$"):
        exported(rate_network(**fields))


def drive():
    return Drive(inputs=np.ones((2, 1, 1)), noise=SharedNoise(seed=1))


def with_other_synapses(given):
    network = given.network
    filter_ = Exponential(tau_ms=given.rate.tau_ms, normalisation="area")
    first = dataclasses.replace(network.projections[0], filter=filter_)
    projections = (first, *network.projections[1:])
    return dataclasses.replace(given, network=dataclasses.replace(network, projections=projections))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: rate_network(w_out=np.ones((2, UNITS)), b_out=[0, 0]), "holds one output.* has 2"),
        (lambda: rate_network(dt_ms=1.0), "steps of 5 ms, this one has 1 ms"),
        (lambda: conversion().network, "holds rate networks and conversions, not a SpikingNetwork"),
        (drive, "got a Drive"),
        (lambda: conversion(scale=13.0), "has other neurons, synapses or weights"),
        (lambda: with_other_synapses(conversion()), "has other neurons, synapses or weights"),
    ],
)
def test_what_the_authors_code_could_not_run_is_refused(make, message, tmp_path):
    with pytest.raises(SpecError, match=message):
        bridge.export_network(make(), tmp_path / "model.mat")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_only_where_that_was_asked_for(tmp_path):
    file = tmp_path / "model.mat"
    file.write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        bridge.export_network(rate_network(), file)
    assert file.read_text() == "mine"
    bridge.export_network(rate_network(), file, force=True)
    assert loadmat(file)["N"].item() == UNITS
