"""The command: what it does, what it refuses in one line, and what it leaves behind."""

import dataclasses
import functools
import os
import re
import shutil
import signal
import subprocess
import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import bridge
import bridge.backends
from bridge import cli
from bridge.errors import SpecError
from bridge.exchange.store import load, save
from bridge.methods.one_to_one import map_one_to_one
from bridge.methods.scale_search import Conversion, ScaleSearch
from bridge.rate import training_loop
from bridge.rate.network import RateNetwork
from bridge.spiking.drive import Drive, OwnNoise
from bridge.spiking.recording import Spikes
from bridge.tasks import go_nogo

COMMANDS = [each.name or each.callback.__name__ for each in cli.app.registered_commands]
SHORT_TASK = functools.partial(
    go_nogo.GoNoGo, steps=30, stimulus_start=8, stimulus_stop=12, spiking_window_start=16
)


@pytest.fixture(autouse=True)
def _quick_and_alone(monkeypatch):
    """A task of 150 ms instead of 1 s, one thread, and the signal handlers as they were."""
    monkeypatch.setattr(go_nogo, "GoNoGo", SHORT_TASK)
    # Rich takes the width of the screen from here: no line is folded in the middle of a word.
    monkeypatch.setenv("COLUMNS", "200")
    threads, handler = torch.get_num_threads(), signal.getsignal(signal.SIGTERM)
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    signal.signal(signal.SIGTERM, handler)


def rate_network(size=10):
    rng = np.random.default_rng(1)
    return RateNetwork(
        recurrent=rng.normal(0, 1, (size, size)),
        w_in=rng.normal(0, 1, (size, 1)),
        w_out=rng.normal(0, 1, (1, size)),
        b_out=np.zeros(1),
        tau_ms=rng.uniform(20, 100, size),
        task="go-nogo",
    )


def conversion():
    rate = rate_network()
    search = ScaleSearch(
        inverse_scales=[30.0, 40.0], correct=[1, 2], trials=2, best=1, seed=0,
        backend="snntorch", seconds=0.1,
    )  # fmt: skip
    return Conversion(network=map_one_to_one(rate, 40.0), rate=rate, search=search)


def short_drive(samples=2):
    return Drive(inputs=np.ones((samples, 2, 1)), noise=OwnNoise(seed=1))


@pytest.fixture
def rate_file(tmp_path):
    return save(rate_network(), tmp_path / "rate.h5")


@pytest.fixture
def lif_file(tmp_path):
    return save(conversion(), tmp_path / "lif.h5")


@pytest.fixture
def recording_file(tmp_path):
    recording = bridge.simulate(conversion().network, short_drive(), backend="snntorch")
    return save(recording, tmp_path / "recording.h5")


# Input files


@pytest.mark.parametrize("name", ["convert", "run", "compare"])
def test_a_missing_input_file_is_refused(name, refused, tmp_path):
    line = refused(name, tmp_path / "none.h5", "--out", tmp_path / "out.h5")
    assert line == f"spikebridge: {tmp_path}/none.h5: no such file"


def test_info_on_a_missing_file_is_refused(refused, tmp_path):
    assert "none.h5: no such file" in refused("info", tmp_path / "none.h5")


def test_info_on_a_name_too_long_is_refused(refused, tmp_path):
    assert "nnn" in refused("info", tmp_path / ("n" * 300))


def test_resuming_a_missing_file_is_refused(refused, tmp_path):
    line = refused("train", "go-nogo", "--out", tmp_path / "none.h5", "--resume")
    assert "none.h5: no such file" in line


@pytest.mark.parametrize("name", ["convert", "run", "compare", "info"])
def test_a_truncated_file_is_refused(name, refused, rate_file, tmp_path):
    rate_file.write_bytes(rate_file.read_bytes()[:3000])
    out = () if name == "info" else ("--out", tmp_path / "out.h5")
    assert "rate.h5: damaged, or no HDF5 file" in refused(name, rate_file, *out)


def test_a_recording_is_no_rate_network_to_convert(refused, recording_file, tmp_path):
    line = refused("convert", recording_file, "--out", tmp_path / "out.h5")
    assert line.endswith("recording.h5: a rate network is needed, this file holds: recording")


@pytest.mark.parametrize("name", ["run", "compare"])
def test_a_rate_network_is_no_spiking_network(name, refused, rate_file, tmp_path):
    line = refused(name, rate_file, "--out", tmp_path / "out.h5")
    assert line.endswith("rate.h5: a spiking network is needed, this file holds: rate network")


def test_a_network_without_a_task_is_refused(refused, tmp_path):
    network = dataclasses.replace(conversion().network, task="")
    file = save(network, tmp_path / "network.h5")
    assert "names no task" in refused("run", file, "--out", tmp_path / "out.h5")


def test_a_finished_network_cannot_be_resumed(refused, rate_file):
    line = refused("train", "go-nogo", "--out", rate_file, "--resume")
    assert "there is no checkpoint" in line


# Options


def test_an_unknown_task_is_refused(refused, tmp_path):
    line = refused("train", "juggling", "--out", tmp_path / "rate.h5")
    assert line.startswith("spikebridge: unknown task 'juggling'; known are go-nogo, xor, ")


@pytest.mark.parametrize("name", ["neuron", "[/bold]"])
def test_an_unknown_backend_is_refused(name, refused, lif_file, rate_file, tmp_path):
    out = ("--out", tmp_path / "out.h5")
    all_names = "reference, brian2, snntorch, compiled, nest"
    known = f"spikebridge: unknown backend {name!r}; known are {all_names}"
    assert refused("run", lif_file, *out, "--backend", name) == known
    assert refused("convert", rate_file, *out, "--backend", name, "--trials", 1) == known
    assert refused("compare", lif_file, *out, "--backends", f"snntorch,{name}") == known


@pytest.mark.parametrize("backends", ["snntorch", "snntorch,snntorch"])
def test_one_backend_alone_cannot_be_compared(backends, refused, lif_file, tmp_path):
    line = refused("compare", lif_file, "--out", tmp_path / "out.html", "--backends", backends)
    assert "name at least two different ones" in line


@pytest.mark.parametrize("device", ["tpu", "mps", "cuda:first", ""])
def test_an_unknown_device_is_refused(device, refused, lif_file, rate_file, tmp_path):
    out, wanted = ("--out", tmp_path / "out.h5", "--device", device), "use cpu, cuda or cuda:N"
    assert wanted in refused("train", "go-nogo", *out)
    assert wanted in refused("convert", rate_file, *out)
    assert wanted in refused("run", lif_file, *out)


@pytest.mark.parametrize("device", ["cuda", "cuda:0", "cuda:7", "cuda:128"])
def test_cuda_is_refused_where_there_is_none(
    device, refused, lif_file, rate_file, tmp_path, monkeypatch
):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    out = ("--out", tmp_path / "out.h5", "--device", device)
    wanted = f"device '{device}' was asked for, but torch sees no such CUDA device here"
    assert wanted in refused("train", "go-nogo", *out)
    assert wanted in refused("convert", rate_file, *out)
    assert wanted in refused("run", lif_file, *out)
    assert wanted in refused(
        "compare", lif_file, "--out", tmp_path / "out.html", "--trials", 1,
        "--backends", f"snntorch:{device},reference",
    )  # fmt: skip


def test_an_unknown_brian2_target_is_refused(refused, lif_file, tmp_path):
    out = ("--out", tmp_path / "out.h5", "--backend", "brian2")
    line = refused("run", lif_file, *out, "--target", "fortran")
    assert line == (
        "spikebridge: unknown Brian2 target 'fortran'; known are numpy, cython, standalone"
    )


@pytest.mark.parametrize("target", ["cython", "standalone"])
def test_without_a_compiler_numpy_is_offered(target, refused, lif_file, tmp_path, monkeypatch):
    bridge.backends.load("brian2")
    monkeypatch.setattr(shutil, "which", lambda *_args, **_options: None)
    out = ("--out", tmp_path / "out.h5", "--backend", "brian2")
    line = refused("run", lif_file, *out, "--target", target)
    assert f"Brian2's {target} target needs g++, not found on this machine" in line
    assert line.endswith("choose the target numpy")


def test_an_option_of_another_backend_is_refused(refused, lif_file, tmp_path):
    out = ("--out", tmp_path / "out.h5")
    line = refused("run", lif_file, *out, "--backend", "snntorch", "--target", "numpy")
    assert "backend snntorch: " in line
    assert "'target'" in line


def test_an_unknown_precision_is_refused(refused, lif_file, tmp_path):
    line = refused("run", lif_file, "--out", tmp_path / "out.h5", "--dtype", "float16")
    assert "unknown dtype 'float16'; known are float" in line


@pytest.mark.parametrize(
    "scales",
    [
        "-5:20:5",
        "0:20:5",
        "75:20:5",
        "20:75:0",
        "20:75:-5",
        "20:75",
        "20:75:5:1",
        "",
        ",",
        "30,",
        "many",
        "30,-40",
        "30,0",
        "nan:40:5",
        "20:nan:5",
        "20:40:nan",
        "1:inf:1",
        "inf:40:1",
        "nan",
        "30,inf",
    ],
)
def test_scale_factors_that_are_no_range_are_refused(scales, refused, rate_file, tmp_path):
    line = refused("convert", rate_file, "--out", tmp_path / "out.h5", f"--inverse-scales={scales}")
    assert re.search("inverse.scales", line)
    assert "positive" in line or "NaN or infinite" in line


@pytest.mark.parametrize(
    ("text", "scales"),
    [
        ("20:75:5", [20.0, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75]),
        ("30:40:10", [30.0, 40]),
        ("0.1:0.3:0.1", [0.1, 0.2, 0.3]),
        ("20:29:5", [20.0, 25]),
        ("30:30:5", [30.0]),
        ("42", [42.0]),
        ("35,25.5", [35.0, 25.5]),
    ],
)
def test_scale_factors_include_both_ends_of_their_range(text, scales):
    assert cli.convert.numbers_of("--inverse-scales", text) == pytest.approx(scales, rel=1e-12)


@pytest.mark.parametrize("trials", ["0", "-3"])
def test_no_trials_are_refused(trials, refused, lif_file, rate_file, tmp_path):
    out, wanted = ("--out", tmp_path / "out.h5"), "trials: expected a whole number of at least 1"
    for name, file in (("convert", rate_file), ("run", lif_file), ("compare", lif_file)):
        assert wanted in refused(name, file, *out, f"--trials={trials}")


def test_a_negative_seed_is_refused(refused, lif_file, rate_file, tmp_path):
    out = ("--out", tmp_path / "out.h5", "--seed=-1")
    assert "seed: expected a whole number" in refused("train", "go-nogo", *out)
    assert "seed" in refused("convert", rate_file, *out)
    assert "seed" in refused("run", lif_file, *out)
    assert "seed" in refused("compare", lif_file, *out)


@pytest.mark.parametrize(
    ("option", "wanted"),
    [
        ("--units=0", "units: expected"),
        ("--batch=0", "batch: expected"),
        ("--loss=l3", "loss: 'l2'"),
        ("--learning-rate=nan", "learning_rate: must be positive"),
        ("--max-updates=0", "max_updates"),
        ("--target-loss=-1", "target_loss: must be positive"),
        ("--check-every=0", "check_every"),
    ],
)
def test_training_options_that_make_no_sense_are_refused(option, wanted, refused, tmp_path):
    assert wanted in refused("train", "go-nogo", "--out", tmp_path / "rate.h5", option)


@pytest.mark.parametrize("tau_ms", [(50, 20), (0, 20), (20, "nan"), (20, "inf")])
def test_time_constants_that_are_no_range_are_refused(tau_ms, refused, tmp_path):
    line = refused("train", "go-nogo", "--out", tmp_path / "rate.h5", "--tau-ms", *tau_ms)
    assert "tau_ms: expected 5 <= lowest <= highest" in line


# Output files


def test_an_output_that_exists_is_not_replaced(refused, lif_file, rate_file, tmp_path):
    (tmp_path / "out").write_text("precious")
    out, wanted = ("--out", tmp_path / "out"), "out exists already; use "
    assert wanted in refused("train", "go-nogo", *out)
    assert wanted in refused("convert", rate_file, *out)
    assert wanted in refused("run", lif_file, *out)
    assert wanted in refused("compare", lif_file, *out)


def test_pictures_of_another_report_are_not_replaced(refused, lif_file, tmp_path):
    (tmp_path / "a_figures").mkdir()
    (tmp_path / "a_figures" / "rasters.svg").write_text("precious")
    line = refused(
        "compare", lif_file, "--out", tmp_path / "a.html", "--trials", 1,
        "--backends", "snntorch,snntorch:cpu",
    )  # fmt: skip
    assert "a_figures" in line


def test_force_replaces_an_output(command, rate_file, tmp_path):
    (tmp_path / "out.h5").write_text("not precious")
    outcome = command(
        "convert", rate_file, "--out", tmp_path / "out.h5", "--force",
        "--inverse-scales", "40", "--trials", 1,
    )  # fmt: skip
    assert outcome.status == 0
    assert load(tmp_path / "out.h5").search.best_inverse_scale == 40.0


@pytest.mark.parametrize("place", ["file/out.h5", "file/deeper/out.h5", ""])
def test_an_output_where_no_file_can_be_is_refused(place, refused, lif_file, rate_file, tmp_path):
    (tmp_path / "file").write_text("no folder")
    out, wanted = ("--out", tmp_path / place, "--force"), "cannot write|is a folder"
    assert re.search(wanted, refused("train", "go-nogo", *out))
    assert re.search(wanted, refused("convert", rate_file, *out))
    assert re.search(wanted, refused("run", lif_file, *out))
    assert re.search(wanted, refused("compare", lif_file, *out))


@pytest.mark.parametrize("option", ["--trials", "--search-trials"])
def test_a_demo_refuses_what_its_last_parts_could_not_do_before_the_first(
    option, refused, tmp_path
):
    out = tmp_path / "results"
    assert "trials: expected a whole number of at least 1" in refused(
        "demo", "--out", out, "--units", 5, "--max-updates", 1, option, 0
    )
    assert not out.exists()


def test_a_demo_where_no_folder_can_be_is_refused(refused, tmp_path):
    (tmp_path / "file").write_text("no folder")
    assert "cannot write" in refused("demo", "--out", tmp_path / "file")


def test_an_error_is_one_line_in_a_process_of_its_own(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "bridge.cli", "info", tmp_path / "none.h5"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"spikebridge: {tmp_path}/none.h5: no such file\n"


# Help and info


def test_there_is_a_command_for_each_step():
    assert sorted(COMMANDS) == [
        "benchmark", "compare", "conformance", "convert", "demo", "export", "fit", "import",
        "info", "lesion", "run", "study", "tasks", "train", "train-src",
    ]  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_an_example(name, command):
    outcome = command(name, "--help")
    assert outcome.status == 0
    assert f"$ spikebridge {name} " in outcome.out
    assert outcome.err == ""


def test_help_lists_the_commands(command):
    outcome = command("--help")
    assert outcome.status == 0
    assert all(re.search(rf"\b{name}\b", outcome.out) for name in COMMANDS)


INFO = {
    "rate network": (rate_network, ["units +10", "activation +sigmoid", "task +go-nogo"]),
    "rate network ": (
        lambda: dataclasses.replace(
            rate_network(),
            form="h",
            bias=0.5,
            initial_state=np.linspace(-1, 2, 10),
            activation="relu",
            highest_rate=np.inf,
        ),
        ["form +h: the states", r"bias +0\.5 to 0\.5", "first state +-1 to 2", "est rate +none"],
    ),
    "spiking network": (
        lambda: conversion().network,
        ["neurons +10", "step +0.05 ms", "population units +10 LIF, euler step", "100 synapses"],
    ),
    "conversion": (
        conversion,
        [
            "chosen 1/lambda +40",
            r"accuracy there +100\.0% of 2 trials",
            r"30 +50\.0%",
            r"40 +100\.0%.*<",
        ],
    ),
    "drive": (short_drive, ["trials +2", "samples +2", "input channels +1", "noise +OwnNoise"]),
    "recording": (
        lambda: bridge.simulate(conversion().network, short_drive(), margins=True),
        [r"trials +2 of 0\.01 s", "neurons +10", r"spikes +\d+", "nearest to threshold"],
    ),
}


@pytest.mark.parametrize("kind", INFO)
def test_info_tells_what_a_file_holds(kind, command, tmp_path):
    make, wanted = INFO[kind]
    file = save(make(), tmp_path / "file.h5")
    outcome = command("info", file)
    assert (outcome.status, outcome.err) == (0, "")
    assert f"file.h5: {kind.strip()}" in outcome.out
    assert [line for line in wanted if not re.search(line, outcome.out)] == []


def test_info_says_what_runs_on_this_machine(command, refused, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.delenv("CC", raising=False)
    shown = command("info", "--machine").out
    assert re.search(r"GPU +none: ", shown)
    assert re.search(r"compiled +CPU, a GPU where there is one \(spikebridge ", shown)
    assert re.search(r"brian2 +CPU \(brian2 ", shown)
    card = SimpleNamespace(name="Some Card", total_memory=80 * 2**30)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: card)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: card.name)
    monkeypatch.setattr("bridge.backends.here.find_spec", lambda _: None)
    monkeypatch.setattr("bridge.backends.here.shutil.which", lambda _: None)
    shown = command("info", "--machine").out
    assert re.search(r"cuda:0 +Some Card, 80 GiB", shown)
    assert re.search(r"snntorch +CPU, GPU \(", shown)
    assert re.search(r"compiled +CPU needs g\+\+, a GPU needs triton and gcc or clang \(", shown)
    monkeypatch.setenv("CC", "/opt/cc")
    shown = command("info", "--machine").out
    assert re.search(r"compiled +CPU needs g\+\+, a GPU needs triton \(", shown)
    wanted = "info takes a file, or --machine in its place"
    assert wanted in refused("info")
    assert wanted in refused("info", "a.h5", "--machine")
    for other in (["--all"], ["--from-ms", "5"]):
        assert "takes no other option" in refused("info", "--machine", *other)


def test_info_prints_names_that_look_like_markup_as_they_are(command, tmp_path):
    network = dataclasses.replace(rate_network(), provenance={"note": "a [/b] and [red]c"})
    (tmp_path / "[").mkdir()
    file = save(network, tmp_path / "[" / "b].h5")
    outcome = command("info", file, "--all")
    assert outcome.status == 0
    assert f"{file}: rate network" in outcome.out
    assert "a [/b] and [red]c" in outcome.out


# Training, and going on with it

TRAIN = ("train", "go-nogo", "--units", 10, "--batch", 4)


def learned(path):
    """Everything that training changes, byte by byte."""
    network = load(path)
    values = {name: getattr(network, name) for name in ("recurrent", "w_out", "b_out", "tau_ms")}
    for part in ("parameters", "moment1", "moment2"):
        values |= {f"{part} {k}": v for k, v in getattr(network.checkpoint, part).items()}
    return network.checkpoint.updates, {name: v.tobytes() for name, v in values.items()}


def test_training_that_gives_up_is_unfinished(command, tmp_path):
    outcome = command(*TRAIN, "--out", tmp_path / "rate.h5", "--max-updates", 2)
    assert outcome.status == 0
    assert "2 updates, gave up before its target (--resume" in outcome.out
    network = load(tmp_path / "rate.h5")
    assert (network.size, network.checkpoint.updates) == (10, 2)
    shown = command("info", tmp_path / "rate.h5")
    assert "after 2 updates; --resume goes on" in shown.out


def test_resumed_training_is_the_same_as_uninterrupted_training(command, tmp_path):
    whole, parts = ("--out", tmp_path / "whole.h5"), ("--out", tmp_path / "parts.h5")
    assert command(*TRAIN, *whole, "--max-updates", 5).status == 0
    assert command(*TRAIN, *parts, "--max-updates", 2).status == 0
    assert learned(tmp_path / "whole.h5") != learned(tmp_path / "parts.h5")
    assert command("train", "go-nogo", *parts, "--resume", "--max-updates", 5).status == 0
    assert learned(tmp_path / "whole.h5") == learned(tmp_path / "parts.h5")


def test_resuming_keeps_the_target_it_started_with(command, tmp_path):
    out = ("--out", tmp_path / "rate.h5")
    assert command(*TRAIN, *out, "--max-updates", 1, "--target-loss", 0.25).status == 0
    assert command("train", "go-nogo", *out, "--resume", "--max-updates", 2).status == 0
    assert load(tmp_path / "rate.h5").provenance["options"]["target_loss"] == 0.25


def test_training_that_reached_its_target_cannot_go_on(command, refused, tmp_path, monkeypatch):
    monkeypatch.setattr(training_loop, "_evaluate", lambda _run: [(0.1, 1.0)])
    out = ("--out", tmp_path / "rate.h5")
    outcome = command(*TRAIN, *out, "--check-every", 2, "--max-updates", 9)
    assert outcome.status == 0
    assert "2 updates, reached its target" in outcome.out
    assert "there is no checkpoint" in refused("train", "go-nogo", *out, "--resume")


def stop_by_interrupt():
    raise KeyboardInterrupt


def stop_by_sigterm():
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_study_prints_its_summary_beside_the_paper(command, tmp_path, monkeypatch):
    asked = {}

    def run_study(study, out, **options):
        asked.update(options, study=study, out=out)
        row = {"cell": "sigmoid", "variant": None, "stopped": "target", "accuracy": 0.98}
        return [{**row, "seed": 0, "rate_accuracy": 1.0, "inverse_scale": 30.0, "rate_hz": 9.0}]

    monkeypatch.setattr("bridge.studies.whole_study.run_study", run_study)
    outcome = command(
        "study", "7", "--out", tmp_path, "--networks", 3, "--cells", "sigmoid, relu",
        "--trials", 50, "--processes", 2,
    )  # fmt: skip
    assert outcome.status == 0
    assert "94 of 100 (98.8 +- 4.7 %)" in outcome.out
    assert "98.0 +- 0.0" in outcome.out
    assert str(tmp_path / "7") in outcome.out
    assert asked["cells"] == ["sigmoid", "relu"]
    assert (asked["networks"], asked["processes"], asked["effort"].trials) == (3, 2, 50)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("9", "--networks", 1), "unknown study '9'"),
        (("7", "--cells", "blue"), "study 7 has no cell 'blue'"),
        (("7", "--networks", 0), "networks: expected a whole number of at least 1"),
    ],
)
def test_a_study_that_makes_no_sense_is_refused(options, message, refused, tmp_path):
    assert message in refused("study", *options, "--out", tmp_path)


def test_a_polite_kill_ends_work_in_the_background_where_ctrl_c_is_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(KeyboardInterrupt):
            cli._interrupt()
    finally:
        signal.signal(signal.SIGINT, before)


# A signal waits for the update it falls into; an exception from within leaves that one out.
@pytest.mark.parametrize(("stop", "kept"), [(stop_by_interrupt, 2), (stop_by_sigterm, 3)])
def test_interrupted_training_keeps_what_it_learned_and_goes_on(
    stop, kept, command, tmp_path, monkeypatch
):
    update, calls = training_loop.update, []

    def third_is_interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            stop()
        update(*arguments)

    out = ("--out", tmp_path / "rate.h5")
    with monkeypatch.context() as patch:
        patch.setattr(training_loop, "update", third_is_interrupted)
        outcome = command(*TRAIN, *out, "--max-updates", 6)
    assert outcome.status not in (0, 2)
    assert "Traceback" not in outcome.err
    assert f"{kept} updates, interrupted (--resume goes on)" in outcome.out
    assert load(tmp_path / "rate.h5").checkpoint.updates == kept
    assert list(tmp_path.iterdir()) == [tmp_path / "rate.h5"]
    assert command("train", "go-nogo", *out, "--resume", "--max-updates", 6).status == 0
    command(*TRAIN, "--out", tmp_path / "whole.h5", "--max-updates", 6)
    assert learned(tmp_path / "rate.h5") == learned(tmp_path / "whole.h5")


def test_a_resume_that_is_refused_keeps_the_file(command, refused, tmp_path, monkeypatch):
    out = ("--out", tmp_path / "rate.h5")
    command(*TRAIN, *out, "--max-updates", 1)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    refused("train", "go-nogo", *out, "--resume", "--max-updates", 2, "--device", "cuda")


# Comparing

COMPARE = ("--backends", "reference,compiled", "--trials", 2)


def drop_a_spike(recording):
    """The same recording without its last spike."""
    spikes = recording.spikes
    kept = {name: np.asarray(getattr(spikes, name))[:-1] for name in ("trial", "step", "neuron")}
    shape = {name: getattr(spikes, name) for name in ("n_trials", "n_steps", "n_neurons")}
    return dataclasses.replace(recording, spikes=Spikes(**kept, **shape))


def test_comparing_fails_with_a_report_where_one_spike_differs(
    command, lif_file, tmp_path, monkeypatch
):
    honest = bridge.backends.load

    def load_faulty(name):
        simulate = honest(name)
        if name != "compiled":
            return simulate
        return lambda *args, **options: drop_a_spike(simulate(*args, **options))

    monkeypatch.setattr(bridge.backends, "load", load_faulty)
    outcome = command("compare", lif_file, "--out", tmp_path / "agreement.html", *COMPARE)
    assert outcome.status == 1
    assert "Disagree: reference and compiled differ on the exact level: 1 spike" in outcome.out
    only = r"the first in trial 1 at .*: units\[\d\] fired in reference only"
    assert re.search(only, outcome.out)
    assert "No voltage differs until there" in outcome.out
    assert "Disagree" in (tmp_path / "agreement.html").read_text()


# Running


def test_the_same_seed_gives_the_same_spikes(command, lif_file, tmp_path):
    codes = []
    for number, seed in enumerate((3, 3, 4)):
        out = tmp_path / f"{number}.h5"
        outcome = command("run", lif_file, "--out", out, "--trials", 2, "--seed", seed)
        assert outcome.status == 0
        assert "recording of 2 trials" in outcome.out
        codes.append(load(out).spikes.codes().tolist())
    assert codes[0] == codes[1] != codes[2]
    assert len(codes[0]) > 10


# The whole way


def test_a_rate_network_goes_all_the_way_to_a_report(command, tmp_path):
    rate, lif, spikes, page = map(
        tmp_path.joinpath, ("rate.h5", "lif.h5", "spikes.h5", "agree.html")
    )
    steps = [
        ("train", "go-nogo", "--out", rate, "--units", 20, "--batch", 4, "--max-updates", 3),
        ("convert", rate, "--out", lif, "--inverse-scales", "30:40:10", "--trials", 2),
        ("run", lif, "--out", spikes, "--backend", "snntorch", "--trials", 2),
        ("compare", lif, "--out", page, *COMPARE),
    ]
    for step in steps:
        outcome = command(*step)
        assert outcome.status == 0, outcome.err
        assert f"{step[step.index('--out') + 1]}: " in outcome.out
    # The last step: backends that agree are exit status 0 and one sentence.
    assert re.search(r"Agree: reference and compiled fired the same [1-9]\d* spikes", outcome.out)
    assert np.asarray(load(lif).search.inverse_scales).tolist() == [30.0, 40.0]
    assert load(lif).network.size == load(spikes).spikes.n_neurons == load(rate).size == 20
    for file in (rate, lif, spikes):
        assert command("info", file).status == 0
    pictures = sorted((tmp_path / "agree_figures").iterdir())
    assert [picture.suffix for picture in pictures] == [".svg"] * len(pictures)
    assert {"rasters", "readouts", "rates", "scale", "training"} <= {p.stem for p in pictures}
    assert all("</svg>" in picture.read_text() for picture in pictures)
    html = page.read_text()
    assert html.count("<svg ") == len(pictures)
    assert not re.search(r"(src|href)=[\"']http", html)


def test_the_demo_keeps_what_an_earlier_run_has_finished(command, lif_file, tmp_path, monkeypatch):
    save(rate_network(), tmp_path / "rate.h5")
    asked = []

    def compare(what, **options):
        asked.append(options["backends"])
        return honest(what, **{**options, "backends": ["reference", "compiled"]})

    honest = bridge.compare
    monkeypatch.setattr(bridge, "compare", compare, raising=False)
    before = {path: path.read_bytes() for path in (tmp_path / "rate.h5", lif_file)}
    outcome = command("demo", "--out", tmp_path, "--trials", 1)
    assert outcome.status == 0
    assert asked == [["brian2", "snntorch"]]
    assert outcome.out.count("kept from an earlier run") == 2
    assert {path: path.read_bytes() for path in before} == before


def test_a_warning_is_a_note_in_one_line(command, tmp_path, monkeypatch):
    def run(*_, **__):
        warnings.warn("the cache cannot\nbe used", UserWarning, stacklevel=2)
        warnings.warn("of no use to a user", FutureWarning, stacklevel=2)
        raise SpecError("and so on")

    monkeypatch.setattr("bridge.load", run, raising=False)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        outcome = command("info", tmp_path / "file.h5")
    assert outcome.err == "note: the cache cannot be used\nspikebridge: and so on\n"
