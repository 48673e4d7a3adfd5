"""Options are used or refused in a sentence; none is taken and left aside."""

import dataclasses

import numpy as np
import pytest
from conftest import drive_for, kim_network
from typer.main import get_command

import bridge
from bridge import cli
from bridge.compare.statistics.comparison import Plan
from bridge.errors import SpecError
from bridge.rate.training_options import Options


def rate_network(size=6):
    rng = np.random.default_rng(1)
    return bridge.RateNetwork(
        recurrent=rng.normal(0, 1, (size, size)), w_in=rng.normal(0, 1, (size, 1)),
        w_out=rng.normal(0, 1, (1, size)), b_out=[0.0], tau_ms=np.full(size, 50.0), task="go-nogo",
        provenance={"options": {"seed": 3}},
    )  # fmt: skip


@pytest.fixture
def rate(tmp_path):
    return bridge.save(rate_network(), tmp_path / "rate.h5")


@pytest.fixture
def lif(tmp_path):
    return bridge.save(bridge.map_one_to_one(rate_network(), 30.0), tmp_path / "lif.h5")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("convert", "rate.h5", "--predict-scale", "--exhaustive"), "exhaustive: a predicted"),
        (("convert", "rate.h5", "--predict-scale", "--inverse-scales", "30"), "has none to try"),
        (
            ("convert", "rate.h5", "--backend", "reference", "--device", "cuda"),
            "only snntorch and compiled have",
        ),
        (("run", "lif.h5", "--backend", "snntorch", "--target", "numpy"), "target"),
        (("run", "lif.h5", "--backend", "reference", "--dtype", "float32"), "dtype"),
        (("run", "lif.h5", "--backend", "brian2", "--device", "cpu"), "device"),
        (("compare", "lif.h5", "--effect", "0.05"), "it is the statistical level's, which is not"),
        (("compare", "lif.h5", "--power", "0.5"), "it is the statistical level's"),
        (("compare", "lif.h5", "--alpha", "0.05"), "it is the statistical level's"),
        (("compare", "lif.h5", "--levels", "probe", "--trials", "5"), "probes are not trials"),
        (
            ("compare", "lif.h5", "--levels", "statistical", "--trials", "50", "--effect", "0.1"),
            "give one of the two",
        ),
        (("train", "go-nogo", "--no-dale", "--som", "2"), "without Dale's law"),
        (("train", "go-nogo", "--no-dale", "--balanced"), "without Dale's law"),
        (("train", "go-nogo", "--no-dale", "--inhibitory", "0.3"), "inhibitory: without Dale's la"),
        (("train", "go-nogo", "--min-updates", "9", "--max-updates", "3"), "9 are never reached"),
        (("train", "go-nogo", "--resume", "--force"), "give one of them"),
        (("study", "7", "--scheduler", "tcp://a:1", "--processes", "2"), "give one of the two"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(words, said, refused, rate, lif, tmp_path):
    given = [tmp_path / word if word.endswith(".h5") else word for word in words]
    assert said in refused(*given, "--out", tmp_path / "out.html")


@pytest.mark.parametrize("option", [("--force",), ("--seed", 3), ("--seed", 0)])
@pytest.mark.parametrize("name", [(), ("xor",)])
def test_options_of_a_picture_need_one(name, option, refused):
    assert "--seed and --force are for the picture" in refused("tasks", *name, *option)


def test_two_recordings_have_their_trials(refused, lif, tmp_path):
    network = bridge.load(lif)
    trials = bridge.task("go-nogo").trials(12, np.random.default_rng(0))
    for seed, name in enumerate(("a", "b")):
        noise = bridge.SharedNoise(seed=seed)
        drive = bridge.Drive(inputs=trials.inputs[:20], noise=noise)
        bridge.save(bridge.simulate(network, drive), tmp_path / f"{name}.h5")
    pair = ("compare", tmp_path / "a.h5", tmp_path / "b.h5", "--out", tmp_path / "out.html")
    assert "--effect decides how many trials are run" in refused(*pair, "--effect", 0.02)
    assert "trials: 500 are asked for, the recordings share 12" in refused(*pair, "--trials", 500)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--units", 64), "rate.h5 is kept from an earlier run with units 6, not 64"),
        (("--seed", 4), "rate.h5 is kept from an earlier run with seed 3, not 4"),
    ],
)
def test_the_demo_keeps_nothing_that_was_made_otherwise(option, said, refused, rate, tmp_path):
    assert said in refused("demo", "--out", tmp_path, *option)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"plan": Plan()}, "it is the statistical level's"),
        ({"trials": 3, "drive": drive_for(kim_network(), 4)}, "the drive that is given has 2"),
        ({"trials": 3, "levels": ["probe"]}, "probes are not trials of the task"),
        ({"trials": 30, "levels": ["statistical"], "plan": Plan(effect=0.1)}, "one of the two"),
    ],
)
def test_compare_refuses_what_it_would_leave_aside(options, said):
    with pytest.raises(SpecError, match=said):
        bridge.compare(kim_network(), backends=["reference", "snntorch"], **options)


def test_training_goes_on_only_for_more_updates():
    small = {"units": 6, "batch": 4, "evaluation_trials": 4}
    unfinished = bridge.train("go-nogo", max_updates=2, **small)
    with pytest.raises(SpecError, match="max_updates: 2 updates are made already, 2 add none"):
        bridge.train("go-nogo", resume=unfinished, max_updates=2)


def test_the_command_trains_with_the_defaults_of_python():
    # What is not given is left to Python, so what the help shows must be what Python does.
    command = get_command(cli.app).commands["train"]
    defaults = {entry.name: entry.default for entry in dataclasses.fields(Options)}
    shown = {each.name: each.default for each in command.params if each.name in defaults}
    own = {"max_updates": "2000", "target_loss": None, "learning_rate": None, "balanced": None}
    assert len(shown) > 15
    for name, default in shown.items():
        if name not in own:
            assert default == defaults[name], name
    helped = {each.name: each.show_default for each in command.params}
    assert int(helped["max_updates"]) == defaults["max_updates"]
