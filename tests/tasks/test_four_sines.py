import numpy as np

import bridge

TASK = bridge.task("four-sines")


def test_the_target_is_four_sines_and_the_input_a_pulse_a_second():
    trials = TASK.trials(2, np.random.default_rng(0))
    assert trials.inputs.shape == trials.targets.shape == (1000, 2, 1)
    power = np.abs(np.fft.rfft(trials.targets[:, 1, 0])) / 500
    loud = np.flatnonzero(power > 1e-9)
    # A second's Fourier components are whole Hz.
    assert loud.tolist() == [1, 2, 3, 5]
    # Rounding of the Fourier transform.
    np.testing.assert_allclose(power[loud], power[1], rtol=1e-13)
    assert trials.targets.max() == 1.0
    assert np.flatnonzero(trials.inputs[:, 0, 0]).tolist() == list(range(50))
    assert set(trials.inputs.ravel()) == {0.0, 0.5}


def test_an_answer_is_right_whose_error_is_small():
    trials = TASK.trials(3, np.random.default_rng(0))
    outputs = trials.targets * np.array([1.0, 0.7, 0.6])[:, None]
    right = bridge.tasks.spiking_correct(TASK, outputs, trials)
    # The nMSE of a share a of the target is (1 - a)^2: 0, 0.09 and 0.16.
    assert right.tolist() == [True, True, False]
