"""When a trial's input says something: what the grey of the pictures stands for."""

import numpy as np
import pytest
from conftest import longer_steps_network

import bridge
from bridge.compare.report import spike_figures, stimulus
from bridge.compare.report.page import report

SAMPLES = 40


def channel(*pulses, rest=0.0, size=SAMPLES):
    """Samples at rest, but for pulses of (first, stop, value)."""
    values = np.full(size, rest)
    for first, stop, value in pulses:
        values[first:stop] = value
    return values


@pytest.mark.parametrize(
    ("channels", "found"),
    [
        ([channel()], []),
        ([channel((5, 10, 1.0))], [(5, 10)]),
        # A delay between two pulses is no stimulus.
        ([channel((5, 10, 1.0), (20, 22, -1.0))], [(5, 10), (20, 22)]),
        # Neither is what never changes, beside a pulse or alone.
        ([channel(rest=1.0)], []),
        ([channel((5, 10, 1.0)), channel(rest=-2.0)], [(5, 10)]),
        # What a channel begins with is its rest, zero or not.
        ([channel((5, 10, 1.5), (20, 22, -1.0), rest=0.5)], [(5, 10), (20, 22)]),
        ([channel((5, 10, 0.0), rest=1.0)], [(5, 10)]),
        # A step that stays is on to the end, however early it comes; so is a fixation that ends.
        ([channel((3, SAMPLES, 1.0))], [(3, SAMPLES)]),
        ([channel((30, SAMPLES, 0.0), rest=1.0)], [(30, SAMPLES)]),
        # One that begins with its stimulus rests at what it ends with.
        ([channel((0, 8, 1.0))], [(0, 8)]),
        ([channel((0, 8, 2.0), rest=0.5)], [(0, 8)]),
        # Channels overlap, or follow each other.
        ([channel((5, 10, 1.0)), channel((8, 14, 1.0))], [(5, 14)]),
        ([channel((5, 10, 1.0)), channel((20, 21, 1.0))], [(5, 10), (20, 21)]),
        ([channel((0, SAMPLES, 1.0))], []),
    ],
)  # fmt: skip
def test_each_stretch_away_from_rest_is_found_channel_by_channel(channels, found):
    assert stimulus.stretches(np.stack(channels, axis=1)) == found


def test_noise_from_a_rest_is_a_stretch_and_noise_throughout_is_none():
    noise = np.random.default_rng(0).normal(1, 1, SAMPLES)
    begun = channel()
    begun[10:30] = noise[10:30]
    assert stimulus.stretches(begun[:, None]) == [(10, 30)]
    assert stimulus.stretches(noise[:, None]) == []
    assert stimulus.stretches(np.stack([noise, begun], axis=1)) == [(10, 30)]


def test_a_network_without_input_has_no_stretch():
    assert stimulus.stretches(np.zeros((SAMPLES, 0))) == []


def test_the_two_stimuli_of_xor_are_apart():
    # 0.25 s each from 0.25 s on, with 50 ms between them (Kim et al. 2019).
    trial = bridge.task("xor").trials(1, np.random.default_rng(0)).inputs[:, 0]
    assert stimulus.stretches(trial) == [(50, 100), (110, 160)]


def test_the_cue_of_context_lies_there_all_the_time_and_its_streams_do_not():
    trial = bridge.task("context").trials(1, np.random.default_rng(0)).inputs[:, 0]
    assert stimulus.stretches(trial) == [(50, 250)]


def compared(*pulses, samples=SAMPLES):
    """Two sides that were given a drive: channel 1 constant, pulses in channel 0 of trial 0."""
    inputs = np.ones((samples, 2, 2))
    inputs[:, :, 0] = 0.0
    inputs[:, 0, 0] = channel(*pulses, size=samples)
    return bridge.compare(
        longer_steps_network(size=6), backends=["reference"] * 2, inject="noise-0.8",
        drive=bridge.Drive(inputs=inputs, noise=bridge.SharedNoise(seed=0)),
    )  # fmt: skip


def greys(figure):
    """Left and right edge of each grey stretch of each panel, s."""
    return [
        [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in axes.patches]
        for axes in figure.axes
    ]


def test_a_drive_of_ones_own_is_drawn_grey_when_it_acts():
    agreement = compared((10, 14, 1.0), (30, SAMPLES, 1.0))
    # Samples of 5 ms act 11 steps of 0.25 ms before their time; the last is held to the end.
    early = 11 * 25e-5
    wanted = [(0.05 - early, 0.07 - early), (0.15 - early, 0.2)]
    shown = [trial for _, trial in spike_figures.shown_trials(agreement)]
    for figure, sides in (
        (spike_figures.rasters(agreement), 2),
        (spike_figures.readouts(agreement), 1),
    ):
        panels = greys(figure)
        assert len(panels) == sides * len(shown)
        for number, panel in enumerate(panels):
            expected = wanted if shown[number // sides] == 0 else []
            np.testing.assert_allclose(panel, np.reshape(expected, np.shape(panel)))


def test_a_caption_says_grey_only_where_there_is_some(tmp_path):
    report(compared((10, 14, 1.0)), tmp_path / "pulse.html")
    report(compared(), tmp_path / "rest.html")
    pulse, rest = ((tmp_path / f"{name}.html").read_text() for name in ("pulse", "rest"))
    assert pulse.count("Grey: input on") == 2
    assert "Grey: input on" not in rest
