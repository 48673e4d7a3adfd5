import numpy as np
import torch

from bridge.rate.module import RateModule, Recurrence, Workspace

STEPS, TRIALS, UNITS, INPUTS, OUTPUTS = 9, 3, 5, 2, 2


def workspace(noise):
    space = Workspace(*noise.shape, torch.device("cpu"))
    for name in ("x", "r", "pull", "delta", "scaled"):
        setattr(space, name, getattr(space, name).to(noise.dtype))
    space.x.copy_(noise)
    return space


def test_the_written_out_gradient_is_the_numerical_one():
    torch.manual_seed(0)
    double = {"dtype": torch.float64}
    weights = torch.randn(UNITS, UNITS, **double, requires_grad=True)
    rate = (0.1 + 0.5 * torch.rand(UNITS, **double)).requires_grad_()
    w_out = torch.randn(OUTPUTS, UNITS, **double, requires_grad=True)
    driven = (torch.randn(STEPS, TRIALS, INPUTS, **double), torch.randn(UNITS, INPUTS, **double))
    noise = torch.randn(STEPS, TRIALS, UNITS, **double)

    def outputs(weights, rate, w_out):
        return Recurrence.apply(weights, rate, w_out, driven, workspace(noise))

    assert torch.autograd.gradcheck(outputs, (weights, rate, w_out))


def make_module(*, dale=True):
    rng = np.random.default_rng(1)
    return RateModule(
        {
            "w": rng.normal(0, 0.5, (UNITS, UNITS)),
            "gate": rng.normal(0, 1, UNITS),
            "w_out": rng.normal(0, 1, (OUTPUTS, UNITS)),
            "b_out": rng.normal(0, 1, OUTPUTS),
        },
        w_in=rng.normal(0, 1, (UNITS, INPUTS)),
        excitatory=np.arange(UNITS) < 3 if dale else None,
        tau_range_ms=(20.0, 100.0),
        dt_ms=5.0,
    )


def test_the_module_and_the_description_compute_the_same():
    # The description's own NumPy simulation, without noise, is the other program.
    module = make_module()
    network = module.network(noise_sd=0.0, initial_sd=0.0)
    inputs = np.random.default_rng(2).normal(0, 1, (STEPS, TRIALS, INPUTS))
    expected, _ = network.run(inputs, np.random.default_rng(0))
    space = workspace(torch.zeros(STEPS, TRIALS, UNITS))
    got = module(torch.tensor(inputs, dtype=torch.float32), space)
    # float32 against float64.
    np.testing.assert_allclose(got.detach().numpy(), expected, atol=1e-5)


def test_dales_law_holds_for_columns():
    weights = make_module().recurrent().detach().numpy()
    assert (weights[:, :3] >= 0).all()
    assert (weights[:, 3:] <= 0).all()
    assert (make_module(dale=False).recurrent() < 0).any()


def test_time_constants_stay_in_their_range():
    module = make_module()
    with torch.no_grad():
        module.gate.copy_(torch.tensor([-50.0, -1, 0, 1, 50]))
    # float32 holds seven digits.
    np.testing.assert_allclose(module.tau_ms().detach()[[0, 2, 4]], [20, 60, 100], rtol=1e-6)
