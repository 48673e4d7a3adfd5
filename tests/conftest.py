"""Small networks that the tests share, each asymmetric: symmetric weights hide a transpose."""

import contextlib
import gc

# A seventh of what it takes to load everything would go into looking for garbage.
gc.disable()

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

# Before NumPy is loaded: on a busy machine two threads of its linear algebra take thirty times as
# long as one, waiting for each other.
for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

# What torch compiles is called a few times only, and what the processor can do need not be tried.
os.environ["AOT_INDUCTOR_COMPILE_WRAPPER_OPT_LEVEL"] = "O0"
os.environ["TORCHINDUCTOR_VEC_ISA_OK"] = "1"

# Processes of tests side by side are given a width, which the console would take for good.
os.environ.pop("COLUMNS", None)

import numpy as np
import pytest
import torch
from scipy import sparse

from bridge import cli
from bridge.backends import compiler
from bridge.backends.brian2 import toolchain
from bridge.backends.brian2.toolchain import STRICT_FLAGS
from bridge.backends.compiled import build, frame
from bridge.spiking import filters, neurons
from bridge.spiking.drive import Drive, SharedNoise
from bridge.spiking.filters import Direct, DoubleExponential, Exponential
from bridge.spiking.initial_voltage import NormalVoltage, UniformVoltage
from bridge.spiking.network import Channel, Readout, SpikingNetwork
from bridge.spiking.neurons import Lif, Qif
from bridge.spiking.population import Population
from bridge.spiking.projection import INPUT, Projection
from bridge.spiking.stimulation import Stimulation
from bridge.tasks import names

# Every backend and target that claims the exact contract.
EXACT_BACKENDS = {
    "reference": ("reference", {}),
    "brian2-numpy": ("brian2", {"target": "numpy"}),
    "brian2-cython": ("brian2", {"target": "cython"}),
    "brian2-standalone": ("brian2", {"target": "standalone"}),
    "snntorch": ("snntorch", {"dtype": "float64"}),
    "compiled": ("compiled", {}),
}


@pytest.fixture(autouse=True, scope="session")
def _own_cache(pytestconfig):
    # What the tests compile is theirs, and stays for the next run.
    kept = pytestconfig.cache.mkdir("spikebridge")
    # A folder that a lenient umask opens to others would not be used.
    kept.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPIKEBRIDGE_CACHE", str(kept))
        yield kept


@pytest.fixture(autouse=True, scope="module")
def _what_is_there_stays():
    # Brian2 looks for garbage before each run: among all that the tests have loaded that takes it
    # longer than most of the runs here.
    gc.collect()
    gc.freeze()


# How hard a compiler tries decides its time and no bit.
NOT_HARD = ["-O0", "-g0"]
AS_USERS_HAVE_IT = ((build, "FLAGS", build.FLAGS), (toolchain, "STRICT_FLAGS", STRICT_FLAGS))


@pytest.fixture(autouse=True, scope="session")
def _programs_are_compiled_quickly(_own_cache):
    with pytest.MonkeyPatch.context() as patch:
        for module, name, flags in AS_USERS_HAVE_IT:
            patch.setattr(module, name, [*flags, *NOT_HARD])
        if compiler.can_compile():
            patch.setattr(build, "FLAGS", [*build.FLAGS, *_made_before(_own_cache)])
        yield


# The containers of a loop.
_WAY = "std::vector<std::vector<int32_t>>"
CONTAINERS = ["std::vector<int32_t>", _WAY, f"std::deque<{_WAY}>"]
CONTAINERS += [f"std::vector<{kind} *>" for kind in ("void", "double", "float")]


def _made_before(folder):
    """Flags by which a loop takes what is the same in all of them from where it was compiled once.

    What it includes and its containers are two thirds of each compilation else.
    """
    lines = [line for line in frame.HEAD.splitlines() if line.startswith("#include")]
    flags = compiler.understood(build.FLAGS)
    # The other linker takes longer.
    linker = ["-fuse-ld=gold"] if shutil.which("ld.gold") else []
    parts = [*lines, *CONTAINERS, *flags, compiler.compiler_identity()]
    key = hashlib.sha256("\n".join(parts).encode())
    home = folder / f"made-{key.hexdigest()[:20]}"
    if not home.exists():
        made = Path(tempfile.mkdtemp(dir=folder))
        for name, word in (("head.h", "extern template"), ("head.cpp", "template")):
            made_here = [f"{word} class {container};" for container in CONTAINERS]
            (made / name).write_text("\n".join([*lines, *made_here, ""]))
        compiled = [flag for flag in flags if flag != "-shared"]
        for kind in (["c++-header", "head.h"], ["c++", "-c", "head.cpp", "-o", "head.o"]):
            subprocess.run(["g++", *compiled, "-x", *kind], cwd=made, check=True)
        # Another process may have been faster.
        with contextlib.suppress(OSError):
            made.rename(home)
    return ["-include", str(home / "head.h"), str(home / "head.o"), *linker]


@pytest.fixture(scope="session")
def users_flags():
    """What programs are compiled with outside the tests: module, name and flags."""
    return AS_USERS_HAVE_IT


@pytest.fixture
def as_users_have_it(users_flags, monkeypatch):
    """Where bits are what is asked, programs are compiled as users have them."""
    for given in users_flags:
        monkeypatch.setattr(*given)


@pytest.fixture(autouse=True, scope="session")
def _disks_are_not_waited_for():
    # What a power cut leaves of thousands of small files is not looked at.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _file: None)
        yield


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    # Two threads on a busy machine wait for each other.
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _what_is_registered_is_known_to_its_test_alone(monkeypatch):
    # Tasks, neuron models and filters: what the next test knows must not depend on order.
    monkeypatch.setattr(names, "_own", dict(names._own))
    before = [(known, dict(known)) for known in (neurons.KNOWN, filters.KNOWN)]
    yield
    for known, kept in before:
        known.clear()
        known.update(kept)


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """From here on there is garbage."""
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """Every other process reads from the end: what one has compiled, its neighbour loads."""
    report = yield
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    if isinstance(collector, pytest.Dir) and int(worker.removeprefix("gw")) % 2:
        report.result.reverse()
    return report


# Files that take longest, longest first: the last one to be started must not leave a core idle.
LONG = ("test_contract", "test_notebooks", "test_whole_study", "test_nest", "test_pages")


def pytest_collection_modifyitems(items):
    """Long files first, all else by name: in one order, from wherever a process has read."""
    places = {name: place for place, name in enumerate(LONG)}

    def place(item):
        *folders, file = item.path.parts
        within = [(False, folder) for folder in folders]
        return places.get(item.path.stem, len(LONG)), [*within, (True, file)]

    items.sort(key=place)


class Outcome(NamedTuple):
    """How a command ended."""

    status: object
    out: str
    err: str


@pytest.fixture
def command(monkeypatch, capsys):
    """Run `spikebridge ARGUMENTS` in this process; what escapes `main` fails the test."""
    monkeypatch.setenv("COLUMNS", "200")
    # The command shows warnings its own way; here that ends with the test.
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    handler = signal.getsignal(signal.SIGTERM)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["spikebridge", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return Outcome(ended.value.code or 0, *capsys.readouterr())

    yield run
    signal.signal(signal.SIGTERM, handler)


def contents(folder):
    """Every file below a folder, with what is in it."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def refused(command, tmp_path):
    """Run a command that must fail: one line, exit status 2, every file as it was."""

    def run(*arguments):
        before = contents(tmp_path)
        outcome = command(*arguments)
        # Above the sentence there may be the progress bar of what it stopped.
        lines = outcome.err.strip().splitlines()
        ours = [line for line in lines if line.startswith("spikebridge:")]
        assert (outcome.status, lines[-1:], len(ours)) == (2, ours, 1), outcome.err
        assert "Traceback" not in outcome.out + outcome.err
        assert contents(tmp_path) == before
        return ours[0]

    return run


def kim_network(size=30, seed=0):
    """The one-to-one mapping's form: double exponential, per-neuron decay, Euler, refractory."""
    rng = np.random.default_rng(seed)
    sign = np.where(rng.random(size) < 0.2, -1.0, 1.0)
    weights = np.abs(rng.normal(0, 0.3, (size, size))) * (rng.random((size, size)) < 0.3) * sign
    synapse = DoubleExponential(tau_rise_ms=2.0, tau_decay_ms=rng.uniform(20, 100, size))
    return SpikingNetwork(
        dt_ms=0.05,
        populations=[
            Population(
                name="units",
                size=size,
                neurons=Lif(
                    membrane_step="euler", tau_mem_ms=10, v_rest_mv=0, v_threshold_mv=-40,
                    v_reset_mv=-65, bias_mv=-40, refractory_steps=40, initial_refractory_steps=40,
                ),
                initial_voltage=UniformVoltage(low_mv=-65, high_mv=30),
                noise_mv=0.1,
            )
        ],
        projections=[
            Projection(
                name="recurrent", source="units", target="units", weights=weights, filter=synapse
            ),
            Projection(
                name="stimulus", source=INPUT, target="units",
                weights=rng.normal(0, 2, (size, 2)), filter=Direct(),
            ),
        ],
        readouts=[
            Readout(
                name="output",
                channels=[
                    Channel(source="units", weights=rng.normal(0, 0.1, (1, size)), filter=synapse)
                ],
            )
        ],
        input_size=2,
        sample_steps=100,
        sample_offset_steps=51,
    )  # fmt: skip


def longer_steps_network(size=30, seed=0):
    """That form in steps of 0.25 ms: a fifth of the time."""
    whole = kim_network(size, seed)
    (units,) = whole.populations
    lif = replace(units.neurons, refractory_steps=8, initial_refractory_steps=8)
    return replace(
        whole,
        dt_ms=0.25,
        populations=[replace(units, neurons=lif)],
        sample_steps=20,
        sample_offset_steps=11,
    )


def go_nogo_network(size=30, task="go-nogo"):
    """The same with the one input of the task."""
    whole = longer_steps_network(size)
    recurrent, stimulus = whole.projections
    one = replace(stimulus, weights=stimulus.weights[:, :1])
    return replace(whole, task=task, input_size=1, projections=[recurrent, one])


def two_channel_network(size=24, seed=1):
    """The form of DePasquale et al. 2016: exact step, rest at threshold, slow and fast channel."""
    rng = np.random.default_rng(seed)
    scale = 12 / np.sqrt(size)
    return SpikingNetwork(
        dt_ms=1.0,
        populations=[
            Population(
                name="rec",
                size=size,
                neurons=Lif(
                    membrane_step="exact", tau_mem_ms=10, v_rest_mv=0, v_threshold_mv=1e-16,
                    v_reset_mv=-10, bias_mv=rng.normal(1, 1, size),
                ),
                initial_voltage=NormalVoltage(mean_mv=0, sd_mv=1e-3),
            )
        ],
        projections=[
            Projection(
                name=name, source="rec", target="rec",
                weights=rng.normal(0, scale * gain, (size, size)),
                filter=Exponential(tau_ms=tau, normalisation="jump"),
            )
            for name, tau, gain in (("slow", 100.0, 0.11), ("fast", 5.0, 0.3))
        ]
        + [
            Projection(
                name="drive", source=INPUT, target="rec", weights=rng.normal(0, 6, (size, 1)),
                filter=Direct(),
            )
        ],
        readouts=[
            Readout(
                name="z",
                channels=[
                    Channel(
                        source="rec", weights=rng.normal(0, 0.02, (2, size)),
                        filter=Exponential(tau_ms=tau, normalisation="jump"),
                    )
                    for tau in (100.0, 5.0)
                ],
                bias=[0.5, -0.5],
            )
        ],
        input_size=1,
    )  # fmt: skip


def two_population_network(seed=2):
    """Two populations of different neurons, sparse projections between them, delays, one direct."""
    rng = np.random.default_rng(seed)

    def lif(tau_ms, refractory):
        return Lif(
            membrane_step="euler", tau_mem_ms=tau_ms, v_rest_mv=-60, v_threshold_mv=-45,
            v_reset_mv=-62, bias_mv=rng.uniform(14, 18, len(tau_ms)), refractory_steps=refractory,
        )  # fmt: skip

    def weights(post, pre, scale):
        return sparse.random_array((post, pre), density=0.25, rng=rng) * scale

    sizes = {"exc": 20, "inh": 12}
    populations = [
        Population(
            name=name, size=size, neurons=lif(rng.uniform(8, 20, size), steps),
            initial_voltage=UniformVoltage(low_mv=-62, high_mv=-46), noise_mv=noise,
        )
        for (name, size), steps, noise in zip(sizes.items(), (20, 10), (0.3, 0.0), strict=True)
    ]  # fmt: skip
    kinds = {
        ("exc", "inh"): (0.05, DoubleExponential(tau_rise_ms=1, tau_decay_ms=5), 7),
        ("inh", "exc"): (-0.2, Exponential(tau_ms=10, normalisation="area"), 15),
        ("exc", "exc"): (1.0, Direct(), 3),
        ("inh", "inh"): (-0.5, Exponential(tau_ms=3, normalisation="jump"), 0),
    }
    projections = [
        Projection(
            name=f"{source}_to_{target}", source=source, target=target,
            weights=weights(sizes[target], sizes[source], scale), filter=filter_, delay_steps=delay,
        )
        for (source, target), (scale, filter_, delay) in kinds.items()
    ]  # fmt: skip
    projections.append(
        Projection(
            name="filtered_input", source=INPUT, target="inh",
            weights=rng.uniform(0, 0.05, (12, 1)),
            filter=Exponential(tau_ms=4, normalisation="jump"),
        )
    )  # fmt: skip
    return SpikingNetwork(
        dt_ms=0.1,
        populations=populations,
        projections=projections,
        readouts=[
            Readout(
                name="both",
                channels=[
                    Channel(
                        source=name, weights=rng.normal(0, 0.1, (1, size)),
                        filter=Exponential(tau_ms=20, normalisation="area"),
                    )
                    for name, size in sizes.items()
                ],
            )
        ],
        input_size=1,
        sample_steps=10,
    )  # fmt: skip


def quadratic_network(seed=3, quad=14, leaky=9):
    """QIF and LIF neurons, and filters of the presynaptic side: delayed, of the input, sparse."""
    rng = np.random.default_rng(seed)
    qif = Qif(
        tau_mem_ms=rng.uniform(8, 12, quad), v_threshold_mv=30, v_reset_mv=-65,
        bias_mv=rng.uniform(-20, 60, quad), refractory_steps=20, initial_refractory_steps=5,
    )  # fmt: skip
    lif = Lif(
        membrane_step="euler", tau_mem_ms=10, v_rest_mv=-60, v_threshold_mv=-45, v_reset_mv=-62,
        bias_mv=16, refractory_steps=20,
    )  # fmt: skip
    populations = [
        Population(
            name=name, size=size, neurons=neurons, noise_mv=noise, cell_types=types,
            initial_voltage=UniformVoltage(low_mv=low, high_mv=low + 14),
        )
        for name, size, neurons, noise, low, types in (
            ("quad", quad, qif, 0.1, -20, None),
            ("leaky", leaky, lif, 0.0, -60, tuple(np.resize(["PV", "SOM", "SOM"], leaky))),
        )
    ]  # fmt: skip
    slow = DoubleExponential(tau_rise_ms=2, tau_decay_ms=rng.uniform(10, 40, quad), side="pre")
    fast = Exponential(tau_ms=rng.uniform(2, 9, leaky), normalisation="area", side="pre")
    projections = [
        Projection(
            name="recurs", source="quad", target="quad", filter=slow,
            weights=rng.normal(0, 0.5, (quad, quad)),
        ),
        Projection(
            name="inhibits", source="leaky", target="quad", filter=fast, delay_steps=3,
            weights=sparse.random_array((quad, leaky), density=0.4, rng=rng) * -0.5,
        ),
        Projection(
            name="shown", source=INPUT, target="quad", weights=rng.normal(0, 0.004, (quad, 2)),
            filter=DoubleExponential(tau_rise_ms=[1, 3], tau_decay_ms=[4, 9], side="pre"),
        ),
        Projection(
            name="held", source=INPUT, target="leaky", weights=rng.uniform(0, 0.1, (leaky, 2)),
            filter=Exponential(tau_ms=[3, 6], normalisation="jump", side="pre"),
        ),
    ]  # fmt: skip
    return SpikingNetwork(
        dt_ms=0.1,
        populations=populations,
        projections=projections,
        readouts=[
            Readout(
                name="out",
                channels=[
                    Channel(source="quad", weights=rng.normal(0, 0.1, (1, quad)), filter=slow)
                ],
            )
        ],
        input_size=2,
        sample_steps=10,
    )


# What comes with the network of that name. Neurons 0 to 13 are QIF, the others LIF.
STIMULATION = {
    "quadratic": (
        Stimulation(start_step=30, stop_step=200, neurons=[0, 3, 15], amplitude_mv=1.5),
        Stimulation(
            start_step=100, stop_step=555, neurons=[20, 16], amplitude_mv=-0.3, probability=0.2,
            seed=3,
        ),
    )
}  # fmt: skip


def pushes(name, steps):
    """The stimulations of the network of a name, as far as trials of that many steps go."""
    return tuple(
        replace(push, stop_step=min(push.stop_step, steps)) for push in STIMULATION.get(name, ())
    )


NETWORKS = {
    "one-to-one": (kim_network, 6),
    "two channels": (two_channel_network, 120),
    "two populations": (two_population_network, 80),
    "quadratic": (quadratic_network, 80),
}


def drive_for(network, samples, trials=2, seed=5, **fields):
    """A drive whose input varies over samples, trials and channels."""
    rng = np.random.default_rng(seed)
    inputs = rng.normal(0, 1, (samples, trials, network.input_size)).cumsum(axis=0) * 0.1
    return Drive(inputs=inputs, noise=SharedNoise(seed=seed), **fields)
