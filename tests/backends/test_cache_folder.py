"""Where compiled programs are kept: what cannot be trusted or used costs speed, not the run."""

import errno
import os
import warnings
from pathlib import Path

import pytest

from bridge.backends import cache, cache_folder
from bridge.errors import BackendError

SAID = "set SPIKEBRIDGE_CACHE to a folder that only you can write"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A cache folder that is still to be made, for a process that knows of no trouble."""
    monkeypatch.setattr(cache_folder, "_INSTEAD", {})
    cache_folder._starts_nothing.cache_clear()
    monkeypatch.setenv(cache_folder.ENVIRONMENT, str(tmp_path / "cache"))
    yield tmp_path / "cache"
    cache_folder._starts_nothing.cache_clear()


def read(path):
    return path.read_text() if path.exists() else None


def made(text="made"):
    """Of one entry: what is fetched, where it lies, and how often it was made."""
    calls = []

    def make(path):
        calls.append(path)
        path.write_text(text)

    got = cache.fetch("kind", "key", make, read)
    return got, cache.entry("kind", "key"), len(calls)


def test_what_was_made_once_is_found_again(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert made("one") == ("one", cache.entry("kind", "key"), 1)
        assert made("two") == ("one", cache.entry("kind", "key"), 0)
    assert cache.entry("kind", "key").parent == folder / "kind"
    for part in (folder, folder / "kind"):
        assert part.stat().st_mode & 0o777 == 0o700


def distrusted(reason):
    """The entry is made elsewhere, which is said once."""
    with pytest.warns(UserWarning, match=reason) as said:
        first = made()
    assert len(said) == 1
    assert SAID in str(said[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = made()
    assert (first[0], first[2]) == ("made", 1)
    assert (again[0], again[2]) == ("made", 0)
    return first[1]


@pytest.mark.parametrize("part", ["", "kind"])
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o722])
def test_a_folder_that_others_can_write_is_left_alone(folder, part, mode):
    (folder / "kind").mkdir(parents=True, mode=0o700)
    folder.chmod(0o700)
    (folder / part).chmod(mode)
    planted = folder / "kind" / cache.hashlib.sha256(b'"key"').hexdigest()[:40]
    planted.write_text("planted")
    entry = distrusted("can be written by others")
    assert folder not in entry.parents
    assert planted.read_text() == "planted"


@pytest.mark.parametrize("part", ["", "kind"])
def test_a_folder_of_another_user_is_left_alone(folder, part, monkeypatch):
    (folder / "kind").mkdir(parents=True, mode=0o700)
    folder.chmod(0o700)
    if os.geteuid() == 0:
        os.chown(folder / part, 12345, 12345)
        assert folder not in distrusted("belongs to another user").parents
    else:
        # Only root can give a folder away; but to somebody else ours is another's.
        monkeypatch.setattr(cache_folder.os, "geteuid", lambda: 12345)
        assert cache_folder.distrust(folder / part) == "belongs to another user"


@pytest.mark.parametrize("inside", [False, True])
def test_an_entry_that_others_can_write_is_made_again(folder, inside):
    def make(path):
        path.mkdir()
        (path / "program").write_text("ours")

    def program(path):
        return (path / "program").read_text() if (path / "program").exists() else None

    assert cache.fetch("kind", "key", make, program) == "ours"
    entry = cache.entry("kind", "key")
    (entry / "program").write_text("planted")
    (entry / "program" if inside else entry).chmod(0o777)
    assert cache.fetch("kind", "key", make, program) == "ours"
    assert cache.is_ours(entry)


def test_a_lenient_umask_opens_nothing_to_others(folder):
    before = os.umask(0)
    try:
        _, entry, _ = made()
    finally:
        os.umask(before)
    assert cache.is_ours(entry)
    assert cache_folder.distrust(folder) is None


def test_a_path_that_is_a_file_or_lies_below_one_is_not_used(folder):
    folder.write_text("")
    assert distrusted("File exists").exists()


def test_a_user_without_a_home_folder_needs_none(folder, monkeypatch):
    monkeypatch.delenv(cache_folder.ENVIRONMENT)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(cache_folder.sys, "platform", "linux")

    def no_home(_path):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", no_home)
    assert distrusted("no home folder").exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES])
def test_a_folder_that_refuses_while_something_is_made_costs_the_cache_and_not_the_run(
    folder, number
):
    tried = []

    def make(path):
        tried.append(path)
        if folder in path.parents:
            raise OSError(number, os.strerror(number), str(path))
        path.write_text("made elsewhere")

    with pytest.warns(UserWarning, match=os.strerror(number)):
        assert cache.fetch("kind", "key", make, read) == "made elsewhere"
    assert len(tried) == 2
    # Nothing half made is left behind.
    assert [path for path in (folder / "kind").iterdir() if ".lock" not in path.name] == []


def test_where_there_is_no_room_anywhere_one_sentence_says_what_moves_it(folder):
    def full(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    with (
        pytest.warns(UserWarning, match="No space left"),
        pytest.raises(BackendError, match="SPIKEBRIDGE_CACHE or TMPDIR to a folder"),
    ):
        cache.fetch("kind", "key", full, read)


def test_where_no_temporary_folder_can_be_made_either_both_are_named(folder, monkeypatch):
    folder.write_text("")

    def full(**_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(cache_folder.tempfile, "mkdtemp", full)
    with pytest.raises(BackendError, match=r"File exists.*No space left.*SPIKEBRIDGE_CACHE or TM"):
        cache.entry("kind", "key")


def test_a_folder_that_starts_no_programs_is_not_used(folder, monkeypatch):
    access = os.access
    monkeypatch.setattr(
        cache_folder.os,
        "access",
        lambda path, mode: folder not in Path(path).parents and access(path, mode),
    )
    assert folder not in distrusted("programs cannot be started from it").parents


def test_a_process_forked_from_this_one_takes_nothing_away_at_its_end(folder):
    folder.write_text("")
    with pytest.warns(UserWarning, match="File exists"):
        kept = cache.entry("kind", "key").parent.parent
    cache_folder._remove(kept, os.getpid() + 1)
    assert kept.exists()
    cache_folder._remove(kept, os.getpid())
    assert not kept.exists()
