"""Steps compiled for a GPU, without one: the way there, what may go wrong, and the code itself."""

import os
import platform
import sys
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from all_forms import all_forms_drive, all_forms_network
from backends.own_process import printed
from conftest import NETWORKS, drive_for, kim_network, pushes
from graph_on_cpu import stand_in
from torch._inductor.cpu_vec_isa import VecISA

from bridge.activity import heard_by
from bridge.backends import cache, cuda_graphs, simulate
from bridge.backends.kept import Wanted
from bridge.backends.snntorch import compiled_step, same_bits, simulation
from bridge.backends.snntorch.batch import Batch, How
from bridge.backends.snntorch.block_step import steps_of_block
from bridge.backends.snntorch.single_steps import OneStep
from bridge.errors import BackendError

ASKED = {"voltages": True, "margins": True}
# Where the project is checked it has to be there, if there is one for that machine.
CHECKED = os.environ.get("CI") and (sys.platform, platform.machine()) == ("linux", "x86_64")
NEEDS_TRITON = pytest.mark.skipif(
    torch.backends.cuda.is_built() or (find_spec("triton") is None and not CHECKED),
    reason="Triton's code for a GPU is tried beside PyTorch for the CPU",
)


def pushed(name):
    make, samples = NETWORKS[name]
    network = make()
    samples = min(samples, 200 // network.sample_steps)
    gains = {"recurrent_gain": np.array([0.8, 1.2])}
    pushed = pushes(name, samples * network.sample_steps)
    return network, drive_for(network, samples, stimulation=pushed, **gains)


def every_form():
    network = all_forms_network(euler=6, exact=5, square=4, soft=3)
    return network, all_forms_drive(network, samples=8)


@pytest.fixture
def graphs(monkeypatch):
    """The CPU in place of a GPU, and nothing compiled yet."""
    monkeypatch.setattr(compiled_step, "_KEPT", type(compiled_step._KEPT)())
    return stand_in(monkeypatch)


@pytest.fixture
def inductor(monkeypatch):
    """What stands in for Inductor: it hands back what was traced, run by torch."""
    calls = []

    def compile(program, tensors, options):
        calls.append((program, options))
        return program

    monkeypatch.setattr(torch._inductor, "compile", compile)
    return calls


def run(network, drive, *, compiled=True, **options):
    how = {"backend": "snntorch", "workers": 1, "compiled": compiled, **ASKED}
    return simulate(network, drive, **{**how, **options})


def assert_same(got, want):
    assert want.spikes.count > 3
    np.testing.assert_array_equal(got.spikes.codes(), want.spikes.codes())
    np.testing.assert_array_equal(got.voltages_mv, want.voltages_mv)
    np.testing.assert_array_equal(got.margins_mv, want.margins_mv)


@pytest.mark.parametrize("case", ["two channels", "quadratic", "every form"])
def test_one_step_traced_once_and_repeated_in_graphs_gives_the_references_bits(
    case, graphs, inductor
):
    network, drive = every_form() if case == "every form" else pushed(case)
    want = simulate(network, drive, **ASKED)
    got = run(network, drive)
    assert_same(got, want)
    assert got.provenance["compiled"]
    assert len(inductor) == len(graphs) > 0
    # A second run in this process compiles nothing.
    assert run(network, drive, compiled=None).provenance["compiled"]
    assert 2 * len(inductor) == len(graphs)


@pytest.mark.full
def test_what_inductor_itself_compiles_for_the_cpu_gives_the_references_bits(
    graphs, monkeypatch, tmp_path
):
    # A graph of the CPU's own making knows what torch is asked for, and not what C++ does.
    monkeypatch.setattr(cuda_graphs, "captured", lambda work, _device: work)
    monkeypatch.setattr(VecISA, "check_build", lambda *_: False)
    monkeypatch.setenv("SPIKEBRIDGE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    places = ("TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR", "TMPDIR")
    before = [os.environ.get(place) for place in places]
    network, drive = pushed("quadratic")
    with heard_by(said := [].append):
        got = run(network, drive)
    assert got.provenance["compiled"]
    assert_same(got, simulate(network, drive, **ASKED))
    assert "compiling its steps, once for networks of this form and size" in said.__self__
    assert [os.environ.get(place) for place in places] == before
    assert [each.name for each in tmp_path.iterdir()] == ["cache"]
    (kept,) = [each for each in (tmp_path / "cache" / "torch").iterdir() if each.name[0] != "."]
    assert list(kept.rglob("*.so"))
    assert cache.is_ours(kept)


@pytest.mark.full
@NEEDS_TRITON
def test_in_tritons_interpreter_the_code_for_a_gpu_gives_the_bits_of_the_eager_step():
    for name, found in written("interpreted", *WRITTEN).items():
        assert found["numbers"] > 200, name
        assert found["kernels"] > 0, name
        assert found["differing"] == 0, name


@pytest.mark.full
@NEEDS_TRITON
def test_the_code_for_a_gpu_rounds_after_each_operation_and_adds_in_no_order_of_its_own():
    for name, found in written("compiled", *WRITTEN).items():
        assert min(found["multiplied"], found["added"]) > 15, name
        for never in ("fused", "rough", "in any order", "atomics", "products", "singles"):
            assert found[never] == 0, (name, never)
        # In machine code a division is made of fused operations, and is rounded once.
        assert found["DMUL"] >= found["multiplied"], name
        assert (found["DFMA"] > 0) == (found["divided"] > 0) == (name == "functions"), name
    # Unless it is told not to, Triton does fuse.
    (found,) = written("compiled", "quadratic", BRIDGE_FUSED="1").values()
    assert min(found["fused"], found["DFMA"]) > 5


WRITTEN = ("quadratic", "every form", "functions")


def written(look, *names, **environment):
    """What is found of the Triton of these cases, in a process of its own."""
    return printed("triton_steps.py", look, *names, **environment)


@pytest.mark.parametrize("late", [0, 1, 12])
def test_spikes_that_the_step_spreads_itself_arrive_when_those_of_a_block_do(
    late, graphs, inductor
):
    network = kim_network(size=12)
    projections = [
        part if part.source == "input" else replace(part, delay_steps=late)
        for part in network.projections
    ]
    network = replace(network, projections=projections, sample_steps=20)
    drive = drive_for(network, 8)
    assert steps_of_block(network, dense=True) == 10
    want = run(network, drive, compiled=False, dense=True)
    assert_same(run(network, drive, dense=True), want)


def block_of(case=pushed, *given, dtype="float64", **asked):
    network, drive = case(*given)
    like = torch.empty((), dtype=simulation.DTYPES[dtype])
    how = How(like, None, dense=asked.pop("dense", None), wanted=Wanted(**asked))
    return Batch(network, drive, how).stages[0]


def test_states_are_tried_of_neurons_that_fire_and_not_that_move_and_not():
    one = OneStep(block_of(pushed, "quadratic"))
    for tensors in same_bits.drawn(one):
        before = dict(zip(one.names, [each.clone() for each in tensors], strict=False))
        one(*tensors)
        after = dict(zip(one.names, tensors, strict=False))
        for number in range(len(one.block.neurons)):
            fired = after[f"neurons.{number}.fired"]
            assert 0 < fired.sum() < fired.numel()
            still = before[f"neurons.{number}.free_from"] > tensors[len(one.names)]
            assert 0 < still.sum() < still.numel()
        for name in before:
            if "synapses" in name and ".state_" in name:
                assert (before[name] != after[name]).any()


def last_bit(tensors, place):
    each = [one for one in tensors if one.dtype == torch.float64 and one.numel() > 3][place]
    each.view(torch.int64).view(-1)[1].bitwise_xor_(1)


@pytest.mark.parametrize("place", range(0, 20, 3))
def test_a_single_bit_of_any_tensor_is_seen(place):
    one = OneStep(block_of(pushed, "two populations"))

    def other(*tensors):
        one(*tensors)
        last_bit(tensors, place)

    assert same_bits.differing(one, one) == 0
    # Twice: states are drawn for two steps.
    assert same_bits.differing(one, other) == 2


def fails(error):
    def compile(_program, _tensors, options):
        raise error

    return compile


def fails_when_called(program, _tensors, options):
    def step(*tensors):
        program(*tensors)
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB\nand more")

    return step


def wrong_by_a_bit(program, _tensors, options):
    def step(*tensors):
        program(*tensors)
        last_bit(tensors, 0)

    return step


FAULTS = {
    "Triton is missing": (
        fails(RuntimeError("Cannot find a working triton installation\nand more")),
        "torch could not compile the step: Cannot find a working triton installation",
        1,
    ),
    "no class of PyTorch's": (
        fails(type("PTXASError", (Exception,), {})("PTXAS error: old")),
        "torch could not compile the step: PTXAS error: old",
        1,
    ),
    "full": (
        fails_when_called,
        "torch could not compile the step: CUDA out of memory. Tried to allocate 2 GiB",
        2,
    ),
    "another bit": (
        wrong_by_a_bit,
        "the step that torch compiled rounds differently in 2 places",
        1,
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_goes_wrong_costs_speed_alone_unless_compiling_was_asked_for(
    fault, graphs, monkeypatch
):
    compile, said, times = FAULTS[fault]
    tried = []

    def counted(*given, **options):
        tried.append(given)
        return compile(*given, **options)

    monkeypatch.setattr(torch._inductor, "compile", counted)
    monkeypatch.setattr(simulation, "WORTH_COMPILING_S", 0)
    network, drive = pushed("one-to-one")
    with pytest.warns(UserWarning, match=f"^{said}; the run goes on uncompiled, slower$") as warned:
        got = run(network, drive, compiled=None)
    assert len(warned) == len(tried) == 1
    assert not got.provenance["compiled"]
    assert_same(got, simulate(network, drive, **ASKED))
    with pytest.raises(BackendError, match=f"^{said}$"):
        run(network, drive)
    # What will fail again is not tried again; a GPU is not always full.
    assert len(tried) == times


def test_single_precision_and_matrix_products_are_not_held_to_the_bits(graphs, monkeypatch):
    monkeypatch.setattr(torch._inductor, "compile", wrong_by_a_bit)
    network, drive = pushed("one-to-one")
    assert run(network, drive, dense=True).provenance["compiled"]
    with pytest.raises(BackendError, match="rounds differently in 2 places"):
        run(network, drive, dense=False)
    single = compiled_step._is_exact(OneStep(block_of(pushed, "one-to-one", dtype="float32")))
    assert not single


def test_an_interrupt_ends_what_compiles(graphs, monkeypatch):
    monkeypatch.setattr(torch._inductor, "compile", fails(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        run(*pushed("one-to-one"))


def test_a_short_run_is_not_compiled_and_a_long_one_is(graphs, inductor):
    network, drive = pushed("one-to-one")
    assert not run(network, drive, compiled=None).provenance["compiled"]
    assert not inductor
    stages = [block_of(pushed, "one-to-one")]
    many = replace(drive, inputs=np.zeros((200000, *drive.inputs.shape[1:])))
    assert simulation._pays_in_a_graph(network, many, stages)
    assert not simulation._pays_in_a_graph(network, drive, stages)


def test_what_decides_the_code_of_a_step_decides_what_it_is_known_by():
    def text(**options):
        return compiled_step._text(OneStep(block_of(pushed, "quadratic", **options)))

    network, drive = pushed("quadratic")
    more = replace(network, readouts=[])
    one = Batch(more, drive.trials(0, 1), How(torch.empty(()).double(), None, None, Wanted()))
    texts = [text(), text(margins=True), text(dtype="float32"), text(dense=True)]
    texts.append(compiled_step._text(OneStep(one.stages[0])))
    assert len(set(texts)) == len(texts)
    # A window takes blocks of one step, which is what is compiled of longer ones.
    assert text(window=(0, 3)) == text()
