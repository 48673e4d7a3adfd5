"""Tasks of the package neurogym; without it only its absence is tested."""

import sys
from importlib import import_module
from types import SimpleNamespace

import numpy as np
import pytest

import bridge
from bridge.errors import SpecError
from bridge.tasks import draw, neurogym_environments, rate_correct, spiking_correct

NAME = "neurogym:PerceptualDecisionMaking-v0,step_ms=20"


def test_without_the_package_one_sentence_says_how_to_install_it(monkeypatch):
    # None in sys.modules is what makes an import fail as if nothing were installed.
    monkeypatch.setitem(sys.modules, "neurogym", None)
    with pytest.raises(SpecError, match=r"not installed; pip install 'spikebridge\[tasks"):
        bridge.task("neurogym:GoNogo-v0,step_ms=30")


@pytest.fixture(scope="module")
def gym():
    return import_module("neurogym")


@pytest.fixture
def trials(gym):
    return draw(bridge.task(NAME), 24, np.random.default_rng(0))


def test_a_trial_is_what_the_environment_shows_and_takes_for_right(gym, trials):
    task = bridge.task(NAME)
    assert (task.name, task.step_ms) == (NAME, 20.0)
    # Fixation 100 ms, stimulus 2000 ms, no delay, decision 100 ms: its own times.
    assert task.steps == 110
    with pytest.warns(UserWarning, match="render_modes"):
        own = gym.make("PerceptualDecisionMaking-v0", dt=20).unwrapped
    own.seed(int(np.random.default_rng(0).integers(2**31)))
    for trial in range(24):
        own.new_trial()
        np.testing.assert_array_equal(trials.inputs[:, trial], own.ob)
        np.testing.assert_array_equal(trials.targets[:, trial].argmax(axis=1), own.gt)
        np.testing.assert_array_equal(trials.targets[:, trial].sum(axis=1), 1)
        assert task.conditions[trials.labels[trial]] == f"action {own.gt[-1]}"
    assert len(set(trials.labels)) == 2


def test_the_strongest_output_in_the_decision_period_is_the_answer(gym, trials):
    task = bridge.task(NAME)
    rows = np.arange(24)
    for correct in (rate_correct, spiking_correct):
        assert correct(task, trials.targets, trials).all()
        assert not correct(task, -trials.targets, trials).any()
        assert not correct(task, np.zeros_like(trials.targets), trials).any()
        # The decision period is the last 5 samples: what comes before does not count.
        early = trials.targets.copy()
        early[:105] = 0
        early[:105, rows, 3 - trials.labels] = 9
        assert correct(task, early, trials).all()
        # The mean decides: three samples for another action are outweighed by two high ones.
        early[105:108] = 0
        early[105:108, rows, 3 - trials.labels] = 1
        early[108:, rows, trials.labels] = 1.6
        assert correct(task, early, trials).all()
        early[108:, rows, trials.labels] = 1.4
        assert not correct(task, early, trials).any()


def test_chosen_trials_keep_the_samples_they_are_scored_in(gym):
    task = bridge.task("neurogym:ContextDecisionMaking-v0,step_ms=20")
    trials = draw(task, 20, np.random.default_rng(3))
    part = trials.chosen(np.array([7, 2]))
    np.testing.assert_array_equal(part.asked, trials.asked[:, [7, 2]])
    assert len({tuple(column) for column in trials.asked.T}) > 1
    assert rate_correct(task, part.targets, part).all()


def test_trials_of_varying_length_end_in_silence(gym):
    task = bridge.task("neurogym:ContextDecisionMaking-v0,step_ms=20")
    trials = draw(task, 200, np.random.default_rng(0))
    there = trials.targets.any(axis=2)
    lengths = there.sum(axis=0)
    # Fixation 300 ms, stimulus 750 ms (37 steps), delay from 300 ms on, decision 100 ms.
    assert (15 + 37 + 15 + 5) <= lengths.min() < lengths.max() <= task.steps
    for trial, length in enumerate(lengths):
        assert there[:length, trial].all()
        assert not trials.inputs[length:, trial].any()
        assert not trials.asked[length:, trial].any()


def test_a_length_given_holds_and_longer_trials_are_drawn_again(gym):
    task = bridge.task("neurogym:ContextDecisionMaking-v0,step_ms=20,steps=90")
    assert draw(task, 50, np.random.default_rng(0)).inputs.shape[0] == 90
    with pytest.raises(SpecError, match="its trials are longer than 20 steps"):
        draw(
            bridge.task("neurogym:ContextDecisionMaking-v0,step_ms=20,steps=20"),
            1,
            np.random.default_rng(0),
        )


def test_options_go_to_the_environment(gym):
    two = bridge.task("neurogym:PerceptualDecisionMaking-v0")
    five = bridge.task("neurogym:PerceptualDecisionMaking-v0,dim_ring=5,sigma=0.0")
    # Fixation, and a channel and an action for each of 2 or 5 directions.
    assert (two.input_size, five.input_size) == (3, 6)
    assert (two.output_size, five.output_size) == (3, 6)
    # Without noise the stimulus is the same all the time.
    shown = draw(five, 1, np.random.default_rng(0)).inputs[20:100, 0]
    assert np.all(shown == shown[0])


# One that remembers its rule from trial to trial, and one of random periods.
@pytest.mark.parametrize("environment", ["HierarchicalReasoning-v0", "ContextDecisionMaking-v0"])
def test_the_generator_alone_decides_over_the_trials(gym, environment):
    task = bridge.task(f"neurogym:{environment}")
    first, other, again = (draw(task, 6, np.random.default_rng(seed)) for seed in (1, 2, 1))
    for part in ("inputs", "targets", "labels", "asked"):
        np.testing.assert_array_equal(getattr(first, part), getattr(again, part))
    assert not np.array_equal(first.inputs, other.inputs)


def test_to_withhold_an_action_is_an_answer_in_the_decision_period_too(gym):
    # In GoNogo the action 0, to withhold, is right in half of the trials.
    task = bridge.task("neurogym:GoNogo-v0,step_ms=20")
    trials = draw(task, 20, np.random.default_rng(0))
    assert set(trials.labels) == {0, 1}
    assert rate_correct(task, trials.targets, trials).all()
    # Of 150 samples of 10 ms the last 500 ms are the decision: 25 of 75 here.
    np.testing.assert_array_equal(np.flatnonzero(trials.asked.all(axis=1)), np.arange(50, 75))
    assert trials.asked.sum() == 25 * 20


@pytest.mark.parametrize(
    ("periods", "action", "scored"),
    [
        (["go"], [0, 0, 1, 1, 0], [2, 3]),
        (["go"], [0, 0, 0, 0, 0], [0, 1, 2, 3, 4]),
        (["go", "decision"], [0, 0, 1, 1, 0], [3, 4]),
        (["go", "decision"], [0, 0, 0, 0, 0], [3, 4]),
    ],
)
def test_without_a_decision_period_the_answers_are_scored_or_else_all(periods, action, scored):
    starts, ends = {"go": 0, "decision": 3}, {"go": 3, "decision": 5}
    environment = SimpleNamespace(
        start_ind={name: starts[name] for name in periods},
        end_ind={name: ends[name] for name in periods},
    )
    asked = neurogym_environments._asked(environment, np.array(action))
    assert np.flatnonzero(asked).tolist() == scored


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("neurogym", "neurogym has no environment ''; it has AntiReach-v0, "),
        ("neurogym:GoNoGo-v0", "no environment 'GoNoGo-v0'; it has GoNogo-v0"),
        ("neurogym:yang19.juggle-v0", "no environment 'yang19.juggle-v0'; it has yang19"),
        ("neurogym:nothing.go-v0", "no environment 'nothing.go-v0'; it has"),
        ("neurogym:priors.priors_v0-v0", "lists priors.priors_v0-v0 in a collection but cannot"),
        ("neurogym:GoNogo-v0,step_ms=0.5", "step_ms must be a whole number from 1 on, got 0.5"),
        ("neurogym:GoNogo-v0,steps=0", "steps must be a whole number from 1 on, got 0"),
        ("neurogym:GoNogo-v0,step_ms=600", "its trials are shorter than a step; lower step_ms"),
        (
            "neurogym:PerceptualDecisionMaking-v0,step_ms=150",
            "its period of decision is shorter than a step; lower step_ms",
        ),
        ("neurogym:GoNogo-v0,fast", "expected OPTION=VALUE, got 'fast'"),
        ("neurogym:GoNogo-v0,colour=red", "GoNogo-v0 does not take its options: .*colour"),
        ("neurogym:PerceptualDecisionMaking-v0,dim_ring=0", "does not take its options: "),
        ("neurogym:PerceptualDecisionMaking-v0,timing=x", "does not take its options: "),
        ("neurogym:GoNogo-v0,dt=50", "the time between two samples is its option step_ms"),
        ("neurogym:GoNogo-v0,step_ms=10,step_ms=20", "an option is given twice"),
        ("neurogym:Bandit-v0", "only environments with discrete actions, of which one is right"),
        ("neurogym:ReachingDelayResponse-v0", "only environments with discrete actions"),
        ("neurogym:Reaching1D-v0", "its right answers are not all among its actions"),
    ],
)
def test_what_cannot_be_made_is_refused_in_a_sentence(gym, name, message):
    with pytest.raises(SpecError, match=message):
        bridge.task(name)


@pytest.mark.parametrize("collection", ["yang19", "perceptualdecisionmaking"])
def test_every_environment_of_a_collection_is_a_task(gym, collection):
    # As neurogym itself lists them: yang19 has a ring of 16 directions in two modalities.
    listed = gym.get_collection(collection)
    tasks = [bridge.task(f"neurogym:{environment}") for environment in listed]
    assert all(draw(task, 2, np.random.default_rng(0)).labels.shape == (2,) for task in tasks)
    if collection == "yang19":
        assert {(task.input_size, task.output_size) for task in tasks} == {(33, 17)}


def test_an_environment_whose_own_package_is_missing_says_so(gym, monkeypatch):
    def made(environment, **settings):
        raise ModuleNotFoundError("No module named 'psychopy'", name="psychopy")

    monkeypatch.setattr(gym, "make", made)
    with pytest.raises(SpecError, match="VisualSearch-v0 needs the package psychopy, which is not"):
        bridge.task("neurogym:psychopy.VisualSearch-v0")


def test_only_its_own_trials_can_be_scored(gym, trials):
    plain = bridge.Trials(inputs=trials.inputs, targets=trials.targets, labels=trials.labels)
    with pytest.raises(SpecError, match="only trials that it has drawn can be scored"):
        bridge.task(NAME).rate_correct(trials.targets, plain)
