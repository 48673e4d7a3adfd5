from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

import bridge.rate.recurrence as recurrence_file
import bridge.rate.recurrence_h as recurrence_h_file
from bridge.rate.activations import TORCH_ACTIVATIONS
from bridge.rate.module import RateModule, Units
from bridge.rate.plain_activations import ACTIVATIONS, HIGHEST_RATE
from bridge.rate.recurrence import Recurrence, Workspace
from bridge.rate.recurrence_h import RecurrenceH

# Several blocks of the backward pass, the first and the last of them shorter.
NETWORKS, STEPS, TRIALS, UNITS, INPUTS, OUTPUTS = 2, 11, 3, 5, 2, 2
SHAPE = (NETWORKS, STEPS, TRIALS, UNITS)


@pytest.fixture(autouse=True)
def _short_blocks(monkeypatch):
    for file in (recurrence_file, recurrence_h_file):
        monkeypatch.setattr(file, "BLOCK", 4)


@pytest.fixture
def helper():
    with ThreadPoolExecutor(1) as executor:
        yield executor


def workspace(helper, dtype=torch.float32, networks=NETWORKS):
    space = Workspace((networks, STEPS, TRIALS, UNITS), torch.device("cpu"), helper)
    # What was there before must not matter.
    space.r, space.delta = (torch.full_like(part, np.nan, dtype=dtype) for part in (space.r,) * 2)
    return space


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_in_torch_are_those_in_numpy_and_have_their_slopes(activation):
    x = np.concatenate([np.linspace(-30, 30, 101), [19.999, 20.001]])
    phi, rates, slopes = TORCH_ACTIVATIONS[activation], *torch.empty(2, x.size).double()
    phi.rates(torch.tensor(x), rates)
    np.testing.assert_allclose(rates, ACTIVATIONS[activation](x), rtol=1e-14, atol=1e-14)
    phi.slopes(rates, slopes)
    step = 1e-6
    numerical = (ACTIVATIONS[activation](x + step) - ACTIVATIONS[activation](x - step)) / step / 2
    # At a corner the slope is that of one of its sides.
    smooth = (np.abs(x) > 1e-9) & (np.abs(x - HIGHEST_RATE) > 1e-9)
    np.testing.assert_allclose(slopes[smooth], numerical[smooth], atol=1e-8)


@pytest.mark.parametrize(
    ("outputs", "activation"), [(1, "sigmoid"), (2, "sigmoid"), (1, "softplus"), (1, "relu")]
)
@pytest.mark.parametrize("operation", [Recurrence, RecurrenceH])
def test_the_written_out_gradient_is_the_numerical_one(helper, outputs, activation, operation):
    torch.manual_seed(0)
    double = {"dtype": torch.float64}
    recurrent = torch.randn(NETWORKS, UNITS, UNITS, **double)
    keep = 0.3 + 0.5 * torch.rand(NETWORKS, UNITS, **double)
    w_in = torch.randn(NETWORKS, UNITS, INPUTS, **double)
    w_out = torch.randn(NETWORKS, outputs, UNITS, **double)
    start = torch.randn(NETWORKS, UNITS, **double)
    inputs = torch.randn(NETWORKS, STEPS, TRIALS, INPUTS, **double)
    noise = torch.randn(SHAPE, **double)

    def answer(*weights):
        space = workspace(helper, torch.float64)
        return operation.apply(
            *weights, (inputs, noise.clone(), TORCH_ACTIVATIONS[activation], space)
        )

    weights = [value.requires_grad_() for value in (recurrent, keep, w_in, w_out, start)]
    assert torch.autograd.gradcheck(answer, weights)


def make_module(*, dale=True, bias=False, form="x", start=False):
    rng, other = np.random.default_rng(1), np.random.default_rng(9)
    own = {name: other.normal(0, 1, (NETWORKS, UNITS)) for name in ("bias", "initial_state")}
    own = {name: own[name] for name, asked in zip(own, (bias, start), strict=True) if asked}
    return RateModule(
        {
            **own,
            "w": rng.normal(0, 0.5, (NETWORKS, UNITS, UNITS)),
            "gate": rng.normal(0, 1, (NETWORKS, UNITS)),
            "w_out": rng.normal(0, 1, (NETWORKS, OUTPUTS, UNITS)),
            "b_out": rng.normal(0, 1, (NETWORKS, OUTPUTS)),
        },
        w_in=rng.normal(0, 1, (NETWORKS, UNITS, INPUTS)),
        units=Units(excitatory=np.arange(UNITS) < np.array([[3], [2]]) if dale else None),
        tau_range_ms=(20.0, 100.0),
        dt_ms=5.0,
        form=form,
    )


def some_inputs():
    return np.random.default_rng(2).normal(0, 1, (NETWORKS, STEPS, TRIALS, INPUTS))


def answers(module, inputs, helper):
    given = torch.tensor(inputs, dtype=torch.float32)
    space = workspace(helper, networks=len(given))
    outputs = module(given, torch.zeros(len(given), STEPS, TRIALS, UNITS), space)
    return outputs.detach().numpy()


@pytest.mark.parametrize("start", [False, True])
@pytest.mark.parametrize("form", ["x", "h"])
@pytest.mark.parametrize("bias", [False, True])
def test_the_module_and_the_descriptions_compute_the_same(helper, bias, form, start):
    # The description's own NumPy simulation, without noise, is the other program.
    module, inputs = make_module(bias=bias, form=form, start=start), some_inputs()
    got = answers(module, inputs, helper)
    for index, given in enumerate(inputs):
        network = module.network(index, noise_sd=0.0, initial_sd=0.0)
        assert (np.any(network.bias), np.any(network.initial_state)) == (bias, start)
        expected, _ = network.run(given, np.random.default_rng(0))
        # float32 against float64.
        np.testing.assert_allclose(got[index], expected, atol=1e-5)


@pytest.mark.parametrize(("dale", "bias"), [(True, False), (False, False), (True, True)])
def test_the_networks_that_are_selected_answer_as_before(helper, dale, bias):
    module, inputs = make_module(dale=dale, bias=bias, start=bias), some_inputs()
    before = answers(module, inputs, helper)
    module.select([1])
    np.testing.assert_array_equal(answers(module, inputs[1:], helper), before[1:])


def test_dales_law_holds_for_columns():
    weights = make_module().recurrent().detach().numpy()
    for own, excitatory in zip(weights, (3, 2), strict=True):
        assert (own[:, :excitatory] >= 0).all()
        assert (own[:, excitatory:] <= 0).all()
    assert (make_module(dale=False).recurrent()[:, :, :2] < 0).any()


def test_time_constants_stay_in_their_range():
    module = make_module()
    with torch.no_grad():
        module.gate.copy_(torch.tensor([-50.0, -1, 0, 1, 50]))
    # float32 holds seven digits.
    np.testing.assert_allclose(
        module.tau_ms().detach()[:, [0, 2, 4]], [[20, 60, 100]] * 2, rtol=1e-6
    )
