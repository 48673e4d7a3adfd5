"""What the process of a case measures, called here directly."""

import functools
import time

import numpy as np
import pytest
import torch

from bridge.backends import cache_folder
from bridge.benchmark import floor, learning, simulation
from bridge.benchmark.__main__ import measure
from bridge.benchmark.case import Case, Row, row_of
from bridge.benchmark.compilers import compiled_files, environment
from bridge.benchmark.networks import drive_for, one_to_one_network, sparse_network
from bridge.rate.network import RateNetwork
from bridge.spiking.noise import standard_normal, trial_keys
from bridge.tasks import go_nogo

SHORT_TASK = functools.partial(
    go_nogo.GoNoGo, steps=20, stimulus_start=8, stimulus_stop=12, spiking_window_start=16
)


@pytest.fixture(autouse=True)
def _kept_here(tmp_path, monkeypatch):
    """An empty cache, and torch's threads as they were."""
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def tiny_rate_network():
    rng = np.random.default_rng(0)
    return RateNetwork(
        recurrent=rng.normal(0, 0.1, (6, 6)), w_in=rng.normal(0, 1, (6, 1)),
        w_out=rng.normal(0, 1, (1, 6)), b_out=[0.0], tau_ms=np.full(6, 50.0), task="go-nogo",
    )  # fmt: skip


def test_the_noise_of_the_floor_is_the_noise_of_the_backends():
    out, unit, keys = floor._arguments(3, 5, "cpu")
    words = torch.stack([key[:, 0] for key in keys], dim=1).numpy()
    floor.Noise()(out, unit, keys)
    # A key of a step is one number; in NumPy's version it is made from the trial's two.
    expected = np.zeros((3, 5))
    for word in words.T:
        expected += floor.bent(floor.sixteen_bit_sums(unit.numpy(), word[:, None]).astype(float))
    # float32 against float64, sums of two numbers below 6.
    np.testing.assert_allclose(out.numpy(), expected, atol=1e-5)
    # And of its distribution: s.d. of a number is 1.
    many = standard_normal(trial_keys(0, 0, range(50)), range(100), 20)
    assert abs(many.std() - 1) < 0.02


def test_a_floor_takes_all_processes_together():
    case = Case(
        part="floor", backend="floor", target="counter noise", mode="eager", n=8, batch=4,
        processes=2, simulated_s=0.01, repeats=2,
    )  # fmt: skip
    measured = floor.measure(case, time.time())
    assert len(measured["wall_s"]) == 2
    assert measured["floor_noise_s"] > 0
    assert measured["floor_state_s"] > 0
    assert measured["trial_s"] == pytest.approx(0.04)


def test_a_floor_of_torchs_own_noise_has_no_part_of_the_state():
    case = Case(part="floor", backend="floor", target=floor.NORMAL, n=8, batch=4, simulated_s=0.01)
    assert floor.measure(case, time.time())["floor_state_s"] is None


def test_a_process_that_compiled_gives_only_its_first_run(monkeypatch):
    def compiling(case, started):
        cache_folder.home("torch").mkdir(exist_ok=True)
        (cache_folder.home("torch") / "block").write_text("compiled")
        return {"wall_s": [1.0]}

    monkeypatch.setattr(floor, "measure", compiling)
    case = Case(part="floor", backend="floor", n=8, batch=4)
    assert set(measure(case, time.time())) == {"first_run_s"}
    # The second finds it there.
    assert measure(case, time.time())["wall_s"] == [1.0]


def test_locks_and_sources_are_not_taken_for_compiled(tmp_path):
    for kind in ("torch", "cython"):
        (tmp_path / kind).mkdir(mode=0o700)
    for name in ("torch/.lock-block", "cython/extensions/code.cpp"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert compiled_files() == set()
    (tmp_path / "cython" / "extensions" / "code.so").write_text("")
    (tmp_path / "brian2").mkdir()
    (tmp_path / "brian2" / "program").write_text("")
    assert {path.name for path in compiled_files()} == {"code.so", "program"}


def test_a_simulation_that_compiles_stops_after_its_short_run(monkeypatch):
    trials = []

    def simulate(network, drive, **_):
        trials.append((drive.n_trials, len(drive.inputs)))
        cache_folder.home("brian2").mkdir(exist_ok=True)
        (cache_folder.home("brian2") / "program").write_text("")

    monkeypatch.setattr(simulation.bridge.backends, "simulate", simulate)
    case = Case(
        part="backends", backend="brian2", target="standalone", n=8, batch=4, simulated_s=0.02
    )
    assert set(simulation.measure(case, time.time())) == {"first_run_s"}
    # One trial of full length: a program is compiled for trials of one length.
    assert trials == [(1, 4)]


@pytest.mark.parametrize(
    ("make", "lowest_hz", "highest_hz", "density"),
    [(one_to_one_network, 5, 15, 0.2), (sparse_network, 3, 8, 0.01)],
)
def test_networks_fire_at_the_rates_of_real_ones_at_every_size(
    make, lowest_hz, highest_hz, density
):
    for n in (100, 800):
        network = make(n)
        recording = simulation.bridge.backends.simulate(network, drive_for(network, 2, 0.2))
        # The start, at voltages all over the place, is over after half of it.
        late = recording.spikes.step > recording.spikes.n_steps / 2
        assert lowest_hz < late.sum() / 2 / 0.1 / n < highest_hz
        # Drawn: a hundred synapses at least have an s.d. below 10 %, the same in each run.
        assert network.projections[0].synapses().nnz == pytest.approx(density * n * n, rel=0.1)


def test_a_large_network_is_measured_in_snntorch_too():
    case = Case(
        part="large", backend="snntorch", dtype="float32", mode="eager", n=100, batch=1,
        simulated_s=0.02,
    )  # fmt: skip
    measured = measure(case, time.time())
    # One percent of all connections.
    assert measured["synapses"] == 100
    assert measured["trial_s"] == 0.02
    assert measured["wall_s"][0] > 0


def test_training_is_timed_per_update_of_all_networks(monkeypatch):
    monkeypatch.setattr(go_nogo, "GoNoGo", SHORT_TASK)
    case = Case(part="training", backend="bridge.train", target="K=2", n=6, batch=3, repeats=2)
    measured = learning.measure_training(case, time.time())
    assert len(measured["wall_s"]) == 2
    assert all(wall_s > 0 for wall_s in measured["wall_s"])
    assert measured["trial_s"] == 6


@pytest.mark.parametrize("target", ["exhaustive", "halving"])
def test_a_search_counts_the_trials_that_it_did(target, monkeypatch):
    asked = []

    def convert(rate, **options):
        asked.append(options)
        return honest(rate, **options, backend="reference")

    honest = learning.bridge.convert
    monkeypatch.setattr(go_nogo, "GoNoGo", SHORT_TASK)
    monkeypatch.setattr(learning, "_trained", lambda units: (tiny_rate_network(), ["tiny"]))
    monkeypatch.setattr(learning.bridge, "convert", convert, raising=False)
    case = Case(part="search", backend="bridge.convert", target=target, n=6, batch=24)
    measured = learning.measure_search(case, time.time())
    assert asked[0]["trials"] == 2
    assert asked[0]["exhaustive"] == (target == "exhaustive")
    done = int(measured["note"].split()[0])
    assert measured["trial_s"] == done <= 24
    assert measured["note"].endswith("of 24 trials done; tiny")
    assert target == "halving" or done == 24


def test_a_row_survives_being_text():
    case = Case(part="backends", backend="snntorch", dtype="float32", mode="eager", n=5, batch=2)
    row = row_of(case, rate_hz=3.25, synapses=12, repeats=3, note="with, a comma")
    assert Row.read(row.plain()) == row
