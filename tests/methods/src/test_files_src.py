"""What other tools, and drives of other encodings, have to do with trained cells."""

from dataclasses import replace

import numpy as np
import pytest
from small_pictures import TASK

import bridge
from bridge.errors import FormatError, SpecError
from bridge.methods.scoring import task_drive


@pytest.fixture(scope="module")
def trained(_folder):
    return bridge.train_src(TASK, layers=20, epochs=4, batch=20)


def test_a_drive_of_another_encoding_is_refused_in_a_sentence(trained, tmp_path):
    ours = task_drive(trained.network, 2, seed=1)[1]
    kept = bridge.save(ours, tmp_path / "ours.h5")
    np.testing.assert_array_equal(bridge.load_drive(kept, trained.network).inputs, ours.inputs)
    other = replace(ours, task="mnist:gain=50,shown=30,silent=3")
    with pytest.raises(FormatError, match=r"other\.h5: task mnist:gain=50.* trained on rate, gain"):
        bridge.load_drive(bridge.save(other, tmp_path / "other.h5"), trained.network)
    # Of a task that this process does not know, nothing can be stated.
    own = bridge.save(replace(ours, task="my-task"), tmp_path / "own.h5")
    assert bridge.load_drive(own, trained.network).task == "my-task"


def test_a_drive_of_another_encoding_in_python_is_refused_too(trained):
    ours = task_drive(trained.network, 2, seed=1)[1]
    other = replace(ours, task="mnist:gain=50,shown=30,silent=3")
    with pytest.raises(SpecError, match=r"task mnist:gain=50.* trained on rate, gain 0\.6"):
        bridge.simulate(trained, other)
    with pytest.raises(SpecError, match=r"task mnist:gain=50.* trained on rate, gain 0\.6"):
        bridge.compare(trained, drive=other, backends=("reference", "compiled"))
    # Who means it leaves the task out; of a task of one's own nothing can be stated.
    expected = bridge.simulate(trained, ours).spikes.codes()
    assert expected.size > 5
    for task in ("", "my-task", "go-nogo"):
        found = bridge.simulate(trained, replace(ours, task=task))
        np.testing.assert_array_equal(found.spikes.codes(), expected)


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ("matlab", "matlab holds rate networks and conversions"),
        ("safetensors", "safetensors is read and not written"),
        ("nir", "layer_1: NIR has no node for neurons of type SRC"),
    ],
)
def test_every_format_of_networks_refuses_cells_in_a_sentence(trained, form, why, tmp_path):
    with pytest.raises(SpecError, match=why):
        bridge.export_network(trained, tmp_path / "src", to=form)
    assert not (tmp_path / "src").exists()


@pytest.mark.parametrize("form", ["nwb", "sonata"])
def test_a_recording_of_cells_is_exported(trained, form, tmp_path):
    _, drive = task_drive(trained.network, 6, seed=1)
    recording = bridge.simulate(trained, drive, backend="reference")
    path = tmp_path / f"spikes.{form}"
    bridge.export_recording(recording, path, to=form)
    back = bridge.load_recording(path)
    assert recording.spikes.count > 10
    np.testing.assert_array_equal(back.spikes.codes(), recording.spikes.codes())
