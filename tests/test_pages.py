"""What the pages show can be done: their Python runs, their quick commands too, others are read."""

import re
import shlex
import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import typer
from methods.short_task import SHORT_TASK
from typer.testing import CliRunner

import bridge
from bridge.cli import app
from bridge.tasks import go_nogo
from bridge.tasks.go_nogo import GoNoGo

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = {path.stem: path for path in (README, *(ROOT / "notebooks").glob("*.md"))}
BLOCK = re.compile(r"^```(python|sh|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMANDS = typer.main.get_command(app)


def blocks(name, *kinds):
    text = PAGES[name].read_text(encoding="utf-8").replace("\\\n", " ")
    found = BLOCK.findall(text)
    return [(kind, text) for kind, text in found if kind in kinds]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder as a reader has it: models, a network and an input by the names of the pages."""
    shutil.copytree(ROOT / "models", tmp_path / "models")
    shutil.copy(ROOT / "models" / "go_nogo_n200_lif.h5", tmp_path / "network.h5")
    np.savez(tmp_path / "inputs.npz", inputs=np.ones((20, 2, 1)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


# What the README prints is looked at, below.
RUN = [name for name in PAGES if name != "README" and blocks(name, "python", "sh")]


# Pages that convert no trained network which has to do its task, and name no time of a trial.
SHORT = ("python",)
# Pages that run it for seconds of its time: to compile for speed pays.
LONG = ("poor_conversion", "first_conversion", "recordings")


@pytest.mark.parametrize("name", RUN)
def test_the_code_of_a_page_runs_from_top_to_bottom(name, folder, monkeypatch, request):
    if name in SHORT:
        monkeypatch.setattr(go_nogo, "GoNoGo", SHORT_TASK)
    if name in LONG:
        request.getfixturevalue("as_users_have_it")
    names = {"__name__": name}
    for kind, text in blocks(name, "python", "sh"):
        if kind == "python":
            exec(compile(text, str(PAGES[name]), "exec"), names)
        else:
            for line in text.splitlines():
                result = CliRunner().invoke(app, shlex.split(line)[1:])
                assert result.exit_code == 0, f"{line}: {result.exception} {result.output}"


SHOWN = [
    (name, line)
    for name in PAGES
    for _, text in blocks(name, "console")
    for line in text.splitlines()
    if line.startswith("spikebridge ") and "--help" not in line
]


@pytest.mark.parametrize(("name", "line"), SHOWN)
def test_a_command_of_a_page_has_the_options_that_it_is_given(name, line):
    words = shlex.split(line)
    command = COMMANDS.commands[words[1]]
    known = {opt for param in command.params for opt in (*param.opts, *param.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= known


TRAINED = [line for _, line in SHOWN if " train " in line and "--task-file" not in line]


@pytest.mark.parametrize("line", TRAINED)
def test_a_training_of_a_page_runs_in_a_few_updates(line, folder):
    small = "--units 10 --batch 2 --min-updates 0 --max-updates 1 --check-every 1 --out small.h5"
    result = CliRunner().invoke(app, shlex.split(f"{line} {small}")[1:])
    assert result.exit_code == 0, result.output


# What makes a command of a page one of seconds. An option that comes twice counts as said last.
SMALL = {
    "study": "--networks 1 --trials 2 --search-trials 2 --max-updates 2 --processes 1",
    "benchmark": "--quick --only floor --repeats 1 --out bench",
    "train-src": "--epochs 1",
    "conformance": "--graphs plain",
    "train": "--units 10 --batch 2 --min-updates 0 --max-updates 1 --check-every 1",
}
MADE = (
    "run network.h5 --trials 12 --backend compiled --out recording.h5",
    "run network.h5 --trials 12 --seed 1 --backend compiled --out a.h5",
    "run network.h5 --trials 12 --seed 2 --backend compiled --out a2.h5",
    "export recording.h5 --to nwb --out recording.nwb",
    "export a2.h5 --to nwb --out b.nwb",
)
MY_TASK = """
import numpy as np
import bridge

def draw(count, generator):
    labels = generator.integers(0, 2, count)
    inputs = np.tile(2.0 * labels[None, :, None] - 1.0, (50, 1, 1))
    return bridge.Trials(inputs=inputs, targets=inputs, labels=labels)

shape = {"step_ms": 5.0, "steps": 50, "input_size": 1, "output_size": 1}
bridge.register_task(
    bridge.FunctionTask(name="my-task", **shape, conditions=("no", "yes"), draw=draw,
                        measure=bridge.nmse(bound=0.2))
)
"""


@pytest.fixture
def results(folder):
    """The files that commands of the pages read, by the names that they have there."""
    (folder / "results").mkdir()
    for copy in ("lif.h5", "results/lif.h5"):
        shutil.copy("network.h5", copy)
    for copy in ("net.h5", "results/rate.h5"):
        shutil.copy(folder / "models" / "go_nogo_n200.h5", copy)
    for line in MADE:
        assert CliRunner().invoke(app, shlex.split(line)).exit_code == 0
    names = {}
    exec(blocks("spiking_network", "python")[0][1], names)
    bridge.save(names["network"], "ei.h5")
    drawn = GoNoGo().trials(12, np.random.default_rng(0))
    np.savez("inputs.npz", inputs=drawn.inputs)
    (folder / "my_task.py").write_text(MY_TASK, encoding="utf-8")
    return folder


@pytest.mark.full
@pytest.mark.parametrize(("name", "line"), [pair for pair in SHOWN if "tcp://" not in pair[1]])
def test_a_command_of_a_page_runs_at_a_small_size(name, line, results):
    if "nest" in line and find_spec("nest") is None:
        pytest.skip("NEST is not installed")
    if "conformance" in line and find_spec("nir") is None:
        pytest.skip("no importer of NIR is installed")
    command = shlex.split(line)[1]
    force = [option for param in COMMANDS.commands[command].params for option in param.opts]
    small = f"{SMALL.get(command, '')} {'--force' * ('--force' in force)}"
    result = CliRunner().invoke(app, shlex.split(f"{line} {small}")[1:])
    # A fault is put in to be seen.
    expected = int("--inject" in line)
    assert result.exit_code == expected, f"{line}: {result.exception} {result.output}"


def test_the_readme_is_one_page():
    text = README.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 90
    assert len(text.encode()) <= 6000


def test_every_link_of_the_readme_leads_to_a_file():
    links = re.findall(r"\]\(([^)#]+)\)", README.read_text(encoding="utf-8"))
    assert len(links) > 20
    assert [link for link in links if not (ROOT / link).is_file()] == []


def quick(text):
    """The same with fewer trials, and simulators that take a second to compile, not minutes."""
    text = text.replace("randn(20, 10, 2)", "randn(10, 4, 2)")
    return re.sub(r"brian2(\W+)snntorch", r"reference\1compiled", text)


def test_the_readme_prints_what_it_says_it_prints(folder, capsys):
    """Except for numbers, which are those of random weights."""
    ((_, code),) = blocks("README", "python")
    exec(compile(quick(code), str(README), "exec"), {})
    (shown,) = re.findall(r"^```text\n(.*?)^```", README.read_text(encoding="utf-8"), re.M | re.S)
    # What random weights are best read with may be their units' own filters, of which nothing is
    # said.
    read, number = re.compile(", read with [0-9.]+ ms"), re.compile(r"\d+(\.\d+)?")

    def told(text):
        return number.sub("#", read.sub("", text))

    assert told(capsys.readouterr().out) == told(quick(shown))


def test_the_readme_names_targets_of_make_that_there_are():
    named = set(re.findall(r"\bmake (\w+)", README.read_text(encoding="utf-8")))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert {"demo", "test"} <= named <= set(re.findall(r"^(\w+):", makefile, re.M))
