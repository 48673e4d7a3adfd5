"""`spikebridge compare` as a user meets it."""

import json
from dataclasses import replace

import pytest
from conftest import go_nogo_network
from methods.short_task import SHORT_TASK

import bridge
from bridge.compare import recordings
from bridge.compare.report import page
from bridge.exchange.recordings import export_recording
from bridge.methods.scoring import task_drive
from bridge.tasks import go_nogo


@pytest.fixture(scope="module", autouse=True)
def _short_trials():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(go_nogo, "GoNoGo", SHORT_TASK)
        yield


@pytest.fixture(scope="module")
def files(tmp_path_factory, _short_trials):
    """A network with a task, and recordings of it in three formats."""
    folder, network = tmp_path_factory.mktemp("files"), go_nogo_network()
    bridge.save(network, folder / "lif.h5")
    for seed, name in enumerate(("a", "b", "c")):
        drive = task_drive(network, 14, 0)[1]
        own = replace(drive, noise=bridge.OwnNoise(seed=seed))
        recording = bridge.simulate(network, own)
        bridge.save(recording, folder / f"{name}.h5")
        export_recording(recording, folder / f"{name}.nwb")
        export_recording(recording, folder / f"{name}.sonata", to="sonata")
    return folder


def test_a_fault_is_seen_and_the_exit_status_says_so(command, files, tmp_path):
    out = tmp_path / "fault.html"
    outcome = command(
        "compare", files / "lif.h5", "--backends", "reference,reference", "--trials", 2,
        "--inject", "sign-flipped", "--out", out,
    )  # fmt: skip
    assert outcome.status == 1
    assert "A fault was put in on purpose: sign of one unit flipped." in outcome.out
    told = json.loads(out.with_suffix(".json").read_text())
    assert told["agreed"] is False
    assert told["fault"] == "sign of one unit flipped"
    assert f"{out.with_suffix('.json')}: for programs" in outcome.out


def test_all_levels_by_name(command, files, tmp_path):
    outcome = command(
        "compare", files / "lif.h5", "--backends", "snntorch,snntorch:float32", "--trials", 8,
        "--levels", "probe,statistical", "--out", tmp_path / "levels.html",
    )  # fmt: skip
    assert outcome.status == 0, outcome.err
    assert "Agree: snntorch and snntorch:float32 meet" in outcome.out


@pytest.mark.parametrize("second", ["b.h5", "b.nwb", "b.sonata"])
def test_recordings_of_any_format_are_compared(command, files, tmp_path, second, monkeypatch):
    out = tmp_path / "two.html"
    if second != "b.sonata":
        # Pictures of such recordings are drawn where there is a yardstick.
        monkeypatch.setattr(page, "pictures_of", lambda _found: [])
    outcome = command("compare", files / "a.h5", files / second, "--out", out)
    assert outcome.status == 0, outcome.err
    assert f"Agree: a.h5 and {second} differ in 14 trials" in outcome.out
    assert out.exists()


def test_a_yardstick_may_be_of_another_format(command, files, tmp_path):
    yardstick = ("--yardstick", files / "c.nwb", "--out", tmp_path / "three.html")
    outcome = command("compare", files / "a.h5", files / "b.sonata", *yardstick)
    assert outcome.status == 0, outcome.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lif.h5", "--levels", "exact,telepathy"], "unknown level 'telepathy'"),
        (["lif.h5", "--inject", "gremlin"], "unknown fault 'gremlin'"),
        (["lif.h5", "--alpha", "1.5"], "alpha: must lie between 0 and 1, got 1.5"),
        (["lif.h5", "--backends", "brian2,nest", "--levels", "exact"], "nest does not claim"),
        (["lif.h5", "--backends", "reference,nest:fancy"], "parameters"),
        (["lif.h5", "--trials", "0"], "trials: expected a whole number of at least 1, got 0"),
        (["lif.h5", "--alpha", "1e-6"], "alpha: at least 0.001, got 1e-06"),
        (["lif.h5", "--yardstick", "c.nwb"], "are for two recordings"),
        (["lif.h5", "--dt-ms", "1"], "are for two recordings"),
        (["a.h5", "b.h5", "--backends", "brian2,nest"], "are for simulators, not for recordings"),
        (["a.h5", "b.h5", "--yardstick", "c.sonata"], "the yardstick lacks readout"),
        (["a.h5"], "a spiking network is needed"),
        (["a.h5", "lif.h5"], "a recording is needed"),
        (["a.h5", "nothing.nwb"], "no such file"),
        (["a.h5", "b.h5", "--inject", "transposed"], "are for simulators, not for recordings"),
        (["a.h5", "b.h5", "--trials", "9"], "statistics of 2 sets need at least 12, got 9"),
        (
            ["lif.h5", "--levels", "exact,statistical", "--trials", "5"],
            "statistics of 3 sets need at least 8, got 5",
        ),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(refused, files, tmp_path, arguments, said):
    there = (".h5", ".nwb", ".sonata")
    given = [files / part if part.endswith(there) else part for part in arguments]
    assert said in refused("compare", *given, "--out", tmp_path / "out.html")


@pytest.mark.parametrize(
    ("error", "said"),
    [(MemoryError("11.9 GiB"), "not enough memory: 11.9 GiB"), (ValueError("ours"), "ours")],
)
def test_what_nobody_foresaw_is_no_disagreement(command, files, tmp_path, monkeypatch, error, said):
    def fails(*_arguments, **_options):
        raise error

    monkeypatch.setattr(recordings, "compare_recordings", fails)
    outcome = command("compare", files / "a.h5", files / "b.h5", "--out", tmp_path / "x.html")
    assert outcome.status == 2
    assert said in outcome.err


def test_recordings_go_out_and_come_back(command, refused, files, tmp_path):
    out = tmp_path / "a.nwb"
    outcome = command("export", files / "a.h5", "--to", "nwb", "--out", out)
    assert outcome.status == 0, outcome.err
    back = tmp_path / "back.h5"
    assert command("import", out, "--out", back).status == 0
    one, other = (bridge.load(path).spikes for path in (files / "a.h5", back))
    assert one.codes().tolist() == other.codes().tolist()
    assert "is for recordings" in refused(
        "export", files / "lif.h5", "--to", "nwb", "--out", tmp_path / "x.nwb"
    )
    assert "of which format" in refused("export", files / "a.h5", "--out", tmp_path / "x.h5")
    assert "unknown format 'matlab' of a recording" in refused(
        "export", files / "a.h5", "--to", "matlab", "--out", tmp_path / "x.mat"
    )
