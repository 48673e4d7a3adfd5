"""A network and its task are held against each other wherever they meet."""

import dataclasses

import numpy as np
import pytest

import bridge
from bridge.errors import SpecError
from bridge.exchange.store import load
from bridge.methods.scale_search import Conversion, ScaleSearch
from bridge.methods.scoring import needed_task, score_of, task_drive
from bridge.studies.study import Effort
from bridge.studies.work import bytes_of, measure_network
from bridge.tasks import fitting_task

STEPS = "the task go-nogo has steps of 5 ms, this network takes steps of 20 ms"


def rate_network(channels=1, outputs=1, **fields):
    rng = np.random.default_rng(1)
    given = {
        "recurrent": rng.normal(0, 1, (8, 8)), "w_in": rng.normal(0, 1, (8, channels)),
        "w_out": rng.normal(0, 1, (outputs, 8)), "b_out": np.zeros(outputs),
        "tau_ms": np.full(8, 50.0), "task": "go-nogo", "dt_ms": 20.0,
    }  # fmt: skip
    return bridge.RateNetwork(**given | fields)


def spiking_network(**fields):
    return bridge.map_one_to_one(rate_network(**fields), 30.0)


def conversion(rate, network):
    search = ScaleSearch(
        inverse_scales=[30.0], correct=[1], trials=1, best=0, seed=0, backend="reference",
        seconds=0.0,
    )  # fmt: skip
    return Conversion(network=network, rate=rate, search=search)


def answers(network):
    """A recording of one trial, shown to a network without its task."""
    trials = bridge.task("go-nogo").trials(1, np.random.default_rng(0))
    drive = bridge.Drive(inputs=trials.inputs[:3], noise=bridge.SharedNoise(seed=0))
    return trials, bridge.simulate(network, drive)


MEETINGS = {
    "search": lambda: bridge.convert(rate_network(), trials=1, backend="reference"),
    "predicted conversion": lambda: bridge.convert(rate_network(), scale="predicted"),
    "trials": lambda: task_drive(spiking_network(), 1, 0),
    "score": lambda: bridge.score(spiking_network(), trials=1, backend="reference"),
    "score of a recording": lambda: score_of(
        needed_task(spiking_network()), *answers(spiking_network())
    ),
    "refit": lambda: bridge.refit_readout(spiking_network(), trials=5, backend="reference"),
    "compare": lambda: bridge.compare(spiking_network(), backends=["reference", "snntorch"]),
    "rate network beside": lambda: bridge.compare(
        conversion(rate_network(), spiking_network(dt_ms=5.0)),
        backends=["reference", "snntorch"],
        trials=1,
    ),
    "study": lambda: measure_network(bytes_of(rate_network()), 0, [], Effort(trials=1), ""),
}


@pytest.mark.parametrize("meet", MEETINGS.values(), ids=MEETINGS)
def test_a_network_in_other_steps_than_its_task_is_refused(meet):
    with pytest.raises(SpecError, match=f"{STEPS}, so trials of 1 s would last 4 s; .*--dt-ms 5"):
        meet()


@pytest.mark.parametrize("meet", ["convert", "run", "compare"])
def test_every_command_refuses_it_in_a_sentence(meet, refused, tmp_path):
    rate, network = tmp_path / "rate.h5", tmp_path / "lif.h5"
    bridge.save(rate_network(), rate)
    bridge.save(spiking_network(), network)
    file = rate if meet == "convert" else network
    assert STEPS in refused(meet, file, "--out", tmp_path / "out.html", "--trials", 2)


def test_the_demo_refuses_a_kept_network_in_other_steps(refused, tmp_path):
    bridge.save(rate_network(), tmp_path / "rate.h5")
    assert STEPS in refused("demo", "--out", tmp_path)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ({"channels": 3}, "has 1 input and 1 output, this network has 3 and 1"),
        ({"outputs": 2}, "has 1 input and 1 output, this network has 1 and 2"),
    ],
)
def test_a_network_of_other_inputs_or_outputs_is_refused(shape, message):
    rate = rate_network(dt_ms=5.0, **shape)
    with pytest.raises(SpecError, match=message):
        bridge.convert(rate, trials=1, backend="reference")
    with pytest.raises(SpecError, match=message):
        bridge.score(bridge.map_one_to_one(rate, 30.0), trials=1, backend="reference")


def test_a_network_without_a_readout_is_driven_and_not_scored():
    network = dataclasses.replace(spiking_network(dt_ms=5.0), readouts=())
    trials, drive = task_drive(network, 1, 0)
    short = dataclasses.replace(drive, inputs=drive.inputs[:2])
    with pytest.raises(SpecError, match="no readout, so there is no answer to score"):
        score_of(needed_task(network), trials, bridge.simulate(network, short))


def test_training_goes_on_only_with_a_task_in_the_same_steps(monkeypatch):
    from bridge.tasks import names

    monkeypatch.setattr(names, "_own", {})

    def task(step_ms):
        return bridge.register_task(
            bridge.FunctionTask(
                name="mine", step_ms=step_ms, steps=4, input_size=1, output_size=1,
                conditions=("a",),
                draw=lambda count, rng: bridge.Trials(
                    inputs=np.ones((4, count, 1)), targets=np.ones((4, count, 1)),
                    labels=np.zeros(count, dtype=np.int64),
                ),
                correct=lambda outputs, trials: outputs[-1, :, 0] > 0.5,
            )
        )  # fmt: skip

    task(5.0)
    unfinished = bridge.train("mine", units=6, batch=4, max_updates=1, evaluation_trials=4)
    task(10.0)
    with pytest.raises(SpecError, match=r"mine has steps of 10 ms, this network .* of 5 ms"):
        bridge.train("mine", resume=unfinished, max_updates=2)


def test_a_neurogym_task_is_offered_in_the_network_s_own_steps():
    name = "neurogym:ContextDecisionMaking-v0,steps=80"
    with pytest.raises(SpecError) as refused:
        fitting_task(name, step_ms=100.0, inputs=1, outputs=1)
    assert "steps of 10 ms, this network takes steps of 100 ms" in str(refused.value)
    offered = "neurogym:ContextDecisionMaking-v0,steps=80,step_ms=100"
    assert f"else {offered} (import --task)" in str(refused.value)
    there = bridge.task(offered)
    shape = {"inputs": there.input_size, "outputs": there.output_size}
    assert fitting_task(offered, step_ms=100.0, **shape).step_ms == 100.0


def test_steps_that_only_rounding_tells_apart_are_the_same():
    # 0.1 ms in 50 steps of a sample: 0.1 * 3 is 0.30000000000000004.
    own = bridge.FunctionTask(
        name="thirds", step_ms=0.3, steps=3, input_size=1, output_size=1, conditions=("a",),
        draw=lambda count, rng: None, correct=lambda outputs, trials: None,
    )  # fmt: skip
    from bridge.tasks import check_fit

    check_fit(own, step_ms=0.1 * 3, inputs=1, outputs=1)


@pytest.mark.parametrize("name", ["go_nogo_n200.h5", "go_nogo_n200_lif.h5"])
def test_networks_that_ship_fit_their_task(name):
    from pathlib import Path

    stored = load(Path(bridge.__file__).parents[1] / "models" / name)
    network = stored.network if isinstance(stored, Conversion) else bridge.map_one_to_one(stored, 1)
    assert task_drive(network, 2, 0)[0].inputs.shape == (200, 2, 1)
