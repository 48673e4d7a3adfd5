"""The compiled loop: what is its own beside the contract that all exact backends keep."""

import os
import sys
from dataclasses import replace

import numpy as np
import pytest
from all_forms import all_forms_drive, all_forms_network
from conftest import drive_for, kim_network, two_population_network

from bridge.backends import cache, compiler, native_library, processors, simulate, workers
from bridge.backends.compiled import build
from bridge.backends.compiled.form import _alike, form_of
from bridge.backends.compiled.groups import groups_of
from bridge.backends.compiled.text import program
from bridge.backends.compiled.values import arrays_of
from bridge.backends.kept import Wanted
from bridge.errors import BackendError, SpecError
from bridge.spiking.drive import Drive, OwnNoise, SharedNoise


def sheet_of(network, drive, **fields):
    return program(form_of(network, drive, Wanted(**fields), "float64"))


def test_networks_of_one_form_share_a_program_whatever_their_sizes_and_weights():
    first, second = kim_network(size=5), kim_network(size=23)
    key = build.key(sheet_of(first, drive_for(first, 4)))
    assert build.key(sheet_of(second, drive_for(second, 9, trials=2))) == key
    other = two_population_network()
    assert build.key(sheet_of(other, drive_for(other, 4))) != key


def test_a_program_is_of_its_text_its_flags_its_compiler_and_its_processor(monkeypatch):
    network = kim_network(size=5)
    sheet = sheet_of(network, drive_for(network, 4))
    keys = [build.key(sheet), build.key(sheet_of(network, drive_for(network, 4), margins=True))]
    monkeypatch.setattr(compiler, "compiler_identity", lambda: "another machine")
    keys.append(build.key(sheet))
    monkeypatch.setattr(build, "FLAGS", [*build.FLAGS, "-g"])
    keys.append(build.key(sheet))
    assert len({str(key) for key in keys}) == 4


def test_no_name_of_the_users_reaches_the_text():
    network = two_population_network()
    text = "\n".join(sheet_of(network, drive_for(network, 4)).lines)
    parts = [*network.populations, *network.projections]
    assert not [part.name for part in parts if part.name in text.split()]
    assert "fast-math" not in " ".join(build.FLAGS)


def test_a_constant_that_all_neurons_share_is_read_once_and_the_bits_are_the_references():
    shared, names = kim_network(), ("reference", "compiled")
    population = shared.populations[0]
    bias_mv = np.full(population.size, np.nextafter(-40.0, 0.0))
    bias_mv[1:] = -40.0
    neurons = replace(population.neurons, bias_mv=bias_mv)
    own = replace(shared, populations=[replace(population, neurons=neurons)])
    for network, alike in ((shared, ("bias", "factor", "reset")), (own, ("factor", "reset"))):
        drive = drive_for(network, 20, trials=2)
        form = form_of(network, drive, Wanted(), "float64")
        assert form.populations[0].alike == alike
        assert form.projections[0].alike == ("rise", "dt_s")
        runs = [simulate(network, drive, backend=name, voltages=True) for name in names]
        np.testing.assert_array_equal(runs[0].spikes.codes(), runs[1].spikes.codes())
        np.testing.assert_array_equal(runs[0].voltages_mv, runs[1].voltages_mv)
    # The sums of 0 and of -0 with other numbers are not always the same bits.
    assert _alike({"both": np.array([0.0, -0.0]), "one": np.array([-0.0, -0.0])}) == ("one",)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_rows_of_neurons_begin_where_a_line_of_a_cache_does(dtype):
    network = all_forms_network()
    drive = all_forms_drive(network)
    arrays = arrays_of(network, drive, form_of(network, drive, Wanted(), dtype))
    assert len(arrays) > 20
    assert [name for name, array in arrays.items() if array.ctypes.data % 64] == []
    rows = [array for name, array in arrays.items() if name.startswith(("constant", "noise_sd"))]
    assert rows
    assert not [array.shape for array in rows if array.dtype != dtype or array.shape[-1] % 16]


def test_spikes_do_not_depend_on_the_threads():
    network = kim_network()
    drive = drive_for(network, 20, trials=5)
    runs = [simulate(network, drive, backend="compiled", workers=count) for count in (1, 3, 9)]
    assert runs[0].spikes.count > 50
    for run in runs[1:]:
        np.testing.assert_array_equal(run.spikes.codes(), runs[0].spikes.codes())
    with pytest.raises(SpecError, match="workers: expected a whole number of at least 1, got 0"):
        simulate(network, drive, backend="compiled", workers=0)


@pytest.mark.parametrize("workers", [1, 2])
def test_trials_that_see_the_same_noise_are_run_together_and_alone_alike(workers):
    network = all_forms_network()
    drive = all_forms_drive(network)
    order = np.array([0, 1, 0, 1, 0, 0, 1]) % drive.n_trials
    several = replace(
        drive,
        inputs=drive.inputs[:, order],
        spikes={name: spikes.chosen(order) for name, spikes in drive.spikes.items()},
        recurrent_gain=np.linspace(0.5, 1.5, order.size),
        trial_numbers=order,
        labels=None,
    )
    groups = groups_of(network, several, several.noise_keys(), workers)
    assert max(group.size for group in groups) == (4 if workers == 1 else 3)
    assert sorted(np.concatenate(groups)) == list(range(order.size))
    same = dict(voltages=True, margins=True, window=(3, 9))
    got = simulate(network, several, backend="compiled", workers=workers, **same)
    want = simulate(network, several, **same)
    np.testing.assert_array_equal(got.spikes.codes(), want.spikes.codes())
    np.testing.assert_array_equal(got.voltages_mv, want.voltages_mv)
    np.testing.assert_array_equal(got.margins_mv, want.margins_mv)


def test_a_state_that_is_no_number_is_that_of_its_trial_among_those_run_together():
    network = kim_network()
    drive = drive_for(network, 3, trials=3)
    inputs = drive.inputs.copy()
    inputs[1, 1] = 1e308
    together = replace(drive, inputs=inputs, trial_numbers=np.zeros(3, dtype=int))
    with pytest.raises(BackendError) as told:
        simulate(network, together, backend="compiled")
    with pytest.raises(BackendError) as expected:
        simulate(network, together)
    assert str(told.value) == str(expected.value)


def test_as_many_threads_as_the_process_was_told_to_use(monkeypatch):
    monkeypatch.setattr(processors, "available_processors", lambda: 8)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setattr(sys.modules["torch"], "get_num_threads", lambda: 6)
    assert processors.available_threads() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert processors.available_threads() == 6


def test_threads_are_there_where_no_process_may_be_forked(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setattr(sys.modules["torch"], "get_num_threads", lambda: 6)
    assert (workers.available_processes(), processors.available_threads()) == (1, 2)


def test_float32_sees_the_same_noise_rounded_and_promises_no_bits():
    network = all_forms_network()
    drive = all_forms_drive(network)
    exact = simulate(network, drive, voltages=True)
    rough = simulate(network, drive, backend="compiled:float32", voltages=True)
    assert not np.array_equal(rough.voltages_mv, exact.voltages_mv)
    # Most of the first sample's voltages are apart by rounding alone: no spike was moved yet.
    apart = np.abs(rough.voltages_mv[0] - exact.voltages_mv[0])
    assert np.median(apart) < 1e-4
    assert abs(rough.spikes.count - exact.spikes.count) < 0.05 * exact.spikes.count
    with pytest.raises(SpecError, match="unknown dtype 'float16'; known are float64, float32"):
        simulate(network, drive, backend="compiled", dtype="float16")


def test_its_own_noise_is_normal_and_not_the_shared_one():
    network = kim_network(size=200)
    drives = [
        replace(drive_for(network, 3, trials=4), noise=noise)
        for noise in (SharedNoise(seed=1), OwnNoise(seed=1), OwnNoise(seed=2))
    ]
    runs = [simulate(network, each, backend="compiled", voltages=True) for each in drives]
    for first, second in ((0, 1), (1, 2), (0, 2)):
        assert not np.array_equal(runs[first].voltages_mv, runs[second].voltages_mv)


def test_progress_comes_from_the_loop_and_an_interrupt_ends_it():
    network = kim_network()
    drive = drive_for(network, 4000, trials=4)
    seen = []

    def interrupt(done):
        seen.append(done)
        if len(seen) > 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(network, drive, backend="compiled", workers=1, on_progress=interrupt)
    assert seen[0] == 0
    assert 0 < seen[1] < 1


def test_without_a_compiler_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(compiler.shutil, "which", lambda _: None)
    network = kim_network(size=5)
    with pytest.raises(
        BackendError, match=r"needs a C\+\+ compiler, and g\+\+ is not found; install"
    ):
        simulate(network, drive_for(network, 4), backend="compiled")


@pytest.fixture
def own_cache(monkeypatch, tmp_path):
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("SPIKEBRIDGE_CACHE", str(folder))
    return folder


def test_a_compiler_that_fails_is_quoted_and_leaves_nothing(monkeypatch, own_cache):
    monkeypatch.setattr(build, "FLAGS", [*build.FLAGS, "--no-such-flag"])
    network = kim_network(size=5)
    with pytest.raises(BackendError, match=r"g\+\+ could not compile the loop: .*no-such-flag"):
        simulate(network, drive_for(network, 4), backend="compiled")
    assert not list(own_cache.rglob("*.so"))


def test_a_damaged_program_is_made_again(own_cache):
    network = kim_network(size=5)
    drive = drive_for(network, 4)
    sheet = sheet_of(network, drive)
    entry = cache.entry("compiled", build.key(sheet))
    entry.mkdir(parents=True, mode=0o700)
    entry.parent.chmod(0o700)
    (entry / "run.so").write_bytes(b"\x7fELF and no more")
    (entry / "sha256").write_text("0" * 64)
    got = simulate(network, drive, backend="compiled")
    np.testing.assert_array_equal(got.spikes.codes(), simulate(network, drive).spikes.codes())
    assert (entry / "run.so").stat().st_size > 1000


def test_a_trial_of_more_steps_than_an_int32_counts_is_refused():
    network = replace(kim_network(size=5), sample_steps=10**6)
    drive = Drive(inputs=np.zeros((2147, 1, network.input_size)), noise=SharedNoise(seed=1))
    with pytest.raises(SpecError, match="too long"):
        simulate(network, drive, backend="compiled")


def test_a_cache_that_programs_must_not_run_from_is_one_sentence(monkeypatch, own_cache):
    def refused(_):
        raise OSError("failed to map segment from shared object")

    monkeypatch.setattr(native_library.ctypes, "CDLL", refused)
    network = kim_network(size=5)
    with pytest.raises(BackendError, match=r"cannot be loaded from .* SPIKEBRIDGE_CACHE names"):
        simulate(network, drive_for(network, 4), backend="compiled")
