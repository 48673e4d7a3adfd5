"""Importers run apart: whatever one of them does costs the cells that it does it in."""

import csv
import os
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bridge.cli import app
from bridge.conformance import importers, output, processes, running
from bridge.conformance.judging import Verdict
from bridge.conformance.processes import Importer
from bridge.errors import OutputError, SpecError

TESTS = Path(__file__).parents[1]
WANTED = {
    "plain": Verdict("right"),
    "default-dt": Verdict("right"),
    "v-reset": Verdict("other", "reset by subtraction"),
    "tie": Verdict("died", "its process ended by SIGABRT"),
    "if": Verdict("hangs", "no end within 1 s"),
    "cuba": Verdict("error", "ValueError: cuba.nir: this importer refuses it (in conformance)"),
    "order": Verdict("died", "its process ended without a result"),
    "nested": Verdict("wrong", "480 of 480 values differ, the first in step 1"),
}


def fake(name, python=sys.executable):
    return Importer(name, f"conformance.fakes.{name}", python)


@pytest.fixture(autouse=True)
def _with_fakes(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    monkeypatch.setenv("FAKE_PID", str(tmp_path / "pid"))


def test_each_cell_is_judged_by_itself():
    began = time.monotonic()
    (found,) = running.run([fake("behaves")], running.chosen_traps(list(WANTED)), limit_s=1.0)
    # What hangs would take ten minutes.
    assert time.monotonic() - began < 15
    assert found.verdicts == WANTED
    assert found.missing == ()
    assert found.others.startswith("h5py ")


def test_nothing_is_run_of_an_importer_that_is_not_installed():
    (found,) = running.run([fake("absent")], running.chosen_traps(["plain"]))
    assert (found.missing, found.verdicts) == (("no-such-package-anywhere",), {})


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("broken", Verdict("error", "importing it: ImportError: cannot import name 'gone' "
                                    "(in conformance)")),
        ("crashing", Verdict("died", "importing it: its process ended with SIGABRT")),
        ("leaving", Verdict("error", "importing it: SystemExit: 0 (in conformance)")),
    ],
)  # fmt: skip
def test_an_importer_that_does_not_load_reads_nothing(name, wanted):
    (found,) = running.run([fake(name)], running.chosen_traps(["plain", "tie"]))
    assert found.verdicts == {"plain": wanted, "tie": wanted}


def test_an_importer_that_never_loads_is_not_waited_for_as_long_as_for_all_graphs(monkeypatch):
    monkeypatch.setattr(processes, "_LOADING_S", 3.0)
    began = time.monotonic()
    (found,) = running.run([fake("endless")], running.chosen_traps(["plain", "tie"]))
    # The limit of each graph is a minute.
    assert time.monotonic() - began < 30
    late = Verdict("hangs", "importing it: no end within 3 s")
    assert found.verdicts == {"plain": late, "tie": late}


def test_a_python_that_runs_nothing_is_named(tmp_path):
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho no module here >&2\nexit 3\n")
    python.chmod(0o755)
    with pytest.raises(SpecError, match=r"behaves: .*python cannot .*\(no module here\)"):
        running.run([fake("behaves", str(python))], running.chosen_traps(["plain"]))


def test_an_interrupt_ends_what_was_started(tmp_path):
    pid = tmp_path / "pid"

    def interrupt(fraction, note):
        if pid.is_file() and pid.read_text():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        running.run([fake("behaves")], running.chosen_traps(["if"]), on_progress=interrupt)
    assert _ended(int(pid.read_text()))


def _ended(pid):
    """Whether a process ends within a while; one that nobody waits for has ended, too."""
    for _ in range(100):
        status = Path(f"/proc/{pid}/status")
        try:
            if "State:\tZ" in status.read_text():
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def command(monkeypatch):
    def run(*words, chosen=("behaves", "absent")):
        made = tuple(map(fake, chosen))
        monkeypatch.setattr(running, "chosen_importers", lambda names, pythons: made)
        return CliRunner().invoke(app, ["conformance", *words])

    return run


def test_the_command_shows_the_table_and_writes_it(command, tmp_path):
    out = tmp_path / "table.csv"
    done = command("--graphs", "plain,v-reset,cuba", "--out", str(out), "--all")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Fake ")
    assert lines[0].endswith(": 1 right, 1 other, 1 error")
    assert lines[1] == (
        "Absent: not run, without no-such-package-anywhere: pip install no-such-package-anywhere"
    )
    cells = [line.split() for line in lines]
    assert all(row in cells for row in (["plain", "right"], ["v-reset", "other"]))
    assert any(line.endswith("reset by subtraction") for line in lines)
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["importer"], row["graph"], row["verdict"]) for row in rows] == [
        ("Fake", "plain", "right"), ("Fake", "v-reset", "other"), ("Fake", "cuba", "error"),
    ]  # fmt: skip


def test_the_table_is_a_picture_too(command, tmp_path):
    verdicts = {"plain": Verdict("right"), "cuba": Verdict("error", "ValueError")}
    found = running.Found("Fake", "1.2.3", "", (), "", verdicts)
    graphs = running.chosen_traps(list(verdicts))
    for out, start in (("table.png", b"\x89PNG"), ("table.PDF", b"%PDF"), ("table.svg", b"<?xml")):
        output.write(tmp_path / out, [found], graphs)
        assert (tmp_path / out).read_bytes().startswith(start)
    drawn = (tmp_path / "table.svg").read_text()
    assert all(f"<!-- {word} -->" in drawn for word in ("plain", "cuba", "right", "error", "1.2.3"))
    assert isinstance(command("--out", str(tmp_path / "table.svg")).exception, OutputError)


def test_without_any_importer_the_command_says_what_to_install(command):
    done = command(chosen=("absent",))
    assert "pip install no-such-package-anywhere" in done.output
    assert str(done.exception) == "none of these importers is installed"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--importers", "norse,nengo"], "importer 'nengo' is not known; known are snntorch"),
        (["--graphs", "plain,loop"], "graph 'loop' is not known; known are plain"),
        (["--python", "norse"], "--python: expected NAME=PATH"),
        (["--python", "norse=/no/python"], "--python norse=/no/python: there is no such file"),
        (["--importers", "spyx", "--python", f"norse={sys.executable}"], "norse is not among"),
        (["--limit-s", "0"], "--limit-s: expected more than 0"),
        (["--limit-s", "nan"], "--limit-s: expected more than 0"),
        (["--out", "table.txt"], "--out table.txt: expected a file that ends in .csv"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(words, said):
    done = CliRunner().invoke(app, ["conformance", *words])
    assert said in str(done.exception)
    assert isinstance(done.exception, SpecError)


@pytest.mark.parametrize("name", importers.KNOWN)
def test_every_importer_says_what_it_is(name):
    (one,) = running.chosen_importers([name])
    module = running._module(one)
    assert module.PACKAGES[0].replace("-", "_") == name
    assert "pip install" in module.INSTALL
    assert callable(module.load)
    assert callable(module.run)


# What is known of these releases, by their sources and by what users have reported.
KNOWN_FAULTS = {
    ("Norse", "1.1.0"): {
        "plain": "right", "lif-gain": "wrong", "v-reset": "wrong", "cuba-v-leak": "wrong",
        "cuba-gains": "right", "default-dt": "wrong", "flat-order": "right",
        "nested-order": "right", "loop-bias": "other", "tie": "right", "sum-pool": "wrong",
    },
    ("snnTorch", "1.0.0"): {
        "plain": "right", "flat-order": "error", "nested-order": "error", "flat-loop": "wrong",
        "nested-loop": "right", "loop-bias": "other", "other-dt": "wrong", "if-steps": "wrong",
        "if": "error", "v-leak": "error", "tie": "right", "flatten": "wrong",
    },
    ("spikingjelly", "2.0.0"): {
        "plain": "right", "flat-order": "right", "nested-order": "error", "loop-bias": "other",
        "tie": "other", "cuba-gains": "error", "v-reset": "error", "if": "right",
    },
}  # fmt: skip


@pytest.mark.full
@pytest.mark.skipif(find_spec("nir") is None, reason="no importer of NIR is installed")
def test_known_faults_of_known_importers_come_out(monkeypatch):
    monkeypatch.delenv("PYTHONPATH")
    chosen = running.chosen_importers(["snntorch", "norse", "spikingjelly"])
    seen = running.run(chosen, running.chosen_traps())
    known = {(each.title, each.version): each.verdicts for each in seen if not each.missing}
    assert set(known) & set(KNOWN_FAULTS), "none of the known releases is installed"
    for release in set(known) & set(KNOWN_FAULTS):
        wanted = KNOWN_FAULTS[release]
        assert {name: known[release][name].word for name in wanted} == wanted, release
    for verdicts in known.values():
        shared = {name: verdicts[name] for name in ("scalars", "conv-3x5", "conv-groups")}
        assert all(each.word == "error" for each in shared.values())
        assert all(each.said.endswith("(in nir)") for each in shared.values())


def test_the_environment_is_that_of_the_caller_with_a_single_thread(monkeypatch):
    seen = {}

    def popen(command, env, **named):
        seen.update(env)
        raise OSError(2, os.strerror(2))

    monkeypatch.setattr(processes.subprocess, "Popen", popen)
    with pytest.raises(SpecError, match="No such file"):
        running.run([fake("behaves")], running.chosen_traps(["plain"]))
    assert seen["OMP_NUM_THREADS"] == "1"
    assert seen["PATH"] == os.environ["PATH"]
