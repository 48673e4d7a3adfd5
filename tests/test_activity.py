"""What a run is busy with is heard by whoever shows its progress."""

from conftest import drive_for, kim_network

from bridge import terminal
from bridge.activity import busy_with, heard_by
from bridge.backends import simulate


def test_the_innermost_listener_hears_what_begins_and_that_it_has_ended():
    outer, inner = [], []
    with heard_by(outer.append), heard_by(inner.append), busy_with("weaving"):
        assert inner == ["weaving"]
    assert (outer, inner) == ([], ["weaving", ""])
    with busy_with("weaving"):
        pass
    assert inner == ["weaving", ""]


def test_what_is_compiled_is_told_once_and_served_in_silence_from_then_on(monkeypatch, tmp_path):
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("SPIKEBRIDGE_CACHE", str(folder))
    network, heard = kim_network(size=5), []
    for _ in range(2):
        with heard_by(heard.append):
            simulate(network, drive_for(network, 4), backend="compiled")
    assert heard == ["compiling the loop, once for all networks of this form", ""]


def test_a_progress_bar_shows_it_and_then_no_longer(monkeypatch):
    notes = []
    monkeypatch.setattr(terminal._Shown, "update", lambda *_, **fields: notes.append(fields))
    with terminal.progress_bar("running") as report:
        report(0.5)
        with busy_with("compiling the loop"):
            pass
    with terminal.progress_bar("comparing") as report:
        report.of_part("snntorch", 0.5)
        with busy_with("compiling the loop"):
            pass
    told = [fields["note"] for fields in notes if "note" in fields]
    beside = "snntorch, compiling the loop"
    alone = ["", "compiling the loop", "", ""]
    # At the end no part is being done.
    assert told == [*alone, "snntorch", beside, "snntorch", ""]
