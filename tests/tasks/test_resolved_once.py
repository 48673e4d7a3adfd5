"""A task's name is resolved once, and the task handed on."""

import pytest
from conftest import go_nogo_network

import bridge
from bridge.tasks import names

SMALL = ["--units", 8, "--max-updates", 2, "--batch", 2]


@pytest.fixture
def resolved(monkeypatch):
    """Names of tasks that have been looked up."""
    found, look_up = [], names._named

    def noted(name):
        found.append(name)
        return look_up(name)

    monkeypatch.setattr(names, "_named", noted)
    return found


@pytest.fixture
def network_file(tmp_path):
    path = tmp_path / "lif.h5"
    bridge.save(go_nogo_network(), path)
    return path


def test_by_a_training(resolved, command, tmp_path):
    done = command("train", "go-nogo:strict", "--out", tmp_path / "rate.h5", *SMALL)
    assert done.status == 0
    assert resolved == ["go-nogo:strict"]


def test_by_a_run(resolved, command, network_file, tmp_path):
    done = command("run", network_file, "--out", tmp_path / "run.h5", "--trials", 2)
    assert done.status == 0
    assert resolved == ["go-nogo"]


def test_by_a_comparison_with_its_report(resolved, command, network_file, tmp_path):
    done = command(
        "compare", network_file, "--out", tmp_path / "page.html", "--trials", 2, "--backends",
        "reference,snntorch",
    )  # fmt: skip
    assert done.status == 0
    assert resolved == ["go-nogo"]


def test_by_a_score(resolved):
    bridge.score(go_nogo_network(), trials=2, backend="reference")
    assert resolved == ["go-nogo"]
