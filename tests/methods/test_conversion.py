import numpy as np
import pytest
import torch
from methods.short_task import SHORT_TASK

import bridge
from bridge.errors import SpecError, UnsuitedError
from bridge.methods import conversion, readout, roads, search_trials
from bridge.methods.one_to_one import map_one_to_one
from bridge.methods.roads import road_of
from bridge.rate.network import RateNetwork
from bridge.tasks import go_nogo


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(go_nogo, "GoNoGo", SHORT_TASK)


def rate_network(size=10):
    rng = np.random.default_rng(1)
    return RateNetwork(
        recurrent=rng.normal(0, 1, (size, size)), w_in=rng.normal(0, 1, (size, 1)),
        w_out=rng.normal(0, 1, (1, size)), b_out=np.zeros(1), tau_ms=rng.uniform(20, 100, size),
        task="go-nogo",
    )  # fmt: skip


def test_options_reach_the_network_and_its_file(tmp_path):
    chosen = {
        "neuron": "qif", "synapse": "single", "tau_side": "pre", "refractory_ms": 5.0,
        "start_mv": [-60.0, -45.0], "output_bias": True,
    }  # fmt: skip
    made = bridge.convert(
        rate_network(),
        inverse_scales=[30],
        trials=2,
        backend="compiled",
        exhaustive=True,
        **chosen,
    )
    loaded = bridge.load(bridge.save(made, tmp_path / "qif.h5")).network
    for network in (made.network, loaded):
        neurons, filter_ = network.populations[0].neurons, network.projections[0].filter
        assert (type(neurons).__name__, neurons.refractory_steps) == ("Qif", 100)
        assert (type(filter_).__name__, filter_.side) == ("Exponential", "pre")
        assert dict(network.provenance["options"]) == chosen


def test_the_search_runs_the_network_that_comes_out(monkeypatch):
    seen, honest = [], search_trials.simulate

    def watch(network, drive, **options):
        seen.append(network.populations[0].neurons)
        return honest(network, drive, **options)

    monkeypatch.setattr(search_trials, "simulate", watch)
    bridge.convert(
        rate_network(),
        inverse_scales=[30],
        trials=2,
        backend="compiled",
        refractory_ms=10,
        exhaustive=True,
    )
    assert {neurons.refractory_steps for neurons in seen} == {200}


def test_a_predicted_scale_factor_is_the_only_one_tried(monkeypatch):
    monkeypatch.setattr(roads, "predict_inverse_scale", lambda *_, seed: 33.25)
    made = bridge.convert(rate_network(), scale="predicted", trials=1, backend="compiled")
    np.testing.assert_array_equal(made.search.inverse_scales, [33.25])
    assert made.network.provenance["inverse_scale"] == 33.25
    assert made.network.provenance["scale"] == "predicted"


def test_a_refit_is_scored_on_trials_that_neither_search_nor_refit_saw(monkeypatch):
    seen = {}
    for module in (search_trials, readout, conversion):

        def watch(network, drive, *, name=module.__name__, run=module.simulate, **options):
            seen.setdefault(name, set()).add(drive.noise.seed)
            return run(network, drive, **options)

        monkeypatch.setattr(module, "simulate", watch)
    fractions = []
    made = bridge.convert(
        rate_network(), inverse_scales=[30], trials=6, backend="compiled", exhaustive=True,
        refit_readout=True, on_progress=fractions.append,
    )  # fmt: skip
    assert [len(seeds) for seeds in seen.values()] == [1, 1, 1]
    assert len(set.union(*seen.values())) == 3
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1.0)
    # The counts are those that `score` finds for the network before and after.
    networks = (map_one_to_one(rate_network(), 30.0), made.network)
    before, after = (bridge.score(each, trials=6, backend="compiled").correct for each in networks)
    found = made.network.provenance
    assert (found["fresh_correct_before"], found["fresh_correct"]) == (before, after)
    assert found["fresh_trials"] == 6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"neurons": "qif"}, "unknown option of a conversion 'neurons'; known are .*neuron"),
        ({"scale": "guessed"}, "scale: 'searched' or 'predicted', got 'guessed'"),
        ({"scale": "predicted", "inverse_scales": [30]}, "has none to try"),
        ({"refractory_ms": 0.01}, "a multiple of 0.05 ms"),
        ({"start_mv": (-60, -61)}, "start_mv: expected lowest <= highest, got -60 and -61"),
        ({"start_mv": (-60, np.nan)}, "start_mv: expected a finite number, got the number nan"),
        ({"scale": "predicted", "exhaustive": True}, "exhaustive: a predicted scale factor is the"),
        ({"seed": "a"}, "seed: expected a whole number"),
        ({"trials": 2.5}, "trials: expected a whole number"),
        ({"inverse_scales": 30}, "inverse_scales: expected"),
        ({"inverse_scales": ["a"]}, "inverse_scales: expected numbers"),
        ({"neuron": ["lif"]}, "neuron: expected a name as text"),
    ],
)
def test_a_conversion_that_makes_no_sense_is_refused(options, message):
    with pytest.raises(SpecError, match=message):
        bridge.convert(rate_network(), **options)


def test_a_search_on_a_gpu_runs_where_its_network_is_taken(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr("bridge.backends.compiled.gpu.build.find_spec", lambda _: object())
    seen = []
    fitting = "bridge.backends.compiled.gpu.suited.simulate"
    monkeypatch.setattr(fitting, lambda network, *_: seen.append(network))
    rate = rate_network()
    for given in ({}, {"neuron": "if", "gain_hz": 100.0}):
        road = road_of(rate, {"device": "cuda", **given}).suited(rate)
        assert (road.where, road.quick_options()) == ("compiled", {"device": "cuda"})
    assert [network.size for network in seen] == [10, 10]
    # What was asked for stays as it was asked for.
    for backend in ("compiled:float32", "snntorch", "snntorch:float64"):
        assert road_of(rate, {"device": "cuda", "backend": backend}).suited(rate).where == backend
    presynaptic = road_of(rate, {"device": "cuda", "tau_side": "pre"})
    with pytest.warns(UserWarning, match="a filter of the presynaptic side, .* so snntorch takes"):
        road = presynaptic.suited(rate)
    assert (road.where, road.quick_options()["dtype"]) == ("snntorch", "float32")

    def refused(*_):
        raise UnsuitedError("more state than that", "try another")

    monkeypatch.setattr(fitting, refused)
    with pytest.warns(UserWarning, match="^more state than that, so snntorch takes its place"):
        assert road_of(rate, {"device": "cuda"}).suited(rate).where == "snntorch"
    # On the CPU nobody asks.
    assert road_of(rate, {"tau_side": "pre"}).suited(rate).where == "compiled"
