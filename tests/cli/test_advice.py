"""What a full device advises, in the words of the command that met it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from conftest import kim_network

import bridge
from bridge.backends.snntorch import simulation
from bridge.methods.src import training as src_training
from bridge.rate import training_loop
from bridge.studies import executors


class Here(ThreadPoolExecutor):
    """Processes of a study would know nothing of a device that is full here."""

    def __init__(self, *_, **__):
        super().__init__(1)


@pytest.fixture
def advised(command, tmp_path, monkeypatch):
    """What is said after how full the device is."""

    def full(*_, **__):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB. GPU 0 has")

    def of(*words):
        outcome = command(*words)
        assert outcome.status == 2, outcome.err
        last = outcome.err.strip().splitlines()[-1]
        said = "spikebridge: cpu is full (CUDA out of memory. Tried to allocate 2 GiB)"
        assert last.startswith(said)
        return last.removeprefix(said)

    monkeypatch.setattr(training_loop, "start", full)
    monkeypatch.setattr(simulation, "Batch", full)
    monkeypatch.setattr(executors, "ProcessPoolExecutor", Here)
    return of


def test_one_command_has_a_batch_and_another_trials(advised, tmp_path):
    bridge.save(kim_network(size=5), tmp_path / "lif.h5")
    out = ("--out", tmp_path / "out.h5")
    assert advised("train", "go-nogo", *out) == "; try a smaller --batch"
    drive = ("--poisson", 9, "--backend", "snntorch")
    assert advised("run", tmp_path / "lif.h5", *drive, *out) == "; try a smaller --trials"
    # Several backends, each of which may have a device of its own.
    compared = advised("compare", tmp_path / "lif.h5", "--poisson", 9, "--backends",
                       "snntorch,reference", "--out", tmp_path / "out.html")  # fmt: skip
    assert compared == "; try a smaller --trials"


def test_a_study_has_no_batch_but_trains_fewer_together(advised, tmp_path):
    study = ("study", "tasks", "--cells", "go-nogo", "--networks", 2, "--out", tmp_path / "study")
    assert advised(*study, "--together", 2) == "; try a smaller --together"
    assert advised(*study) == "; another --device may have room"


def test_memory_that_no_machine_has_is_one_sentence(refused, tmp_path):
    said = refused("train", "go-nogo", "--batch", 10**11, "--out", tmp_path / "rate.h5")
    # 200 samples of so many trials of 200 units, in float32.
    assert "cpu is full (can't allocate memory: you tried to allocate 16000000000000000 " in said
    assert said.endswith("bytes); try a smaller --batch")


def test_cells_are_trained_in_the_memory_of_the_cpu(command, tmp_path, monkeypatch):
    def full(_plan):
        # So large that no machine has it.
        return torch.empty(10**16)

    monkeypatch.setattr(src_training, "_started", full)
    ended = command("train-src", "digits", "--epochs", 1, "--out", tmp_path / "src.h5")
    assert ended.status == 2
    assert ended.err.strip().endswith("bytes); try a smaller --layers or --batch")
