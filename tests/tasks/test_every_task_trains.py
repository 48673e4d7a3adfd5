"""Every task goes the way from a rate network to a spiking one, at the smallest size."""

import numpy as np
import pytest

import bridge
from bridge.errors import SpecError
from bridge.methods.scoring import score_of, task_drive
from bridge.tasks import names, rate_correct
from bridge.tasks.flip_flop import FlipFlop

TINY = {"units": 6, "batch": 3, "check_every": 2, "evaluation_trials": 4, "max_updates": 2}
NAMES = (
    "go-nogo:strict", "xor", "context", "oscillation", "flip-flop:bits=2", "duration-xor",
    "ready-set-go", "reaching",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_network_is_trained_and_remembers_its_task(name):
    network = bridge.train(name, seed=0, **TINY)
    task = bridge.task(name)
    assert network.task == name
    assert np.shape(network.w_in) == (6, task.input_size)
    assert np.shape(network.w_out) == (task.output_size, 6)
    trials = task.trials(4, np.random.default_rng(1))
    outputs, _ = network.run(trials.inputs, np.random.default_rng(2))
    assert rate_correct(task, outputs, trials).shape == (4,)
    # Two steps of Adam move each output weight by about 0.01 each: all outputs are trained.
    untrained = bridge.train(name, seed=0, **{**TINY, "max_updates": 1})
    assert np.all(np.any(network.w_out != untrained.w_out, axis=1))
    assert np.all(network.b_out != untrained.b_out)


def test_a_network_of_several_outputs_is_converted_and_scored(monkeypatch):
    # A flip-flop of 0.1 s: one slot, whose pulse begins at once.
    short = {"rest_steps": 0, "slots": 1, "slot_steps": 20, "pulse_steps": 5, "latest_start": 1}
    flip_flop = FlipFlop(bits=2, **short, checked_steps=5)
    monkeypatch.setattr(names, "_own", {flip_flop.name: flip_flop})
    rate = bridge.train("flip-flop:bits=2", seed=0, **TINY)
    conversion = bridge.convert(rate, inverse_scales=[30], trials=2, backend="reference")
    trials, drive = task_drive(conversion.network, 2, seed=0)
    recording = bridge.simulate(conversion.network, drive)
    assert recording.readouts["output"].shape == trials.targets.shape == (20, 2, 2)
    # Six neurons after two updates know nothing.
    assert score_of(flip_flop, trials, recording).accuracy == 0


class Wrong:
    """A task whose trials have one sample too few."""

    name, step_ms, steps, input_size, output_size = "wrong", 5.0, 10, 1, 1
    conditions = ("only",)

    def trials(self, count, rng):
        values = np.zeros((9, count, 1))
        return bridge.Trials(inputs=values, targets=values, labels=np.zeros(count, dtype=int))

    def rate_correct(self, outputs, trials):
        return outputs[-1, :, 0] > 0

    spiking_correct = rate_correct


def test_training_on_trials_that_do_not_fit_is_refused():
    with pytest.raises(SpecError, match=r"task 'wrong': expected inputs of shape \(10, 3, 1\)"):
        bridge.train(Wrong(), **TINY)


def test_training_on_what_is_no_task_is_refused():
    with pytest.raises(SpecError, match="dict is not a task: it lacks name"):
        bridge.train({}, **TINY)


def test_converting_and_comparing_check_trials_too(monkeypatch):
    monkeypatch.setattr(names, "_own", {"wrong": Wrong()})
    rate = bridge.RateNetwork(
        recurrent=np.zeros((2, 2)), w_in=np.ones((2, 1)), w_out=np.ones((1, 2)), b_out=[0.0],
        tau_ms=[20.0, 30.0], task="wrong",
    )  # fmt: skip
    message = r"task 'wrong': expected inputs of shape \(10, 2, 1\)"
    with pytest.raises(SpecError, match=message):
        bridge.convert(rate, trials=2)
    with pytest.raises(SpecError, match=message):
        bridge.compare(bridge.map_one_to_one(rate, 30.0), trials=2)
