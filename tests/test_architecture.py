"""The house keeps its shape: imports point one way, and importing is quick."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import bridge

PACKAGE = Path(bridge.__file__).parent
# What each room may import of ours, itself aside.
ALLOWED = {
    "errors": set(),
    "temporary": {"errors"},
    "arguments": {"errors"},
    "tasks": {"errors"},
    "spiking": {"errors"},
    "backends": {"errors", "temporary", "spiking"},
    "rate": {"errors", "spiking", "tasks", "backends"},
    "methods": {"errors", "spiking", "tasks", "rate", "backends"},
    "compare": {"errors", "spiking", "tasks", "rate", "backends", "methods", "exchange"},
    "exchange": {"errors", "temporary", "spiking", "rate", "methods"},
    "benchmark": {
        "errors",
        "temporary",
        "spiking",
        "tasks",
        "rate",
        "backends",
        "methods",
        "exchange",
    },
    "studies": {
        "errors",
        "temporary",
        "spiking",
        "tasks",
        "rate",
        "backends",
        "methods",
        "compare",
        "exchange",
    },
    "stages": {"errors", "terminal", "describe", "compare", "exchange"},
    "demo": {"errors", "terminal", "stages"},
}
# What the rooms above these two may import besides.
EVERYWHERE = {"errors", "arguments"}


def imported_rooms(path):
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
            if node.module == "bridge":
                names = [f"bridge.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        yield from (name.split(".")[1] for name in names if name.startswith("bridge."))


@pytest.mark.parametrize("room", ALLOWED)
def test_imports_point_one_way(room):
    home = PACKAGE / room
    paths = home.rglob("*.py") if home.is_dir() else [home.with_suffix(".py")]
    imported = {found for path in paths for found in imported_rooms(path)} - {room}
    assert imported <= ALLOWED[room] | (set() if room in EVERYWHERE else EVERYWHERE)


def test_only_backends_import_a_simulator():
    simulators = ("brian2", "snntorch")
    for path in PACKAGE.rglob("*.py"):
        if path.parent.name == "backends":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            assert not any(module.split(".")[0] in simulators for module in modules), path


def test_importing_bridge_loads_neither_torch_nor_a_simulator():
    code = (
        "import sys, bridge; bridge.BridgeError; "
        "print(sorted({'torch', 'brian2', 'snntorch', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there_and_documented():
    for name in bridge.__all__:
        assert getattr(bridge, name).__doc__, name


def test_a_missing_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = bridge.nothing
