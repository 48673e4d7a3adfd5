"""The kernel for a GPU: the reference's bits in Triton's interpreter, and on a card where one is.

The interpreter shows order, events and bookkeeping, and not how a card rounds: that is read from
the machine code, which Triton makes without a card.
"""

import os
import platform
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec

import pytest
import torch
from all_forms import all_forms_network
from backends.own_process import printed
from conftest import kim_network, quadratic_network, two_population_network
from kernel_networks import all_kernel_forms, driven
from several_inputs import several_inputs

from bridge.backends import quickest_for, simulate, why_not
from bridge.backends.compiled.form import form_of
from bridge.backends.compiled.gpu import build, launch, suited, values
from bridge.backends.compiled.gpu.text import kernel
from bridge.backends.kept import Wanted
from bridge.errors import BackendError, SpecError, UnsuitedError
from bridge.spiking.filters import Direct
from bridge.spiking.neurons.linear import Linear

CASES = ("every_form", "several_inputs", "noises", "too_little_room", "refused", "drawn")
# Where the project is checked it has to be there, if there is one for that machine.
CHECKED = os.environ.get("CI") and (sys.platform, platform.machine()) == ("linux", "x86_64")
NEEDS_TRITON = pytest.mark.skipif(
    find_spec("triton") is None and not CHECKED,
    reason="Triton is not installed; on Linux x86-64 `pip install -e '.[triton]'` brings it",
)
HAS_CARD = torch.cuda.device_count() > 0
PLACES = [
    pytest.param("cpu", marks=NEEDS_TRITON),
    pytest.param("cuda", marks=pytest.mark.skipif(not HAS_CARD, reason="no CUDA device")),
]


def runs(device, *names, **environment):
    """What the cases of these names found, in a process of their own."""
    return printed("kernel_runs.py", device, *names, **environment)


@pytest.fixture(scope="module", params=PLACES)
def found(request):
    """What all cases found, where they were run."""
    return runs(request.param, *CASES, "rounding")


@pytest.mark.parametrize("form", ["every_form", "several_inputs"])
def test_a_network_of_every_form_gives_the_references_bits(found, form):
    assert found[form] == {"spikes": found[form]["spikes"], "differing": {}}
    assert found[form]["spikes"] > 80


def test_networks_drawn_by_chance_give_the_references_bits(found):
    assert len(found["drawn"]) == 2
    for each in found["drawn"]:
        assert each["spikes"] > 0
        assert not each["differing"]


def test_noise_is_given_or_this_backends_own_and_float32_rounds_it(found):
    for kind in ("given", "own"):
        assert found["noises"][kind]["spikes"] > 5, kind
        assert not found["noises"][kind]["differing"], kind
    assert 0 < found["noises"]["float32"] < 1e-3


def test_spikes_without_room_are_counted_and_trials_that_do_not_fit_go_in_turns(found):
    said = found["too_little_room"]
    for form in ("whole", "parts", "turns"):
        assert said[form]["spikes"] > 50
        assert not said[form]["differing"], form
    # Once to count, and once more with room; where so much room for all of them is too much, they
    # part: three become one and two.
    whole, parts, turns, interrupted = said["launches"]
    assert whole == [5, 5]
    assert parts[:3] == [3, 1, 2]
    assert turns == [2, 2, 1]
    # An interrupt between two launches ends a run.
    assert interrupted == [2]
    assert said["done"] == [0.4]
    assert "a trial needs" in said["refused"]
    assert "where 100 are free" in said["refused"]


def test_a_state_that_is_no_number_is_told_as_the_reference_tells_it(found):
    ours, expected, spilled = found["refused"]["said"]
    assert "no longer finite" in expected
    assert ours == expected
    assert "more state than the registers of the GPU hold" in spilled


def test_the_shape_of_which_least_spills_is_taken_and_where_nothing_does_none_is_tried_after(found):
    assert found["refused"]["held"] == [False, False, True, True]


def test_nothing_is_fused_in_the_machine_code_of_a_card_and_nothing_spills(found):
    for size, made in found["rounding"].items():
        assert min(made["multiplied"], made["DMUL"]) > 20, size
        assert made["fused"] == made["DFMA"] == made["stack"] == 0, size


@pytest.mark.full
@pytest.mark.parametrize("device", PLACES)
def test_thirty_drawn_networks_give_the_references_bits(device):
    drawn = runs(device, "drawn", BRIDGE_DRAWN_KERNELS="30")["drawn"]
    assert len(drawn) == 30
    assert sum(each["spikes"] for each in drawn) > 300
    assert not any(each["differing"] for each in drawn)


def text_of(network, drive, *, held=True):
    return kernel(form_of(network, drive, Wanted(), "float64"), held=held).text()


def test_networks_of_one_form_share_a_kernel_whatever_their_sizes_and_weights():
    first, second = kim_network(size=5), kim_network(size=23)
    text = text_of(first, driven(first, 2))
    assert text_of(second, driven(second, 3)) == text
    assert text_of(first, driven(first, 2), held=False) != text
    other = two_population_network()
    assert text_of(other, driven(other, 2)) != text
    assert not [part.name for part in other.projections if part.name in text_of(other, driven(
        other, 2))]  # fmt: skip


@pytest.mark.parametrize("size", [1, 15, 16, 17, 200, 1025])
def test_rows_have_the_next_power_of_two(size):
    block = values.block(size)
    assert block >= max(size, 16)
    assert block & (block - 1) == 0
    assert block // 2 < max(size, 16)


def test_shapes_keep_threads_busy_and_come_with_constants_in_registers_first():
    network = kim_network(size=5)
    form = form_of(network, driven(network, 2), Wanted(), "float64")
    for block, warps in ((16, [1]), (64, [1, 2]), (256, [4, 8]), (2048, [8, 16, 32])):
        shapes = launch.shapes(form, {"BLOCK_0": block})
        assert [shape.warps for shape in shapes[::2]] == warps
        assert [shape.sheet.held for shape in shapes] == [True, False] * len(warps)


@pytest.fixture
def a_card(monkeypatch):
    """A card that is there and is never used."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(build, "find_spec", lambda _: object())


def presynaptic():
    network = quadratic_network()
    return network, "projection 'recurs' has a filter of the presynaptic side"


def factored():
    network = all_forms_network()
    (part,) = (part for part in network.projections if part.rank)
    plain = replace(part, filter=Direct(), initial_states={})
    alone = replace(network, projections=[plain], readouts=[])
    return alone, f"projection {part.name!r} has factored weights"


def graded():
    network = several_inputs()
    first, second = network.populations
    linear = replace(first, neurons=Linear(bias=0.0), noise_mv=0.0)
    return replace(network, populations=[linear, second]), "population 'near' passes on values"


@pytest.mark.parametrize("made", [presynaptic, factored, graded])
@pytest.mark.usefixtures("a_card")
def test_what_a_kernel_does_not_take_is_refused_by_name_and_snntorch_takes_it(made):
    network, reason = made()
    drive = driven(network, 5)
    expected = f"^{reason}, which backend compiled does not run on a GPU; use snntorch:cuda:0$"
    with pytest.raises(UnsuitedError, match=expected):
        simulate(network, drive, backend="compiled:cuda:0")
    assert why_not("compiled", network, {"device": "cuda"}).startswith(reason)
    assert why_not("compiled", network, {}) is None
    with pytest.warns(UserWarning, match=f"^{reason}, .* so snntorch takes its place"):
        assert quickest_for(network, "cuda") == "snntorch"


def test_a_card_that_is_not_there_is_one_sentence(monkeypatch):
    network = kim_network(size=5)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(BackendError, match=r"no such CUDA device here: .* was built without CUDA"):
        simulate(network, driven(network, 2), backend="compiled:cuda")
    monkeypatch.setattr(torch.version, "hip", "6.4")
    with pytest.raises(BackendError, match=r"here: .* was built for AMD's GPUs \(ROCm\), and f"):
        simulate(network, driven(network, 2), backend="compiled:cuda")
    monkeypatch.setattr(torch.version, "hip", None)
    monkeypatch.setattr(torch.version, "cuda", "13.0")

    def refused():
        raise RuntimeError("The NVIDIA driver on your system is too old (found 1). Please update")

    monkeypatch.setattr(torch.cuda, "init", refused)
    with pytest.raises(BackendError, match=r"here: The NVIDIA driver .* too old \(found 1\)$"):
        simulate(network, driven(network, 2), backend="compiled:cuda")
    for count, there in ((1, "there is cuda:0 alone"), (3, "there are cuda:0 to cuda:2")):
        monkeypatch.setattr(torch.cuda, "device_count", lambda count=count: count)
        with pytest.raises(BackendError, match=f"'cuda:7' was asked for, .* device here: {there}$"):
            simulate(network, driven(network, 2), backend="compiled:cuda:7")


def test_without_triton_one_sentence_says_where_it_comes_from(monkeypatch):
    network = kim_network(size=5)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(build, "find_spec", lambda _: None)
    with pytest.raises(BackendError, match="needs Triton, which is not installed"):
        simulate(network, driven(network, 2), backend="compiled:cuda")


@pytest.mark.usefixtures("a_card")
def test_a_card_that_refuses_is_one_sentence():
    device = torch.device("cuda:0")
    with pytest.raises(BackendError, match=r"^cuda:0 is full \(no more\)$"), launch.plain_errors(
        device
    ):  # fmt: skip
        raise torch.cuda.OutOfMemoryError("no more\nand a trace")
    # What Triton compiles its launcher with is missing, or fails without Python.h; its own errors
    # are no RuntimeError.
    for error, said in (
        (
            AssertionError("libcuda.so cannot found!\nPossible files are located at []"),
            r"^Triton needs the library of NVIDIA's driver, libcuda.so, to run on cuda:0, and does",
        ),
        (
            RuntimeError("Failed to find C compiler. Please"),
            r"^Triton needs a C compiler, .* cuda:0",
        ),
        (subprocess.CalledProcessError(1, ["gcc"]), r"^Triton needs a C compiler, .* cuda:0"),
        (type("PTXASError", (Exception,), {})("PTXAS error: old"), r"^cuda:0 refused the kernel"),
    ):
        with pytest.raises(BackendError, match=said), launch.plain_errors(device):
            raise error
    with pytest.raises(RuntimeError, match=r"^something of ours$"), launch.plain_errors(device):
        raise RuntimeError("something of ours")


@pytest.mark.usefixtures("a_card")
def test_whether_the_state_fits_is_tried_in_the_precision_of_the_run(monkeypatch):
    network, tried = kim_network(size=5), []

    def fits_in_float32(network, drive, wanted, where):
        tried.append(where)
        if where[1] == "float64":
            raise launch.unsuited(launch.TOO_LARGE, str(where[0]))

    monkeypatch.setattr(suited, "simulate", fits_in_float32)
    assert quickest_for(network, "cuda", "compiled:float32") == "compiled:float32"
    with pytest.warns(UserWarning, match="so snntorch takes its place"):
        assert quickest_for(network, "cuda", "compiled") == "snntorch"
    assert tried == [(torch.device("cuda"), dtype) for dtype in ("float32", "float64")]


@pytest.mark.usefixtures("a_card")
def test_an_interrupt_is_seen_while_a_launch_goes_on(monkeypatch):
    looked = []

    class Event:
        def record(self):
            looked.append("recorded")

        def query(self):
            looked.append("asked")
            return len(looked) > 4

    def slept(seconds):
        looked.append(seconds)

    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(launch.time, "sleep", slept)
    launch.finished(torch.device("cpu"))
    assert looked == []
    launch.finished(torch.device("cuda:0"))
    assert looked[:2] == ["recorded", "asked"]
    assert 0 < looked[2] < 0.01
    assert looked[3:] == ["asked", looked[2], "asked"]


def test_threads_and_a_device_contradict_each_other():
    network = kim_network(size=5)
    with pytest.raises(SpecError, match="workers: threads share trials on the CPU only"):
        simulate(network, driven(network, 2), backend="compiled:cuda", workers=2)


def test_the_cpu_never_loads_triton_or_torch_for_it():
    script = (
        "import sys\nsys.path[:0] = ['tests']\n"
        "from bridge.backends.compiled import simulation\n"
        "assert not [name for name in ('torch', 'triton') if name in sys.modules]\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_every_form_is_written_for_float32_too():
    network = all_kernel_forms()
    form = form_of(network, driven(network, 2), Wanted(), "float32")
    text = kernel(form, held=True).text()
    assert "tl.float32" in text
    assert "tl.float64" not in text
