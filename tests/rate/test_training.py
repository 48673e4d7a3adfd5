from dataclasses import replace

import numpy as np
import pytest
import torch

import bridge
import bridge.rate.module as module_file
import bridge.rate.training_loop as training_loop
from bridge.backends.arithmetic import flushes_denormals
from bridge.errors import BackendError, SpecError
from bridge.rate.noise import draw
from bridge.rate.training import train_many
from bridge.rate.update import clip

SMALL = {"units": 12, "batch": 4, "check_every": 4, "evaluation_trials": 6, "seed": 3}


def same(one, other):
    for name in ("recurrent", "w_in", "w_out", "b_out", "tau_ms", "bias", "initial_state"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    np.testing.assert_array_equal(one.history.loss, other.history.loss)


def test_a_seed_decides_everything():
    first = bridge.train("short", max_updates=6, **SMALL)
    same(first, bridge.train("short", max_updates=6, **SMALL))
    other = bridge.train("short", max_updates=6, **{**SMALL, "seed": 4})
    assert not np.array_equal(first.w_in, other.w_in)


def test_a_resumed_training_ends_where_an_unbroken_one_does(tmp_path):
    whole = bridge.train("short", max_updates=12, **SMALL)
    half = bridge.train("short", max_updates=8, **SMALL)
    bridge.save(half, tmp_path / "half.h5")
    resumed = bridge.train("short", resume=bridge.load(tmp_path / "half.h5"), max_updates=12)
    same(whole, resumed)


def test_a_bias_is_trained_from_zero_on_and_training_goes_on_with_it(tmp_path):
    options = {**SMALL, "bias": True}
    whole = bridge.train("short", max_updates=12, **options)
    half = bridge.train("short", max_updates=8, **options)
    bridge.save(half, tmp_path / "half.h5")
    resumed = bridge.train("short", resume=bridge.load(tmp_path / "half.h5"), max_updates=12)
    same(whole, resumed)
    # Adam moves what has a gradient by about the learning rate, 0.01, in each update.
    assert 0.001 < np.abs(whole.bias).mean() < 0.12
    without = bridge.train("short", max_updates=12, **SMALL)
    assert not np.any(without.bias)
    assert "bias" not in without.provenance["options"]
    assert whole.provenance["options"]["bias"] is True


@pytest.mark.parametrize("form", ["x", "h"])
def test_a_first_state_is_trained_from_zero_on_in_both_forms_and_training_goes_on(tmp_path, form):
    options = {**SMALL, "form": form, "initial_state": True}
    whole = bridge.train("short", max_updates=12, **options)
    half = bridge.train("short", max_updates=8, **options)
    bridge.save(half, tmp_path / "half.h5")
    resumed = bridge.train("short", resume=bridge.load(tmp_path / "half.h5"), max_updates=12)
    same(whole, resumed)
    assert (whole.form, half.form) == (form, form)
    # Adam moves what has a gradient by about the learning rate, 0.01, in each update.
    assert 0.001 < np.abs(whole.initial_state).mean() < 0.12
    without = bridge.train("short", max_updates=1, **SMALL)
    assert not {"form", "initial_state"} & set(without.provenance["options"])


def test_form_h_learns():
    options = {
        "units": 12, "batch": 16, "check_every": 10, "evaluation_trials": 40, "seed": 3,
        "activation": "tanh", "dale": False, "learning_rate": 0.01,
    }  # fmt: skip
    network = bridge.train("short", form="h", target_loss=0.01, max_updates=100, **options)
    assert network.history.loss[-1] < 0.9 * network.history.loss[0]


@pytest.mark.parametrize(
    "changed", [{"form": "x"}, {"initial_state": False}], ids=["form", "first state"]
)
def test_a_checkpoint_and_its_options_agree_on_form_and_first_state(changed):
    network = bridge.train("short", max_updates=4, form="h", initial_state=True, **SMALL)
    made = {**network.provenance, "options": {**network.provenance["options"], **changed}}
    with pytest.raises(SpecError, match=r"checkpoint: (does not fit|training goes on)"):
        replace(network, provenance=made)


def test_a_checkpoint_and_its_options_agree_on_the_bias():
    with_bias = bridge.train("short", max_updates=4, bias=True, **SMALL)
    without = bridge.train("short", max_updates=4, **SMALL)
    for network, options in ((with_bias, {}), (without, {"bias": True})):
        told = {key: each for key, each in network.provenance["options"].items() if key != "bias"}
        made = {**network.provenance, "options": {**told, **options}}
        with pytest.raises(SpecError, match=r"checkpoint: (does not fit|training goes on)"):
            replace(network, provenance=made)


def test_the_noise_of_training_grows_once_a_network_can_do_the_task(monkeypatch):
    spreads, scores = [], iter([0.5, 0.96, 0.2, 0.2])
    forward = module_file.RateModule.forward

    def noted(module, inputs, noise, space):
        if torch.is_grad_enabled():
            spreads.append(float(noise[:, 1:].std()))
        return forward(module, inputs, noise, space)

    monkeypatch.setattr(module_file.RateModule, "forward", noted)
    monkeypatch.setattr(training_loop, "_evaluate", lambda _run: [(9.0, next(scores))])
    bridge.train("go-nogo", max_updates=16, training_noise_sd=0.3, **SMALL)
    # The accuracy is above 95 % first after 8 updates; the noise of the next was drawn before.
    np.testing.assert_allclose(spreads, [0.1] * 9 + [0.3] * 7, rtol=0.02)


def test_trials_start_with_the_spread_of_the_original_whatever_the_noise():
    noise = draw(torch.empty(2, 3, 400, 50), [1, 2], [0.1, 0.5])
    # 20,000 numbers each: the standard error is half a percent.
    np.testing.assert_allclose(noise[:, 0].std(dim=(1, 2)), [0.01, 0.01], rtol=0.02)
    np.testing.assert_allclose(noise[:, 1:].std(dim=(1, 2, 3)), [0.1, 0.5], rtol=0.02)


# The noise grows after the evaluation at 4 updates.
@pytest.mark.parametrize("stop", [4, 8])
def test_a_training_resumed_after_its_noise_has_grown_ends_where_an_unbroken_one_does(stop):
    options = {**SMALL, "target_accuracy": 0.0, "target_loss": 1e-6}
    whole = bridge.train("short", max_updates=12, **options)
    half = bridge.train("short", max_updates=stop, **options)
    same(whole, bridge.train("short", resume=half, max_updates=12))
    loud = {**options, "training_noise_sd": 0.5}
    assert not np.array_equal(
        whole.recurrent, bridge.train("short", max_updates=12, **loud).recurrent
    )


def test_an_interrupt_leaves_a_network_that_can_go_on(monkeypatch):
    whole = bridge.train("short", max_updates=12, **SMALL)
    update, calls = training_loop.update, []

    def interrupted(run):
        calls.append(1)
        if len(calls) == 6:
            raise KeyboardInterrupt
        update(run)

    monkeypatch.setattr(training_loop, "update", interrupted)
    stopped = bridge.train("short", max_updates=12, **SMALL)
    assert stopped.provenance["stopped"] == "interrupted"
    assert stopped.checkpoint.updates == 5
    monkeypatch.setattr(training_loop, "update", update)
    same(whole, bridge.train("short", resume=stopped, max_updates=12))


def test_training_lowers_the_loss_and_stops_at_its_target():
    seen = []
    network = bridge.train(
        "short", units=40, batch=16, check_every=10, target_loss=0.65, max_updates=600, seed=0,
        learning_rate=0.01, on_progress=seen.append,
    )  # fmt: skip
    loss = np.asarray(network.history.loss)
    assert network.provenance["stopped"] == "target"
    assert network.checkpoint is None
    able = np.asarray(network.history.accuracy)[:-1] > 0.95
    assert loss[-1] < 0.65 <= loss[:-1][able].min(initial=9)
    assert loss[0] > 2 * 0.65
    assert network.history.accuracy[-1] > 0.95
    assert [p.update for p in seen] == network.history.update.tolist()


def test_training_goes_on_for_its_least_updates():
    network = bridge.train(
        "short", target_loss=1e9, target_accuracy=0.0, min_updates=10, max_updates=20, **SMALL
    )
    assert network.provenance["updates"] == 12


def test_sparsity_and_signs_survive_training():
    network = bridge.train("short", max_updates=8, **{**SMALL, "units": 60})
    share = np.count_nonzero(network.recurrent) / 3600
    # A zero weight has no gradient through relu: at most the 20 % of the start are nonzero.
    assert 0.1 < share < 0.25
    signs = np.where(network.excitatory, 1, -1)
    assert (np.asarray(network.recurrent) * signs >= 0).all()


def test_equal_ends_of_the_range_fix_the_time_constants():
    network = bridge.train("short", max_updates=4, tau_ms=(35.0, 35.0), **SMALL)
    # float32 holds seven digits.
    np.testing.assert_allclose(network.tau_ms, 35.0, rtol=1e-6)
    for one in (35, 35.0, np.float32(35), [35, 35], np.array([35, 35])):
        again = bridge.train("short", max_updates=4, tau_ms=one, **SMALL)
        same(again, network)
        assert again.provenance["options"]["tau_ms"] == (35.0, 35.0)


def test_numbers_of_other_types_are_plain_in_the_file_and_training_goes_on(tmp_path):
    options = {
        "units": np.int64(12),
        "gain": np.float32(1.5),
        "dale": np.True_,
        "seed": np.uint8(3),
    }
    small = {**SMALL, **options}
    file = bridge.save(bridge.train("short", max_updates=2, **small), tmp_path / "rate.h5")
    stored = bridge.load(file)
    kept = stored.provenance["options"]
    assert (kept["units"], kept["gain"], kept["dale"], kept["seed"]) == (12, 1.5, True, 3)
    whole = bridge.train("short", max_updates=4, **SMALL)
    on = bridge.train("short", resume=stored, max_updates=4)
    np.testing.assert_array_equal(on.recurrent, whole.recurrent)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"units": 0}, "units: expected a whole number of at least 1, got 0"),
        ({"tau_ms": (100.0, 20.0)}, "expected 5 <= lowest <= highest"),
        ({"tau_ms": (20.0, 1e300)}, "<= 1e\\+06, got 20 and 1e\\+300"),
        ({"sparsity": 0.0}, "sparsity: must lie between 0 and 1, and be above 0"),
        ({"loss": "l3"}, "loss: 'l2' or 'l1', got 'l3'"),
        ({"learning_rate": -1.0}, "learning_rate: must be positive"),
        ({"colour": "red"}, "unknown training option 'colour'"),
        ({"device": "tpu"}, "unknown device 'tpu'"),
        ({"seed": "a"}, "seed: expected a whole number of at least 0, got 'a'"),
        ({"units": 20.5}, "units: expected a whole number of at least 1, got 20.5"),
        ({"tau_ms": "20"}, "tau_ms: expected one number, or the lowest and the highest, got '20'"),
        ({"tau_ms": (20, 50, 100)}, "tau_ms: expected one number, or the lowest and the highest"),
        ({"tau_ms": None}, "tau_ms: expected one number, or the lowest and the highest, got None"),
        ({"tau_ms": ("20", "50")}, "tau_ms: expected a number, got '20'"),
        ({"tau_ms": 3}, "tau_ms: expected 5 <= lowest <= highest <= 1e\\+06, got 3 and 3"),
        ({"tau_ms": True}, "tau_ms: expected a number, got True"),
        ({"gain": "big"}, "gain: expected a number, got 'big'"),
        ({"learning_rate": [0.1]}, r"learning_rate: expected a number, got \[0.1\]"),
        ({"sparsity": None}, "sparsity: expected a number, got None"),
        ({"target_accuracy": "high"}, "target_accuracy: expected a number, got 'high'"),
        ({"dale": "no"}, "dale: expected True or False, got 'no'"),
        ({"balanced": 1}, "balanced: expected True or False, got 1"),
        ({"activation": ["relu"]}, "activation: 'sigmoid' or .*got "),
        ({"loss": 2}, "loss: 'l2' or 'l1', got 2"),
        ({"form": "y"}, "form: 'x' or 'h', got 'y'"),
        ({"initial_state": 1}, "initial_state: expected True or False, got 1"),
        ({"dale": False, "inhibitory": 0.3}, "inhibitory: without Dale's law"),
        ({"min_updates": 9, "max_updates": 3}, "min_updates: 9 are never reached"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(SpecError, match=message):
        bridge.train("short", **options)


def test_cuda_where_there_is_none_is_said(monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    with pytest.raises(BackendError, match="torch sees no such CUDA device here"):
        bridge.train("short", device="cuda")


def test_a_finished_network_cannot_be_resumed():
    done = bridge.train("short", target_loss=1e9, target_accuracy=0.0, max_updates=8, **SMALL)
    with pytest.raises(SpecError, match="there is no checkpoint"):
        bridge.train("short", resume=done)
    unfinished = bridge.train("short", max_updates=4, **SMALL)
    with pytest.raises(SpecError, match="units cannot be changed"):
        bridge.train("short", resume=unfinished, units=13)
    # The command that was interrupted may be given again.
    longer = bridge.train("short", resume=unfinished, max_updates=5, **SMALL)
    assert longer.provenance["updates"] == 5
    with pytest.raises(SpecError, match="learns 'short', not 'xor'"):
        bridge.train("xor", resume=unfinished)


def test_a_task_that_is_not_what_its_name_says_is_refused():
    # The file would hold the name alone.
    other = replace(bridge.task("context"), offset=3.0)
    with pytest.raises(SpecError, match="'context': this name means another task"):
        bridge.train(other, max_updates=4, **SMALL)
    assert bridge.train(bridge.task("context"), max_updates=2, **SMALL).task == "context"


def test_time_constants_shorter_than_the_task_s_step_are_refused():
    slow = bridge.FunctionTask(
        name="slow", step_ms=100.0, steps=3, input_size=1, output_size=1, conditions=("a",),
        draw=lambda count, rng: None, correct=lambda outputs, trials: None,
    )  # fmt: skip
    with pytest.raises(SpecError, match="from 20 ms on is shorter than a step of task 'slow', 100"):
        bridge.train(slow, **SMALL)


@pytest.mark.parametrize("step_ms", [0.33, 0.02])
def test_steps_that_cannot_become_spikes_are_refused_before_training(step_ms):
    odd = bridge.FunctionTask(
        name="odd", step_ms=step_ms, steps=3, input_size=1, output_size=1, conditions=("a",),
        draw=lambda count, rng: None, correct=lambda outputs, trials: None,
    )  # fmt: skip
    network = bridge.RateNetwork(
        recurrent=[[0.0]], w_in=[[1.0]], w_out=[[1.0]], b_out=[0.0], tau_ms=[20.0], dt_ms=step_ms
    )
    said = f"step of {step_ms} ms is not a multiple of 0.05 ms, the step of spiking networks: "
    for refused in (lambda: bridge.train(odd, **SMALL), lambda: bridge.map_one_to_one(network, 30)):
        with pytest.raises(SpecError, match=said):
            refused()


# The second ends after 3 updates, the third after 9, the others go on to the last: by their losses.
SEEDS = [2, 3, 4, 0]
UNEQUAL = {
    "units": 21, "batch": 5, "check_every": 3, "evaluation_trials": 9, "target_loss": 1.325,
    "target_accuracy": 0.0, "max_updates": 12, "gain": 0.8, "training_noise_sd": 0.1,
}  # fmt: skip


def test_each_of_many_networks_is_to_the_last_bit_the_one_trained_alone():
    many = train_many("short", SEEDS, **UNEQUAL)
    for seed, network in zip(SEEDS, many, strict=True):
        alone = bridge.train("short", seed=seed, **UNEQUAL)
        same(alone, network)
        for key in ("options", "updates", "stopped"):
            assert network.provenance[key] == alone.provenance[key]
        assert (network.checkpoint is None) == (network.provenance["stopped"] == "target")
    assert [network.provenance["updates"] for network in many] == [12, 3, 9, 12]


@pytest.mark.parametrize(
    "fields",
    [
        {"loss": "l1"},
        {"dale": False},
        {"tau_ms": (35.0, 35.0)},
        {"activation": "softplus"},
        {"check_every": 1, "target_accuracy": 0.4, "training_noise_sd": 0.5},
        {"activation": "relu", "som": 1, "balanced": True},
        {"units": 30},
        {"activation": "tanh", "dale": False, "bias": True},
        {"form": "h", "initial_state": True, "bias": True},
        {"activation": "relu", "initial_state": True},
    ],
)
def test_each_of_many_networks_is_the_one_trained_alone_under_other_options(fields):
    # Where products of matrices are rounded by their place in memory, as with AVX2, not with
    # AVX-512, this shows whether training depends on it.
    options = {**SMALL, "max_updates": 5, **fields}
    del options["seed"]
    for seed, network in enumerate(train_many("short", range(3), **options)):
        same(bridge.train("short", seed=seed, **options), network)


def test_an_interrupt_leaves_every_unfinished_network_with_its_checkpoint(monkeypatch):
    whole = train_many("short", SEEDS, **UNEQUAL)
    update, calls = training_loop.update, []

    def interrupted(run):
        calls.append(1)
        if len(calls) == 8:
            raise KeyboardInterrupt
        update(run)

    monkeypatch.setattr(training_loop, "update", interrupted)
    stopped = train_many("short", SEEDS, **UNEQUAL)
    monkeypatch.setattr(training_loop, "update", update)
    ends = [network.provenance["stopped"] for network in stopped]
    assert ends == ["interrupted", "target", "interrupted", "interrupted"]
    for one, other in zip(whole, stopped, strict=True):
        if other.provenance["stopped"] == "interrupted":
            assert other.checkpoint.updates == 7
            other = bridge.train("short", resume=other)
        same(one, other)


def test_progress_says_whose_it_is():
    seen = []
    options = {**SMALL, "max_updates": 8}
    del options["seed"]
    many = train_many("short", [2, 9], on_progress=seen.append, **options)
    assert [(p.seed, p.update) for p in seen] == [(2, 4), (9, 4), (2, 8), (9, 8)]
    assert [p.loss for p in seen if p.seed == 9] == many[1].history.loss.tolist()


def test_each_gradient_is_clipped_as_torch_clips_it_alone():
    torch.manual_seed(0)
    module = torch.nn.Module()
    module.w, module.b = (torch.nn.Parameter(torch.zeros(2, *shape)) for shape in ((3, 4), (5,)))
    for values in module.parameters():
        # The first is longer than 1, the second is not.
        values.grad = torch.randn(values.shape) * torch.tensor([3.0, 0.01]).view(
            2, *(1 for _ in values.shape[1:])
        )
    alone = [
        [torch.nn.Parameter(values.detach()[row]) for values in module.parameters()]
        for row in range(2)
    ]
    for row, parameters in enumerate(alone):
        for own, values in zip(parameters, module.parameters(), strict=True):
            own.grad = values.grad[row].clone()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    clip(module, 1.0)
    for row, parameters in enumerate(alone):
        for own, values in zip(parameters, module.parameters(), strict=True):
            torch.testing.assert_close(values.grad[row], own.grad)


@pytest.mark.parametrize("seeds", [[], [1, 2, 1]])
def test_seeds_that_make_no_sense_are_refused(seeds):
    with pytest.raises(SpecError, match="one for each network, no two alike"):
        train_many("short", seeds, **UNEQUAL)


def test_many_networks_have_no_one_seed():
    with pytest.raises(SpecError, match="one for each network"):
        train_many("short", [1, 2], **SMALL)


def test_a_training_that_diverges_is_said():
    with pytest.raises(SpecError, match=r"training of seed 3 diverged after \d+ updates"):
        bridge.train("short", learning_rate=1e30, **SMALL)


USERS = {
    "float64": (
        lambda: torch.set_default_dtype(torch.float64),
        lambda: torch.set_default_dtype(torch.float32),
    ),
    "device": (lambda: torch.set_default_device("meta"), lambda: torch.set_default_device(None)),
    "no gradients": (
        lambda: torch.set_grad_enabled(False),
        lambda: torch.set_grad_enabled(True),
    ),
    "subnormal": (
        lambda: torch.set_flush_denormal(True),
        lambda: torch.set_flush_denormal(False),
    ),
}


def settings():
    return (
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.is_grad_enabled(),
        torch.get_num_threads(),
        flushes_denormals(),
        torch.random.get_rng_state().tolist(),
    )


@pytest.mark.parametrize("name", USERS)
def test_what_the_user_has_set_for_torch_changes_nothing_and_stays(name, monkeypatch):
    few = {"units": 12, "max_updates": 2, "check_every": 2}
    update, flushed = training_loop.update, []

    def looking(run):
        flushed.append(flushes_denormals())
        update(run)

    # Networks this small make no subnormal numbers that would show it.
    monkeypatch.setattr(training_loop, "update", looking)
    expected = bridge.train("short", **few)
    set_, unset = USERS[name]
    set_()
    try:
        before = settings()
        with torch.inference_mode(mode=name == "no gradients"):
            got = bridge.train("short", **few)
        after = settings()
    finally:
        unset()
    np.testing.assert_array_equal(got.recurrent, expected.recurrent)
    assert after == before
    assert flushed == [False] * 4
