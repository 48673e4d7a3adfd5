"""Pictures as tasks: their files, how they become spikes, and what is said of wrong ones."""

import os
import re
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from small_pictures import event, idx, pictures, write_mnist, write_nmnist

import bridge
from bridge.errors import FormatError, SpecError
from bridge.tasks import draw
from bridge.tasks.images.encoding import Encoding
from bridge.tasks.images.event_files import read_events
from bridge.tasks.images.pictures import Pictures


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder that the user names."""
    monkeypatch.setenv("SPIKEBRIDGE_DATA", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("packed", [True, False])
def test_idx_files_are_read_as_they_were_written(folder, packed):
    write_mnist(folder, packed=packed)
    made, labels = pictures(60, np.random.default_rng(0))
    found = bridge.task("mnist").pictures("training")
    # A byte over 255, in float32.
    np.testing.assert_array_equal(np.rint(found.pixels * 255), made.reshape(60, 784))
    np.testing.assert_array_equal(found.labels, labels)
    assert len(bridge.task("mnist").pictures("held out").labels) == 20


def test_trials_are_held_out_pictures_each_once_before_any_comes_again(folder):
    write_mnist(folder)
    task = bridge.task("mnist:gain=100,shown=3,silent=0")
    held_out = task.pictures("held out")
    trials = draw(task, 30, np.random.default_rng(3))
    # A bright row spikes in every step at this gain, and in no other picture are its rows bright.
    bright = trials.inputs.all(axis=0).reshape(30, 28, 28).all(axis=2)
    np.testing.assert_array_equal(bright.argmax(axis=1) // 2, trials.labels)
    assert sorted(trials.labels[:20]) == sorted(held_out.labels)
    np.testing.assert_array_equal(trials.targets.argmax(axis=2), np.tile(trials.labels, (3, 1)))


def test_a_trial_begins_with_silence_and_spikes_by_the_rate():
    pixels = np.tile(np.array([0.0, 0.5, 1.0], np.float32), (400, 1))
    coding = Encoding(kind="rate", shown_steps=50, silent_steps=7, gain=0.4)
    spikes = coding.spikes(Pictures(pixels, np.zeros(400, int)), np.random.default_rng(0))
    assert spikes.shape == (57, 400, 3)
    assert not spikes[:7].any()
    # Of 20 000 draws, four standard errors are 0.014 at the most.
    np.testing.assert_allclose(spikes[7:].mean(axis=(0, 1)), [0.0, 0.2, 0.4], atol=0.014)


def test_by_latency_brighter_pixels_spike_earlier_and_dark_ones_never():
    # snnTorch's own `latency(linear=True, normalize=True, clip=True)` of 200 steps: spec of times.
    levels = np.array([[1.0, 0.75, 0.5, 0.01, 0.009, 0.0]], np.float32)
    coding = Encoding(kind="latency", shown_steps=200, silent_steps=0)
    spikes = coding.spikes(Pictures(levels, np.zeros(1, int)), np.random.default_rng(0))[:, 0]
    assert spikes.sum(axis=0).tolist() == [1, 1, 1, 1, 0, 0]
    assert spikes[:, :4].argmax(axis=0).tolist() == [0, 50, 100, 197]


def test_events_fall_into_the_frames_of_their_time(folder):
    write_nmnist(folder)
    (folder / "n-mnist" / "Test" / "0" / "00000.bin").write_bytes(
        event(5, 7, 1, 100) + event(33, 0, 0, 65_600) + event(5, 7, 1, 131_099)
    )
    task = bridge.task("n-mnist:shown=2,silent=1")
    assert (task.input_size, task.steps) == (2 * 34 * 34, 3)
    first = task.pictures("held out").chosen(np.array([0]))
    frames = task.encoding.spikes(first, np.random.default_rng(0))[:, 0]
    on, off = 34 * 34 + 7 * 34 + 5, 33
    # From 100 to 131 099 us two halves: the event at 65 600 is in the second, which begins there.
    assert [np.flatnonzero(frame).tolist() for frame in frames] == [[], [on], [off, on]]


def test_a_name_says_how_pictures_are_shown():
    assert bridge.task("mnist:gain=25,shown=200").name == "mnist"
    assert bridge.task("digits:silent=5,latency").name == "digits:latency,silent=5"
    assert bridge.task("fashion-mnist").conditions[3] == "dress"
    with pytest.raises(SpecError, match="gain is of the rate, and latency has none"):
        bridge.task("digits:latency,gain=50")
    with pytest.raises(SpecError, match=r"option shown needs|shown must lie between 2 and"):
        bridge.task("digits:shown=1")
    with pytest.raises(SpecError, match="unknown option 'gain'; known are shown=200, silent=20"):
        bridge.task("n-mnist:gain=2")
    with pytest.raises(SpecError, match="a built-in task has this name"):
        bridge.register_task(
            bridge.FunctionTask(
                name="digits", step_ms=1.0, steps=2, input_size=1, output_size=1,
                conditions=("a",), draw=lambda *_: None, correct=lambda *_: None,
            )
        )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda home: (home / "train-labels-idx1-ubyte.gz").unlink(),
         "expected the files train-images-idx3-ubyte or train-images-idx3-ubyte.gz; train-labels"),
        (lambda home: cut(home / "train-images-idx3-ubyte.gz", -20), "gzip cannot unpack it"),
        (lambda home: plain(home, "images-idx3", idx(np.zeros((3, 28, 28)))[:-5]),
         "3 x 28 x 28 values are stated, 2347 are there"),
        (lambda home: plain(home, "images-idx3", b"\0\0\x0d\x03" + idx(np.zeros((3, 28, 28)))[4:]),
         "begins with 0x00000d03, expected 0x00000803"),
        (lambda home: plain(home, "images-idx3", idx(np.zeros((0, 28, 28)))),
         "0 x 28 x 28 values are stated, 0 are there"),
        (lambda home: plain(home, "images-idx3", b"abc"), "has 3 bytes, and an idx file begins"),
        (lambda home: plain(home, "images-idx3", idx(np.zeros((60, 8, 8)))),
         "expected pictures of 28 x 28 pixels, got 8 x 8"),
        (lambda home: plain(home, "labels-idx1", idx(np.full(60, 10))),
         "classes are 0 to 9, got 10 to 10"),
        (lambda home: plain(home, "labels-idx1", idx(np.zeros(59))),
         "a whole number for each of 60 pictures, got int64 of shape (59,)"),
    ],
)  # fmt: skip
def test_files_that_are_not_what_they_should_be_are_refused_by_name(folder, change, said):
    home = write_mnist(folder)
    change(home)
    with pytest.raises(FormatError, match=re.escape(said)) as refused:
        bridge.task("mnist").pictures("training")
    assert str(home) in str(refused.value)


def cut(path, stop):
    path.write_bytes(path.read_bytes()[:stop])


def plain(home, name, content):
    """A file in the place of the packed one."""
    (home / f"train-{name}-ubyte.gz").unlink()
    (home / f"train-{name}-ubyte").write_bytes(content)


def test_without_a_folder_one_sentence_says_how_to_name_it(tmp_path, monkeypatch):
    monkeypatch.delenv("SPIKEBRIDGE_DATA", raising=False)
    with pytest.raises(FormatError, match="by --data or by the variable SPIKEBRIDGE_DATA"):
        bridge.task("mnist").pictures("training")
    monkeypatch.setenv("SPIKEBRIDGE_DATA", str(tmp_path))
    with pytest.raises(FormatError, match=r"there is no folder .*n-mnist with its files"):
        bridge.task("n-mnist").pictures("training")


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "has 0 bytes"), (b"1234", "has 4 bytes; events have 5 each"),
     (event(34, 0, 0, 1), "has an event at 34, 0; pictures have 34 x 34")],
)  # fmt: skip
def test_event_files_that_are_cut_off_or_too_wide_are_refused(tmp_path, content, said):
    (tmp_path / "1.bin").write_bytes(content)
    with pytest.raises(FormatError, match=said):
        read_events(tmp_path / "1.bin")


def test_an_event_has_a_place_a_polarity_and_a_time_of_23_bits(tmp_path):
    (tmp_path / "1.bin").write_bytes(event(33, 2, 1, 0x7EDCBA) + event(0, 33, 0, 3))
    channel, time_us = read_events(tmp_path / "1.bin")
    assert channel.tolist() == [34 * 34 + 2 * 34 + 33, 33 * 34]
    assert time_us.tolist() == [0x7EDCBA, 3]


def test_classes_without_files_are_named(folder):
    home = write_nmnist(folder)
    for file in (home / "Train" / "3").iterdir():
        file.unlink()
    with pytest.raises(FormatError, match=r"expected the files Train/3/\*\.bin$"):
        bridge.task("n-mnist").pictures("training")


@pytest.mark.parametrize(
    ("pixels", "labels", "said"),
    [(np.full((2, 3), 1.5), [0, 1], "between 0 and 1, got 1.5 to 1.5"),
     (np.full((2, 3), np.nan), [0, 1], "between 0 and 1, got nan"),
     (np.zeros((2, 3, 3)), [0, 1], r"expected numbers \(pictures, pixels\), got \(2, 3, 3\)"),
     (np.zeros((2, 3)), [0, -1], "classes are 0 to 9, got -1 to 0"),
     (np.zeros((2, 3)), [0.0, 1.0], "a whole number for each of 2 pictures")],
)  # fmt: skip
def test_pictures_of_another_range_or_with_other_labels_are_refused(pixels, labels, said):
    with pytest.raises(SpecError, match=said):
        Pictures(pixels, np.array(labels))


def test_without_scikit_learn_one_sentence_says_how_to_install_it(monkeypatch):
    digits = sys.modules["bridge.tasks.images.digits"].digits
    digits.cache_clear()
    for name in ("sklearn", "sklearn.datasets"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(SpecError, match=r"pip install 'spikebridge\[digits\]'"):
        bridge.task("digits").pictures("training")


# On a machine of one's own it may be missing; where the project is checked it may not.
@pytest.mark.skipif(
    find_spec("sklearn") is None and not os.environ.get("CI"),
    reason="scikit-learn is not installed",
)
def test_the_digits_of_scikit_learn_are_parted_once_for_all():
    task = bridge.task("digits")
    learning, held_out = task.pictures("training"), task.pictures("held out")
    assert (learning.pixels.shape, held_out.pixels.shape) == ((1437, 64), (360, 64))
    together = np.concatenate([learning.pixels, held_out.pixels])
    # No digit of 1797 has the pixels of another: whoever is held out is in no training.
    assert len(np.unique(together, axis=0)) == 1797
    # With others held out, what is on record could not be compared with what is found now.
    assert held_out.labels[:12].tolist() == [5, 5, 8, 7, 0, 5, 3, 2, 3, 8, 0, 5]
    assert learning.labels[:12].tolist() == [5, 3, 6, 0, 4, 4, 4, 2, 0, 8, 4, 1]
    assert (held_out.pixels.min(), held_out.pixels.max()) == (0.0, 1.0)


def test_no_rate_network_is_trained_on_what_is_held_out():
    with pytest.raises(SpecError, match="train-src trains spiking neurons on its training"):
        bridge.train("digits")
