"""Tasks with several outputs: scored in all of them, and drawn one below the other."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import two_channel_network

import bridge
from bridge.compare.report import spike_figures
from bridge.errors import SpecError
from bridge.methods.scoring import needed_task, score_of
from bridge.tasks import names


def drawn(count, rng):
    inputs = rng.normal(0, 0.1, (30, count, 1))
    labels = np.arange(count) % 6
    return bridge.Trials(inputs=inputs, targets=np.zeros((30, count, 2)), labels=labels)


def second_is_higher(outputs, _):
    return outputs[-1, :, 1] > outputs[-1, :, 0]


@pytest.fixture
def network(monkeypatch):
    """Two outputs, at every step of 1 ms, and a task for it."""
    monkeypatch.setattr(names, "_own", {})
    bridge.register_task(
        bridge.FunctionTask(
            name="two-outputs", step_ms=1.0, steps=30, input_size=1, output_size=2,
            conditions=tuple("abcdef"), draw=drawn, correct=second_is_higher,
        )
    )  # fmt: skip
    return replace(two_channel_network(), task="two-outputs")


def test_accuracy_sees_every_output(network):
    agreement = bridge.compare(network, backends=["reference", "snntorch"], trials=6)
    for recording in agreement.frozen.values():
        outputs = recording.readouts["z"]
        assert outputs.shape == (30, 6, 2)
        share = score_of(agreement.task, agreement.trials, recording).accuracy
        assert share == np.mean(second_is_higher(outputs, None))
        swapped = replace(recording, readouts={"z": outputs[:, :, ::-1]})
        other = score_of(agreement.task, agreement.trials, swapped).accuracy
        assert other == pytest.approx(1 - share)
        # Were they all alike, the outputs could be confused.
        assert 0 <= share != 0.5


def test_outputs_are_drawn_one_below_the_other_for_some_conditions(network):
    agreement = bridge.compare(network, backends=["snntorch", "snntorch:cpu"], trials=6)
    figure = spike_figures.readouts(agreement)
    grid = np.array(figure.axes).reshape(2, 4)
    outputs = agreement.frozen["snntorch"].readouts["z"]
    for output, row in enumerate(grid):
        for trial, axes in enumerate(row):
            np.testing.assert_array_equal(axes.lines[1].get_ydata(), outputs[:, trial, output])
    # One row of rasters for each condition shown, a column for each backend.
    assert len(spike_figures.rasters(agreement).axes) == 4 * 2


def test_a_network_with_fewer_outputs_than_its_task_is_refused(network):
    one = replace(network, task="xor", sample_steps=5)
    with pytest.raises(SpecError, match="the task xor has 2 inputs and 1 output, this"):
        needed_task(one)
