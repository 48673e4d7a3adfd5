"""The house keeps its shape: imports point one way, and importing is quick."""

import ast
import subprocess
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import bridge
from bridge.backends import names
from bridge.spiking import filters, neurons

PACKAGE = Path(bridge.__file__).parent
# What a network is.
SPIKING = {"spiking", "spiking.filters", "spiking.neurons"}
# What a conversion is made of, from below.
METHODS = SPIKING | {"tasks", "rate", "backends", "methods", "progress"}
# What each room, a folder or a file beside them, may import of ours, itself aside.
ALLOWED = {
    "errors": set(),
    "arguments": set(),
    "blas_threads": set(),
    "versions": set(),
    "temporary": set(),
    "tables": set(),
    "sections": set(),
    "terminal": {"tables"},
    "activity": set(),
    "progress": {"terminal"},
    "tasks": {"tasks.images"},
    "tasks.images": {"tasks"},
    "spiking": SPIKING,
    "spiking.filters": {"spiking"},
    "spiking.neurons": {"spiking"},
    # What all backends share, and a folder for each, which knows no other.
    "backends": SPIKING | {"temporary", "progress", "tasks"},
    "backends.reference": SPIKING | {"backends"},
    "backends.brian2": SPIKING | {"temporary", "backends", "backends.reference"},
    "backends.snntorch": SPIKING | {"temporary", "backends"},
    "backends.compiled": SPIKING | {"backends", "backends.compiled.gpu"},
    "backends.compiled.gpu": SPIKING | {"backends", "backends.compiled"},
    "backends.nest": SPIKING | {"backends", "backends.reference"},
    "rate": SPIKING | {"tasks", "backends", "backends.snntorch", "progress"},
    "methods": METHODS,
    # A road of its own, with no need of the others.
    "methods.rate_targets": SPIKING | {"tasks", "backends", "progress", "rate", "methods"},
    "methods.src": SPIKING
    | {"tasks", "tasks.images", "rate", "backends", "backends.snntorch", "progress"},
    "exchange": SPIKING
    | {"temporary", "tasks", "rate", "methods", "methods.rate_targets", "methods.src"},
    "exchange.nir": SPIKING | {"exchange"},
    "compare": METHODS | {"compare.probes", "compare.statistics", "backends.reference"},
    "compare.probes": SPIKING | {"backends.reference", "compare"},
    "compare.statistics": SPIKING | {"compare"},
    "compare.report": METHODS
    | {"compare", "compare.probes", "compare.statistics", "exchange", "plot"}
    | {"methods.rate_targets"},
    "plot": METHODS | {"methods.rate_targets", "compare", "compare.statistics"},
    "describe": METHODS
    | {"methods.rate_targets", "methods.src", "compare.statistics", "exchange", "sections"},
    "search_tables": METHODS | {"tables"},
    # Other tools' importers, each in a process of its own; what such a process loads is all here.
    "conformance": SPIKING
    | {"tables", "temporary", "bridge", "exchange", "exchange.nir", "backends"}
    | {"conformance.importers"},
    "conformance.importers": set(),
    "benchmark": METHODS | {"tables", "temporary", "exchange", "bridge", "backends.snntorch"},
    "studies": METHODS | {"tables", "temporary", "compare.statistics", "exchange"},
    "bridge": METHODS
    | {"methods.rate_targets", "methods.src", "compare", "compare.report", "exchange", "plot"},
    "stages": {
        "terminal",
        "describe",
        "search_tables",
        "sections",
        "rate",
        "methods.rate_targets",
        "methods.src",
        "compare.report",
        "exchange",
        "plot",
        "tasks",
    }
    | {"bridge"},
    "demo": {"terminal", "stages", "backends", "rate", "bridge"},
    "cli": METHODS
    | {"methods.rate_targets", "methods.src", "tasks.images"}
    | {"terminal", "describe", "stages", "demo", "bridge", "compare", "compare.statistics"}
    | {"compare.report", "exchange", "studies", "benchmark", "conformance"}
    | {"search_tables", "sections"},
}
# What all others may import besides.
EVERYWHERE = {"errors", "arguments", "activity", "blas_threads", "versions"}


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


@cache
def nodes(path):
    """All nodes of the code of a file."""
    return [*ast.walk(ast.parse(path.read_text()))]


@cache
def imported(path):
    """The modules of ours that a file imports, be it in a function or for types alone."""
    return [*_imported(path)]


def _imported(path):
    for node in nodes(path):
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
        if room_of(path).split(".")[0] == "backends" or room_of(path) == "conformance.importers":
            continue
        for node in nodes(path):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            assert not any(module.split(".")[0] in simulators for module in modules), path


def test_nothing_waits_for_all_of_scipy_s_statistics():
    # They take most of a second to load; `compare.statistics.distributions` has what is needed.
    for path in PACKAGE.rglob("*.py"):
        for node in nodes(path):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                within = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
                loaded = [f"{within}{alias.name}" for alias in node.names]
                assert not any(name.startswith("scipy.stats") for name in loaded), path


# Where a model or a filter may be asked which one it is: its own file, the files that know other
# programs' models, and the methods, which make the models.
MAY_ASK = ("spiking.neurons", "spiking.filters", "backends.nest", "methods", "exchange")
# Where a backend may be: its own folder, and what measures each of them.
MAY_NAME = ("backends", "benchmark")


def asked(nodes):
    """Names and words that the code decides by: isinstance, match, and comparisons."""
    for node in nodes:
        parts = []
        if isinstance(node, ast.Call):
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if called in ("isinstance", "issubclass", "startswith"):
                parts = node.args[-1:]
        elif isinstance(node, ast.Compare):
            parts = [node.left, *node.comparators]
        elif isinstance(node, ast.MatchClass):
            parts = [node.cls]
        elif isinstance(node, ast.MatchValue):
            parts = [node.value]
        for each in (inner for part in parts for inner in ast.walk(part)):
            if isinstance(each, ast.Name) and each.id[:1].isupper():
                yield each.id
            elif isinstance(each, ast.Constant) and isinstance(each.value, str):
                yield each.value


def test_nobody_asks_which_model_a_model_is():
    known = [*neurons.KNOWN.values(), *filters.KNOWN.values()]
    words = {model.__name__ for model in known} | {model.kind for model in known}
    assert len(words) > 10
    for path in MODULES.values():
        if not room_of(path).startswith(MAY_ASK):
            assert not words & set(asked(nodes(path))), path


def test_nobody_asks_which_backend_a_backend_is():
    for path in MODULES.values():
        if not room_of(path).startswith(MAY_NAME):
            assert not set(names()) & set(asked(nodes(path))), path


def test_the_code_that_decides_by_a_name_is_seen():
    code = "isinstance(x, (int, Lif)) or x.kind == 'qif' or type(x) is Direct"
    assert {"Lif", "qif", "Direct"} <= set(asked(ast.walk(ast.parse(code))))
    assert "Src" in set(asked(ast.walk(ast.parse("match x:\n    case Src(): pass"))))


@pytest.mark.parametrize("loads", ["import bridge; bridge.BridgeError", "import bridge.cli"])
def test_neither_bridge_nor_its_commands_load_torch_or_a_simulator_or_what_draws(loads):
    code = (
        f"import sys; {loads}; "
        "print(sorted({'torch', 'brian2', 'snntorch', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_dense_network_is_read_and_searched_without_scipy():
    code = (
        "import sys, bridge; from bridge.cli import app; rate = bridge.load('go_nogo_n200'); "
        "bridge.convert(rate, inverse_scales=[45], trials=2, backend='compiled'); "
        "print(sorted(name for name in sys.modules if name.partition('.')[0] == 'scipy'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there_and_documented():
    for name in bridge.__all__:
        assert getattr(bridge, name).__doc__, name


def test_a_missing_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = bridge.nothing
