"""Tasks by name, and tasks of one's own."""

import re

import numpy as np
import pytest

import bridge
from bridge.errors import SpecError
from bridge.tasks import catalogue

FILE = """
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import bridge


@dataclass(frozen=True)
class Constants:
    height: float = 0.5


def trials(count, rng):
    values = np.full((4, count, 1), Constants().height)
    return bridge.Trials(inputs=values, targets=values, labels=np.zeros(count, dtype=int))


def correct(outputs, trials):
    return outputs[-1, :, 0] > 0


bridge.register_task(
    bridge.FunctionTask(
        name="from-a-file", step_ms=5.0, steps=4, input_size=1, output_size=1,
        conditions=("only",), draw=trials, correct=correct,
    )
)
"""


def made(name="mine", **fields):
    """A task of one's own whose trials are ones."""
    given = {
        "name": name, "step_ms": 2.5, "steps": 3, "input_size": 2, "output_size": 1,
        "conditions": ("a", "b"),
        "draw": lambda count, rng: bridge.Trials(
            inputs=np.ones((3, count, 2)),
            targets=np.ones((3, count, 1)),
            labels=rng.integers(2, size=count),
        ),
        "correct": lambda outputs, trials: outputs[-1, :, 0] > 0.5,
    }  # fmt: skip
    return bridge.FunctionTask(**{**given, **fields})


@pytest.mark.parametrize(
    "name",
    [
        "go-nogo", "go-nogo:strict", "xor", "xor:strict", "context", "context:strict",
        "oscillation", "oscillation:period_ms=250", "oscillation:strict",
        "oscillation:period_ms=1000,strict", "flip-flop", "flip-flop:bits=2",
        "flip-flop:bits=5,strict",
    ],
)  # fmt: skip
def test_a_task_gives_back_the_name_it_was_made_by(name):
    assert bridge.task(name).name == name


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("flip-flop:bits=3", "flip-flop"),
        ("flip-flop:strict,bits=02", "flip-flop:bits=2,strict"),
        ("oscillation:period_ms=400,strict", "oscillation:strict"),
    ],
)
def test_one_task_has_one_name(given, name):
    assert bridge.task(given).name == name
    assert bridge.task(given) == bridge.task(name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "chess",
            "unknown task 'chess'; known are go-nogo, xor, context, oscillation, flip-flop, ",
        ),
        ("chess:strict", "unknown task 'chess:strict'"),
        ("", "unknown task ''"),
        ("Xor", "unknown task 'Xor'"),
        ("chess", "bridge.register_task, or for the command by spikebridge --task-file FILE.py"),
        ("xor:fast", "task 'xor:fast': unknown option 'fast'; known are strict"),
        ("xor:", "unknown option ''; known are strict"),
        ("flip-flop:bit=2", "unknown option 'bit'; known are bits=3, strict"),
        ("flip-flop:bits=2,bits=2", "option bits is given twice"),
        ("flip-flop:bits", "option bits needs a whole number, as bits=3"),
        ("flip-flop:bits=two", "option bits needs a whole number, as bits=3"),
        ("flip-flop:bits=-1", "option bits needs a whole number"),
        ("flip-flop:bits=2.0", "option bits needs a whole number"),
        ("flip-flop:bits=\u0662", "option bits needs a whole number"),
        ("flip-flop:bits=99999999999999999999", "option bits needs a whole number"),
        ("xor:strict=yes", "option strict takes no value"),
    ],
)
def test_a_name_that_is_not_one_is_refused_with_what_is_known(name, message):
    with pytest.raises(SpecError, match=re.escape(message)):
        bridge.task(name)


def test_the_catalogue_names_tasks_that_there_are():
    bridge.register_task(made())
    listed = dict(catalogue())
    own = [name for name in listed if "neurogym" not in name]
    assert [name for name in own if ":" not in name] == [
        "go-nogo", "xor", "context", "oscillation", "flip-flop", "four-sines",
        "duration-xor", "ready-set-go", "reaching", "digits", "mnist", "fashion-mnist", "n-mnist",
        "mine",
    ]  # fmt: skip
    for name in own:
        # With an option at its default the name is the family's.
        assert bridge.task(name).name in (name, name.partition(":")[0])
        assert listed[name]
    assert "inputs 2, outputs 1, 3 samples of 2.5 ms (0.0075 s)" in listed["mine"]


def test_a_task_of_ones_own_is_known_once_it_is_registered():
    with pytest.raises(SpecError, match="unknown task 'mine'"):
        bridge.task("mine")
    mine = made()
    assert bridge.register_task(mine) is mine
    assert bridge.task("mine") is mine
    with pytest.raises(
        SpecError, match=r"reaching, digits, mnist, .*, neurogym:ENVIRONMENT, mine;"
    ):
        bridge.task("other")


def test_registering_again_replaces_it():
    bridge.register_task(made())
    second = bridge.register_task(made(steps=4))
    assert bridge.task("mine") is second


@pytest.mark.parametrize("name", ["xor", "go-nogo", "neurogym"])
def test_the_name_of_a_built_in_task_is_taken(name):
    with pytest.raises(SpecError, match=f"'{name}': a built-in task has this name"):
        bridge.register_task(made(name))
    with pytest.raises(SpecError, match="a name is of letters, digits and"):
        bridge.register_task(made("mine:strict"))


def test_a_built_in_task_cannot_be_registered_under_its_full_name():
    with pytest.raises(SpecError, match="a name is of letters, digits and"):
        bridge.register_task(bridge.task("xor:strict"))


def test_a_class_with_the_methods_of_a_task_is_one():
    class Mine:
        name, step_ms, steps, input_size, output_size = "class-of-mine", 5.0, 3, 2, 1
        conditions = ("a", "b")

        def trials(self, count, rng):
            return made().trials(count, rng)

        def rate_correct(self, outputs, trials):
            return outputs[-1, :, 0] > 0.5

        spiking_correct = rate_correct

    bridge.register_task(Mine())
    assert isinstance(bridge.task("class-of-mine"), Mine)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "my_tasks.py"
    path.write_text(FILE)
    return path


def test_a_file_of_ones_own_registers_its_tasks_and_leaves_nothing_beside_it(file):
    assert bridge.load_task_file(file) == ["from-a-file"]
    trials = bridge.task("from-a-file").trials(2, np.random.default_rng(0))
    assert trials.targets.tolist() == [[[0.5], [0.5]]] * 4
    assert [path.name for path in file.parent.iterdir()] == ["my_tasks.py"]
    # Changed and given again, it counts as it is now.
    file.write_text(FILE.replace("height: float = 0.5", "height: float = 0.25"))
    assert bridge.load_task_file(str(file)) == ["from-a-file"]
    assert bridge.task("from-a-file").trials(1, None).inputs.max() == 0.25


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("none.py", None, "expected a Python file, NAME.py, that registers tasks"),
        ("tasks.h5", FILE, "expected a Python file, NAME.py, that registers tasks"),
        ("broken.py", "def f(:\n", "cannot be read as Python: invalid syntax"),
        ("zero.py", "x = 1\0", "cannot be read as Python: source code .*null bytes"),
        ("idle.py", "x = 1\n", "registers no task; it should call bridge.register_task"),
    ],
)
def test_a_file_that_registers_nothing_is_refused(tmp_path, name, text, message):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(SpecError, match=f"{name}: {message}"):
        bridge.load_task_file(tmp_path / name)


def test_a_mistake_in_a_file_shows_where_it_is(tmp_path):
    path = tmp_path / "wrong.py"
    path.write_text("import bridge\n\nbridge.register_task(nothing)\n")
    sentence = f"task file {path}, line 3: NameError: name 'nothing' is not defined"
    with pytest.raises(SpecError, match=re.escape(sentence)) as raised:
        bridge.load_task_file(path)
    # In Python the way to the line is still there.
    assert isinstance(raised.value.__cause__, NameError)
