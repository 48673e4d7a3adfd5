"""A whole study on small networks of a short task: what it keeps, and how it goes on."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import distributed
import numpy as np
import pytest
import torch

import bridge
from bridge.errors import BackendError, FormatError, OutputError, SpecError, TrainingError
from bridge.rate import training_loop, training_parts
from bridge.studies import picture, schedule, work
from bridge.studies import whole_study as run_file
from bridge.studies.csv_files import read_csv
from bridge.studies.executors import workers
from bridge.studies.study import Cell, Effort, Study, Variant
from bridge.studies.whole_study import run_study
from bridge.studies.work import measure_network as measure_network_really
from bridge.studies.work import network_of, train_networks

TASKS = Path(__file__).with_name("short_task.py")
TRAINING = {"units": 8, "batch": 2, "check_every": 2, "evaluation_trials": 4, "max_updates": 4}
EFFORT = Effort(trials=4, search_trials=2, inverse_scales=(20.0, 40.0))
STUDY = Study(
    "small",
    "Small networks",
    "",
    2,
    (
        Cell("plain", "short", TRAINING),
        Cell("again", "short", TRAINING, None, (Variant("a"), Variant("b", searched=False))),
        Cell("free", "short", {**TRAINING, "dale": False}),
    ),
)

DRAW = picture.draw


class Here:
    """Does the work at once, in this process, and remembers what it was."""

    def __init__(self):
        self.done = []

    def submit(self, work, *given):
        future = Future()
        self.done.append(work.__name__)
        try:
            future.set_result(work(*given))
        except bridge.BridgeError as error:
            future.set_exception(error)
        return future


def measure_network(content, seed, variants, effort, details):
    """As the real one answers, without a simulation."""
    scale = float(network_of(content).size)
    return [
        {
            "variant": one["name"],
            "accuracy": 0.9 + 0.01 * seed,
            "inverse_scale": scale,
            "searched": one["searched"],
            "rate_PV_hz": 1 / 3,
        }
        for one in variants
    ]


@pytest.fixture
def here(monkeypatch):
    """Work is done in this process; no network is measured, and no picture drawn."""
    executor = Here()
    monkeypatch.setattr(schedule, "measure_network", measure_network)
    monkeypatch.setattr(picture, "draw", lambda *_: None)

    @contextmanager
    def workers(*_):
        yield executor, 1

    monkeypatch.setattr(run_file, "workers", workers)
    return executor


def study(out, **options):
    return run_study(STUDY, out, effort=EFFORT, **options)


def files(out):
    return {
        path.relative_to(out): path.stat().st_mtime_ns
        for path in out.rglob("*")
        if path.suffix in (".h5", ".json")
    }


def test_a_study_leaves_networks_results_a_table_and_a_figure(here, tmp_path, monkeypatch):
    monkeypatch.setattr(picture, "draw", DRAW)
    rows = study(tmp_path)
    # Two seeds of three cells, one of which has two variants; two cells share their networks.
    assert len(rows) == 8
    assert here.done.count("train_networks") == 4
    assert here.done.count("measure_network") == 6
    assert len(list((tmp_path / "networks").glob("*.h5"))) == 4
    assert [(row["cell"], row["seed"], row["variant"]) for row in rows[:4]] == [
        ("plain", 0, ""), ("plain", 1, ""), ("again", 0, "a"), ("again", 0, "b"),
    ]  # fmt: skip
    table = read_csv(tmp_path / "small" / "table.csv")
    assert [row["accuracy"] for row in table] == [row["accuracy"] for row in rows]
    assert (tmp_path / "small" / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_networks_are_those_that_training_alone_gives(here, tmp_path):
    study(tmp_path, networks=1, first_seed=5, cells=["plain"])
    (path,) = (tmp_path / "networks").glob("*.h5")
    alone = bridge.train("short", seed=5, **TRAINING)
    assert (bridge.load(path).recurrent == alone.recurrent).all()


def networks_of(out):
    return {path.name: bridge.load(path) for path in (out / "networks").glob("*.h5")}


def test_networks_trained_together_are_those_trained_one_by_one(here, tmp_path):
    rows = study(tmp_path / "one", networks=3)
    here.done = []
    together = study(tmp_path / "all", networks=3, together=2)
    # Six networks of two kinds, as two and one of each; one cell has the networks of another.
    assert here.done.count("train_networks") == 4
    one, many = networks_of(tmp_path / "one"), networks_of(tmp_path / "all")
    assert one.keys() == many.keys()
    assert len(one) == 6
    for name, network in one.items():
        for part in ("recurrent", "w_out", "b_out", "tau_ms"):
            mine, other = getattr(many[name], part), getattr(network, part)
            np.testing.assert_array_equal(mine, other)
    assert {each.provenance["trained_together"] for each in many.values()} == {1, 2}
    times = ("training_s", "seconds")
    assert [{**row, **dict.fromkeys(times)} for row in together] == [
        {**row, **dict.fromkeys(times)} for row in rows
    ]


# By their losses the third of four ends after 16 updates, the others go on to the last.
EARLY = {
    "units": 8, "batch": 4, "check_every": 4, "evaluation_trials": 4, "learning_rate": 0.05,
    "target_loss": 1.41, "target_accuracy": 0.0, "max_updates": 20,
}  # fmt: skip
ENDING_APART = dataclasses.replace(STUDY, cells=(Cell("plain", "short", EARLY),))


def test_a_network_is_kept_and_measured_while_those_trained_with_it_go_on(
    here, tmp_path, monkeypatch
):
    monkeypatch.setattr("bridge.studies.picture.draw", lambda *_: None)
    run_study(ENDING_APART, tmp_path / "one", effort=EFFORT, networks=4)
    one = networks_of(tmp_path / "one")
    ended = sorted({network.provenance["updates"] for network in one.values()})
    assert len(ended) > 1
    monkeypatch.setattr(work, "PART_S", 0.0)
    here.done = []
    run_study(ENDING_APART, tmp_path / "all", effort=EFFORT, networks=4, together=4)
    assert here.done.count("train_networks") == len(ended)
    assert here.done[:2] == ["train_networks", "measure_network"]
    many = networks_of(tmp_path / "all")
    assert one.keys() == many.keys()
    for name, network in one.items():
        for part in ("recurrent", "w_out", "b_out", "tau_ms"):
            np.testing.assert_array_equal(getattr(many[name], part), getattr(network, part))


def test_what_is_done_when_a_study_is_stopped_is_not_done_again(here, tmp_path, monkeypatch):
    monkeypatch.setattr(work, "PART_S", 0.0)
    submit, given = here.submit, []

    def stopped_at_the_second_part(work, *arguments):
        given.append(work.__name__)
        if given.count("train_networks") == 2:
            raise KeyboardInterrupt
        return submit(work, *arguments)

    options = {"effort": EFFORT, "networks": 4, "together": 4}
    with monkeypatch.context() as patch:
        patch.setattr(here, "submit", stopped_at_the_second_part)
        with pytest.raises(KeyboardInterrupt):
            run_study(ENDING_APART, tmp_path, **options)
    before = files(tmp_path)
    kept = len(networks_of(tmp_path))
    assert 0 < kept < 4
    assert len(run_study(ENDING_APART, tmp_path, **options)) == 4
    assert before.items() <= files(tmp_path).items()


def test_networks_trained_together_leave_no_processor_idle(here, tmp_path, monkeypatch):
    asked, workers = [], run_file.workers

    def noted(scheduler, processes, device):
        asked.append(processes)
        return workers(scheduler, processes, device)

    monkeypatch.setattr(run_file, "workers", noted)
    monkeypatch.setattr(run_file.os, "sched_getaffinity", lambda _: range(8), raising=False)
    study(tmp_path, networks=1, together=10)
    # A network of each of three cells.
    assert asked == [3]


def test_a_network_that_diverges_costs_those_trained_with_it_nothing(here, tmp_path, monkeypatch):
    alone = [bridge.train("short", seed=seed, **TRAINING) for seed in (0, 2)]
    losses = training_loop.losses_of

    def one_lost(options, outputs, targets):
        found = losses(options, outputs, targets)
        if len(found) == 3:
            found[1] = torch.nan
        return found

    monkeypatch.setattr(training_loop, "losses_of", one_lost)
    rows = study(tmp_path, networks=3, cells=["plain"], together=3)
    assert [row["failed"] for row in rows] == [
        None, "training of seed 1 diverged after 2 updates; lower the learning_rate", None,
    ]  # fmt: skip
    kept = [network for _, network in sorted(networks_of(tmp_path).items())]
    for network, expected in zip(kept, alone, strict=True):
        np.testing.assert_array_equal(network.recurrent, expected.recurrent)
        np.testing.assert_array_equal(network.history.loss, expected.history.loss)
    with pytest.raises(TrainingError, match="training of seed 1 diverged after 2 updates"):
        bridge.train_many("short", [0, 1, 2], **TRAINING)


def test_a_seed_that_lacks_units_costs_the_others_nothing():
    options = {**TRAINING, "units": 30, "som": 7}
    found = training_parts.train_each("short", [0, 1], **options).finished
    assert type(found[0]) is bridge.RateNetwork
    assert "som: 7 units asked for" in str(found[1])


def test_a_study_on_a_gpu_is_another_than_on_the_cpu(here, tmp_path, monkeypatch):
    monkeypatch.setattr(run_file, "torch_device", torch.device)
    study(tmp_path, networks=1, cells=["plain"])
    asked = []

    def train_networks(task, options, seeds, device, _begun):
        asked.append((len(seeds), device))
        return work.train_networks(task, options, seeds)

    monkeypatch.setattr(schedule, "train_networks", train_networks)
    there = dataclasses.replace(EFFORT, device="cuda:1")
    with pytest.raises(OutputError, match=r"other settings \(device: cpu there, cuda here\)"):
        run_study(STUDY, tmp_path, effort=there, networks=3, cells=["plain"])
    shutil.rmtree(tmp_path / "small")
    run_study(STUDY, tmp_path, effort=there, networks=3, cells=["plain"])
    # The network that was trained on the CPU is not taken for one of the GPU's.
    assert asked == [(3, "cuda:1")]
    assert len(networks_of(tmp_path)) == 4
    with pytest.raises(OutputError, match=r"other settings \(device: cuda there, cpu here\)"):
        study(tmp_path, networks=1, cells=["plain"])


def test_a_study_on_a_gpu_that_is_not_there_is_refused_at_once(here, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    there = dataclasses.replace(EFFORT, device="cuda")
    with pytest.raises(BackendError, match="torch sees no such CUDA device here"):
        run_study(STUDY, tmp_path, effort=there)
    assert here.done == []


def test_what_is_refused_writes_nothing_also_where_a_scheduler_decides(tmp_path):
    out = tmp_path / "studies"
    for options, said in (
        ({"effort": dataclasses.replace(EFFORT, device="cuba")}, "unknown device 'cuba'"),
        ({"effort": dataclasses.replace(EFFORT, device="mps")}, "unknown device 'mps'"),
        ({"processes": 0, "scheduler": None}, "processes: expected a whole number of at least 1"),
    ):
        with pytest.raises(SpecError, match=said):
            run_study(STUDY, out, **{"scheduler": "tcp://127.0.0.1:9", **options})
    assert not out.exists()


def test_a_study_that_could_not_begin_has_no_settings_yet(here, tmp_path, monkeypatch):
    monkeypatch.setattr("bridge.studies.executors._PATIENCE_S", 1)
    there = dataclasses.replace(EFFORT, device="cuda")
    with monkeypatch.context() as patch:
        patch.setattr(run_file, "workers", workers)
        with pytest.raises(BackendError, match="no Dask scheduler answers"):
            run_study(STUDY, tmp_path, effort=there, scheduler="tcp://127.0.0.1:9")
    assert files(tmp_path) == {}
    # It is begun on the CPU, as if nothing had been.
    study(tmp_path, networks=1, cells=["plain"])


def test_what_is_finished_is_not_done_again(here, tmp_path):
    study(tmp_path, networks=1)
    before, here.done = files(tmp_path), []
    study(tmp_path, networks=1)
    assert here.done == []
    assert files(tmp_path) == before
    more = study(tmp_path, networks=2, cells=["plain"])
    assert here.done == ["train_networks", "measure_network"]
    assert len(more) == 5
    assert before.items() <= files(tmp_path).items()


def keep_the_record_alone(out):
    """As a copy of a repository has it that holds tables, and neither networks nor results."""
    shutil.rmtree(out / "networks")
    shutil.rmtree(out / "small" / "results")


def test_a_study_goes_on_from_its_table(here, tmp_path):
    table = tmp_path / "small" / "table.csv"
    first = study(tmp_path, networks=1)
    before = table.read_text().splitlines()
    keep_the_record_alone(tmp_path)
    here.done = []
    more = study(tmp_path, networks=2, cells=["plain"])
    assert here.done == ["train_networks", "measure_network"]
    after = table.read_text().splitlines()
    assert [line for line in after if line not in before] == [after[2]]
    assert len(after) == len(before) + 1
    old = [row for row in more if row["seed"] == 0]
    for name in ("cell", "variant", "accuracy", "searched", "made"):
        assert [row[name] for row in old] == [row[name] for row in first]
    # Numbers have six digits in tables.
    assert old[0]["rate_PV_hz"] == 0.333333


def test_details_go_on_from_their_table(here, tmp_path, monkeypatch):
    def measure_network(_content, seed, *_):
        details = {"unit": [0, 1], "rate_hz": [0.5, seed + 0.25], "type": ["PV", ""]}
        return [{"variant": "", "accuracy": 1.0, "details": details}]

    measure_network.__name__ = "measure_network"
    monkeypatch.setattr(schedule, "measure_network", measure_network)
    table = tmp_path / "small" / "details.csv"
    run_study(DETAILED, tmp_path, effort=EFFORT, networks=2)
    before = table.read_text()
    assert "plain,1,1,1.25," in before
    keep_the_record_alone(tmp_path)
    here.done = []
    run_study(DETAILED, tmp_path, effort=EFFORT, networks=2)
    assert here.done == []
    assert table.read_text() == before
    keep_the_record_alone(tmp_path)
    table.unlink()
    with pytest.raises(FormatError, match=r"details\.csv: lacks cell 'plain', seed 0"):
        run_study(DETAILED, tmp_path, effort=EFFORT, networks=2)


DETAILED = dataclasses.replace(STUDY, details="units", cells=STUDY.cells[:1])


def with_cell(**fields):
    cell = dataclasses.replace(STUDY.cells[1], **fields)
    return dataclasses.replace(STUDY, cells=(STUDY.cells[0], cell, STUDY.cells[2]))


OTHERS = {
    "options": with_cell(training={**TRAINING, "learning_rate": 0.5}),
    "task": with_cell(task="go-nogo"),
    "variants": with_cell(variants=(Variant("a"), Variant("b", spiking={"neuron": "qif"}))),
    "details": dataclasses.replace(STUDY, details="units"),
    "no such cell": dataclasses.replace(STUDY, cells=STUDY.cells[::2]),
}


@pytest.mark.parametrize("results", ["there", "lost"])
@pytest.mark.parametrize("other", OTHERS)
def test_networks_made_otherwise_are_refused_and_nothing_is_changed(here, tmp_path, other, results):
    study(tmp_path, networks=1)
    if results == "lost":
        keep_the_record_alone(tmp_path)
    before = contents(tmp_path / "small")
    with pytest.raises(OutputError, match="that was made otherwise than here"):
        run_study(OTHERS[other], tmp_path, effort=EFFORT, networks=1, cells=["plain"])
    assert contents(tmp_path / "small") == before


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_results_that_do_not_say_how_they_were_made_are_refused(here, tmp_path):
    study(tmp_path, networks=1, cells=["plain"])
    (tmp_path / "small" / "study.json").unlink()
    with pytest.raises(OutputError, match="otherwise"):
        run_study(STUDY, tmp_path, effort=Effort(trials=5, search_trials=2))


def test_a_folder_of_before_other_options_keeps_its_networks(here, tmp_path):
    study(tmp_path, networks=1, cells=["plain"])
    (tmp_path / "small").rename(tmp_path / "old")
    here.done = []
    study(tmp_path, networks=1, cells=["plain"])
    assert here.done == ["measure_network"]


def without_line(text, number):
    lines = text.splitlines(keepends=True)
    return "".join(lines[:number] + lines[number + 1 :])


@pytest.mark.parametrize(
    "damage", [lambda text: without_line(text, 2), lambda text: text + text.splitlines()[-1] + "\n"]
)
def test_a_table_with_a_network_in_part_is_refused(here, tmp_path, damage):
    study(tmp_path, networks=1, cells=["again"])
    keep_the_record_alone(tmp_path)
    table = tmp_path / "small" / "table.csv"
    table.write_text(damage(table.read_text()))
    with pytest.raises(FormatError, match=r"table\.csv: lacks or repeats a row of cell 'again'"):
        study(tmp_path, networks=1)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"garbage",
        b"a,b\n1,2\n",
        b"cell,seed\nplain\n",
        b"cell,seed\nplain,0,1\n",
        b"cell,seed\nplain,x\n",
        b"cell,seed\n,1\n",
        b"cell,seed\nplain,\xff\n",
        b'cell,seed\n"plain" x,0\n',
    ],
)
def test_a_table_that_is_damaged_is_named(here, tmp_path, content):
    study(tmp_path, networks=1, cells=["plain"])
    table = tmp_path / "small" / "table.csv"
    table.write_bytes(content)
    with pytest.raises(FormatError, match=r"table\.csv: (damaged|no table)"):
        study(tmp_path, networks=1, cells=["plain"])


def test_details_end_with_the_networks_that_had_them(here, tmp_path):
    (tmp_path / "small").mkdir()
    details = tmp_path / "small" / "details.csv"
    details.write_text("cell,seed,unit\nplain,7,0\n")
    study(tmp_path, networks=1, cells=["plain"])
    assert not details.exists()


def test_a_study_that_was_stopped_goes_on_with_the_networks_it_has(here, tmp_path, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(run_file.Folder, "keep_result", stopped)
        with pytest.raises(KeyboardInterrupt):
            study(tmp_path, networks=1, cells=["plain"])
    here.done = []
    assert len(study(tmp_path, networks=1, cells=["plain"])) == 1
    assert here.done == ["measure_network"]


def test_progress_is_a_rising_share_of_what_was_to_do(here, tmp_path):
    seen = []
    study(tmp_path, networks=1, on_progress=lambda fraction, note: seen.append((fraction, note)))
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert seen[0] == (0.0, "0 of 3 networks")
    assert seen[-1] == (1.0, "3 of 3 networks")
    del seen[:]
    study(tmp_path, networks=1, on_progress=lambda fraction, note: seen.append((fraction, note)))
    assert seen == [(1.0, "3 of 3 networks")]


def test_that_training_diverges_is_a_result(here, tmp_path, monkeypatch):
    def diverges(*_):
        return {0: "training of seed 0 diverged"}, {}

    diverges.__name__ = "train_networks"
    monkeypatch.setattr(schedule, "train_networks", diverges)
    (row,) = study(tmp_path, networks=1, cells=["again"])
    assert row["failed"] == "training of seed 0 diverged"
    assert row["accuracy"] is None
    keep_the_record_alone(tmp_path)
    here.done = []
    (again,) = study(tmp_path, networks=1, cells=["again"])
    assert (again["failed"], again["accuracy"], here.done) == (row["failed"], None, [])


def test_what_is_wrong_otherwise_is_no_result(here, tmp_path, monkeypatch):
    def fails(*_):
        raise SpecError("unknown task 'short'")

    fails.__name__ = "train_networks"
    with monkeypatch.context() as patch:
        patch.setattr(schedule, "train_networks", fails)
        with pytest.raises(SpecError, match="unknown task 'short'"):
            study(tmp_path, networks=1, cells=["plain"])
    (row,) = study(tmp_path, networks=1, cells=["plain"])
    assert row["failed"] is None


@pytest.mark.parametrize("name", ["trials", "search_trials", "max_updates"])
def test_an_effort_that_makes_no_sense_is_refused(name):
    with pytest.raises(SpecError, match=f"{name}: expected a whole number of at least 1, got 0"):
        Effort(**{name: 0})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cells": ["blue"]}, "study small has no cell 'blue'; known are plain, again, free"),
        ({"networks": 0}, "networks: expected a whole number of at least 1"),
        ({"first_seed": -1}, "first_seed: expected a whole number"),
        ({"processes": 0}, "processes: expected a whole number of at least 1"),
        ({"together": 0}, "together: expected a whole number of at least 1"),
    ],
)
def test_options_that_make_no_sense_are_refused(tmp_path, options, message):
    with pytest.raises(SpecError, match=message):
        study(tmp_path, **options)


def test_a_folder_of_other_settings_is_refused(here, tmp_path):
    study(tmp_path, networks=1, cells=["plain"])
    with pytest.raises(
        OutputError, match=r"^\S+: made with other settings \(trials: 4 there, 5 here\)"
    ):
        run_study(STUDY, tmp_path, effort=Effort(trials=5, search_trials=2))


def test_a_study_says_what_it_was_made_with(here, tmp_path):
    settings = tmp_path / "small" / "study.json"
    study(tmp_path, networks=1, cells=["plain"])
    said = json.loads(settings.read_text())
    assert f"torch {torch.__version__}" in said["versions"]
    assert (said["trials"], said["search_trials"]) == (4, 2)
    assert said["cells"]["again"]["variants"][1]["searched"] is False
    assert said["cells"]["free"]["training"]["learning_rate"] == 0.001
    settings.write_text(json.dumps({**said, "versions": ["torch 1.0"]}))
    study(tmp_path, networks=1, cells=["plain"])
    joined = json.loads(settings.read_text())["versions"]
    assert joined == sorted([*said["versions"], "torch 1.0"])


def test_another_run_at_work_on_the_same_study_is_noticed(here, tmp_path):
    at_work = run_file.Folder(tmp_path, STUDY, EFFORT).claimed()
    with at_work, pytest.raises(OutputError, match=r"^\S+: another run is at work on it"):
        study(tmp_path)


@pytest.mark.parametrize("kind", ["network", "result", "settings"])
def test_a_damaged_file_is_named(here, tmp_path, kind):
    study(tmp_path, networks=1, cells=["plain"])
    (result,) = (tmp_path / "small" / "results").glob("*.json")
    (network,) = (tmp_path / "networks").glob("*.h5")
    damaged = {"network": network, "result": result}.get(kind, tmp_path / "small" / "study.json")
    damaged.write_bytes(damaged.read_bytes()[:40])
    if kind == "network":
        result.unlink()
        (tmp_path / "small" / "table.csv").unlink()
    with pytest.raises(FormatError, match=damaged.name):
        study(tmp_path, networks=1, cells=["plain"])


def test_settings_without_versions_are_damaged(here, tmp_path):
    study(tmp_path, networks=1, cells=["plain"])
    settings = tmp_path / "small" / "study.json"
    settings.write_text(json.dumps({**json.loads(settings.read_text()), "versions": None}))
    with pytest.raises(FormatError, match=r"study\.json: damaged"):
        study(tmp_path, networks=1, cells=["plain"])


def test_a_folder_that_cannot_be_written_is_said(here, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        study(tmp_path / "file" / "studies")


def test_a_scheduler_out_of_reach_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr("bridge.studies.executors._PATIENCE_S", 1)
    with pytest.raises(BackendError, match=r"no Dask scheduler answers at tcp://127.0.0.1:9\b"):
        study(tmp_path, scheduler="tcp://127.0.0.1:9")


@pytest.mark.parametrize("address", ["127.0.0.1", "", "http://x:99999", "nonsense", "tcp://x:"])
def test_an_address_that_is_none_is_said_at_once(tmp_path, address):
    with pytest.raises(BackendError, match="expected an address as dask scheduler prints it"):
        study(tmp_path, scheduler=address)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (CancelledError(), "the Dask scheduler went away; what is finished is kept"),
        (distributed.comm.CommClosedError("cut off"), r"the Dask cluster failed \(cut off\)"),
        (
            distributed.KilledWorker("train", SimpleNamespace(address="tcp://a:1"), 3),
            r"the Dask cluster failed \(Attempted to run task 'train' on 4 different workers",
        ),
    ],
)
def test_a_cluster_that_is_lost_is_said(tmp_path, monkeypatch, error, said):
    class Gone(Here):
        def submit(self, work, *given):
            future = Future()
            future.set_exception(error)
            return future

    @contextmanager
    def lost(*_):
        yield Gone(), 1

    monkeypatch.setattr(run_file, "workers", lost)
    with pytest.raises(BackendError, match=said):
        study(tmp_path, networks=1, cells=["plain"])


def environment():
    return {**os.environ, "SPIKEBRIDGE_TASKS": str(TASKS), "PYTHONPATH": os.pathsep.join(sys.path)}


def start(*command):
    return subprocess.Popen([sys.executable, "-m", *command], env=environment())


def wait_for(there, seconds=60):
    end = time.monotonic() + seconds
    while not (found := there()):
        assert time.monotonic() < end, "it did not come in time"
        time.sleep(0.1)
    return found


@pytest.mark.slow
def test_processes_give_what_this_process_gives(tmp_path, monkeypatch):
    monkeypatch.setenv("SPIKEBRIDGE_TASKS", str(TASKS))
    loaded = []

    @contextmanager
    def asked(*given):
        with workers(*given) as (executor, count):
            yield executor, count
            loaded.extend(executor.submit(eval, "list(__import__('sys').modules)").result())

    monkeypatch.setattr(run_file, "workers", asked)
    first, second = study(tmp_path, networks=1, cells=["again"], processes=1)
    # PyTorch's compiler takes longer to load than all of this to be done.
    assert "torch" in loaded
    assert "torch._dynamo" not in loaded
    network = train_networks("short", TRAINING, [0])[0][0]
    variants = [
        {**dataclasses.asdict(one), "spiking": STUDY.spiking(one)}
        for one in STUDY.cells[1].variants
    ]
    expected = measure_network_really(network, 0, variants, EFFORT, "")
    for name in ("accuracy", "rate_accuracy", "rate_hz", "loss", "inverse_scale"):
        assert [first[name], second[name]] == [row[name] for row in expected]
    # A variant without a search takes the scale factor of the first.
    assert second["inverse_scale"] == first["inverse_scale"]


@pytest.mark.slow
def test_a_cluster_loses_nothing_with_a_worker_that_is_killed(tmp_path, monkeypatch):
    given_out = []
    submit = schedule.Schedule._submit

    def counted(self, then, work, *given):
        given_out.append(work.__name__)
        submit(self, then, work, *given)

    monkeypatch.setattr(schedule.Schedule, "_submit", counted)
    # The scheduler and the worker that stays are in this process, which has torch already.
    here = {"processes": False, "protocol": "tcp://", "host": "127.0.0.1", "n_workers": 1}
    with distributed.LocalCluster(
        **here, threads_per_worker=1, dashboard_address=None, local_directory=tmp_path / "a"
    ) as cluster:
        address = cluster.scheduler_address
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory")
        other = start("distributed.cli.dask_worker", address, *options, tmp_path / "b")
        try:
            _both_there(address)
            (stays,) = cluster.workers.values()
            out, lost = tmp_path / "out", []

            def kill_the_other():
                wait_for(lambda: list((out / "networks").glob("*.h5")), 120)
                lost.extend(
                    piece.key
                    for worker in cluster.scheduler.workers.values()
                    if worker.address != stays.address
                    for piece in worker.processing
                )
                other.kill()

            killer = threading.Thread(target=kill_the_other)
            killer.start()
            asked = {"scheduler": address, "networks": 3, "cells": ["plain"]}
            rows = study(out, **asked)
            killer.join()
            assert other.wait(10) == -signal.SIGKILL
            assert lost
            assert len(rows) == 3
            # Only the cluster itself does a lost piece again.
            assert sorted(given_out) == ["measure_network"] * 3 + ["train_networks"] * 3
            before = files(out)
            assert study(out, **asked) == rows
            assert len(given_out) == 6
            assert files(out) == before
        finally:
            other.kill()
            other.wait()


def _both_there(address):
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
