"""Our Adam is PyTorch's, to the last bit."""

import pytest
import torch

from bridge.rate.adam import Adam


@pytest.mark.parametrize("own_rates", [False, True])
def test_its_steps_are_those_of_the_class_of_pytorch(own_rates):
    drawn = torch.Generator().manual_seed(1)
    first = [torch.randn(3, *shape, generator=drawn) for shape in ((5, 4), (6,), (2,))]
    mine, theirs = ([torch.nn.Parameter(each.clone()) for each in first] for _ in range(2))
    ours = Adam(mine, 0.01)
    groups = [{"params": [parameter]} for parameter in theirs]
    given = torch.optim.Adam(groups if own_rates else theirs, lr=0.01)
    for step in range(5):
        for one, other in zip(mine, theirs, strict=True):
            one.grad = torch.randn(one.shape, generator=drawn) ** 3
            other.grad = one.grad.clone()
        # Without a gradient nothing moves, and no step is counted.
        if step == 2:
            mine[1].grad = theirs[1].grad = None
        if own_rates:
            ours.rates = [0.1 / (step + number + 1) for number in range(3)]
            for group, rate in zip(given.param_groups, ours.rates, strict=True):
                group["lr"] = rate
        ours.step()
        given.step()
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
        for name, kept in given.state[other].items():
            torch.testing.assert_close(ours.state[one][name], kept, rtol=0, atol=0)
    ours.zero_grad()
    assert all(parameter.grad is None for parameter in mine)
