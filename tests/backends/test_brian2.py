"""Brian2's compiled programs: built once for a form, kept, shared, and run beside each other."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import drive_for, kim_network

import bridge
from bridge.backends import cache_folder, simulate
from bridge.backends.brian2 import program as brian2_program
from bridge.backends.brian2 import toolchain
from bridge.errors import BackendError, OutputError, SpecError

SAMPLES, TRIALS = 20, 3


@pytest.fixture(autouse=True, scope="module")
def _compiled_as_users_have_it(users_flags):
    """So that another process, which is a user's, finds the same programs."""
    with pytest.MonkeyPatch.context() as patch:
        for given in users_flags:
            patch.setattr(*given)
        yield


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A cache folder with the program of `network()`, built once for all tests of this file."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("kept")
        patch.setenv(cache_folder.ENVIRONMENT, str(folder))
        run(network())
    return folder


@pytest.fixture
def cached(kept, monkeypatch, tmp_path):
    """The environment of a later run: the cache, and a folder that shows what is left behind."""
    monkeypatch.setenv(cache_folder.ENVIRONMENT, str(kept))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return kept


@pytest.fixture
def never_built(monkeypatch):
    """No compiler may be started."""

    def refused(*_):
        raise AssertionError("compiled again")

    monkeypatch.setattr(brian2_program, "build_program", refused)


def network(seed=0, size=15):
    return kim_network(size=size, seed=seed)


def drive(net, seed=5, trials=TRIALS, **fields):
    return drive_for(net, SAMPLES, trials=trials, seed=seed, **fields)


def run(net, given=None, **options):
    return simulate(net, given or drive(net), backend="brian2", target="standalone", **options)


@pytest.fixture
def stored(tmp_path):
    """A folder that holds the network and the drive of a run."""
    bridge.save(network(), tmp_path / "network.h5")
    bridge.save(drive(network()), tmp_path / "drive.h5")
    return tmp_path


def in_new_process(code, folder, **environment):
    """Run code that finds `bridge`, `net` and `drive`, and the path of the folder in argv[1]."""
    read = (
        "import sys, bridge, bridge.backends; net = bridge.load(sys.argv[1] + '/network.h5'); "
        "drive = bridge.load(sys.argv[1] + '/drive.h5')\n"
    )
    command = [sys.executable, "-c", read + code, str(folder)]
    given = {**os.environ, **environment}
    return subprocess.run(command, env=given, capture_output=True, text=True, check=False)


def assert_same(got, expected):
    assert expected.spikes.count > 20
    np.testing.assert_array_equal(got.spikes.codes(), expected.spikes.codes())


def entry_of(folder):
    (entry,) = [path for path in (folder / "brian2").iterdir() if not path.name.startswith(".")]
    return entry


def test_a_kept_program_runs_other_networks_of_its_form(cached, never_built):
    other = network(seed=3)
    synapses = [net.projections[0].synapses().nnz for net in (network(), other)]
    assert synapses[0] != synapses[1]
    tuned = replace(other, sample_offset_steps=51, provenance={"made": "otherwise"})
    given = drive(tuned, seed=8, first_trial=4)
    assert_same(run(tuned, given), simulate(tuned, given, backend="reference"))


def test_a_run_of_a_kept_program_imports_no_brian2_and_compiles_nothing(stored, cached, tmp_path):
    calls = tmp_path / "calls"
    (tmp_path / "bin").mkdir()
    for tool in ("as", "ld"):
        path = tmp_path / "bin" / tool
        path.write_text(f"#!/bin/sh\necho {tool} >> {calls}\nexit 1\n")
        path.chmod(0o755)
    code = (
        "import sys; got = bridge.backends.simulate(net, drive, backend='brian2'); "
        "print(got.spikes.count, got.provenance['target'], 'brian2' in sys.modules)"
    )
    paths = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = in_new_process(code, stored, PATH=paths)
    expected = simulate(network(), drive(network()), backend="reference").spikes.count
    assert done.stdout.split() == [str(expected), "standalone", "False"], done.stderr
    assert not calls.exists()


FAKE_BUILD = """
import os, shutil, signal, sys, time
from bridge.backends.brian2 import program as brian2_program
def build_program(form, folder):
    with open(os.environ["BUILDS"], "a") as log:
        log.write("built ")
    folder.mkdir()
    for name in os.listdir(os.environ["WHOLE"]):
        shutil.copy2(os.path.join(os.environ["WHOLE"], name), folder)
        if "KILLED" in os.environ:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.2)
brian2_program.build_program = build_program
print(bridge.backends.simulate(net, drive, backend="brian2").spikes.count)
"""


def test_two_processes_that_need_one_program_build_it_once(stored, cached, tmp_path):
    given = {
        "WHOLE": str(entry_of(cached)),
        "BUILDS": str(tmp_path / "builds"),
        cache_folder.ENVIRONMENT: str(tmp_path / "empty"),
    }
    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(in_new_process, FAKE_BUILD, stored, **given) for _ in range(2)]
    expected = simulate(network(), drive(network()), backend="reference").spikes.count
    assert [done.result().stdout for done in both] == [f"{expected}\n"] * 2
    assert (tmp_path / "builds").read_text() == "built "


def test_a_killed_build_leaves_no_program_and_holds_up_no_other(stored, cached, tmp_path):
    given = {
        "WHOLE": str(entry_of(cached)),
        "BUILDS": str(tmp_path / "builds"),
        cache_folder.ENVIRONMENT: str(tmp_path / "empty"),
    }
    killed = in_new_process(FAKE_BUILD, stored, KILLED="1", **given)
    assert killed.returncode == -signal.SIGKILL
    kept_now = [p for p in (tmp_path / "empty" / "brian2").iterdir() if p.name[0] != "."]
    assert kept_now == []
    again = in_new_process(FAKE_BUILD, stored, **given)
    assert int(again.stdout) > 20
    assert (tmp_path / "builds").read_text() == "built built "


@pytest.mark.parametrize("damage", ["program", "manifest", "half a manifest", "no program"])
def test_a_damaged_program_is_built_again(damage, cached, monkeypatch):
    entry = entry_of(cached)
    whole = {path.name: path.read_bytes() for path in entry.iterdir()}
    program, manifest = entry / "main", entry / "manifest.json"
    if damage == "program":
        program.write_bytes(whole["main"][:-1000])
    elif damage == "no program":
        program.unlink()
    elif damage == "manifest":
        manifest.write_text("[]")
    else:
        manifest.write_bytes(whole["manifest.json"][:40])
    built = []

    def rebuilt(form, folder):
        built.append(form)
        folder.mkdir()
        for name, content in whole.items():
            (folder / name).write_bytes(content)
            (folder / name).chmod(0o755)

    monkeypatch.setattr(brian2_program, "build_program", rebuilt)
    assert_same(run(network()), simulate(network(), drive(network()), backend="reference"))
    assert len(built) == 1


def test_a_build_that_is_stopped_leaves_nothing(cached, monkeypatch, tmp_path):
    def stopped(form, folder):
        folder.mkdir()
        (folder / "main").write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setenv(cache_folder.ENVIRONMENT, str(tmp_path / "empty"))
    monkeypatch.setattr(brian2_program, "build_program", stopped)
    with pytest.raises(KeyboardInterrupt):
        run(network())
    left = [p for p in (tmp_path / "empty").rglob("*") if not p.name.startswith(".lock")]
    assert left == [tmp_path / "empty" / "brian2"]


def test_a_program_that_does_not_compile_is_one_sentence(cached, monkeypatch, tmp_path):
    monkeypatch.setenv(cache_folder.ENVIRONMENT, str(tmp_path / "empty"))
    monkeypatch.setattr("bridge.backends.brian2.units._CLOCK", "#error no such thing\n")
    with pytest.raises(BackendError, match=r"did not compile: .*no such thing"):
        run(network())
    assert not list(tmp_path.glob("spikebridge-*"))


def test_a_program_that_fails_is_one_sentence(cached, monkeypatch):
    monkeypatch.setattr(brian2_program._Trials, "_argument", lambda *_: ["neurons_0.nothing=1"])
    with pytest.raises(BackendError, match="failed: Cannot set unknown variable"):
        run(network())


def test_a_missing_file_is_one_sentence(cached, monkeypatch):
    monkeypatch.setattr(brian2_program._Trials, "_write_tables", lambda *_: None)
    with pytest.raises(BackendError, match="failed: Error opening static array u_1_values"):
        run(network())


def test_a_full_temporary_folder_is_one_sentence(cached, monkeypatch, tmp_path):
    def full(*_):
        raise OSError(f"{2000} requested and 17 written")

    monkeypatch.setattr(brian2_program._Trials, "_write_tables", full)
    with pytest.raises(OutputError, match=r"17 written.*make room, or set TMPDIR to another"):
        run(network())
    assert not list(tmp_path.glob("spikebridge-*"))


def test_a_disk_that_a_program_fills_is_one_sentence(cached, monkeypatch):
    def full(*_):
        return 1, "fired_0: cannot be written"

    monkeypatch.setattr(brian2_program.Children, "run", full)
    with pytest.raises(OutputError, match=r"fired_0: cannot be written.*set TMPDIR"):
        run(network())


def test_a_program_that_may_not_be_started_is_kept_elsewhere(cached, monkeypatch):
    access, built = os.access, []

    def refused(path, mode):
        return cached not in Path(path).parents and access(path, mode)

    def rebuilt(form, folder):
        built.append(form)
        shutil.copytree(entry_of(cached), folder)

    monkeypatch.setattr(cache_folder, "_INSTEAD", {})
    monkeypatch.setattr(brian2_program.os, "access", refused)
    monkeypatch.setattr(brian2_program, "build_program", rebuilt)
    with pytest.warns(UserWarning, match="programs cannot be started from it"):
        got = run(network())
    assert len(built) == 1
    assert_same(got, simulate(network(), drive(network()), backend="reference"))


@pytest.mark.parametrize("workers", [1, 4])
def test_trials_are_the_same_however_many_run_at_once(workers, cached, tmp_path):
    given = drive(network(), trials=6)
    done = []
    got = run(network(), given, workers=workers, on_progress=done.append)
    assert_same(got, simulate(network(), given, backend="reference"))
    assert done == [0.0, *(pytest.approx(k / 6) for k in range(1, 7))]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("workers", [0, -1, 1.5, True])
def test_a_number_of_workers_that_makes_no_sense_is_refused(workers):
    with pytest.raises(SpecError, match="workers: expected a whole number of at least 1"):
        run(network(), workers=workers)


INTERRUPTED = """
import sys, bridge
from pathlib import Path
import bridge
from bridge.backends import simulate
from bridge.backends.brian2 import program as brian2_program
folder = Path(sys.argv[1])

class Types(dict):
    def __missing__(self, name):
        return "float64"

# The program of a trial that does not end.
program = folder / "endless"
program.write_text(f"#!/bin/sh\\nsleep 600 & echo $! >> {folder}/pids; wait\\n")
program.chmod(0o755)
endless = brian2_program.Program(path=program, arguments=Types(), files={}, results={}, fixed=[])
brian2_program.program_for = lambda form: endless
net, drive = (bridge.load(folder / f"{name}.h5") for name in ("network", "drive"))
simulate(net, drive, backend="brian2", target="standalone", workers=2)
"""


def test_an_interrupted_run_ends_its_programs_and_leaves_no_files(stored, tmp_path):
    temporary, pids = tmp_path / "tmp", tmp_path / "pids"
    temporary.mkdir()
    child = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(stored)],
        env={**os.environ, "TMPDIR": str(temporary)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while not (pids.exists() and len(pids.read_text().split()) == 2):
            assert child.poll() is None, child.stderr.read()
            time.sleep(0.02)
        assert list(temporary.iterdir())
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=30)
    finally:
        child.kill()
    assert said.strip().splitlines()[-1] == "KeyboardInterrupt"
    assert not list(temporary.iterdir())
    for pid in pids.read_text().split():
        # Ended, whether or not its new parent has taken notice yet.
        shown = subprocess.run(["ps", "-o", "stat=", "-p", pid], capture_output=True, text=True)
        assert shown.stdout.strip()[:1] in ("", "Z")


def test_without_a_compiler_numpy_runs_and_says_why(monkeypatch):
    which = toolchain.shutil.which
    monkeypatch.setattr(
        toolchain.shutil, "which", lambda tool: None if tool == "g++" else which(tool)
    )
    net = network()
    with pytest.warns(UserWarning, match="runs its numpy target") as warned:
        got = simulate(net, drive(net), backend="brian2")
    assert len(warned) == 1
    assert got.provenance["target"] == "numpy"
    assert got.provenance["fallback"] == "g++ not found on this machine"
    assert_same(got, simulate(net, drive(net), backend="reference"))
    with pytest.raises(BackendError, match="install a C\\+\\+ compiler or choose the target numpy"):
        run(net)


def test_with_a_compiler_the_default_is_standalone(cached, never_built):
    got = simulate(network(), drive(network()), backend="brian2")
    assert got.provenance["target"] == "standalone"
    assert "fallback" not in got.provenance
