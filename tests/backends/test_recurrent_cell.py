"""The cell in training: the model's equations, and the backward pass that is said to be theirs."""

import os
import weakref

import numpy as np
import pytest
import torch
from snntorch import SpikingNeuron
from torch import Tensor

from bridge.backends import compiler
from bridge.backends.snntorch import cell_loops
from bridge.backends.snntorch.recurrent_cell import CellState, SpikingRecurrentCell
from bridge.spiking.neurons.src import Src

# More cells than the loops hold at a time, and no multiple of what they hold.
STEPS, TRIALS, SIZE = 30, 20, 7
FORMS = [
    {"gate": gate, "gate_reads": reads} for gate in ("heaviside", "sigmoid")
    for reads in ("old", "new")
]  # fmt: skip
CURRENT = np.random.default_rng(1).normal(0.1, 0.6, (STEPS, TRIALS, SIZE))
BIAS = np.linspace(-6.5, -4.2, SIZE)
ALPHA = np.linspace(0.8, 0.95, SIZE)
# On a machine of one's own a compiler may be missing; where the project is checked it may not.
needs_compiler = pytest.mark.skipif(
    not compiler.can_compile() and not os.environ.get("CI"), reason="no C++ compiler"
)


def cell(dtype=torch.float64, *, z=0.0, learn_bias=True, detach=True, bypass=True, **form):
    neurons = Src(z=z, bias=BIAS, alpha=ALPHA, **form)
    return SpikingRecurrentCell(
        neurons, SIZE, dtype=dtype, learn_bias=learn_bias, detach=detach, bypass=bypass
    )


def by_hand(current, *, gate, gate_reads, z):
    """(T, B, N) max(h, 0) by the published equations, in a plain loop."""
    i = h = slow = np.zeros(current.shape[1:])
    passed = []
    for u in current:
        i = ALPHA * i + u
        new = z * h + (1 - z) * np.tanh(3 * np.tanh(i / 3) + 2 * h - 7 * slow + BIAS)
        read = h if gate_reads == "old" else new
        open_ = read > 0.5 if gate == "heaviside" else 1 / (1 + np.exp(-10 * (read - 0.5)))
        left = 0.9 * (1 - open_)
        slow, h = left * slow + (1 - left) * h, new
        passed.append(np.maximum(h, 0))
    return np.stack(passed)


@pytest.mark.parametrize("loops", [True, False])
@pytest.mark.parametrize("z", [0.0, 0.2])
@pytest.mark.parametrize("form", FORMS)
def test_cells_take_the_course_of_the_published_equations(form, z, loops):
    found = cell(z=z, **form).over_time(torch.tensor(CURRENT), loops=loops)
    assert (found > 0.5).sum() > 10
    # Rounding, which the smooth gate makes grow; 4e-13 is found.
    np.testing.assert_allclose(found.detach(), by_hand(CURRENT, z=z, **form), atol=1e-11, rtol=0)


def gradients(passed, given, *parameters):
    """Derivatives of a weighted sum of what is passed on."""
    weights = torch.tensor(np.random.default_rng(2).normal(size=passed.shape))
    return torch.autograd.grad((passed * weights).sum(), [given, *parameters])


@pytest.mark.parametrize("loops", [True, False])
@pytest.mark.parametrize("bypass", [True, False])
@pytest.mark.parametrize("z", [0.0, 0.2])
@pytest.mark.parametrize("form", FORMS)
def test_the_closed_form_is_what_autograd_finds(form, z, bypass, loops):
    cells, given = cell(z=z, bypass=bypass, **form), torch.tensor(CURRENT, requires_grad=True)
    state, steps = None, []
    for u in given:
        passed, state = cells(u, state)
        steps.append(passed)
    expected = gradients(torch.stack(steps), given, cells.learned_bias)
    got = gradients(cells.over_time(given, loops=loops), given, cells.learned_bias)
    for one, other in zip(got, expected, strict=True):
        assert one.abs().max() > 0.1
        # Rounding, in sums over trials and steps; 7e-14 is found.
        torch.testing.assert_close(one, other, atol=1e-12, rtol=0)


@pytest.mark.parametrize("loops", [True, False])
def test_what_is_passed_on_is_freed_with_its_graph(loops):
    passed = cell(gate="heaviside").over_time(torch.tensor(CURRENT), loops=loops)
    seen = weakref.ref(passed)
    del passed
    # At once, whatever Python collects later: a training makes gigabytes of them.
    assert seen() is None


def test_a_gradient_through_h_is_that_of_the_equations():
    """Without any surrogate: against differences of the course itself, where nobody spikes."""
    current = torch.full((5, 1, SIZE), 0.2, dtype=torch.float64, requires_grad=True)
    cells = cell(detach=False, bypass=False, gate="sigmoid", learn_bias=False)
    # From here h is above 0, where what is passed on is smooth.
    start = CellState(*(torch.full((1, SIZE), v, dtype=torch.float64) for v in (2.0, 0.6, -0.6)))

    def last(u: Tensor) -> Tensor:
        return cells.over_time(u, start)[:2].sum()

    assert torch.autograd.gradcheck(last, current)


def test_the_bias_is_held_below_the_one_at_which_cells_spike_by_themselves():
    cells = cell()
    with torch.no_grad():
        cells.learned_bias[0] = -1.0
    assert cells.bias[0] == -4.0
    (slope,) = torch.autograd.grad(cells.bias.sum(), cells.learned_bias)
    assert slope.tolist() == [0.0] + [1.0] * (SIZE - 1)


@needs_compiler
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_loops_are_there_wherever_a_compiler_is(dtype):
    # Else torch would take their place, in all the other tests of them too.
    assert cell_loops.available(torch.zeros(1, dtype=dtype))


@pytest.mark.parametrize("loops", [True, False])
def test_a_gradient_that_torch_does_not_hold_in_a_row_is_taken_too(loops):
    given = torch.tensor(CURRENT, requires_grad=True)
    passed = cell(gate="heaviside").over_time(given, loops=loops)
    (row,) = torch.autograd.grad((passed * torch.ones_like(passed)).sum(), given, retain_graph=True)
    (spread,) = torch.autograd.grad(passed.sum(), given)
    assert torch.equal(row, spread)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("loops", [True, False])
def test_what_is_no_number_stays_none(loops, dtype):
    # Else a training that diverges would go on with cells that are silent.
    current = torch.full((3, 1, SIZE), torch.nan, dtype=dtype)
    passed = cell(dtype, gate="heaviside", learn_bias=False).over_time(current, loops=loops)
    assert passed.isnan().all()


@needs_compiler
@pytest.mark.parametrize("form", FORMS)
def test_a_step_of_single_precision_is_right_to_its_last_bits(form):
    # Currents from where the tanh is -1 to where it is 1, and cells anywhere between.
    rng = np.random.default_rng(3)
    current, *start = (rng.uniform(-m, m, (1, 60, SIZE)) for m in (15, 15, 1, 1))
    found = []
    for dtype, loops in ((torch.float32, True), (torch.float64, False)):
        u, *state = (torch.tensor(v, dtype=torch.float32).to(dtype) for v in (current, *start))
        with torch.no_grad():
            cells = cell(dtype, z=0.2, bypass=False, learn_bias=False, **form)
            found.append(
                cells.course(u, cells.bias, CellState(*(v[0] for v in state)), loops=loops)
            )
    for name in ("emitted", "slope_h", "slope_i"):
        one, other = (getattr(course, name).double() for course in found)
        # The rounding of single precision; 4e-7 is found.
        torch.testing.assert_close(one, other, atol=2e-6, rtol=0)


@needs_compiler
def test_the_loops_of_single_precision_follow_those_of_torch():
    current = torch.tensor(CURRENT, dtype=torch.float32)
    cells = cell(torch.float32, gate="heaviside", learn_bias=False)
    loops, torch_ = (cells.over_time(current, loops=loops) for loops in (True, False))
    # Rounding grows along a spike's flank; 2e-4 is the greatest found in 110 steps of 12 800 cells.
    torch.testing.assert_close(loops, torch_, atol=2e-3, rtol=0)


def test_without_a_compiler_torch_does_it(monkeypatch):
    monkeypatch.setattr(cell_loops, "_library", lambda: None)
    assert not cell_loops.available(torch.zeros(1))
    found = cell(gate="heaviside").over_time(torch.tensor(CURRENT))
    expected = by_hand(CURRENT, z=0.0, gate="heaviside", gate_reads="old")
    # Rounding; 2e-14 is found.
    np.testing.assert_allclose(found.detach(), expected, atol=1e-11, rtol=0)


def test_it_is_a_neuron_of_snntorch_that_leaves_no_trace_in_its_list():
    before = list(SpikingNeuron.instances)
    cells = cell()
    assert isinstance(cells, SpikingNeuron)
    assert [id(each) for each in SpikingNeuron.instances] == [id(each) for each in before]
    assert "learned_bias" in dict(cells.named_parameters())
