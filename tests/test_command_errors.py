"""What a user meets at the command when something is wrong: one sentence, status 2, no bar left."""

import dataclasses
import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

import bridge
from bridge import cli, terminal
from bridge.backends import names
from bridge.compare.faults import FAULTS
from bridge.errors import OutputError, SpecError
from bridge.exchange import formats
from bridge.tasks import BUILT_IN

# Trials and scores that fail where a line says so.
FILE = """
import numpy as np
import bridge


def draw(count, rng):
    if {draws_wrong}:
        raise ZeroDivisionError("so\\nit is")  # line 8
    zeros = np.zeros((20, count, 1))
    return bridge.Trials(inputs=zeros, targets=zeros, labels=np.zeros(count, dtype=int))


def correct(outputs, trials):
    return {scored}  # line 14


bridge.register_task(
    bridge.FunctionTask(
        name="mine", step_ms=5.0, steps=20, input_size=1, output_size=1,
        conditions=("one",), draw=draw, correct=correct,
    )
)
"""
FULL = Path("/dev/full")
SHORT = ("--units", 5, "--batch", 4, "--max-updates", 1)


@pytest.fixture
def task_file(tmp_path):
    """A file of a task of one's own that does what it should, or not."""

    def write(*, draws_wrong=False, scored="outputs[-1, :, 0] > -np.inf"):
        path = tmp_path / "mine.py"
        path.write_text(FILE.format(draws_wrong=draws_wrong, scored=scored))
        return path

    return write


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("x = 1\ny = nothing\n", "task file {}, line 2: NameError: name 'nothing' is not defined"),
        ("import bridge\nbridge.register_task(3)\n", "task file {}, line 2: int is not a task"),
        ("import no_such_module\n", "line 1: ModuleNotFoundError: No module named"),
        ("def f():\n    1 / 0\n\nf()\n", "line 2: ZeroDivisionError: division by zero"),
        ("import sys\nsys.exit('bye')\n", "line 2: SystemExit: bye"),
        ("raise ValueError\n", "line 1: ValueError"),
        ("def (\n", "{}: cannot be read as Python: invalid syntax"),
        ("(" * 300, "{}: cannot be read as Python: too many nested parentheses"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("before", [True, False])
def test_what_a_task_file_raises_is_told_with_its_line(
    refused, tmp_path, content, sentence, before
):
    path = tmp_path / "wrong.py"
    path.write_text(content)
    words = ("--task-file", path, "tasks") if before else ("tasks", "--task-file", path)
    assert sentence.format(path) in refused(*words)


def test_a_task_file_of_the_environment_is_told_with_its_line(refused, tmp_path, monkeypatch):
    path = tmp_path / "wrong.py"
    path.write_text("x = 1\ny = nothing\n")
    monkeypatch.setenv("SPIKEBRIDGE_TASKS", str(path))
    assert f"task file {path}, line 2: NameError" in refused("tasks")


def test_a_task_file_that_is_a_folder_is_refused(refused, tmp_path):
    (tmp_path / "folder.py").mkdir()
    line = refused("tasks", "--task-file", tmp_path / "folder.py")
    assert "expected a Python file, NAME.py, that registers tasks" in line


def test_what_drawing_trials_raises_is_told_with_its_line(refused, task_file, tmp_path):
    path = task_file(draws_wrong=True)
    sentence = f"task 'mine': drawing trials failed in {path}, line 8: ZeroDivisionError: so it is"
    training = ("train", "mine", *SHORT, "--out", tmp_path / "rate.h5")
    assert sentence in refused("--task-file", path, *training)
    picture = ("tasks", "mine", "--out", tmp_path / "mine.png")
    assert sentence in refused(*picture, "--task-file", path)


def test_what_scoring_raises_is_told_with_its_line(refused, task_file, tmp_path):
    path = task_file(scored="np.zeros(3) + np.zeros(4)")
    training = ("train", "mine", *SHORT, "--out", tmp_path / "rate.h5")
    line = refused(*training, "--task-file", path)
    assert f"task 'mine': rate_correct failed in {path}, line 14: ValueError: operands" in line


def test_in_python_the_way_to_the_line_is_the_cause(task_file):
    bridge.load_task_file(task_file(draws_wrong=True))
    with pytest.raises(SpecError, match="drawing trials failed") as raised:
        bridge.train("mine", units=5, max_updates=1)
    assert isinstance(raised.value.__cause__, ZeroDivisionError)


def test_a_property_of_a_task_that_fails_is_told_with_its_line():
    class Wrong:
        name = "wrong"

        @property
        def step_ms(self):
            raise KeyError("x")

    with pytest.raises(
        SpecError, match=r"task of type Wrong: failed in .*errors.py, line \d+: Key"
    ):
        bridge.register_task(Wrong())


@pytest.fixture(scope="module")
def kept():
    """What the files of the task hold, once they are made."""
    return {}


@pytest.fixture
def files(command, task_file, tmp_path, kept):
    """A task file, a rate network and a spiking network of its task."""
    path = task_file()
    rate, lif = tmp_path / "rate.h5", tmp_path / "lif.h5"
    own = ("--task-file", path)
    if not kept:
        assert command("train", "mine", *own, *SHORT, "--out", rate).status == 0
        bridge.save(bridge.map_one_to_one(bridge.load(rate), 30.0), lif)
        kept.update({file: file.read_bytes() for file in (rate, lif)})
    for file, content in kept.items():
        (tmp_path / file.name).write_bytes(content)
    return own, rate, lif


def test_the_task_file_may_follow_every_command_that_takes_a_task(command, files, tmp_path):
    own, rate, lif = files
    few = ("--backend", "reference", "--trials", 2)
    for words in (
        ("tasks", "mine"),
        ("info", rate),
        ("convert", rate, *few, "--inverse-scales", "30", "--out", tmp_path / "found.h5"),
        ("run", lif, *few, "--out", tmp_path / "spikes.h5"),
        ("lesion", lif, "--units", 1, "--out", tmp_path / "less.h5"),
        ("export", rate, "--out", tmp_path / "mine.mat"),
        ("import", tmp_path / "mine.mat", "--task", "mine", "--out", tmp_path / "back.h5"),
    ):
        outcome = command(*words, *own)
        assert outcome.status == 0, outcome.err
    out = ("--out", tmp_path / "page.html")
    faulty = ("--backends", "reference,reference", "--inject", "weights-0.98", "--trials", 1)
    assert command("compare", lif, *faulty, *own, *out).status in (0, 1)


def test_a_conversion_can_be_converted_anew(command, files, tmp_path):
    own, rate, _ = files
    one, other = tmp_path / "one.h5", tmp_path / "other.h5"
    few = ("--backend", "brian2:numpy", "--trials", 1, "--inverse-scales", "30", *own)
    assert command("convert", rate, *few, "--out", one).status == 0
    assert command("convert", one, *few, "--out", other).status == 0
    assert bridge.load(other).search.backend == "brian2:numpy"


def test_a_backend_with_its_target_is_named_as_in_compare(command, refused, files, tmp_path):
    own, _, lif = files
    few = (*own, "--trials", 1, "--out", tmp_path / "spikes.h5")
    line = refused("run", lif, *few, "--backend", "brian2:numpy", "--target", "cython")
    assert "sets target to 'numpy', but target is also given as 'cython'; say it once" in line
    assert "unknown target 'fortran'" in refused("run", lif, *few, "--backend", "brian2:fortran")
    assert command("run", lif, *few, "--backend", "brian2:numpy").status == 0
    assert bridge.load(tmp_path / "spikes.h5").provenance["target"] == "numpy"


@pytest.mark.parametrize(
    "words",
    [
        ("train", "go-nogo", "--units", 0),
        ("train", "go-nogo", "--device", "tpu"),
        ("train", "chess"),
        ("convert", "RATE", "--trials", 0),
        ("convert", "RATE", "--backend", "brian"),
        ("run", "LIF", "--backend", "brian2", "--dtype", "float32"),
        ("run", "LIF", "--backend", "snntorch", "--dtype", "float16"),
        ("run", "LIF", "--trials", 0),
        ("compare", "LIF", "--backends", "brian2:fortran,reference"),
        ("compare", "LIF", "--inject", "gremlin"),
    ],
)
def test_what_is_refused_leaves_no_bar(refused, command, files, tmp_path, words):
    own, rate, lif = files
    given = [{"RATE": rate, "LIF": lif}.get(word, word) for word in words]
    outcome = command(*given, *own, "--out", tmp_path / "out.html")
    assert outcome.status == 2
    assert outcome.err.startswith("spikebridge: ")


def test_a_bar_is_full_when_work_ends_early_and_not_when_it_is_broken_off(capsys):
    with terminal.progress_bar("early") as report:
        report(0.25, "reached")
    with terminal.progress_bar("broken off") as report:
        report(0.25)
        report.fills = False
    early, note, broken = [line for line in capsys.readouterr().err.splitlines() if line.strip()]
    assert "100 %" in early
    assert note.strip() == "reached"
    assert "25 %" in broken


def test_what_is_done_at_once_shows_no_bar_where_it_mostly_is(capsys, monkeypatch):
    for wait_s, shown in ((60.0, 0), (-1.0, 1)):
        monkeypatch.setattr(terminal, "_WAIT_S", wait_s)
        with terminal.progress_bar("changing weights", patient=True) as report:
            report(0.5)
        with terminal.waiting("reading it"):
            pass
        assert capsys.readouterr().err.count("changing weights") == shown


def test_what_fails_half_way_keeps_its_bar(capsys):
    def work():
        with terminal.progress_bar("work") as report:
            report(0.5)
            raise SpecError("half")

    with pytest.raises(SpecError, match="half"):
        work()
    assert "50 %" in capsys.readouterr().err


def spikebridge(words, **streams):
    """The command in a process of its own."""
    code = "from bridge.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *words], check=False, text=True, timeout=100, **streams
    )


@pytest.mark.skipif(not FULL.exists(), reason="Linux has a full disk to try")
def test_a_full_disk_behind_the_output_is_one_sentence():
    with FULL.open("w") as full:
        done = spikebridge(["tasks"], stdout=full, stderr=subprocess.PIPE)
    sentence = "spikebridge: reading or writing failed: no space left on device\n"
    assert (done.returncode, done.stderr) == (2, sentence)
    with FULL.open("w") as full:
        done = spikebridge(["info", "none.h5"], stdout=subprocess.PIPE, stderr=full)
    assert (done.returncode, done.stdout) == (2, "")


def test_a_reader_that_has_gone_is_one_sentence():
    read, write = os.pipe()
    os.close(read)
    done = spikebridge(["tasks"], stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    sentence = "spikebridge: whoever read the output has closed it before all was said\n"
    assert (done.returncode, done.stderr) == (2, sentence)


def test_what_a_terminal_cannot_show_is_written_out():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = spikebridge(["info", "λ.h5"], capture_output=True, env=environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "spikebridge: \\u03bb.h5: no such file\n"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(errno.EACCES, "Permission denied", "a/b.h5"), "a/b.h5: permission denied"),
        (OSError(errno.ENOSPC, "No space left"), "reading or writing failed: no space left"),
        (OSError("odd"), "reading or writing failed: odd"),
        (OutputError("a sentence of ours"), "a sentence of ours"),
    ],
)
def test_what_the_system_refuses_is_one_sentence_with_the_file(
    refused, monkeypatch, error, sentence
):
    def fails(_path):
        raise error

    monkeypatch.setattr(bridge, "load", fails, raising=False)
    assert refused("info", "any.h5") == f"spikebridge: {sentence}"


def helps():
    """The help of each command, as one line."""
    return {
        name: " ".join(
            [part.help or "" for part in one.params if hasattr(part, "help")] + [one.epilog or ""]
        )
        for name, one in get_command(cli.app).commands.items()
    }


def test_help_names_what_there_is():
    said = helps()
    assert all(task in said["train"] for task in BUILT_IN)
    assert all(fault in said["compare"] for fault in FAULTS)
    assert all(backend in said["run"] for backend in names())
    assert "import" in said["convert"]
    takes_tasks = {
        "train",
        "fit",
        "convert",
        "run",
        "compare",
        "lesion",
        "tasks",
        "import",
        "export",
        "info",
    }
    assert {name for name, text in said.items() if "registers tasks" in text} == takes_tasks
    assert all("spikebridge " in text for text in said.values())


def test_help_names_the_formats_that_are_read_and_those_that_are_written(command, files, tmp_path):
    own, rate, lif = files
    read, written = (set(re.findall(r"\w+", helps()[name])) for name in ("import", "export"))
    assert {*formats.NAMES, "nwb", "sonata"} <= read
    assert {"nwb", "sonata"} <= written
    for name in formats.NAMES:
        ended = [
            command("export", file, *own, "--to", name, "--out", tmp_path / f"{name}{number}")
            for number, file in enumerate((rate, lif))
        ]
        assert (name in written) == (0 in [each.status for each in ended])


def test_the_examples_of_every_help_name_options_that_there_are():
    for name, one in get_command(cli.app).commands.items():
        known = {option for part in one.params for option in (*part.opts, *part.secondary_opts)}
        used = set(re.findall(r"(--[a-z-]+)", one.epilog.replace("spikebridge --task-file", "")))
        assert used <= known, name


def test_a_network_without_a_task_says_what_to_do(refused, files, tmp_path):
    _, rate, _ = files
    bare = tmp_path / "bare.h5"
    bridge.save(dataclasses.replace(bridge.load(rate), task="", checkpoint=None), bare)
    line = refused("convert", bare, "--out", tmp_path / "out.h5")
    assert "names no task to search the scale factor with; give it one where it is made" in line
    assert "`spikebridge import FILE --task NAME`" in line
    assert "bridge.map_one_to_one" in line
