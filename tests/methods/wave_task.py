"""A task of 100 ms whose output should be a wave: scored by a number, unless told otherwise."""

import numpy as np

import bridge

STEPS = 20


def drawn(count, rng):
    inputs = np.zeros((STEPS, count, 1))
    inputs[2:6] = rng.uniform(0.5, 1.0, count)[:, None]
    turns = np.arange(STEPS)[:, None, None] / STEPS
    return bridge.Trials(
        inputs=inputs,
        targets=np.sin(2 * np.pi * turns) * inputs[2],
        labels=np.zeros(count, dtype=int),
    )


def wave_task(name="wave", **fields):
    given = {"measure": bridge.nmse()} | fields
    return bridge.FunctionTask(
        name=name, step_ms=5.0, steps=STEPS, input_size=1, output_size=1, conditions=("only",),
        draw=drawn, **given,
    )  # fmt: skip


def rate_network(task="wave", size=6):
    rng = np.random.default_rng(1)
    return bridge.RateNetwork(
        recurrent=rng.normal(0, 1, (size, size)), w_in=rng.normal(0, 20, (size, 1)),
        w_out=rng.normal(0, 1, (1, size)), b_out=[0.1], tau_ms=np.full(size, 30.0), task=task,
    )  # fmt: skip
