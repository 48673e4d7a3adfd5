"""Networks of Spiking Recurrent Cells: trained, stored, run everywhere, gone on with."""

import re
from dataclasses import fields, replace
from inspect import signature
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import EXACT_BACKENDS
from small_pictures import TASK

import bridge
from bridge.backends.snntorch.recurrent_cell import SpikingRecurrentCell
from bridge.cli import train_src as commands
from bridge.errors import FormatError, SpecError
from bridge.exchange.trained_networks import trained_version
from bridge.methods.scoring import task_drive
from bridge.methods.src.integer import integer_network
from bridge.methods.src.module import SrcModule
from bridge.methods.src.options import SrcOptions
from bridge.methods.src.readout import grouped
from bridge.spiking.neurons.src import Src
from bridge.stages import load_rate

SMALL = {"layers": (20, 10), "epochs": 3, "batch": 20}
CONSTANTS = {"alpha": 0.85, "rho": 3.5, "r": 2.2, "r_s": -6.5, "z_hyp": 0.88, "z_dep": 0.2}
UNUSUAL = {"learn_bias": True, "gate": "sigmoid", "gate_reads": "new", **CONSTANTS}


@pytest.fixture(scope="module")
def trained(_folder):
    """A network of two layers of unusual cells that has learned a little, its biases too."""
    return bridge.train_src(TASK, **UNUSUAL, **SMALL)


def test_a_network_learns_which_class_a_picture_is_of():
    found = bridge.train_src(TASK, layers=20, epochs=12, batch=10)
    assert found.checkpoint is None
    assert found.history.update.tolist() == list(range(6, 73, 6))
    assert found.history.loss[-1] < found.history.loss[0]
    # Chance is 10 %.
    assert bridge.score(found, trials=20, backend="reference").accuracy >= 0.8


def stopped_after(updates):
    """An observer that stops training as Ctrl-C does."""

    def look(progress):
        if progress.update == updates:
            raise KeyboardInterrupt

    return look


@pytest.mark.parametrize("updates", [2, 3])
def test_an_interrupted_training_goes_on_bit_for_bit(trained, updates, tmp_path):
    begun = bridge.train_src(TASK, on_progress=stopped_after(updates), **UNUSUAL, **SMALL)
    assert begun.network.provenance["stopped"] == "interrupted"
    kept = bridge.load(bridge.save(begun, tmp_path / "begun.h5"))
    assert bridge.score(kept, trials=2, backend="reference").trials == 2
    ended = bridge.train_src(TASK, resume=kept, **UNUSUAL)
    for one, other in zip(ended.network.projections, trained.network.projections, strict=True):
        np.testing.assert_array_equal(one.weights, other.weights)
    biases = [[p.neurons.bias for p in each.network.populations] for each in (ended, trained)]
    np.testing.assert_equal(*biases)
    np.testing.assert_array_equal(ended.history.loss, trained.history.loss)
    with pytest.raises(SpecError, match="training is finished"):
        bridge.train_src(TASK, resume=ended)
    with pytest.raises(SpecError, match="epochs cannot be changed when training is resumed"):
        bridge.train_src(TASK, resume=kept, epochs=9)
    with pytest.raises(SpecError, match="learns 'mnist:gain=60,shown=30,silent=3', not 'mnist'"):
        bridge.train_src("mnist", resume=kept)


COMPILED = [pytest.param(f"brian2-{name}", marks=pytest.mark.full)
            for name in ("cython", "standalone")]  # fmt: skip


@pytest.mark.parametrize("label", ["brian2-numpy", "snntorch", "compiled", *COMPILED])
@pytest.mark.parametrize("gate", ["heaviside", "sigmoid"])
def test_every_state_is_the_same_bit_for_bit_everywhere(trained, label, gate):
    *layers, output = trained.network.populations
    gated = [replace(each, neurons=replace(each.neurons, gate=gate)) for each in layers]
    network = replace(trained.network, populations=(*gated, output))
    _, drive = task_drive(network, 3, seed=1)
    whole = {"window": (0, 33), "voltages": True}
    expected = bridge.simulate(network, drive, backend="reference", **whole)
    backend, options = EXACT_BACKENDS[label]
    got = bridge.simulate(network, drive, backend=backend, **whole, **options)
    assert expected.spikes.count > 10
    np.testing.assert_array_equal(got.spikes.codes(), expected.spikes.codes())
    for name, states in expected.window.states.items():
        for state, values in states.items():
            np.testing.assert_array_equal(got.window.states[name][state], values, f"{name} {state}")
    np.testing.assert_array_equal(got.readouts["output"], expected.readouts["output"])


def test_a_recording_holds_the_rising_crossings_of_a_half(trained):
    _, drive = task_drive(trained.network, 3, seed=1)
    found = bridge.simulate(trained, drive, backend="reference", voltages=True)
    above = np.asarray(found.voltages_mv)[:, :, :30] > 0.5
    before = np.concatenate([np.zeros_like(above[:1]), above[:-1]])
    step, trial, neuron = np.nonzero(above & ~before)
    assert (above & before).any()
    events = {*zip(found.spikes.trial, found.spikes.step, found.spikes.neuron, strict=True)}
    assert events == {*zip(trial, step, neuron, strict=True)}


def test_the_description_answers_as_cells_in_training_do(trained):
    network = trained.network
    _, drive = task_drive(network, 4, seed=2)
    passed = torch.tensor(drive.inputs)
    for projection, layer in zip(network.projections, network.populations[:2], strict=False):
        cells = SpikingRecurrentCell(layer.neurons, layer.size, dtype=torch.float64)
        weights = torch.tensor(projection.weights)
        with torch.no_grad():
            passed = cells.over_time(passed @ weights.T)
    left = 0.99 ** np.arange(32, -1, -1)
    expected = np.tensordot(left, passed.numpy(), 1) @ grouped(10, 10).T
    assert np.abs(expected).max() > 0.5
    got = bridge.simulate(trained, drive, backend="reference").readouts["output"][-1]
    # Another tanh, other last bits, over 33 steps; outputs are about 1, and 1e-14 is found.
    np.testing.assert_allclose(got, expected, atol=1e-11, rtol=0)


def test_a_network_becomes_one_of_whole_numbers(trained):
    whole = integer_network(trained, levels=40)
    first, _, last = (part.synapses().toarray() for part in whole.projections)
    given = trained.network.projections[0].weights
    # The nearest of 40 steps to the largest weight.
    assert np.abs(first).max() == 40
    assert np.abs(first / 40 - given / np.abs(given).max()).max() <= 0.5 / 40 + 1e-12
    assert sorted(set(last.ravel())) == [-1.0, 10.0]
    _, drive = task_drive(whole, 3, seed=1)
    found = [bridge.simulate(whole, drive, backend=each, window=(0, 33))
             for each in ("reference", "compiled")]  # fmt: skip
    states = [[np.asarray(v) for part in each.window.states.values() for v in part.values()]
              for each in found]  # fmt: skip
    assert found[0].spikes.count > 10
    for one, other in zip(*states, strict=True):
        np.testing.assert_array_equal(one, other)
    # Cells hold whole numbers; the readout's sums are leaky.
    assert all((values == np.rint(values)).all() for values in states[0][:6])
    with pytest.raises(SpecError, match="expected one that train_src"):
        integer_network(replace(trained.network, provenance={}))


def test_a_network_without_weights_has_no_whole_numbers(trained):
    first, *others = trained.network.projections
    network = replace(
        trained.network, projections=(replace(first, weights=0 * first.weights), *others)
    )
    with pytest.raises(SpecError, match="projection input_to_layer_1: all its weights are 0"):
        integer_network(network)


def test_the_readout_of_whole_numbers_keeps_31_of_32(trained):
    *_, given = integer_network(trained).projections
    np.testing.assert_array_equal(given.filter.tau_ms, 32 * trained.network.dt_ms)
    assert (given.filter.filter_step, given.filter.normalisation) == ("euler", "jump")


def test_the_readout_is_a_leaky_sum_of_groups():
    module = SrcModule(3, 10, SrcOptions(layers=12))
    spikes = torch.zeros(4, 1, 3)
    passed = torch.zeros(4, 1, 12)
    # Cells 1 and 11 speak for class 1; one two steps before the end, one in the last.
    passed[1, 0, 1], passed[3, 0, 11] = 0.9, 0.8
    module.layers = lambda _: [passed]
    sum_ = 0.99**2 * 0.9 + 0.8
    expected = np.full(10, -0.1 * sum_)
    expected[1] = sum_
    # The rounding of single precision; 5e-8 is found.
    np.testing.assert_allclose(module(spikes)[0], expected, rtol=1e-6)
    np.testing.assert_array_equal(grouped(12, 10)[1], [-0.1, 1.0, *[-0.1] * 9, 1.0])


def test_an_interrupted_training_ends_the_command_as_ctrl_c_does(command, tmp_path, monkeypatch):
    unfinished = SimpleNamespace(checkpoint=object())
    monkeypatch.setattr(commands, "train_src_to", lambda *_: unfinished)
    assert command("train-src", TASK, "--out", tmp_path / "a.h5").status == 130


def test_the_file_says_since_when_such_networks_are_kept(trained):
    assert trained_version(trained) == 5


def test_cells_have_the_constants_that_they_are_trained_with(trained):
    for layer in trained.network.populations[:2]:
        held = layer.neurons.arrays()
        for name, value in CONSTANTS.items():
            np.testing.assert_array_equal(held[name], value, name)


def test_constants_are_by_default_those_of_the_model():
    ours, expected = SrcOptions().neurons().arrays(), Src().arrays()
    assert ours == expected


def test_the_command_has_the_defaults_of_the_options():
    there = signature(commands.train_src).parameters
    for entry in fields(SrcOptions):
        if entry.name in ("start", "relay"):
            continue
        default = there[entry.name].default
        if entry.name == "layers":
            default = commands.parse_layers(default)
        assert default == entry.default, entry.name
    assert commands.parse_layers("3x12, 100") == (12, 12, 12, 100)


@pytest.mark.parametrize(
    ("task", "options", "said"),
    [
        ("xor", {}, "task 'xor': cells are trained on pictures"),
        (TASK, {"layers": (20, 9)}, "a cell for each of 10 classes at least, got 9"),
        (TASK, {"layers": ()}, "layers: from 1 to 100 of them, got 0"),
        (TASK, {"layers": "100"}, "layers: cells"),
        (TASK, {"validation": 60}, "60 of 60 training pictures leave none"),
        (TASK, {"gate": "soft"}, "gate: 'heaviside' or 'sigmoid', got 'soft'"),
        (TASK, {"alpha": 1.1}, "alpha: what a step leaves lies in 0 to 1, got 1.1"),
        (TASK, {"rho": 0}, "rho"),
        (TASK, {"learning_rate": 0}, "learning_rate: must be positive, got 0"),
        (TASK, {"learn_bias": True, "bias": -3.0}, "must be at most -4 to be learned, got -3"),
        (TASK, {"leak": 1}, "unknown training option 'leak'; known are alpha, batch"),
    ],
)
def test_what_makes_no_sense_is_said_before_training(task, options, said):
    with pytest.raises(SpecError, match=re.escape(said)):
        bridge.train_src(task, **options)


def test_a_network_is_not_shown_pictures_in_another_way_than_it_learned(trained):
    other = replace(trained.network, task="mnist:latency,shown=30,silent=3")
    with pytest.raises(SpecError, match="shows pictures by latency, 3 silent and 30 shown steps"):
        bridge.score(other, trials=2)


def test_a_checkpoint_that_does_not_fit_is_refused(trained, tmp_path):
    begun = bridge.train_src(TASK, on_progress=stopped_after(1), layers=20, epochs=1)
    with pytest.raises(SpecError, match="checkpoint: does not fit the network"):
        replace(trained, checkpoint=begun.checkpoint)
    path = bridge.save(trained, tmp_path / "a.h5")
    with pytest.raises(FormatError, match="a rate network is needed, this file holds: spiking"):
        load_rate(path)


def test_the_command_trains_stops_goes_on_and_compares(command, tmp_path, monkeypatch):
    file, page = tmp_path / "src.h5", tmp_path / "page.html"
    short = ("--layers", "2x12", "--epochs", 2, "--batch", 20)
    outcome = command("train-src", TASK, *short, "--out", file)
    assert (outcome.status, "finished" in outcome.out) == (0, True)
    assert "layer 2" in outcome.out
    outcome = command("train-src", TASK, *short, "--out", file)
    assert (outcome.status, "use --resume to go on" in outcome.err) == (2, True)
    outcome = command("train-src", TASK, "--out", file, "--resume")
    assert (outcome.status, "training is finished" in outcome.err) == (2, True)
    outcome = command("info", file)
    assert "spikes of layer 1" in outcome.out
    outcome = command("compare", file, "--backends", "reference,compiled", "--trials", 10,
                      "--out", page)  # fmt: skip
    assert (outcome.status, "none differing" in outcome.out) == (0, True)
    assert "to each class" in page.read_text()
    outcome = command("train-src", TASK, "--layers", "2y", "--out", tmp_path / "no.h5")
    assert (outcome.status, "--layers: expected cells" in outcome.err) == (2, True)
    monkeypatch.delenv("SPIKEBRIDGE_DATA")
    outcome = command("train-src", TASK, "--data", tmp_path, "--out", tmp_path / "no.h5")
    assert (outcome.status, "there is no folder" in outcome.err) == (2, True)
