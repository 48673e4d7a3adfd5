"""A backend and what may follow its name, wherever one is named."""

import numpy as np
import pytest
from conftest import drive_for, kim_network

import bridge
from bridge import backends
from bridge.backends import names, parse_backend, quickest
from bridge.backends.brian2 import simulation as brian2
from bridge.backends.declaration import Declaration, declared, folder_digest
from bridge.backends.snntorch import simulation as snntorch
from bridge.compare.sides import Side
from bridge.errors import SpecError
from bridge.methods.scoring import quick_options
from bridge.methods.search_options import SearchOptions


@pytest.mark.parametrize(
    ("label", "meaning"),
    [
        ("reference", ("reference", {})),
        ("brian2:numpy", ("brian2", {"target": "numpy"})),
        ("snntorch:float64", ("snntorch", {"dtype": "float64"})),
        ("snntorch:cuda", ("snntorch", {"device": "cuda"})),
        ("snntorch:cuda:1", ("snntorch", {"device": "cuda:1"})),
        ("compiled:cuda:1", ("compiled", {"device": "cuda:1"})),
        ("compiled:float32", ("compiled", {"dtype": "float32"})),
        ("nest:plain", ("nest", {"parameters": "plain"})),
    ],
)
def test_a_word_after_the_colon_sets_an_option(label, meaning):
    assert parse_backend(label) == meaning


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("brian", "unknown backend 'brian'; known are reference, brian2, snntorch, compiled, nest"),
        ("Brian2:numpy", "unknown backend 'Brian2'"),
        ("brian2:", "backend 'brian2:': unknown target ''; known are brian2:numpy, brian2:cython"),
        ("brian2:numpy:cython", "unknown target 'numpy:cython'"),
        ("snntorch:float16", "known are snntorch:float64, snntorch:float32, snntorch:cpu"),
        ("snntorch:cuda:N", "unknown device 'cuda:N'"),
        ("reference:fast", "backend reference takes no option, got 'reference:fast'"),
        (("brian2", "numpy"), "backend: expected a name as text, got a tuple"),
    ],
)
def test_a_word_that_means_nothing_is_refused_with_those_that_are_known(label, message):
    with pytest.raises(SpecError, match=message):
        parse_backend(label)


def test_the_words_are_those_that_the_backends_know():
    assert [name for name in names() if not declared()[name].words] == ["reference"]
    assert set(declared()["brian2"].words["target"]) == set(brian2.TARGETS)
    for name in ("snntorch", "compiled"):
        assert set(declared()[name].words["dtype"]) == set(snntorch.DTYPES), name
        assert declared()[name].device == ("cuda:N" in declared()[name].words["device"]), name


def test_searches_run_in_the_quickest_backend_that_can_run_here(monkeypatch):
    assert quickest() == quickest("cpu") == SearchOptions().backend == "compiled"
    assert quickest("cuda:1") == SearchOptions(device="cuda:1").backend == "compiled"
    monkeypatch.setattr(backends.shutil, "which", lambda _: None)
    with pytest.warns(UserWarning, match=r"g\+\+ is not found, so this runs in snntorch"):
        assert SearchOptions().backend == "snntorch"


def test_what_is_said_twice_must_be_the_same():
    assert parse_backend("brian2:numpy", {"target": "numpy"}) == ("brian2", {"target": "numpy"})
    assert parse_backend("brian2:numpy", {"target": None}) == ("brian2", {"target": "numpy"})
    with pytest.raises(SpecError, match="sets target to 'numpy', but target is also given as 'cy"):
        parse_backend("brian2:numpy", {"target": "cython"})


def test_a_target_after_the_colon_runs():
    network = kim_network(size=5)
    drive = drive_for(network, 4)
    recording = bridge.simulate(network, drive, backend="brian2:numpy")
    assert recording.provenance["target"] == "numpy"
    alike = bridge.simulate(network, drive)
    assert np.array_equal(recording.spikes.codes(), alike.spikes.codes())
    with pytest.raises(SpecError, match="say it once"):
        bridge.simulate(network, drive, backend="brian2:numpy", target="standalone")


def test_progress_begins_once_nothing_is_left_to_be_refused():
    network, done = kim_network(size=5), []
    drive = drive_for(network, 4)
    with pytest.raises(SpecError, match="unknown option 'dtype'"):
        bridge.simulate(
            network, drive, backend="brian2:numpy", dtype="float32", on_progress=done.append
        )
    assert done == []
    bridge.simulate(network, drive, on_progress=done.append)
    assert done == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_where_only_statistics_count_float32_is_taken_unless_told_otherwise():
    assert quick_options("snntorch") == {"dtype": "float32"}
    assert quick_options("snntorch:float64") == {"dtype": "float64"}
    assert quick_options("snntorch:cuda") == {"dtype": "float32", "device": "cuda"}
    assert quick_options("snntorch", {"dtype": "float64"}) == {"dtype": "float64"}
    assert quick_options("brian2:cython") == {"target": "cython"}


def test_a_search_takes_a_backend_as_a_run_does():
    assert SearchOptions(backend="brian2:numpy").quick_options() == {"target": "numpy"}
    cuda = {"dtype": "float32", "device": "cuda:1"}
    assert SearchOptions(backend="snntorch:cuda:1").quick_options() == cuda
    assert SearchOptions(device="cuda:1").quick_options() == {"device": "cuda:1"}
    with pytest.raises(SpecError, match="backend brian2:numpy has no device 'cuda'"):
        SearchOptions(backend="brian2:numpy", device="cuda")
    with pytest.raises(SpecError, match="sets device to 'cuda', but device is also given as 'cpu'"):
        SearchOptions(backend="snntorch:cuda", device="cpu")
    with pytest.raises(SpecError, match="unknown target 'fortran'"):
        SearchOptions(backend="brian2:fortran")


TOY = """
from bridge.backends.declaration import Declaration

DECLARED = Declaration(place=9, package="numpy", exact=True, words={"shift": ("early", "late")})
"""
TOY_SIMULATION = """
from dataclasses import replace

from bridge.backends.reference import simulation


def simulate(network, drive, *, shift="", voltages=False, margins=False, on_progress=None):
    recording = simulation.simulate(network, drive, voltages=voltages, margins=margins)
    return replace(recording, provenance={**recording.provenance, "shift": shift})
"""


@pytest.fixture
def toy(monkeypatch, tmp_path):
    folder = tmp_path / "toy"
    folder.mkdir()
    (folder / "__init__.py").write_text(TOY)
    (folder / "simulation.py").write_text(TOY_SIMULATION)
    monkeypatch.setattr(bridge.backends, "__path__", [*bridge.backends.__path__, str(tmp_path)])
    declared.cache_clear()
    yield folder
    declared.cache_clear()


def test_a_folder_is_a_backend(toy):
    assert names()[-1] == "toy"
    assert parse_backend("toy:late") == ("toy", {"shift": "late"})
    network = kim_network()
    recording = bridge.simulate(network, drive_for(network, 2), backend="toy:late")
    assert recording.provenance["shift"] == "late"
    with pytest.raises(SpecError, match="unknown shift 'never'; known are toy:early, toy:late"):
        parse_backend("toy:never")
    assert Side("toy", "toy").exact
    agreement = bridge.compare(
        network, backends=["reference", "toy"], levels=["exact"], drive=drive_for(network, 2)
    )
    assert agreement.agreed


def test_a_backend_that_promises_nothing_is_held_to_no_promise():
    assert Side("brian2:numpy", "brian2", {"target": "numpy"}).exact
    assert Side("snntorch", "snntorch", {"dtype": "float64"}).exact
    assert not Side("snntorch:float32", "snntorch", {"dtype": "float32"}).exact
    assert not Side("nest", "nest").exact
    assert not Declaration(place=8, package="numpy", exact=False).claims_exact({})
    assert not Side("new", "new").exact


def test_the_hash_of_a_folder_changes_with_each_of_its_files(toy):
    before = folder_digest(toy)
    (toy / "simulation.py").write_text(TOY_SIMULATION + "# another\n")
    changed = folder_digest(toy)
    (toy / "more.py").write_text("")
    assert len({before, changed, folder_digest(toy)}) == 3
