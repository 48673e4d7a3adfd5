"""What each update of a training of cells does, and what an evaluation counts."""

import numpy as np
import pytest
import torch
from small_pictures import TASK

import bridge
from bridge.errors import TrainingError
from bridge.methods.src import training
from bridge.methods.src.module import SrcModule, first_weights, relay
from bridge.methods.src.options import SrcOptions
from bridge.methods.src.plan import plan_src
from bridge.methods.src.training import rate_share, train_src_as_planned
from bridge.tasks.images.encoding import Encoding


def test_deeper_layers_begin_as_relays():
    assert relay(3, 3, 0.8).tolist() == (0.8 * np.eye(3)).tolist()
    # Each of few passes on several, and each of many is passed on by one.
    assert (relay(2, 5, 1.0).sum(axis=0) == 1).all()
    assert (relay(5, 2, 1.0).sum(axis=1) == 1).all()


def test_the_learning_rate_rises_and_falls():
    shares = [rate_share(update, 4, 20) for update in range(20)]
    assert shares[:5] == [0.25, 0.5, 0.75, 1.0, 1.0]
    # Half way down the cosine from 1 to 0.02; rounding alone is between them.
    assert shares[12] == pytest.approx(0.51, rel=1e-14)
    assert np.all(np.diff(shares[4:]) < 0)
    assert shares[-1] > 0.02


def test_the_first_update_moves_each_weight_by_the_rate_of_its_layer():
    plan = plan_src(TASK, layers=(20, 10), learn_bias=True, epochs=1, batch=60)
    network = train_src_as_planned(plan).network
    first, second = first_weights((784, 20, 10), plan.options)
    np.testing.assert_array_equal(second, relay(10, 20, 0.8))
    # Uniform within 3 over the root of 784 inputs: the greatest of 15 680 is close to it.
    assert 0.99 < np.abs(first).max() / (3 / 28) <= 1
    moved = [
        *(
            each.weights - was
            for each, was in zip(network.projections, (first, second), strict=False)
        ),
        *(each.neurons.bias + 6 for each in network.populations[:2]),
    ]
    # Adam's first step is its rate, whatever the gradient. Single precision rounds 0.8 by 3e-8 and
    # 6 by 3e-7; 2e-7 is found.
    for change, rate in zip(moved, (0.01, 0.0005, 0.0005, 0.0005), strict=True):
        assert np.abs(change).max() == pytest.approx(rate, abs=1e-6)


def test_each_update_shows_its_pictures_in_spikes_of_its_own(monkeypatch):
    shown, spikes = [], Encoding.spikes

    def seen(encoding, pictures, rng):
        shown.append((pictures.labels, spikes(encoding, pictures, rng)))
        return shown[-1][1]

    monkeypatch.setattr(Encoding, "spikes", seen)
    # Two updates of an epoch, and an evaluation of all.
    bridge.train_src(TASK, layers=10, epochs=2, batch=30)
    *_, activity = shown
    updates = [each for each in shown[:-1] if len(each[0]) == 30]
    assert [len(each[0]) for each in shown] == [30, 30, 60] * 2 + [60]
    for one, other in (updates[:2], updates[2:]):
        # Each picture once an epoch, in an order of its own.
        assert sorted([*one[0], *other[0]]) == sorted(activity[0])
    assert (updates[0][0] != updates[2][0]).any()
    shown.clear()
    bridge.train_src(TASK, layers=10, epochs=2, batch=60)
    (labels, first), _, (again, second), *_ = shown
    # All pictures in both epochs, and other spikes.
    np.testing.assert_array_equal(labels, again)
    assert (first != second).any()


def test_the_same_pictures_are_set_aside_whatever_the_seed():
    plans = [plan_src(TASK, validation=20, seed=seed) for seed in (0, 1)]
    parts = [[part.pixels.tolist() for part in (p.learning, p.evaluated)] for p in plans]
    assert parts[0] == parts[1]
    learning, aside = ({*map(tuple, part)} for part in parts[0])
    assert (len(learning), len(aside), len(learning | aside)) == (40, 20, 60)


def test_an_evaluation_is_of_what_the_network_answers_to_the_pictures_set_aside(monkeypatch):
    # Not all at once, and fewer in the end.
    monkeypatch.setattr(training, "_AT_ONCE", 7)
    task = "mnist:latency,shown=30,silent=3"
    plan = plan_src(task, layers=20, epochs=2, batch=10, validation=20, sharpness=0.3)
    found = train_src_as_planned(plan)
    spikes = plan.task.encoding.spikes(plan.evaluated, np.random.default_rng(0))
    drive = bridge.Drive(inputs=spikes.astype(float), noise=bridge.SharedNoise(seed=0))
    outputs = bridge.simulate(found, drive, backend="reference").readouts["output"][-1]
    labels = plan.evaluated.labels
    sharp = 0.3 * outputs
    lost = np.log(np.exp(sharp).sum(axis=1)) - sharp[np.arange(20), labels]
    # Training is in single precision; 5e-8 is found.
    assert found.history.loss[-1] == pytest.approx(lost.mean(), abs=1e-5)
    assert found.history.accuracy[-1] == (outputs.argmax(axis=1) == labels).mean()


def test_a_training_that_diverges_says_so():
    # Weights beyond single precision.
    with pytest.raises(TrainingError, match="seed 0 diverged after 0 updates; lower the learning"):
        bridge.train_src(TASK, layers=10, epochs=1, start=1e42)


def test_activity_counts_rises_steps_and_cells_that_never_spike():
    module = SrcModule(3, 10, SrcOptions(layers=10))
    passed = torch.zeros(8, 2, 10)
    # A cell spikes twice in a picture, for two steps and for one; another in the first step.
    passed[[1, 2, 5], 0, 0] = 0.9
    passed[0, 1, 1] = 0.6
    passed[3, 1, 2] = 0.5
    module.layers = lambda _: [passed]
    (found,) = module.activity(torch.zeros(8, 2, 3))
    assert found.onsets == 3 / 20
    # Means in single precision; 3e-9 is found.
    assert found.silent == pytest.approx(0.8, abs=1e-7)
    assert found.duty == pytest.approx(4 / 160, abs=1e-9)
