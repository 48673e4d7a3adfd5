"""Brian2 is the user's too: what they have set decides nothing, and is given back untouched."""

import os
import subprocess
import sys
import threading
from importlib import import_module
from pathlib import Path

import brian2
import numpy as np
import pytest
from brian2.devices.device import runtime_device
from conftest import drive_for, kim_network

import bridge
from bridge.backends import cache_folder, simulate
from bridge.backends.brian2 import build as brian2_build
from bridge.backends.brian2 import formed as brian2_form
from bridge.backends.kept import Kept, Wanted
from bridge.backends.processes import children
from bridge.errors import BackendError


@pytest.fixture(scope="module")
def asked():
    """A network of few operations, a drive and the voltages that the reference gives."""
    network = kim_network(12)
    drive = drive_for(network, 3)
    expected = simulate(network, drive, voltages=True)
    assert expected.spikes.count > 20
    return network, drive, expected.voltages_mv


def voltages(asked, target="numpy", **options):
    """Those of Brian2, whose last bits show what spikes do not."""
    network, drive, _ = asked
    got = simulate(network, drive, backend="brian2", target=target, voltages=True, **options)
    return got.voltages_mv


@pytest.fixture
def prefs():
    """The user's preferences; what a test sets is taken back."""
    kept, waiting = dict(brian2.prefs.prefs), dict(brian2.prefs.prefs_unvalidated)
    yield brian2.prefs
    brian2.prefs.prefs.update(kept)
    brian2.prefs.prefs_unvalidated.clear()
    brian2.prefs.prefs_unvalidated.update(waiting)


ODD = {
    # Resets before spikes arrive, and the order of groups and thresholds turned round.
    "core.network.default_schedule": ["start", "thresholds", "groups", "resets", "synapses", "end"],
    "core.default_float_dtype": np.float32,
    "core.default_integer_dtype": np.int64,
    "codegen.target": "cython",
    "codegen.string_expression_target": "cython",
    "codegen.loop_invariant_optimisations": False,
    "codegen.runtime.numpy.discard_units": True,
    "codegen.cpp.extra_compile_args": ["-Ofast"],
    "codegen.cpp.headers": ["<nowhere.h>"],
    "devices.cpp_standalone.openmp_threads": 2,
    "core.stop_on_keyboard_interrupt": True,
    "legacy.refractory_timing": True,
}


@pytest.mark.parametrize("name", ODD)
def test_a_preference_of_the_user_changes_no_voltage_and_stays(name, prefs, asked):
    prefs[name] = ODD[name]
    np.testing.assert_array_equal(voltages(asked), asked[2])
    assert prefs[name] == ODD[name]


def test_a_preference_of_a_package_that_is_not_there_ends_no_run(prefs, asked):
    prefs.prefs_unvalidated["devices.elsewhere.option"] = 1
    np.testing.assert_array_equal(voltages(asked), asked[2])
    assert prefs.prefs_unvalidated == {"devices.elsewhere.option": 1}


def test_preferences_are_given_back_after_a_failure_too(prefs, asked, monkeypatch):
    prefs["core.network.default_schedule"] = ODD["core.network.default_schedule"]
    runtime = import_module("bridge.backends.brian2.runtime")
    monkeypatch.setattr(runtime, "build", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        voltages(asked)
    assert prefs["core.network.default_schedule"] == ODD["core.network.default_schedule"]


def sources(form, project):
    """What Brian2 writes for a form, by file."""
    project.mkdir()
    (project / brian2_build.FORM).write_text(brian2_build.json.dumps(form.plain()))
    with children() as family:
        brian2_build._generate(project, family)
    kept = (".cpp", ".h", ".json")
    return {
        str(path.relative_to(project)): path.read_text()
        for path in project.rglob("*")
        if path.suffix in kept
    }


@pytest.fixture(scope="module")
def form(asked):
    network, drive, _ = asked
    return brian2_form.form_of(network, drive, Wanted(), counted=True)


@pytest.fixture(scope="module")
def plain(form, tmp_path_factory):
    """The sources of the form, written where no preferences lie about."""
    return sources(form, tmp_path_factory.mktemp("plain") / "project")


@pytest.fixture(scope="module")
def stored(asked, tmp_path_factory):
    """A folder that holds what is asked, for another process."""
    network, drive, expected = asked
    folder = tmp_path_factory.mktemp("stored")
    bridge.save(network, folder / "network.h5")
    bridge.save(drive, folder / "drive.h5")
    np.save(folder / "expected.npy", expected)
    return folder


def in_new_process(code, stored, folder):
    """Run code that finds `same`: whether Brian2 fires what the reference does."""
    command = [sys.executable, "-c", PREPARED + code, str(stored)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


PREPARED = """
import sys
import numpy as np
import bridge
from bridge.backends import simulate
network, drive = (bridge.load(f"{sys.argv[1]}/{name}.h5") for name in ("network", "drive"))
expected = np.load(f"{sys.argv[1]}/expected.npy")
def same():
    got = simulate(network, drive, backend="brian2", target="numpy", voltages=True)
    return np.array_equal(got.voltages_mv, expected)
"""


def test_importing_brian2_takes_over_nothing_and_a_schedule_in_the_folder_changes_no_voltage(
    stored, tmp_path
):
    (tmp_path / "brian_preferences").write_text(
        "core.network.default_schedule = "
        "['start', 'thresholds', 'groups', 'resets', 'synapses', 'end']\n"
        "core.default_float_dtype = float32\n"
    )
    code = """
import logging, signal, threading, warnings
def state():
    return sys.excepthook, signal.getsignal(signal.SIGINT), warnings.showwarning
before = state()
told = []
# Brian2 cannot even be imported beside the main thread if it insists on its signal handler.
thread = threading.Thread(target=lambda: told.append(same()))
thread.start(); thread.join()
print(told, same(), state() == before)
import brian2; print(brian2.prefs['core.default_float_dtype'])
"""
    done = in_new_process(code, stored, tmp_path)
    assert done.stdout == "[True] True True\n<class 'numpy.float32'>\n", done.stderr


def test_preferences_that_cannot_be_read_are_one_sentence(stored, tmp_path):
    (tmp_path / "brian_preferences").write_text("core.default_float_dtype = no_such_name\n")
    code = """
try:
    same()
except bridge.BridgeError as error:
    print(error)
"""
    done = in_new_process(code, stored, tmp_path)
    assert done.stdout.startswith("Brian2 cannot be imported: "), done.stderr
    assert str(tmp_path / "brian_preferences") in done.stdout


def leaky_group():
    group = brian2.NeuronGroup(
        2, "dv/dt = 1/(10*ms) : 1", method="euler", threshold="v > 1", reset="v = 0"
    )
    return group, brian2.SpikeMonitor(group)


@pytest.fixture
def standalone(tmp_path):
    """A user's script in standalone mode, its program half written."""
    brian2.set_device("cpp_standalone", directory=str(tmp_path), build_on_run=False)
    group, monitor = leaky_group()
    brian2.Network(group, monitor).run(1 * brian2.ms)
    device = brian2.get_device()
    yield device
    device.reinit()
    brian2.set_device("runtime")


def held(device):
    """What a user's device holds of their program."""
    return list(device.main_queue), list(device.code_objects), set(map(id, device.networks))


def test_a_user_s_program_stays_what_it_was_and_ours_gives_its_spikes(standalone, asked):
    before = held(standalone)
    assert before[0]
    progress = []
    got = voltages(asked, on_progress=progress.append)
    np.testing.assert_array_equal(got, asked[2])
    assert progress[-1] == 1.0
    assert brian2.get_device() is standalone
    assert held(standalone) == before


def test_a_program_is_the_same_whatever_lies_about_and_the_user_s_own_is_left_alone(
    standalone, form, plain, tmp_path, monkeypatch
):
    assert any("refractory_left" in text for text in plain.values())
    home = tmp_path / "home"
    (home / ".brian").mkdir(parents=True)
    (home / ".brian" / "user_preferences").write_text("core.default_float_dtype = float32\n")
    (home / "brian_preferences").write_text("no preference at all\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home)
    before = held(standalone)
    assert sources(form, tmp_path / "project") == plain
    assert brian2.get_device() is standalone
    assert held(standalone) == before


def test_where_no_process_can_be_started_standalone_mode_is_refused(standalone, asked, monkeypatch):
    monkeypatch.setattr("bridge.backends.brian2.simulation.can_fork", lambda: False)
    with pytest.raises(BackendError, match=r"choose target='standalone', or call brian2.set_dev"):
        voltages(asked)


def test_random_numbers_of_the_user_go_on_where_they_were(asked):
    np.random.seed(3)
    drawn = np.random.rand(5)
    buffers = [runtime_device.rand_buffer, runtime_device.randn_buffer_index]
    np.random.seed(3)
    network, drive, _ = asked
    own = bridge.Drive(inputs=drive.inputs, noise=bridge.OwnNoise(seed=1))
    simulate(network, own, backend="brian2", target="numpy")
    np.testing.assert_array_equal(np.random.rand(5), drawn)
    assert runtime_device.rand_buffer is buffers[0]
    assert runtime_device.randn_buffer_index is buffers[1]


def test_a_network_of_the_user_goes_on_around_ours(prefs, asked):
    prefs["codegen.target"] = "numpy"
    told, times = [], []
    for called in (False, True):
        group, monitor = leaky_group()
        network = brian2.Network(group, monitor)
        if called:
            operation = brian2.NetworkOperation(
                lambda: told.append(np.array_equal(voltages(asked), asked[2])), dt=10 * brian2.ms
            )
            network.add(operation)
        network.run(25 * brian2.ms)
        network.run(25 * brian2.ms)
        times.append(np.asarray(monitor.t))
    assert told == [True] * 5
    assert times[0].size > 5
    np.testing.assert_array_equal(*times)


def test_ctrl_c_ends_a_run_and_gives_no_half_a_recording(asked):
    import signal

    def pressed(_fraction):
        signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    # What Brian2 makes of Ctrl-C where the user has imported it.
    signal.signal(signal.SIGINT, brian2._InterruptHandler(signal.default_int_handler))
    try:
        runtime = import_module("bridge.backends.brian2.runtime")
        network, drive, _ = asked
        results = import_module("bridge.backends.brian2.results").Results(
            network, drive, Kept(network, drive, Wanted())
        )
        with pytest.raises(KeyboardInterrupt):
            runtime.run(network, drive, results, "numpy", pressed)
    finally:
        signal.signal(signal.SIGINT, before)
    # The next one runs as if nothing had happened.
    np.testing.assert_array_equal(voltages(asked), asked[2])


def test_a_session_in_another_thread_holds_up_no_process_forked_meanwhile(standalone, asked):
    session = import_module("bridge.backends.brian2.session")
    entered, leave = threading.Event(), threading.Event()

    def hold():
        with session._one_at_a_time:
            entered.set()
            leave.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    entered.wait(60)
    try:
        np.testing.assert_array_equal(voltages(asked), asked[2])
    finally:
        leave.set()
        thread.join()


def test_flags_of_the_user_reach_no_compiler_and_stay(prefs, monkeypatch, tmp_path):
    monkeypatch.setenv("CFLAGS", "-ffast-math")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    session = import_module("bridge.backends.brian2.session").session
    with session("cython"):
        assert "CFLAGS" not in os.environ
        kept = Path(prefs["codegen.runtime.cython.cache_dir"])
        assert kept.parent == cache_folder.home("cython")
        assert "-ffp-contract=off" in prefs["codegen.cpp.extra_compile_args"]
    assert os.environ["CFLAGS"] == "-ffast-math"
    assert os.environ["TMPDIR"] == str(tmp_path)
    # Another compiler's modules lie elsewhere: Brian2's own keys would mix them up.
    monkeypatch.setattr("bridge.backends.compiler.compiler_identity", lambda: "another")
    with session("cython"):
        assert Path(prefs["codegen.runtime.cython.cache_dir"]) != kept


def test_numpy_s_errors_and_torch_s_arithmetic_of_the_user_change_nothing():
    import torch

    network = kim_network(12)
    drive = drive_for(network, 4)
    expected = [
        simulate(network, drive, backend=b).spikes.codes() for b in ("reference", "snntorch")
    ]
    with np.errstate(all="raise"):
        torch.set_flush_denormal(True)
        torch.set_default_dtype(torch.float64)
        torch.set_default_device("meta")
        try:
            got = [
                simulate(network, drive, backend=b).spikes.codes()
                for b in ("reference", "snntorch")
            ]
            kept = torch.get_default_dtype(), torch.get_default_device().type, np.geterr()["under"]
            flushed = bool(np.float64(5e-324) * np.float64(1.0) == 0)
        finally:
            torch.set_default_device(None)
            torch.set_default_dtype(torch.float32)
            torch.set_flush_denormal(False)
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert (*kept, flushed) == (torch.float64, "meta", "raise", True)


def failing_compiler(folder):
    """A g++ that has no room for what it makes, or is broken."""
    path = folder / "bin" / "g++"
    path.parent.mkdir()
    path.write_text("#!/bin/sh\necho 'no such instruction' >&2\nexit 1\n")
    path.chmod(0o755)
    return f"{path.parent}{os.pathsep}{os.environ['PATH']}"


def test_a_compiler_that_fails_under_cython_is_one_sentence(asked, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", failing_compiler(tmp_path))
    monkeypatch.setenv("CXX", "g++")
    monkeypatch.setenv(cache_folder.ENVIRONMENT, str(tmp_path / "cache"))
    with pytest.raises(BackendError, match=r"^Brian2 \(cython\) failed: .*g\+\+") as caught:
        voltages(asked, target="cython")
    assert "\n" not in str(caught.value)


def test_a_full_cache_under_cython_is_left_for_a_temporary_folder(asked, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", failing_compiler(tmp_path))
    monkeypatch.setenv("CXX", "g++")
    monkeypatch.setenv(cache_folder.ENVIRONMENT, str(tmp_path / "cache"))
    monkeypatch.setattr(cache_folder, "_INSTEAD", {})
    monkeypatch.setattr(cache_folder, "_LEAST_ROOM", 2**60)
    # There is no room there either, which is said with what moves it.
    with (
        pytest.warns(UserWarning, match="No space left on device"),
        pytest.raises(BackendError, match="set SPIKEBRIDGE_CACHE or TMPDIR"),
    ):
        voltages(asked, target="cython")
