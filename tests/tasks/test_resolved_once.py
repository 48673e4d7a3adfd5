"""A task's name is resolved once, and the task handed on."""

import numpy as np
import pytest
from conftest import go_nogo_network
from methods.short_task import SHORT_TASK

import bridge
from bridge.studies.study import Effort
from bridge.studies.work import bytes_of, measure_network
from bridge.tasks import go_nogo, names

SMALL = ["--units", 8, "--max-updates", 2, "--batch", 2]


def rate_network(size=6):
    rng = np.random.default_rng(1)
    return bridge.RateNetwork(
        recurrent=rng.normal(0, 1, (size, size)), w_in=rng.normal(0, 1, (size, 1)),
        w_out=rng.normal(0, 1, (1, size)), b_out=[0.5], tau_ms=np.full(size, 30.0), task="go-nogo",
    )  # fmt: skip


@pytest.fixture
def resolved(monkeypatch):
    """Names of tasks that have been looked up. Their trials are short: how often is asked."""
    monkeypatch.setattr(go_nogo, "GoNoGo", SHORT_TASK)
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
        "reference,compiled",
    )  # fmt: skip
    assert done.status == 0
    assert resolved == ["go-nogo"]


def test_by_a_score(resolved):
    bridge.score(go_nogo_network(), trials=2, backend="reference")
    assert resolved == ["go-nogo"]


def test_by_a_refit(resolved):
    bridge.refit_readout(go_nogo_network(), trials=5, backend="reference")
    assert resolved == ["go-nogo"]


@pytest.mark.parametrize("scale", [("--inverse-scales", "30,40"), ("--predict-scale",)])
def test_by_a_conversion_whatever_it_does(resolved, command, tmp_path, scale):
    rate = bridge.save(rate_network(), tmp_path / "rate.h5")
    few = ("--trials", 5, "--backend", "reference", "--refit-readout", *scale)
    done = command("convert", rate, "--out", tmp_path / "lif.h5", *few)
    assert done.status in (0, 1), done.err
    assert resolved == ["go-nogo"]


def test_by_a_comparison_with_the_rate_network(resolved):
    conversion = bridge.convert(rate_network(), inverse_scales=[30], trials=2, backend="reference")
    resolved.clear()
    bridge.compare(conversion, backends=["reference", "compiled"], trials=2)
    assert resolved == ["go-nogo"]


def test_by_all_variants_of_a_network_of_a_study(resolved):
    variants = [
        {"name": name, "value": None, "spiking": {"synapse": name}, "searched": True}
        for name in ("double", "single")
    ]
    effort = Effort(trials=2, search_trials=2, inverse_scales=(30.0,))
    measure_network(bytes_of(rate_network()), 0, variants, effort, "")
    assert resolved == ["go-nogo"]
