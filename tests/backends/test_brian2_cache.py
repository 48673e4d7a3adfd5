"""The folder in which compiled things are kept, and the keys of Brian2's programs in it."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import drive_for, kim_network, quadratic_network

from bridge.backends import cache, cache_folder, compiler
from bridge.backends.brian2 import program as brian2_program
from bridge.backends.brian2 import toolchain
from bridge.backends.kept import Wanted
from bridge.spiking.filters import DoubleExponential
from bridge.spiking.stimulation import Stimulation


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv(cache_folder.ENVIRONMENT, str(tmp_path))
    return tmp_path / "kind"


def publish(path, size=1, used=None):
    with cache.published(path) as made:
        made.write_bytes(b"x" * size)
    if used is not None:
        os.utime(path, (used, used))


def shown(home):
    return sorted(path.name for path in home.iterdir())


def test_an_entry_is_found_again_by_what_decides_it(home):
    one = cache.entry("kind", {"a": 1, "b": [2.5, "x"]})
    assert one == cache.entry("kind", {"b": [2.5, "x"], "a": 1})
    assert one != cache.entry("kind", {"a": 1, "b": [2.5, "y"]})
    assert one.parent == home


def test_a_folder_can_be_kept_as_a_file_can(home):
    path = cache.entry("kind", "folder")
    with cache.published(path) as made:
        made.mkdir()
        (made / "inside").write_text("here")
        assert not path.exists()
    assert (path / "inside").read_text() == "here"
    assert shown(home) == [path.name]


def test_what_fails_half_way_leaves_nothing(home):
    path = cache.entry("kind", "half")

    def half():
        with cache.published(path) as made:
            made.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    assert shown(home) == []


def test_the_first_of_two_that_make_an_entry_stays(home):
    path = cache.entry("kind", "both")
    with cache.published(path) as made:
        made.mkdir()
        (made / "second").write_text("")
        with cache.published(path) as earlier:
            earlier.mkdir()
            (earlier / "first").write_text("")
    assert [inside.name for inside in path.iterdir()] == ["first"]
    assert shown(home) == [path.name]


def test_what_was_not_used_for_longest_is_dropped_first(home, monkeypatch):
    entries = [cache.entry("kind", number) for number in range(3)]
    for number, path in enumerate(entries):
        publish(path, size=100, used=1e9 + number)
    cache.mark_used(entries[0])
    cache.prune(home, keep=entries[0], most_bytes=250)
    assert [path.exists() for path in entries] == [True, False, True]


def test_an_entry_larger_than_the_bound_is_kept_while_it_is_new(home):
    old, new = cache.entry("kind", "old"), cache.entry("kind", "new")
    publish(old)
    publish(new, size=100)
    cache.prune(home, keep=new, most_bytes=10)
    assert shown(home) == [new.name]


def test_leavings_of_killed_processes_go_after_a_day(home):
    kept = cache.entry("kind", "kept")
    publish(kept)
    for name, used in ((".new-old", 1e9), (".new-now", None)):
        (home / name).mkdir()
        if used:
            os.utime(home / name, (used, used))
    cache.prune(home, keep=kept)
    assert shown(home) == sorted([".new-now", kept.name])


def test_a_damaged_entry_can_be_discarded_and_made_again(home):
    path = cache.entry("kind", "damaged")
    publish(path)
    cache.discard(path)
    cache.discard(path)
    assert shown(home) == []
    publish(path, size=5)
    assert path.stat().st_size == 5


def test_the_cache_is_where_the_system_keeps_such_things(monkeypatch):
    monkeypatch.delenv(cache_folder.ENVIRONMENT, raising=False)
    monkeypatch.setattr(cache_folder.sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_folder.wanted_root() == Path("/somewhere/spikebridge")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/someone")
    assert cache_folder.wanted_root() == Path("/home/someone/.cache/spikebridge")
    monkeypatch.setattr(cache_folder.sys, "platform", "darwin")
    assert cache_folder.wanted_root() == Path("/home/someone/Library/Caches/spikebridge")


def network(seed=0):
    return kim_network(size=15, seed=seed)


def filtered(net, side):
    synapse = DoubleExponential(tau_rise_ms=2, tau_decay_ms=20, side=side)
    return replace(net, projections=[replace(net.projections[0], filter=synapse)])


def with_qif(net):
    (units,) = net.populations
    neurons = quadratic_network().populations[0].neurons
    scalars = {"tau_mem_ms": 10, "bias_mv": 0, "v_threshold_mv": 30, "v_reset_mv": -65}
    return replace(net, populations=[replace(units, neurons=replace(neurons, **scalars))])


def key_of(net, given):
    return brian2_program._key(brian2_program.form_of(net, given, Wanted(), counted=True))


def test_the_side_of_a_filter_and_the_stimulated_populations_decide_the_key():
    post, pre = (filtered(network(), side) for side in ("post", "pre"))
    given = drive_for(post, 2)
    assert key_of(post, given) != key_of(pre, given)

    def pushed(*neurons, **fields):
        push = Stimulation(start_step=0, stop_step=9, neurons=neurons, **fields)
        return replace(given, stimulation=(push,))

    assert key_of(post, pushed(1)) != key_of(post, given)
    # Which neurons, when and how much are values that the program reads.
    assert key_of(post, pushed(1)) == key_of(post, pushed(2, 3, amplitude_mv=-1, seed=4))


@pytest.mark.parametrize(
    "change",
    [
        with_qif,
        lambda net: replace(net, dt_ms=0.1),
        lambda net: replace(net, sample_offset_steps=50),
        lambda net: replace(net, projections=net.projections[:1]),
        lambda net: replace(net, projections=[replace(net.projections[0], delay_steps=1)]),
        lambda net: kim_network(size=14),
    ],
)
def test_what_decides_the_code_decides_the_key(change):
    def key(net):
        return key_of(net, drive_for(net, 2))

    assert key(network()) == key(network(seed=1))
    assert key(network()) != key(change(network()))


def test_the_key_holds_the_compiler_and_its_flags(monkeypatch):
    given = drive_for(network(), 2)
    form = brian2_program.form_of(network(), given, Wanted(), counted=True)
    keys = [brian2_program._key(form)]
    monkeypatch.setattr(toolchain, "STRICT_FLAGS", ["-O2"])
    keys.append(brian2_program._key(form))
    monkeypatch.setattr(compiler, "compiler_identity", lambda: "another machine")
    keys.append(brian2_program._key(form))
    assert len({json.dumps(key) for key in keys}) == 3
    assert "-ffp-contract=off" in keys[0]["flags"]
    assert "march" in keys[0]["compiler"]
