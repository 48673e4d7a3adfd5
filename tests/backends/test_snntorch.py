"""What is snnTorch's alone: blocks of steps, compiled and not, processes, the cell's gradient."""

import json
import multiprocessing
import os
import shutil
import signal
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from all_forms import all_forms_drive, all_forms_network
from conftest import (
    NETWORKS,
    STIMULATION,
    drive_for,
    kim_network,
    pushes,
    quadratic_network,
    two_population_network,
)
from snntorch import SpikingNeuron

from bridge.backends import cache, compiler, simulate
from bridge.backends.kept import Wanted
from bridge.backends.snntorch import compiled_block, sums
from bridge.backends.snntorch import simulation as snntorch
from bridge.backends.snntorch.batch import Batch, How, _spread_inside
from bridge.backends.snntorch.block_step import steps_of_block
from bridge.backends.snntorch.neuron_cell import NeuronCell, just_below
from bridge.backends.workers import in_processes
from bridge.errors import BackendError, SpecError
from bridge.spiking.drive import Drive, SharedNoise
from bridge.spiking.filters import Direct

LIKE = torch.empty(()).double()


@pytest.fixture(autouse=True, scope="module")
def _no_instructions_are_tried():
    # Those of bfloat16, small integers and tiles, which no step has: it would be six programs.
    from torch._inductor.cpu_vec_isa import VecISA

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(VecISA, "check_build", lambda *_: False)
        yield


def compiled_case(trials=3, **sizes):
    """A network whose compiled step the tests of this file share, and its drive.

    An odd number of steps in a sample makes blocks of one step, compiled in half the time.
    """
    network = replace(quadratic_network(**sizes), sample_steps=5)
    gains = np.resize([1.0, 0.7, 1.3], trials)
    fields = {"recurrent_gain": gains, "stimulation": STIMULATION["quadratic"]}
    return network, drive_for(network, 112, trials=trials, **fields)


def all_forms_case():
    network = all_forms_network()
    return network, all_forms_drive(network)


@pytest.mark.parametrize(
    "case", [compiled_case, pytest.param(all_forms_case, marks=pytest.mark.full)]
)
def test_the_compiled_step_repeats_the_reference_bit_for_bit(case):
    network, drive = case()
    expected = simulate(network, drive, voltages=True)
    compiled = simulate(network, drive, backend="snntorch", voltages=True, compiled=True)
    assert compiled.provenance["compiled"]
    assert expected.spikes.count > 100
    np.testing.assert_array_equal(compiled.spikes.codes(), expected.spikes.codes())
    np.testing.assert_array_equal(compiled.voltages_mv, expected.voltages_mv)


class AsCompiled:
    """A block in place of what it is compiled into: takes the same tensors, in the same order."""

    def __init__(self, block):
        self.program = compiled_block._AsFunction(block)
        self.examples, self.axes = compiled_block._examples(block)
        self.sizes = {}

    def run(self, tensors):
        for given, example, free in zip(tensors, self.examples, self.axes, strict=True):
            assert (given.dtype, given.ndim) == (example.dtype, example.ndim)
            for axis, size in enumerate(given.shape):
                label = (free or {}).get(axis)
                expected = example.shape[axis] if label is None else self.sizes.get(label, size)
                assert size == expected, (label, axis)
                if label is not None:
                    self.sizes[label] = size
        self.program(*tensors)


def short_case():
    network = quadratic_network()
    return network, drive_for(network, 12, trials=3, stimulation=pushes("quadratic", 120))


def short_all_forms_case():
    network = all_forms_network()
    return network, all_forms_drive(network, samples=8)


@pytest.mark.parametrize("case", [short_case, short_all_forms_case])
def test_a_compiled_block_of_several_steps_is_given_what_it_takes(case, monkeypatch):
    network, drive = case()
    assert steps_of_block(network, dense=False) == 2
    monkeypatch.setattr(
        compiled_block.cache, "fetch", lambda _kind, _key, make, *_: AsCompiled(*make.args)
    )
    got = simulate(network, drive, backend="snntorch", compiled=True, voltages=True, margins=True)
    expected = simulate(network, drive, voltages=True, margins=True)
    assert got.provenance["compiled"]
    assert expected.spikes.count > 20
    np.testing.assert_array_equal(got.voltages_mv, expected.voltages_mv)
    np.testing.assert_array_equal(got.margins_mv, expected.margins_mv)


@pytest.fixture(scope="module")
def layouts():
    """Networks with their drives, and what they give in one process without matrix products."""
    return {name: layout(name) for name in NETWORKS}


def layout(name):
    make, samples = NETWORKS[name]
    network, samples = make(), min(samples, 30)
    pushed = {"stimulation": pushes(name, samples * network.sample_steps)}
    drive = drive_for(network, samples, trials=5, recurrent_gain=[1, 0.8, 1.2, 0.5, 1], **pushed)
    return network, drive, simulate(network, drive, **LAID_OUT)


LAID_OUT = {"backend": "snntorch", "voltages": True, "margins": True, "compiled": False}
# What trials are shared out by knows no form but what it is handed: gains, pushes, and noise.
LAYOUTS = [("dense", name) for name in NETWORKS] + [("processes", "quadratic")]
LAYOUTS += [
    pytest.param("processes", name, marks=pytest.mark.full)
    for name in NETWORKS
    if name != "quadratic"
]


@pytest.mark.parametrize(("how", "name"), LAYOUTS)
def test_spikes_do_not_depend_on_how_the_work_is_laid_out(how, name, layouts):
    network, drive, plain = layouts[name]
    options = {"dense": True} if how == "dense" else {"workers": 3}
    laid_out = simulate(network, drive, **LAID_OUT, **options)
    assert plain.spikes.count > 50
    np.testing.assert_array_equal(plain.spikes.codes(), laid_out.spikes.codes())
    # A matrix product sums in another order: float64 keeps 1e-10 of some 100 mV after 6000 steps.
    np.testing.assert_allclose(plain.voltages_mv, laid_out.voltages_mv, atol=1e-10)
    np.testing.assert_allclose(plain.margins_mv, laid_out.margins_mv, atol=1e-10)
    # One output of many trials and of few is summed alike to the last bits.
    for readout, outputs in plain.readouts.items():
        np.testing.assert_allclose(laid_out.readouts[readout], outputs, rtol=1e-12, atol=1e-12)


def test_a_block_is_as_long_as_the_shortest_lag_and_divides_a_sample():
    steps = {name: steps_of_block(make(), dense=False) for name, (make, _) in NETWORKS.items()}
    # Double exponential without delay: 2. Single without delay: 1, whatever is beside it.
    # Filters of the presynaptic side have the same lags: 2, and 1 after a delay of 3.
    assert steps == {"one-to-one": 2, "two channels": 1, "two populations": 1, "quadratic": 2}
    assert steps_of_block(replace(kim_network(), sample_steps=25), dense=False) == 1
    assert steps_of_block(replace(kim_network(), sample_steps=25), dense=True) == 5
    slow = [replace(p, delay_steps=3) for p in kim_network().projections if p.source != "input"]
    assert steps_of_block(replace(kim_network(), projections=slow), dense=False) == 5


def test_one_compiled_block_serves_networks_of_other_sizes_and_a_single_trial(monkeypatch):
    simulate(*compiled_case(), backend="snntorch", compiled=True)

    def refuse(*_):
        raise AssertionError("nothing new should be compiled")

    monkeypatch.setattr(compiled_block, "_compile", refuse)
    network, drive = compiled_case(trials=1, quad=12, leaky=23, seed=7)
    got = simulate(network, drive, backend="snntorch", compiled=True, voltages=True)
    expected = simulate(network, drive, backend="reference", voltages=True)
    assert expected.spikes.count > 50
    np.testing.assert_array_equal(got.voltages_mv, expected.voltages_mv)


def small_dense_case():
    """Both sides filtered inside a block of two steps, without noise: quick to compile."""
    network = quadratic_network()
    quiet = [replace(p, noise_mv=0.0) for p in network.populations]
    network = replace(network, populations=quiet, sample_steps=2, readouts=[])
    drive = drive_for(network, 150, trials=3, recurrent_gain=[1.0, 0.5, 1.5])
    return network, replace(drive, stimulation=STIMULATION["quadratic"][:1])


@pytest.mark.full
def test_the_presynaptic_side_inside_a_compiled_block_is_that_of_an_eager_one():
    network, drive = small_dense_case()
    wanted = {"backend": "snntorch", "dense": True, "voltages": True}
    eager, compiled = (simulate(network, drive, **wanted, compiled=c) for c in (False, True))
    plain = simulate(network, drive, backend="reference", voltages=True)
    assert plain.spikes.count > 50
    for recording in (eager, compiled):
        np.testing.assert_array_equal(recording.spikes.codes(), plain.spikes.codes())
        # A matrix product sums in another order.
        np.testing.assert_allclose(recording.voltages_mv, plain.voltages_mv, atol=1e-9)


def test_what_decides_the_code_of_a_block_decides_its_form():
    network, drive = small_dense_case()
    first, *others = network.projections
    quad, leaky = network.populations

    def form(net, given, *, dense=True):
        how = How(like=LIKE, compiled=False, dense=dense, wanted=Wanted())
        return json.dumps(Batch(net, given, how).stages[0].form())

    post = replace(network, projections=[replace(first, filter=first.filter.of_readout()), *others])
    pushed = replace(drive, stimulation=STIMULATION["quadratic"])
    elsewhere = [replace(p, neurons=[2]) for p in drive.stimulation]
    # A LIF population under the name of the QIF one.
    lif = kim_network(size=14).populations[0].neurons
    renamed = replace(quad, neurons=replace(lif, refractory_steps=quad.neurons.refractory_steps))
    forms = [
        form(network, drive),
        form(post, drive),
        form(network, pushed),
        form(network, replace(drive, stimulation=elsewhere)),
        form(network, replace(drive, stimulation=())),
        form(replace(network, populations=[renamed, leaky]), drive),
    ]
    assert len(set(forms)) == len(forms)
    # Elsewhere than inside the block the presynaptic side costs it nothing: it is a direct one.
    direct = replace(first, filter=Direct(), delay_steps=1)
    both = [
        form(replace(network, projections=[one]), drive, dense=False) for one in (first, direct)
    ]
    assert both[0] == both[1]


def test_a_damaged_compiled_block_is_made_again(tmp_path, monkeypatch):
    network, drive = compiled_case()
    simulate(network, drive, backend="snntorch", compiled=True)
    how = How(LIKE, compiled=True, dense=False, wanted=Wanted())
    (block,) = Batch(network, drive, how).stages
    (whole,) = cache.entry("torch", compiled_block._key(block)).iterdir()
    made = []

    def copied(_block, folder):
        made.append(folder)
        folder.mkdir()
        shutil.copy2(whole, folder)

    monkeypatch.setattr(compiled_block, "_compile", copied)
    monkeypatch.setenv("SPIKEBRIDGE_CACHE", str(tmp_path / "cache"))
    for count in (1, 2):
        recording = simulate(network, drive, backend="snntorch", compiled=True)
        assert recording.provenance["compiled"]
        assert len(made) == count
        (package,) = (tmp_path / "cache").rglob("*.pt2")
        package.write_bytes(package.read_bytes()[:1000])


def test_without_a_compiler_it_runs_eagerly_and_says_so(monkeypatch):
    monkeypatch.setattr(compiler.shutil, "which", lambda _: None)
    network = kim_network(size=3)
    assert not simulate(network, drive_for(network, 1), backend="snntorch").provenance["compiled"]
    with pytest.raises(BackendError, match="needs g"):
        simulate(network, drive_for(network, 1), backend="snntorch", compiled=True)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_compiler_that_fails_costs_only_speed_unless_compiling_was_asked_for(
    workers, tmp_path, monkeypatch
):
    monkeypatch.setenv("SPIKEBRIDGE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(snntorch, "WORTH_COMPILING_S", 0)

    def failing(*_, **__):
        raise RuntimeError("no such instruction\nand more")

    # What is exported for it takes seconds, and is not looked at any more.
    monkeypatch.setattr(torch.export, "export", lambda *_, **__: None)
    monkeypatch.setattr(torch._inductor, "aoti_compile_and_package", failing)
    network = kim_network(size=3)
    with pytest.warns(UserWarning, match="the run goes on uncompiled, slower") as warned:
        recording = simulate(network, drive_for(network, 1), backend="snntorch", workers=workers)
    assert len(warned) == 1
    assert not recording.provenance["compiled"]
    with pytest.raises(BackendError, match=r"could not compile the step: no such instruction$"):
        simulate(network, drive_for(network, 1), backend="snntorch", compiled=True)


@pytest.mark.parametrize("compiled", [None, True])
def test_what_is_compiled_ahead_is_not_for_cuda_since_that_would_end_the_process(
    compiled, monkeypatch
):
    def refuse(*_):
        raise AssertionError("nothing should be compiled ahead")

    monkeypatch.setattr(compiled_block, "compiled", refuse)
    monkeypatch.setattr(snntorch, "WORTH_COMPILING_S", 0)
    monkeypatch.setattr(snntorch, "is_kept", refuse)
    monkeypatch.setattr(snntorch, "compiled_step", lambda stage: stage)
    monkeypatch.setattr(snntorch, "one_by_one", lambda stage, step: (stage, step))
    monkeypatch.setattr(snntorch, "in_graphs", lambda device: device.type == "meta")
    network = kim_network(size=3)
    how = How(torch.empty((), device="meta"), compiled, dense=False, wanted=Wanted())
    run = SimpleNamespace(stages=[object()])
    (made,) = snntorch._compiled(run, network, drive_for(network, 1), how)
    assert made == (run.stages[0], run.stages[0])


def test_where_sums_may_run_in_any_order_no_two_spikes_of_a_trial_are_added_at_once(monkeypatch):
    rng = np.random.default_rng(0)
    trial = np.sort(rng.integers(0, 5, 40))
    spikes = sums.turns(trial)
    assert sorted(np.concatenate(spikes)) == list(range(40))
    for turn in spikes:
        assert np.all(np.diff(trial[turn]) > 0)
    for each in range(5):
        places = [place for turn in spikes for place in turn if trial[place] == each]
        assert places == sorted(places)
    monkeypatch.setattr(sums, "_in_order", lambda _: False)
    for network in (kim_network(), two_population_network()):
        drive = drive_for(network, 600 // network.sample_steps)
        got = simulate(network, drive, backend="snntorch", voltages=True)
        want = simulate(network, drive, voltages=True)
        assert want.spikes.count > 20
        np.testing.assert_array_equal(got.voltages_mv, want.voltages_mv)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_on_cuda_spikes_are_spread_by_matrix_products_in_float32_alone(dtype):
    network = kim_network(size=3)
    like = torch.empty((), device="meta", dtype=snntorch.DTYPES[dtype])
    how = How(like, None, dense=None, wanted=Wanted())
    assert _spread_inside(network, drive_for(network, 1), how) == (dtype == "float32")


def test_a_worker_that_dies_is_reported_and_the_others_end():
    def work(part, report):
        if part == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)

    with pytest.raises(BackendError, match="a worker process ended without a result"):
        in_processes(work, 2)
    assert not multiprocessing.active_children()


def test_workers_hand_over_results_errors_and_progress():
    seen = []

    def work(part, report):
        report(0.5)
        if part == 2:
            raise SpecError("no such part")
        return part * 10

    assert in_processes(work, 2, seen.append) == [0, 10]
    assert seen[-1] == 1.0
    assert seen == sorted(seen)
    with pytest.raises(SpecError, match="no such part"):
        in_processes(work, 3)


def test_float32_sees_the_same_noise_rounded():
    network = replace(kim_network(size=50), projections=[], readouts=[], input_size=0)
    drive = Drive(inputs=np.zeros((5, 3, 0)), noise=SharedNoise(seed=4))
    one, other = (
        simulate(network, drive, backend="snntorch", dtype=dtype, voltages=True).voltages_mv
        for dtype in ("float64", "float32")
    )
    # 500 steps of rounding to 24 bits at some 60 mV; noise of another seed differs by 1 mV.
    assert np.abs(one - other).max() < 1e-2


def test_many_trials_give_the_spikes_of_few():
    # Large batches look for spikes in another way.
    network = kim_network(size=100)
    drive = drive_for(network, 3, trials=250)
    many = simulate(network, drive, backend="snntorch").spikes
    few = simulate(network, drive.trials(200, 210), backend="snntorch").spikes
    assert few.count > 50
    mine = (many.trial >= 200) & (many.trial < 210)
    np.testing.assert_array_equal(many.step[mine], few.step)
    np.testing.assert_array_equal(many.neuron[mine], few.neuron)


def test_the_cell_is_an_snntorch_neuron_with_a_gradient():
    neurons = kim_network(size=4).populations[0].neurons
    cell = NeuronCell(neurons, 4, 0.05)
    assert isinstance(cell, SpikingNeuron)
    assert cell not in SpikingNeuron.instances
    state = cell.start(torch.full((2, 4), -41.0, dtype=torch.float64))
    current = torch.full((2, 4), -39.0, dtype=torch.float64, requires_grad=True)
    total = torch.zeros(())
    for step in range(38, 45):
        spikes, state = cell(current, state, step)
        total = total + spikes.sum()
    total.backward()
    # Free from step 40 on: a stronger current brings the spike nearer.
    assert (current.grad > 0).all()
    assert spikes.dtype == torch.float64


def test_the_cell_steps_as_the_contract_says():
    neurons = kim_network(size=1).populations[0].neurons
    cell = NeuronCell(neurons, 1, 0.05)
    state = ({"v": torch.tensor([[-40.5]]).double()}, torch.tensor([[0.0]]).double())
    strong = torch.tensor([[100.0]]).double()
    spikes, (states, free_from) = cell(strong, state, 7)
    # -40.5 + 0.005 (100 + 40.5) is above -40: it fires, resets, and is free again at 7 + 1 + 40.
    assert (spikes.item(), states["v"].item(), free_from.item()) == (1.0, -65.0, 48.0)
    _, (later, _) = cell(strong, (states, free_from), 47)
    assert later["v"].item() == -65.0
    _, (later, _) = cell(strong, (states, free_from), 48)
    assert later["v"].item() == pytest.approx(-65 + 0.005 * 165)


@pytest.mark.parametrize("threshold", [-40.0, 0.0, 1e-16, 30.0])
def test_firing_strictly_above_what_is_just_below_is_firing_at_threshold(threshold):
    below = just_below(torch.tensor([threshold], dtype=torch.float64))
    assert torch.tensor(threshold, dtype=torch.float64) > below
    assert torch.finfo(torch.float64).tiny <= below.abs()
    step = abs(threshold - below.item())
    assert step <= max(np.spacing(abs(threshold)), 2.3e-308)
