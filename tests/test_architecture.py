"""The house keeps its shape: imports point one way, and importing is quick."""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import bridge

PACKAGE = Path(bridge.__file__).parent
# What a conversion is made of, from below.
METHODS = {"spiking", "tasks", "rate", "backends", "methods"}
# What each room, a folder or a file beside them, may import of ours, itself aside.
ALLOWED = {
    "errors": set(),
    "arguments": set(),
    "temporary": set(),
    "terminal": set(),
    "tasks": set(),
    "spiking": set(),
    "backends": {"temporary", "spiking"},
    "rate": {"spiking", "tasks", "backends"},
    "methods": METHODS,
    "exchange": {"temporary", "spiking", "rate", "methods"},
    "compare": METHODS | {"compare.probes", "compare.statistics"},
    "compare.probes": {"spiking", "backends", "compare"},
    "compare.statistics": {"spiking", "compare"},
    "compare.report": METHODS | {"compare", "compare.probes", "compare.statistics", "exchange"},
    "describe": METHODS | {"compare.statistics", "exchange"},
    "benchmark": METHODS | {"temporary", "exchange", "bridge"},
    "studies": METHODS | {"temporary", "compare.statistics", "exchange"},
    "bridge": METHODS | {"compare", "compare.report", "exchange"},
    "stages": {"terminal", "describe", "rate", "compare.report", "exchange", "bridge"},
    "demo": {"terminal", "stages", "rate", "bridge"},
    "cli": METHODS
    | {"terminal", "describe", "stages", "demo", "bridge", "compare", "compare.statistics"}
    | {"compare.report", "exchange", "studies", "benchmark"},
}
# What all others may import besides.
EVERYWHERE = {"errors", "arguments"}


def our_modules():
    """Every module by its name, with its file."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = (PACKAGE.name, *path.relative_to(PACKAGE).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = our_modules()


def room_of(path):
    """The folder of a file, as "compare.probes"; beside the folders each file is a room."""
    *folders, _ = path.relative_to(PACKAGE).parts
    if folders:
        return ".".join(folders)
    return PACKAGE.name if path.stem == "__init__" else path.stem


def imported(path):
    """The modules of ours that a file imports, be it in a function or for types alone."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: names what it imports in full"
            # `from bridge.compare import gate` is of a module, `from bridge.tasks import Task` not.
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (
                name if name in MODULES else node.module
                for name in names
                if name in MODULES or node.module in MODULES
            )


def test_every_room_is_known():
    rooms = {room_of(path) for path in MODULES.values()}
    assert rooms == set(ALLOWED), "a new room says here what it may import"


@pytest.mark.parametrize("room", ALLOWED)
def test_imports_point_one_way(room):
    paths = [path for path in MODULES.values() if room_of(path) == room]
    found = {room_of(MODULES[name]) for path in paths for name in imported(path)} - {room}
    lowest = {"errors"} if room in EVERYWHERE else EVERYWHERE
    assert found <= ALLOWED[room] | (lowest - {room})


def test_no_import_goes_in_a_circle():
    graph = {name: set(imported(path)) for name, path in MODULES.items()}
    assert len(graph) > 100
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(reversed(error.args[1])))


def test_only_backends_import_a_simulator():
    simulators = ("brian2", "snntorch")
    for path in PACKAGE.rglob("*.py"):
        if room_of(path).split(".")[0] == "backends":
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
