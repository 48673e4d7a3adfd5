"""Calls of Python say how far they are where somebody looks, and only there."""

import os
import pty
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest
from conftest import drive_for, longer_steps_network
from methods.rate_targets.one_sine import SMALL, one_sine
from methods.short_task import SHORT_TASK
from methods.test_conversion import rate_network

import bridge
from bridge import progress, terminal
from bridge.compare.report import page
from bridge.errors import SpecError
from bridge.tasks import go_nogo


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(go_nogo, "GoNoGo", SHORT_TASK)


class Screen:
    """Keeps what it is told."""

    def __init__(self, what):
        self.what, self.told, self.ended = what, [], False

    def show(self, fraction, note):
        assert not self.ended
        self.told.append((fraction, note))

    def end(self):
        self.ended = True


@pytest.fixture
def places(monkeypatch):
    """Whatever is shown, in the order in which it begins."""
    begun = []

    def place(what):
        begun.append(Screen(what))
        return begun[-1]

    monkeypatch.setattr(progress, "_place", lambda: place)
    return begun


@pytest.fixture
def screens(places, monkeypatch):
    """The same, where nothing has to take two seconds to be shown."""
    monkeypatch.setattr(progress.Teller, "start", progress.Teller._begin)
    return places


def test_a_call_shows_its_progress_and_ends_it(screens):
    with progress.telling("weaving", wanted=True) as teller:
        teller(0.5, "half")
        teller.busy("compiling")
    (screen,) = screens
    assert screen.what == "weaving"
    assert screen.told[-2:] == [(0.5, "half"), (0.5, "half, compiling")]
    assert screen.ended


def test_what_is_done_soon_shows_nothing(places, monkeypatch):
    monkeypatch.setattr(progress, "_WAIT_S", 0.5)
    for _ in range(20):
        with progress.telling("weaving", wanted=True) as teller:
            teller(0.5)
    time.sleep(0.7)
    assert places == []


def test_what_takes_long_is_shown_before_it_reports_anything(places, monkeypatch):
    monkeypatch.setattr(progress, "_WAIT_S", 0.01)
    with progress.telling("weaving", wanted=True):
        while not places:
            time.sleep(0.01)
    assert places[0].told == [(0.0, "")]


def test_what_a_call_calls_shows_nothing_of_its_own(screens):
    outer, within = (progress.telling(what, wanted=True) for what in ("outer", "within"))
    with outer, within as inner:
        assert inner is None
    assert [screen.what for screen in screens] == ["outer"]
    with progress.telling("next", wanted=True) as teller:
        assert teller is not None


@pytest.mark.parametrize("given", [{"progress": False}, {"on_progress": lambda *_: None}])
def test_it_is_off_by_an_argument_and_where_the_caller_is_told(given, screens):
    rate = rate_network()
    bridge.convert(rate, trials=2, inverse_scales=[30.0], backend="reference", **given)
    assert screens == []


def torn():
    with progress.telling("weaving", wanted=True):
        raise SpecError("torn")


def test_a_call_that_fails_ends_its_progress(screens):
    with pytest.raises(SpecError, match="torn"):
        torn()
    assert screens[0].ended
    with progress.telling("next", wanted=True) as teller:
        assert teller is not None


NETWORK = longer_steps_network()
DRIVE = drive_for(NETWORK, 40)
CALLS = {
    "simulating": lambda _: bridge.simulate(NETWORK, DRIVE),
    "converting": lambda rate: bridge.convert(
        rate, trials=2, inverse_scales=[30.0], backend="reference"
    ),
    "scoring": lambda rate: bridge.score(
        bridge.map_one_to_one(rate, 30.0), trials=2, backend="reference"
    ),
    "comparing": lambda _: bridge.compare(
        NETWORK, backends=["reference"] * 2, inject="weights-0.98", drive=DRIVE
    ),
    "changing weights": lambda rate: bridge.lesion(bridge.map_one_to_one(rate, 30.0), units=[0]),
    "fitting": lambda _: bridge.fit_targets(one_sine(), **SMALL),
    "training": lambda _: bridge.train("go-nogo", units=6, max_updates=2, batch=4),
    "refitting the readout": lambda rate: bridge.refit_readout(
        bridge.map_one_to_one(rate, 30.0), trials=5, backend="reference"
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", CALLS)
def test_each_long_call_shows_its_own_progress_alone(what, screens):
    rate = rate_network()
    screens.clear()
    CALLS[what](rate)
    assert [screen.what for screen in screens] == [what]
    assert screens[0].ended
    fractions = [fraction for fraction, _ in screens[0].told]
    assert all(0 <= fraction <= 1 for fraction in fractions)


def test_recordings_that_are_compared_and_their_report_show_progress_too(screens, monkeypatch):
    one = bridge.simulate(NETWORK, drive_for(NETWORK, 40, trials=12), progress=False)
    screens.clear()
    found = bridge.compare_recordings(one, one)
    monkeypatch.setattr(page, "write_report", lambda *_, **__: [])
    bridge.report(found, "page.html")
    bridge.compare_recordings(one, one, progress=False)
    assert [screen.what for screen in screens] == ["comparing", "writing the report"]
    assert screens[0].told[-1] == (1.0, "A and B, tests")
    assert all(screen.ended for screen in screens)


def test_progress_is_true_or_false():
    with pytest.raises(SpecError, match="progress: expected True or False, got the text 'no'"):
        bridge.simulate(NETWORK, DRIVE, progress="no")


def on_a_terminal(monkeypatch):
    for stream in (sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)


def test_it_is_shown_in_a_terminal_and_not_beside_a_bar_of_the_command(monkeypatch):
    assert progress._place() is None
    on_a_terminal(monkeypatch)
    assert progress._place() is not None
    with terminal.progress_bar("running"):
        assert progress._place() is None


def test_other_threads_and_worker_processes_show_nothing(monkeypatch):
    on_a_terminal(monkeypatch)
    found = []
    thread = threading.Thread(target=lambda: found.append(progress._place()))
    thread.start()
    thread.join()
    monkeypatch.setattr(progress.multiprocessing, "parent_process", lambda: "parent")
    assert [*found, progress._place()] == [None, None]


def test_a_notebook_has_a_line_of_plain_text(monkeypatch, capsys):
    shell = SimpleNamespace(kernel="kernel")
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setattr(progress, "_WAIT_S", 0.0)
    monkeypatch.setattr(progress, "_PERIOD_S", 0.0)
    with progress.telling("weaving", wanted=True) as teller:
        while teller._screen is None:
            time.sleep(0.01)
        teller(0.25, "a long note")
        teller(0.5)
    said = capsys.readouterr().out
    assert said.split("\r")[2:] == [
        "weaving: 25%, 0 s, a long note",
        "weaving: 50%, 0 s             ",
        "weaving: ended, 0 s\n",
    ]


def test_in_a_real_terminal_a_bar_comes_and_goes():
    code = (
        "import time, bridge.progress as p; p._WAIT_S = 0.1\n"
        "with p.telling('weaving', wanted=True) as t:\n"
        "    time.sleep(0.4); t(0.5, 'half'); time.sleep(0.3)\n"
        "print('woven')"
    )
    own, its = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=its, stderr=its, check=True,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )  # fmt: skip
    os.close(its)
    said = os.read(own, 100_000).decode()
    os.close(own)
    assert done.returncode == 0
    assert "weaving" in said
    assert "50 %" in said
    # The line is cleared, and what is printed then stands in its place.
    assert said.endswith("\x1b[2Kwoven\r\n")
