"""`bridge.from_torch`: the oracle is the module's own forward pass."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn

import bridge
from bridge.errors import SpecError

UNITS, INPUTS, OUTPUTS = 12, 3, 2


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        yield


class Plain(nn.Module):
    """What most people write."""

    def __init__(self, layer=nn.RNN, *, last=False, **options):
        super().__init__()
        self.rnn = layer(INPUTS, UNITS, **options)
        self.fc = nn.Linear(UNITS, OUTPUTS)
        self.last = last

    def forward(self, inputs):
        states, end = self.rnn(inputs)
        return (self.fc(end[0]) if self.last else self.fc(states)), end


class Leaky(nn.Module):
    """Both forms, written out, with all that a module may have; it remembers its last run."""

    def __init__(self, form="x", f=torch.tanh, *, before=False, per_unit=False):
        super().__init__()
        self.cell = nn.Module()
        self.cell.w_rec = nn.Parameter(torch.randn(UNITS, UNITS) / 3)
        self.cell.b = nn.Parameter(torch.randn(UNITS) / 2)
        self.into = nn.Linear(INPUTS, UNITS)
        self.out = nn.Linear(UNITS, OUTPUTS)
        self.start = nn.Parameter(torch.randn(1, UNITS))
        tau = torch.linspace(20, 80, UNITS) if per_unit else torch.tensor(40.0)
        self.register_buffer("tau", tau)
        self.register_buffer("state", torch.zeros(1, UNITS))
        self.form, self.f, self.before, self.log, self.seen = form, f, before, [], None

    def forward(self, inputs):
        a, x, outputs = 10.0 / self.tau, self.start.expand(inputs.shape[1], -1), []
        for u in inputs:
            outputs.append(self.out(self.f(x) if self.form == "x" else x))
            if self.form == "x":
                drive = self.f(x) @ self.cell.w_rec.T + self.cell.b + self.into(u)
                x = (1 - a) * x + a * drive
            else:
                x = (1 - a) * x + a * self.f(x @ self.cell.w_rec.T + self.cell.b + self.into(u))
            self.state[:] = x[:1]
            self.log.append(x)
            self.seen = x
        outputs.append(self.out(self.f(x) if self.form == "x" else x))
        return torch.stack(outputs[:-1] if self.before else outputs[1:])


PARTS = {
    "recurrent": "cell.w_rec", "w_in": "into", "readout": "out", "bias": "cell.b",
    "initial_state": "start", "tau_ms": "tau", "dt_ms": 10.0, "activation": "tanh", "form": "x",
}  # fmt: skip


def same_outputs(rate, module, lag, *, batch_first=False):
    """On inputs of the test's own, in float64."""
    inputs = torch.tensor(np.random.default_rng(3).normal(0, 1, (15, 5, INPUTS)))
    double = copy.deepcopy(module).double()
    with torch.no_grad():
        given = double(inputs.transpose(0, 1) if batch_first else inputs)
    given = given[0] if isinstance(given, tuple) else given
    theirs = (given.transpose(0, 1) if batch_first else given).numpy()
    ours, _ = rate.run(np.concatenate([inputs.numpy(), np.zeros((1, 5, INPUTS))]), None)
    # Both in float64; 15 samples round apart in the order of their sums.
    np.testing.assert_allclose(ours[lag : lag + 15], theirs, atol=1e-9)
    assert rate.lag_samples == rate.provenance["lag_samples"] == lag


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
@pytest.mark.parametrize("options", [{}, {"bias": False}, {"batch_first": True}], ids=str)
def test_a_module_of_one_rnn_and_one_linear_needs_no_names(nonlinearity, options):
    module = Plain(nonlinearity=nonlinearity, **options)
    rate = bridge.from_torch(module, dt_ms=10)
    same_outputs(rate, module, 1, batch_first="batch_first" in options)
    assert (rate.form, rate.activation, rate.dt_ms) == ("h", nonlinearity, 10.0)
    assert rate.tau_ms.tolist() == [10.0] * UNITS
    assert (rate.noise_sd, rate.initial_sd) == (0.0, 0.0)
    assert rate.highest_rate == (math.inf if nonlinearity == "relu" else 20.0)


@pytest.mark.parametrize("batch_first", [False, True])
def test_a_bare_rnn_gives_its_activities_or_a_readout_that_is_given(batch_first):
    rnn, linear = nn.RNN(INPUTS, UNITS, batch_first=batch_first), nn.Linear(UNITS, OUTPUTS)
    bare = bridge.from_torch(rnn, dt_ms=5)
    same_outputs(bare, rnn, 1, batch_first=batch_first)
    assert np.array_equal(bare.w_out, np.eye(UNITS))
    read = bridge.from_torch(rnn, dt_ms=5, readout=linear)
    np.testing.assert_array_equal(read.w_out, linear.weight.detach().double())
    np.testing.assert_array_equal(read.b_out, linear.bias.detach().double())
    weights = bridge.from_torch(rnn, dt_ms=5, readout=linear.weight, b_out=linear.bias)
    assert np.array_equal(weights.w_out, read.w_out)
    assert np.array_equal(weights.b_out, read.b_out)


def test_a_cell_is_run_step_by_step_from_the_first_state_that_is_given():
    cell, h0 = nn.RNNCell(INPUTS, UNITS, nonlinearity="relu"), torch.rand(UNITS)
    rate = bridge.from_torch(cell, dt_ms=1, initial_state=h0)
    inputs = torch.randn(6, 1, INPUTS)
    state, states = h0[None], []
    with torch.no_grad():
        for sample in inputs:
            state = cell(sample, state)
            states.append(state)
    ours = rate.run(np.concatenate([inputs.numpy(), np.zeros((1, 1, INPUTS))]), None)[0]
    # The cell runs in float32, of 6e-8.
    np.testing.assert_allclose(ours[1:], torch.stack(states).numpy(), rtol=1e-5, atol=1e-6)


def test_a_module_that_gives_its_last_output_alone_is_compared_there():
    module = Plain(last=True, batch_first=True)
    rate = bridge.from_torch(module, dt_ms=10)
    assert rate.lag_samples == 1
    assert rate.w_out.shape == (OUTPUTS, UNITS)


def test_a_cell_that_the_module_around_it_makes_leaky_has_the_time_constant_that_is_told():
    class LeakyCell(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell, self.out = nn.RNNCell(INPUTS, UNITS), nn.Linear(UNITS, OUTPUTS)

        def forward(self, inputs):
            h, outputs = torch.zeros(inputs.shape[1], UNITS, dtype=inputs.dtype), []
            for u in inputs:
                h = 0.75 * h + 0.25 * self.cell(u, h)
                outputs.append(self.out(h))
            return torch.stack(outputs), h

    module = LeakyCell()
    rate = bridge.from_torch(module, dt_ms=5, tau_ms=20)
    same_outputs(rate, module, 1)
    assert rate.tau_ms.tolist() == [20.0] * UNITS
    with pytest.raises(SpecError, match="has other outputs"):
        bridge.from_torch(module, dt_ms=5)


FUNCTIONS = {
    "tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid,
    "softplus": nn.functional.softplus, "relu6": nn.functional.relu6,
}  # fmt: skip


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("form", ["x", "h"])
def test_any_leaky_module_is_taken_by_the_names_of_its_parts(form, name, before):
    module = Leaky(form, FUNCTIONS[name], before=before, per_unit=True)
    rate = bridge.from_torch(module, **PARTS | {"form": form, "activation": name})
    same_outputs(rate, module, 0 if before else 1)
    assert rate.tau_ms[0] == 20.0
    assert rate.tau_ms[-1] == 80.0
    assert np.any(rate.bias)
    np.testing.assert_array_equal(rate.initial_state, module.start[0].detach().double())


@pytest.mark.parametrize(
    "activation",
    ["tanh", torch.tanh, nn.functional.tanh, nn.Tanh(), "act"],
    # An address in a name would be another in every process.
    ids=["name", "torch.tanh", "functional.tanh", "layer", "part"],
)
def test_an_activation_has_a_name_or_is_a_function_or_a_module_of_torch(activation):
    module = Leaky()
    module.act = nn.Tanh()
    rate = bridge.from_torch(module, **PARTS | {"activation": activation})
    assert rate.activation == "tanh"


def test_parts_may_be_arrays_that_lie_the_other_way():
    module = Leaky()
    given = {
        "recurrent": module.cell.w_rec.T, "w_in": module.into.weight.detach().numpy().T,
        "bias": ["cell.b", "into.bias"], "orientation": "pre_post", "tau_ms": 40,
    }  # fmt: skip
    rate = bridge.from_torch(module, **PARTS | given)
    same_outputs(rate, module, 1)


def test_what_is_said_of_the_network_goes_into_it(tmp_path):
    module = Plain()
    rate = bridge.from_torch(module, dt_ms=10, task="mine", noise_sd=0.2, cell_types=["a"] * UNITS)
    assert (rate.task, rate.noise_sd, rate.cell_types) == ("mine", 0.2, ("a",) * UNITS)
    assert rate.provenance["largest_difference"] < 1e-6
    check = rate.provenance["check"]
    assert check.startswith("outputs equal the module's to ")
    assert check.endswith(
        "of the largest, 1 sample later, in 4 trials of 24 samples that were drawn"
    )
    assert "from PyTorch's Plain, equal to" in repr(rate)
    again = bridge.load(bridge.save(rate, tmp_path / "rate.h5"))
    assert again.lag_samples == 1
    assert bridge.RateNetwork.from_arrays(
        recurrent=np.zeros((1, 1)), w_in=[[1.0]], w_out=[[1.0]], tau_ms=9, dt_ms=9,
        activation="tanh",
    ).lag_samples == 0  # fmt: skip


def test_inputs_of_the_users_own_are_taken_as_the_module_takes_them():
    module = Plain(batch_first=True)
    seen = []
    module.rnn.register_forward_pre_hook(lambda _, given: seen.append(tuple(given[0].shape)))
    given = torch.randn(2, 31, INPUTS)
    rate = bridge.from_torch(module, dt_ms=10, check=given, batch_first=True)
    assert rate.provenance["check"].endswith("in 2 trials of 31 samples that were given")
    assert set(seen) == {(2, 31, INPUTS)}
    alone = bridge.from_torch(module, dt_ms=10, check=given[0].tolist(), batch_first=True)
    assert alone.provenance["check"].endswith("in 1 trial of 31 samples that were given")


def test_a_module_that_wants_more_than_inputs_is_run_as_told():
    class Odd(Plain):
        def forward(self, inputs, scale):
            return {"z": super().forward(inputs * scale)[0]}

    module = Odd()
    with pytest.raises(SpecError, match=r"^module: it cannot be run on inputs of shape \(24, 4, 3"):
        bridge.from_torch(module, dt_ms=10)
    assert bridge.from_torch(module, dt_ms=10, forward=lambda u: module(u, 1)).lag_samples == 1


def test_a_readout_by_hand_and_a_first_state_are_named_beside_a_layer_of_torch():
    class ByHand(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.RNN(INPUTS, UNITS)
            self.z, self.z_b = (nn.Parameter(torch.randn(*s)) for s in ((OUTPUTS, UNITS), (2,)))
            self.first = nn.Parameter(torch.randn(UNITS))

        def forward(self, inputs):
            first = self.first.expand(1, inputs.shape[1], -1).contiguous()
            return self.rnn(inputs, first)[0] @ self.z.T + self.z_b

    module = ByHand()
    named = {"readout": "z", "b_out": "z_b", "initial_state": "first"}
    same_outputs(bridge.from_torch(module, dt_ms=10, **named), module, 1)
    with pytest.raises(SpecError, match="weights of unknown use, first; name its parts"):
        bridge.from_torch(module, dt_ms=10, readout="z", b_out="z_b")


def test_several_biases_add_up_whatever_they_are_given_as():
    module = Leaky()
    given = {"recurrent": module.cell.w_rec, "w_in": module.into.weight}
    for biases in (
        ["cell.b", "into.bias"],
        (module.cell.b, "into.bias"),
        [module.cell.b, module.into.bias.detach().numpy()],
        (module.cell.b.double() + module.into.bias).tolist(),
    ):
        same_outputs(bridge.from_torch(module, **PARTS | given | {"bias": biases}), module, 1)


def test_weights_that_are_computed_from_others_are_taken_as_they_act():
    module = Plain()
    nn.utils.parametrizations.weight_norm(module.fc)
    nn.utils.parametrizations.orthogonal(module.rnn, "weight_hh_l0")
    rate = bridge.from_torch(module, dt_ms=10)
    w = rate.recurrent
    # Orthogonal as far as torch makes it so in float32.
    np.testing.assert_allclose(w @ w.T, np.eye(UNITS), atol=1e-5)
    same = bridge.from_torch(module, dt_ms=10, readout="fc")
    np.testing.assert_array_equal(same.w_out, rate.w_out)


def test_weights_in_float64_stay_as_they_are():
    module = Plain().double()
    rate = bridge.from_torch(module, dt_ms=10)
    np.testing.assert_array_equal(rate.recurrent, module.rnn.weight_hh_l0.detach())
    assert rate.provenance["largest_difference"] < 1e-13


@pytest.mark.parametrize("fails", [False, True])
def test_the_module_is_afterwards_as_it_was(fails):
    module = Leaky()
    module.into.eval()
    module.log.append(torch.ones(2))
    module.seen = torch.ones(3)
    module.out(torch.ones(UNITS)).sum().backward()
    before = copy.deepcopy(module.state_dict())
    grad = module.out.weight.grad.clone()
    identities = [id(value) for value in (*module.parameters(), *module.buffers(), module.seen)]
    kept = module.out(torch.ones(UNITS)).sum()
    drawn = torch.get_rng_state()
    if fails:
        with pytest.raises(SpecError, match="has other outputs"):
            bridge.from_torch(module, **PARTS | {"activation": "sigmoid"})
    else:
        bridge.from_torch(module, **PARTS)
    assert (module.training, module.into.training, module.out.training) == (True, False, True)
    after = module.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert len(module.log) == 1
    assert module.seen.tolist() == [1.0] * 3
    found = [id(value) for value in (*module.parameters(), *module.buffers(), module.seen)]
    assert found == identities
    assert torch.equal(module.out.weight.grad, grad)
    assert all(value.requires_grad for value in module.parameters())
    assert torch.equal(torch.get_rng_state(), drawn)
    # A graph that was kept before is still good.
    kept.backward()


def test_a_module_is_tried_as_in_evaluation_and_draws_no_numbers_of_the_users():
    class Noisy(Plain):
        def forward(self, inputs):
            return super().forward(inputs + torch.randn_like(inputs) * self.training)

    module, drawn = Noisy(), torch.get_rng_state()
    assert bridge.from_torch(module, dt_ms=10).lag_samples == 1
    assert module.training
    assert torch.equal(torch.get_rng_state(), drawn)


def with_(module, **attributes):
    for name, value in attributes.items():
        setattr(module, name, value)
    return module


def half(dtype):
    return lambda: Plain().to(dtype)


def broken():
    module = Plain()
    with torch.no_grad():
        module.rnn.weight_hh_l0[0, 0] = torch.nan
    return module


def dead():
    rnn = nn.RNN(INPUTS, UNITS, nonlinearity="relu")
    with torch.no_grad():
        rnn.bias_hh_l0[:] = -100
    return rnn


MODULES = {
    "two layers": (lambda: Plain(num_layers=2), "rnn: 2 layers, and a rate network has one"),
    "two directions": (lambda: nn.RNN(3, 4, bidirectional=True), "RNN: it runs in both directions"),
    "dropout": (lambda: with_(Plain(), drop=nn.Dropout(0.2)), r"dropout of 0\.2 is not a part"),
    "LSTM": (lambda: Plain(layer=nn.LSTM), "rnn: LSTM has gates"),
    "LSTM with a projection": (lambda: nn.LSTM(3, 9, proj_size=4), "LSTM: LSTM has gates"),
    "GRU cell": (lambda: nn.GRUCell(3, 4), "GRUCell: GRUCell has gates"),
    "float16": (half(torch.float16), "rnn.weight_ih_l0: of type float16, expected float32 or"),
    "bfloat16": (half(torch.bfloat16), "rnn.weight_ih_l0: of type bfloat16, expected float32"),
    "elsewhere": (lambda: Plain().to("meta"), "rnn.weight_ih_l0: lies on meta, and is read on the"),
    "NaN": (broken, "recurrent: holds NaN"),
    "no recurrence": (
        lambda: nn.Linear(3, 4),
        "Linear has no nn.RNN and no nn.RNNCell; name its p",
    ),
    "two": (lambda: with_(Plain(), b=nn.RNN(3, 4)), "Plain has several: rnn, b; name its parts"),
    "two readouts": (lambda: with_(Plain(), a=nn.Linear(3, 4)), "several linear layers, fc, a; na"),
    "more weights": (
        lambda: with_(Plain(), norm=nn.LayerNorm(3)),
        "weights of unknown use, norm.weight, norm.bias; name its parts",
    ),
    "no module": (lambda: np.eye(3), "module: expected a torch.nn.Module, got an array of shape"),
    "the class": (lambda: Plain, "module: expected a torch.nn.Module, got the class Plain itself"),
    "nothing happens": (dead, "its outputs are all alike in 4 trials of 24 .* give inputs"),
}


@pytest.mark.parametrize("case", MODULES)
def test_what_no_rate_network_is_is_refused_in_a_sentence(case):
    make, message = MODULES[case]
    with pytest.raises(SpecError, match=message) as caught:
        bridge.from_torch(make(), dt_ms=10)
    assert "\n" not in str(caught.value)


def test_dropout_within_the_layer_is_refused():
    with pytest.warns(UserWarning, match="dropout"):
        module = nn.RNN(3, 4, dropout=0.3)
    with pytest.raises(SpecError, match=r"RNN: dropout of 0\.3"):
        bridge.from_torch(module, dt_ms=10)


KNOWN = "is not known; known are sigmoid, softplus, relu, relu6, tanh"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"tau_ms": 5}, "tau_ms: must not be below the step of 10 ms, got 5 ms"),
        ({"tau_ms": None}, "tau_ms: to be said where parts are named"),
        ({"form": None, "activation": None}, "activation, form: to be said where"),
        ({"form": "r"}, "form: expected 'x' or 'h', got 'r'"),
        ({"activation": "gelu"}, f"activation: 'gelu' {KNOWN}"),
        ({"activation": nn.GELU()}, rf"activation: GELU\(approximate='none'\) {KNOWN}"),
        ({"activation": nn.functional.elu}, f"activation: 'elu' {KNOWN}"),
        ({"activation": lambda x: x}, f"activation: '<lambda>' {KNOWN}"),
        ({"activation": nn.Softplus(beta=2)}, f"activation: Softplus.* {KNOWN}"),
        ({"w_in": None}, "recurrent and w_in: name both, or neither"),
        ({"w_in": "w_im"}, "w_in: Leaky has no part 'w_im'; it has start, cell.w_rec, cell.b"),
        ({"recurrent": "cell"}, "recurrent: Module is not a linear layer"),
        ({"recurrent": "cell.b"}, r"recurrent: expected shape \(N, N\)"),
        ({"w_in": "cell.w_rec"}, "module: it cannot be run on inputs of shape"),
        ({"bias": "out.bias"}, r"out.bias: expected 12 numbers, got shape \(2,\)"),
        ({"b_out": "out.bias"}, "b_out: the readout has a bias of its own"),
        ({"activation": "relu"}, "has other outputs than its own forward pass, by up to "),
        ({"form": "h"}, "form='x' would agree$"),
        ({"orientation": "pre_post"}, r"weights turned round would agree \(orientation\)$"),
        ({"bias": None}, "has other outputs.*its parts, activation, form and time constants must"),
        ({"orientation": "rows"}, "orientation: expected 'post_pre' or 'pre_post', got 'rows'"),
        ({"dt_ms": 0}, "dt_ms: must be positive"),
        ({"check": torch.zeros(5, 2, 9)}, "check: expected inputs of 3 channels.*got shape"),
        ({"check": torch.full((5, 2, 3), torch.nan)}, "check: holds NaN"),
        ({"highest_rate": 3}, "highest_rate: it is for softplus and relu, tanh ends by itself"),
        ({"colour": 3}, "unknown argument 'colour' of from_torch"),
        ({"batch_first": 1}, "batch_first: expected True or False"),
        ({"forward": 3}, "forward: expected a function"),
    ],
)  # fmt: skip
def test_parts_that_do_not_fit_are_refused_in_a_sentence(fields, message):
    with pytest.raises(SpecError, match=message) as caught:
        bridge.from_torch(Leaky(), **PARTS | fields)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"tau_ms": 100}, "tau_ms: of RNN it is the step, dt_ms; leave it out"),
        ({"form": "x"}, "form: RNN has h, got 'x'"),
        ({"activation": torch.relu}, "activation: RNN has tanh, got 'relu'"),
        ({"batch_first": True}, "batch_first: RNN has False, got True"),
    ],
)
def test_what_torchs_layer_says_of_itself_is_believed(fields, message):
    with pytest.raises(SpecError, match=message):
        bridge.from_torch(nn.RNN(3, 4), dt_ms=10, **fields)


class Ending(Plain):
    """It does to its outputs what classifiers do."""

    def __init__(self, end):
        super().__init__()
        self.end = end

    def forward(self, inputs):
        return self.end(super().forward(inputs)[0])


@pytest.mark.parametrize(
    ("end", "name"),
    [(torch.sigmoid, "sigmoid"), (nn.Softmax(dim=-1), "softmax"), (torch.relu, "relu")],
)
def test_what_a_module_does_to_its_outputs_is_named_and_can_be_left_out(end, name):
    module = Ending(end)
    with pytest.raises(SpecError, match=f"passes its outputs through {name}, .*forward"):
        bridge.from_torch(module, dt_ms=10)
    rate = bridge.from_torch(module, dt_ms=10, forward=lambda u: module.fc(module.rnn(u)[0]))
    assert rate.lag_samples == 1


def test_a_chaotic_network_is_compared_in_float64():
    module = nn.RNN(INPUTS, 80)
    with torch.no_grad():
        module.weight_hh_l0.normal_(0, 5 / math.sqrt(80))
    rate = bridge.from_torch(module, dt_ms=10)
    assert rate.provenance["largest_difference"] < 1e-8
    assert rate.provenance["check"].endswith("that were drawn, in float64")
    assert module.weight_hh_l0.dtype is torch.float32
    # A way of running it is of that very module, of which there is no copy.
    with pytest.raises(SpecError, match="has other outputs"):
        bridge.from_torch(module, dt_ms=10, forward=lambda u: module(u)[0])


def test_a_module_that_cannot_be_copied_is_compared_as_it_is():
    module = Leaky()
    # A tensor with a history has no copy.
    module.seen = kept = module.cell.w_rec * 2
    with pytest.raises(SpecError, match="has other outputs"):
        bridge.from_torch(module, **PARTS | {"bias": None})
    assert bridge.from_torch(module, **PARTS).lag_samples == 1
    assert module.seen is kept


def test_a_large_output_bias_hides_no_difference():
    module = Plain()
    with torch.no_grad():
        module.fc.bias[:] = 1e5
    with pytest.raises(SpecError, match="its outputs are all alike"):
        bridge.from_torch(module, dt_ms=10)


def test_outputs_that_are_no_numbers_are_refused():
    class Odd(Plain):
        def forward(self, inputs):
            return super().forward(inputs)[0] / 0

    with pytest.raises(SpecError, match="its own outputs hold NaN or infinite values"):
        bridge.from_torch(Odd(), dt_ms=10)
