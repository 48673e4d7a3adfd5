"""A benchmark end to end, at a size that takes seconds."""

import csv
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from bridge.benchmark import children, picture, simulation, table
from bridge.benchmark.case import PARTS, Case
from bridge.benchmark.grid import cases
from bridge.benchmark.machine import digest_of
from bridge.benchmark.whole_benchmark import benchmark, measure_all
from bridge.errors import BackendError, FormatError, OutputError, SpecError

SHORT_S = 0.02
REFERENCE = Case(
    part="backends", backend="reference", n=20, batch=2, simulated_s=SHORT_S, repeats=2
)
SPARSE = Case(part="large", backend="reference", n=100, batch=1, simulated_s=SHORT_S)
FLOOR = Case(
    part="floor", backend="floor", target="counter noise", dtype="float32", mode="eager", n=20,
    batch=2, simulated_s=SHORT_S, repeats=3,
)  # fmt: skip
UNKNOWN = dataclasses.replace(REFERENCE, backend="neuron")
LEFT_OUT = dataclasses.replace(REFERENCE, n=10_000, left_out=True, note="left out: too long")
SETTINGS = {"quick": True}


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A small benchmark: its folder and rows by backend."""
    out = tmp_path_factory.mktemp("benchmark") / "new"
    wanted = [FLOOR, UNKNOWN, REFERENCE, SPARSE, LEFT_OUT]
    return out, {row.key: row for row in measure_all(wanted, out, SETTINGS)}


@pytest.fixture(autouse=True)
def _one_picture(monkeypatch):
    """That of the small benchmark, made before, is drawn; what else is measured here is not."""
    monkeypatch.setattr(picture, "draw", lambda *_: None)


def test_a_benchmark_leaves_a_table_a_picture_and_the_machine(measured):
    out, rows = measured
    with (out / "benchmark.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["backend"] for line in lines] == [row.backend for row in rows.values()]
    assert (out / "benchmark.png").read_bytes().startswith(b"\x89PNG\r\n")
    machine = json.loads((out / "machine.json").read_text())
    assert machine["settings"] == SETTINGS
    assert machine["machine"]["cores"] >= 1
    assert {"torch", "brian2", "numpy"} <= set(machine["machine"]["packages"])


def test_a_row_holds_what_was_measured(measured):
    row = measured[1][REFERENCE.key]
    assert (row.n, row.batch, row.simulated_s, row.repeats) == (20, 2, SHORT_S, 2)
    assert row.wall_s_per_trial_s == pytest.approx(row.wall_s_median / (2 * SHORT_S))
    assert row.trial_s_per_wall_s == pytest.approx(1 / row.wall_s_per_trial_s)
    assert row.rate_hz > 0
    # A fifth of 20 x 20, give or take.
    assert 40 < row.synapses < 120
    # Python with NumPy takes 20 MB at the least, and no loop over 400 steps takes a gigabyte.
    assert 20 < row.peak_mb < 1000
    assert row.start_s > 0
    assert row.first_run_s is None
    assert row.note == ""


def test_cpu_time_is_that_of_the_case_alone(measured):
    row = measured[1][REFERENCE.key]
    # One process on one thread, or little more: the reference has NumPy's own threads.
    assert 0 < row.cpu_s_per_trial_s < os.cpu_count() * 1.1 * row.wall_s_per_trial_s


def test_the_ratio_is_that_of_the_run_to_its_floor(measured):
    floor, row = measured[1][FLOOR.key], measured[1][REFERENCE.key]
    assert floor.wall_s_median > 0
    # Floor and run are equally many steps here.
    assert row.floor_noise_s == pytest.approx(floor.floor_noise_s)
    assert row.floor_state_s == pytest.approx(floor.floor_state_s)
    assert row.ratio_to_floor == pytest.approx(
        row.wall_s_median / (floor.floor_noise_s + floor.floor_state_s)
    )


def test_a_floor_is_scaled_to_the_steps_of_a_run():
    floor = dataclasses.replace(
        table.row_of(FLOOR), simulated_s=0.5, floor_noise_s=0.2, floor_state_s=0.1
    )
    run = dataclasses.replace(
        table.row_of(dataclasses.replace(REFERENCE, part="large")),
        simulated_s=2.0, wall_s_median=1.2,
    )  # fmt: skip
    # 10,000 steps of 0.05 ms there, 20,000 of 0.1 ms here.
    scaled = table.with_floors([floor, run])[1]
    assert (scaled.floor_noise_s, scaled.floor_state_s) == pytest.approx((0.4, 0.2))
    assert scaled.ratio_to_floor == pytest.approx(2.0)


def test_no_floor_is_taken_from_another_size_or_number_of_processes():
    floor = dataclasses.replace(
        table.row_of(FLOOR), simulated_s=1.0, floor_noise_s=0.2, floor_state_s=0.1
    )
    for other in ({"n": 21}, {"batch": 3}, {"processes": 2}, {"device": "cuda"}):
        run = table.row_of(dataclasses.replace(REFERENCE, **other))
        run = dataclasses.replace(run, simulated_s=1.0, wall_s_median=1.0)
        assert table.with_floors([floor, run])[1].ratio_to_floor is None


def test_a_case_that_fails_is_a_row_with_a_note_and_the_rest_goes_on(measured):
    rows = measured[1]
    failed = rows[UNKNOWN.key]
    assert failed.note == (
        "failed: unknown backend 'neuron'; known are reference, brian2, snntorch, compiled, nest"
    )
    assert failed.wall_s_median is None
    assert rows[REFERENCE.key].wall_s_median > 0


def test_a_case_left_out_is_a_row_that_says_why(measured):
    row = measured[1][LEFT_OUT.key]
    assert (row.note, row.wall_s_median, row.repeats) == ("left out: too long", None, 0)


def test_a_sparse_network_has_one_percent_of_all_connections(measured):
    row = measured[1][SPARSE.key]
    assert row.synapses == 100
    assert row.wall_s_median > 0


def test_only_what_is_missing_is_measured(measured, monkeypatch, tmp_path):
    out, rows = measured
    asked = []

    def measure(case, *_):
        asked.append(case)
        return {"wall_s": [2.0], "cpu_s": [3.0], "trial_s": 4.0}

    monkeypatch.setattr(children, "measure", measure)
    more = dataclasses.replace(REFERENCE, n=30)
    again = {row.key: row for row in measure_all([FLOOR, UNKNOWN, REFERENCE, more], out, SETTINGS)}
    # What failed is tried again.
    assert asked == [UNKNOWN, more]
    for case in (FLOOR, REFERENCE, SPARSE):
        # The file keeps six digits.
        assert again[case.key].wall_s_median == pytest.approx(
            rows[case.key].wall_s_median, rel=1e-5
        )
    new = again[more.key]
    assert (new.wall_s_per_trial_s, new.cpu_s_per_trial_s, new.trial_s_per_wall_s) == (0.5, 0.75, 2)


def test_a_first_run_is_told_apart_and_kept_when_interrupted(monkeypatch, tmp_path):
    answers = [{"first_run_s": 7.0}, KeyboardInterrupt()]
    calls = []

    def measure(case, *_):
        calls.append(case)
        answer = answers[len(calls) - 1]
        if isinstance(answer, BaseException):
            raise answer
        return answer

    monkeypatch.setattr(children, "measure", measure)
    with pytest.raises(KeyboardInterrupt):
        measure_all([REFERENCE], tmp_path, SETTINGS)
    answers.append({"wall_s": [1.0, 3.0, 2.0], "cpu_s": [1.0, 1.0, 1.0], "trial_s": 1.0})
    (row,) = measure_all([REFERENCE], tmp_path, SETTINGS)
    assert (row.first_run_s, row.wall_s_median, row.note) == (7.0, 2.0, "")


def test_a_folder_with_other_settings_is_refused(measured):
    message = r"was measured with other settings \(quick: True there, False here\)"
    with pytest.raises(OutputError, match=message):
        measure_all([], measured[0], {"quick": False})


def test_a_change_anywhere_in_what_is_measured_is_another_program(tmp_path):
    within = tmp_path / "backends" / "one" / "gpu"
    within.mkdir(parents=True)
    digests = []
    for place, text in ((within, "a"), (within, "b"), (within.parent, "b")):
        (place / "loop.py").write_text(text)
        digests.append(digest_of(tmp_path))
    assert len(set(digests)) == 3


@pytest.mark.parametrize(
    ("field", "value", "wanted"),
    [
        ("cpu", "abacus", r"on another machine \(cpu: 'abacus' there"),
        ("code", "0", r"with other programs \(code: '0' there"),
    ],
)
def test_a_folder_of_another_machine_or_program_is_refused(
    field, value, wanted, measured, tmp_path
):
    machine = json.loads((measured[0] / "machine.json").read_text())
    machine["machine"][field] = value
    (tmp_path / "machine.json").write_text(json.dumps(machine))
    with pytest.raises(OutputError, match=wanted):
        measure_all([], tmp_path, SETTINGS)


@pytest.mark.parametrize("text", ["", "[]", '{"settings": 3, "machine": {}}', "no JSON"])
def test_a_damaged_machine_file_is_refused(text, tmp_path):
    (tmp_path / "machine.json").write_text(text)
    with pytest.raises(FormatError, match=r"machine\.json: damaged"):
        measure_all([], tmp_path, SETTINGS)


def test_a_damaged_table_is_refused(measured, tmp_path):
    (tmp_path / "machine.json").write_bytes((measured[0] / "machine.json").read_bytes())
    (tmp_path / "benchmark.csv").write_text("part,n\nbackends,many\n")
    with pytest.raises(FormatError, match=r"benchmark\.csv: damaged"):
        measure_all([], tmp_path, SETTINGS)


def test_a_table_without_its_machine_is_refused(tmp_path):
    (tmp_path / "benchmark.csv").write_text("precious")
    with pytest.raises(OutputError, match=r"no machine\.json"):
        measure_all([], tmp_path, SETTINGS)
    assert (tmp_path / "benchmark.csv").read_text() == "precious"


def test_options_that_make_no_sense_are_refused(tmp_path):
    with pytest.raises(SpecError, match="unknown part 'speed'; known are floor, backends"):
        benchmark(tmp_path, only=["speed"])
    with pytest.raises(SpecError, match="repeats: expected"):
        benchmark(tmp_path, repeats=0)
    with pytest.raises(SpecError, match="unknown device 'tpu'"):
        benchmark(tmp_path, device="tpu")


# Processes


def nothing(_seconds):
    pass


def test_a_killed_process_says_by_what():
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    with pytest.raises(BackendError, match="it was killed by SIGKILL"):
        children.watch([sys.executable, "-c", code], os.environ, 60, nothing)


def test_a_process_that_takes_too_long_is_stopped():
    code = "import time; time.sleep(600)"
    with pytest.raises(BackendError, match="longer than expected"):
        children.watch([sys.executable, "-c", code], os.environ, 0.5, nothing)


def test_memory_of_children_counts():
    # A parent of some 10 MB and a child that fills 300 MB, for as long as a look beside other work
    # may keep the next one waiting.
    child = "import time; full = b'x' * 300_000_000; time.sleep(4)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    peak_mb = children.watch([sys.executable, "-c", code], os.environ, 60, nothing)
    assert 300 < peak_mb < 500


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("deaf", [False, True])
def test_an_interrupt_ends_all_processes(deaf, tmp_path, monkeypatch):
    # Who does not hear is not waited for; who does is given what a busy machine takes.
    monkeypatch.setattr(children, "_PATIENCE_S", 1.0 if deaf else 20.0)
    # The grandchild is in a session of its own, as Brian2's programs are.
    code = f"""
import signal, subprocess, sys, pathlib, time
if {deaf}:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
child = subprocess.Popen(sleep, start_new_session=True)
try:
    pathlib.Path({str(tmp_path / "pid")!r}).write_text(str(child.pid))
    time.sleep(600)
except KeyboardInterrupt:
    pathlib.Path({str(tmp_path / "tidied")!r}).touch()
"""

    def interrupt(_seconds):
        if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        children.watch([sys.executable, "-c", code], os.environ, 60, interrupt)
    grandchild = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 10
    while alive(grandchild) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(grandchild)
    # Who can is given the time to remove what it has left about.
    assert (tmp_path / "tidied").exists() == (not deaf)


def test_the_command_ends_cleanly_when_interrupted(tmp_path):
    command = [sys.executable, "-m", "bridge.cli", "benchmark", "--quick", "--only", "backends"]
    command += ["--out", str(tmp_path), "--device", "cpu"]
    ignoring = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        while not (tmp_path / "machine.json").exists():
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        family = []
        while len(family) < 2:
            family = children.family(process.pid)
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM if ignoring else signal.SIGINT)
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
    assert "interrupted; what was finished before is kept" in said
    assert "Traceback" not in said
    assert not any(alive(pid) for pid in family[1:])


# What is measured


@pytest.mark.parametrize("quick", [False, True])
def test_every_part_has_cases_and_no_two_are_alike(quick):
    made = cases(quick=quick, devices=["cpu", "cuda"])
    assert {case.part for case in made} == set(PARTS)
    assert len({case.key for case in made}) == len(made)


@pytest.mark.parametrize("quick", [False, True])
def test_a_gpu_is_measured_with_the_kernel_too_and_without_threads(quick, monkeypatch):
    made = cases(quick=quick, devices=["cpu", "cuda"])
    (case, *_) = (each for each in made if (each.backend, each.device) == ("compiled", "cuda"))
    assert case.processes == 1
    seen = {}
    monkeypatch.setattr(
        simulation.bridge.backends, "simulate", lambda *_, **given: seen.update(given)
    )
    simulation._simulator(case, None)(None)
    assert seen == {"backend": "compiled", "dtype": case.dtype, "device": "cuda"}


def test_the_whole_grid_is_estimated_at_about_a_quarter_of_an_hour():
    assert sum(case.estimate_s for case in cases(quick=False)) < 18 * 60
    assert sum(case.estimate_s for case in cases(quick=True)) < 6.5 * 60


def test_every_simulation_has_a_floor_for_its_processes():
    made = cases(quick=False, devices=["cpu", "cuda"])
    floors = {(c.device, c.n, c.batch, c.processes) for c in made if c.part == "floor"}
    runs = [case for case in made if case.part in ("backends", "large") and not case.left_out]
    assert {(c.device, c.n, c.batch, c.processes) for c in runs} <= floors


def test_only_what_would_take_long_is_left_out_or_shortened():
    made = [case for case in cases(quick=False) if case.part == "backends"]
    assert all(case.note.startswith("left out: about") for case in made if case.left_out)
    kept = {(case.backend, case.target) for case in made if not case.left_out}
    assert kept == {
        ("reference", ""), ("brian2", "numpy"), ("brian2", "cython"), ("brian2", "standalone"),
        ("snntorch", ""), ("compiled", ""),
    }  # fmt: skip
    # The fastest is measured over the whole grid but at its largest corner.
    fast = [c for c in made if (c.backend, c.dtype) == ("compiled", "float64")]
    left = [(case.n, case.batch) for case in fast if case.left_out]
    assert set(left) <= {(2000, 1000)}
    assert {case.n for case in fast} == {100, 200, 500, 1000, 2000}
    assert {case.batch for case in fast} == {1, 10, 100, 1000}


def test_a_case_that_compiles_in_every_run_becomes_a_row_with_a_note(tmp_path, monkeypatch):
    asked = []

    def always_compiling(*_):
        asked.append(1)
        return {"first_run_s": 1.0 + len(asked)}

    monkeypatch.setattr(children, "measure", always_compiling)
    (row,) = measure_all([REFERENCE], tmp_path, SETTINGS)
    assert "every run of it compiled something new" in row.note
    # The first run is what a new user waits for.
    assert row.first_run_s == 2.0
    assert len(asked) == 4
