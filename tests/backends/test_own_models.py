"""A neuron model or a filter of one's own, one class each, is run by every exact backend."""

from collections import Counter
from dataclasses import dataclass, replace
from importlib import import_module
from types import MappingProxyType

import numpy as np
import pytest
from conftest import EXACT_BACKENDS, drive_for, go_nogo_network, kim_network

from bridge.backends import simulate
from bridge.compare.probes.battery import run_probes
from bridge.compare.sides import Side
from bridge.errors import BackendError, FormatError, SpecError
from bridge.exchange.store import load, save
from bridge.spiking import filters, neurons
from bridge.spiking.decay import decay_factor
from bridge.spiking.drive import Drive, SharedNoise
from bridge.spiking.filters import Exponential, Filter, filter_trace
from bridge.spiking.initial_voltage import UniformVoltage
from bridge.spiking.network import SpikingNetwork, StateReadout
from bridge.spiking.neurons import Lif, NeuronModel, traces
from bridge.spiking.parts import choice, each
from bridge.spiking.population import Population

QUICK = ["brian2-numpy", "snntorch", "compiled"]


def adaptive():
    """A leaky membrane with a slow current that each spike makes stronger."""

    @dataclass(frozen=True, kw_only=True, eq=False, repr=False)
    class Adaptive(NeuronModel):
        kind = "adaptive"
        title = "adaptive LIF"
        states = MappingProxyType({"v": 0.0, "w": 0.5})

        tau_mem_ms: float = each(10.0)
        tau_slow_ms: float = each(80.0)
        jump_mv: float = each(2.0)
        sharp: str = choice("yes", "no", default="yes")

        def constants(self, dt_ms):
            ones = np.ones_like(self.tau_mem_ms)
            return {
                "bias": -35.0 * ones,
                "factor": dt_ms / np.asarray(self.tau_mem_ms),
                "slow": decay_factor(self.tau_slow_ms, dt_ms),
                "jump": np.asarray(self.jump_mv),
                "threshold": -40.0 * ones,
                "floor": -65.0 * ones,
            }

        def step(self, ops, state, constant, current):
            v = state.v + (current - state.v - state.w) * constant.factor
            bounded = ops.clip(v, -90.0, 20.0)
            # The old v moves the slow current.
            pull = ops.where(ops.above(state.v, -50.0), 0.01 * (state.v + 50.0), 0.0)
            w = state.w * constant.slow + pull
            return {"v": bounded if self.sharp == "yes" else v, "w": w}

        def reset(self, ops, state, constant):
            return {"v": constant.floor, "w": state.w + constant.jump}

    return Adaptive


def alpha():
    """x rises and falls with one time constant."""

    @dataclass(frozen=True, kw_only=True, eq=False, repr=False)
    class Alpha(Filter):
        kind = "alpha"
        title = "Alpha"
        states = ("y", "x")

        tau_ms: float = each(5.0)

        def constants(self, dt_ms):
            decay = decay_factor(self.tau_ms, dt_ms)
            return {"decay": decay, "share": dt_ms / np.asarray(self.tau_ms), "gain": 1 / decay}

        def decay(self, ops, state, constant):
            return {
                "x": state.x * constant.decay + state.y * constant.share,
                "y": state.y * constant.decay,
            }

    return Alpha


def network_of(model=None, filter_=None):
    network = go_nogo_network()
    (units,), (recurrent, stimulus) = network.populations, network.projections
    if model is not None:
        units = replace(units, neurons=model)
    if filter_ is not None:
        recurrent = replace(recurrent, filter=filter_)
    return replace(network, populations=[units], projections=[recurrent, stimulus])


def runs(network, labels=("reference", *QUICK)):
    drive = drive_for(network, 12, trials=2)
    return [
        simulate(network, drive, backend=EXACT_BACKENDS[label][0], voltages=True, margins=True,
                 **EXACT_BACKENDS[label][1])
        for label in labels
    ]  # fmt: skip


@pytest.mark.parametrize("sharp", ["yes", "no"])
def test_a_model_of_one_s_own_fires_the_same_spikes_everywhere(sharp):
    network = network_of(adaptive()(sharp=sharp, refractory_steps=7))
    expected, *others = runs(network)
    assert expected.spikes.count > 40
    for got in others:
        np.testing.assert_array_equal(got.spikes.codes(), expected.spikes.codes())
        np.testing.assert_array_equal(got.voltages_mv, expected.voltages_mv)
        np.testing.assert_array_equal(got.margins_mv, expected.margins_mv)


def test_every_state_of_it_matters():
    still = network_of(adaptive()(jump_mv=0.0))
    moved = network_of(adaptive()())
    counts = [runs(network, ["reference"])[0].spikes.count for network in (still, moved)]
    assert counts[1] < 0.9 * counts[0]


@pytest.mark.parametrize("side", ["post", "pre"])
def test_a_filter_of_one_s_own_does_too(side):
    network = network_of(
        filter_=alpha()(tau_ms=np.linspace(3, 9, go_nogo_network().size), side=side)
    )
    assert network.lag_steps(network.projections[0]) == 2
    expected, *others = runs(network)
    assert expected.spikes.count > 40
    for got in others:
        np.testing.assert_array_equal(got.spikes.codes(), expected.spikes.codes())
        np.testing.assert_array_equal(got.voltages_mv, expected.voltages_mv)
    jump = Exponential(tau_ms=5.0, normalisation="jump")
    (other,) = runs(network_of(filter_=jump), ["reference"])
    assert np.abs(other.voltages_mv - expected.voltages_mv).max() > 1


def test_they_are_stored_and_a_program_without_them_says_so(tmp_path):
    network = network_of(adaptive()(sharp="no"), alpha()())
    path = save(network, tmp_path / "own.h5")
    back = load(path)
    assert back.populations[0].neurons.sharp == "no"
    assert back.projections[0].filter.kind == "alpha"
    del neurons.KNOWN["adaptive"]
    with pytest.raises(FormatError, match="unknown neuron model 'adaptive'; known are"):
        load(path)


def test_a_file_knows_a_model_by_what_it_does(tmp_path):
    model = adaptive()
    path = save(network_of(model()), tmp_path / "own.h5")

    def slower(self, ops, state, constant, current):
        return {"v": state.v + 0.5 * (current - state.v) * constant.factor, "w": state.w}

    model.step = slower
    neurons.model._traces.cache_clear()
    with pytest.raises(FormatError, match="adaptive: Adaptive of this program takes other steps"):
        load(path)
    kernel = alpha()
    path = save(network_of(filter_=kernel()), tmp_path / "kernel.h5")
    kernel.decay = lambda self, ops, state, constant: {"x": state.y, "y": state.y * constant.decay}
    filters.filter._filter_trace.cache_clear()
    with pytest.raises(FormatError, match="alpha: Alpha of this program takes other steps"):
        load(path)


def test_nest_says_which_models_it_takes():
    network = network_of(adaptive()())
    quiet = replace(network, populations=[replace(network.populations[0], noise_mv=0.0)])
    with pytest.raises(SpecError, match="NEST has no adaptive LIF neuron"):
        simulate(quiet, drive_for(quiet, 2), backend="nest")


def test_a_subclass_without_a_kind_of_its_own_is_a_stranger():
    class Odd(Lif):
        def step(self, ops, state, constant, current):
            return {"v": state.v}

    (units,) = kim_network().populations
    odd = Odd(**{name: getattr(units.neurons, name) for name in vars(units.neurons)})
    with pytest.raises(SpecError, match="unknown class Odd; known are"):
        replace(units, neurons=odd)


def test_two_models_of_one_kind_cannot_be_told_apart():
    with pytest.raises(SpecError, match="'lif': Lif has that kind already"):
        type("Other", (NeuronModel,), {"kind": "lif"})
    # Nor does one of somebody's own take the place of ours by its name.
    with pytest.raises(SpecError, match="'lif': Lif has that kind already"):
        type("Lif", (NeuronModel,), {"kind": "lif", "__module__": "theirs"})
    assert neurons.KNOWN["lif"] is Lif


def test_a_class_that_leaves_out_its_step_says_so():
    model = type("Empty", (NeuronModel,), {"kind": "empty"})
    with pytest.raises(SpecError, match="Empty: its class has no function constants"):
        traces(model())
    filter_ = type(
        "Bare", (Filter,), {"kind": "bare", "constants": lambda self, dt_ms: {"gain": 1}}
    )
    with pytest.raises(SpecError, match="Bare: its class has no function decay"):
        filter_trace(filter_())


def test_a_decay_that_is_not_linear_is_refused():
    kernel = alpha()
    kernel.decay = lambda self, ops, state, constant: {"x": state.x * state.y, "y": state.y}
    with pytest.raises(SpecError, match="its decay is not linear"):
        filter_trace(kernel())


def test_a_filter_without_a_formula_is_probed_by_its_own_decay():
    kernel = alpha()(tau_ms=[3.0, 5.0]).sized(2)
    decay, share = np.exp(-0.1 / kernel.tau_ms), 0.1 / kernel.tau_ms
    m = np.arange(30)[:, None]
    # y = d^m / d, and x takes it with one step's delay: m share d^(m - 2).
    expected = m * share * decay ** (m - 2.0)
    # Thirty products of a few roundings each.
    np.testing.assert_allclose(kernel.response(0.1, 30), expected, rtol=1e-12)
    network = network_of(filter_=alpha()(tau_ms=4.0))
    report = run_probes(network, Side("reference", "reference"), 0, lambda _what, _done: None)
    assert report.agreed


CALLS = Counter()


def _divides(ops, state, constant, current):
    return {"v": state.v / constant.threshold}


def _decides(ops, state, constant, current):
    return {"v": 0.0 if state.v > 1 else state.v}


def _forgets(ops, state, constant, current):
    return {"u": state.v}


def _keeps(ops, state, constant, current):
    CALLS["kept"] += 1
    return {"v": state.v + float(CALLS["kept"])}


def _writes(ops, state, constant, current):
    state.v += current
    return {"v": state.v}


def _in_place(ops, state, constant, current):
    v = state.v
    v *= 2.0
    return {"v": v}


def _borrows(ops, state, constant, current):
    return {"v": state.v + np.ones(3)}


def _other_library(ops, state, constant, current):
    return {"v": np.tanh(state.v)}


BAD = {
    "divides by a constant": (_divides, "divides by what depends on no state"),
    "decides by a number": (_decides, "decides by a number; use where"),
    "leaves out a state": (_forgets, "its step gives u; its states are v"),
    "keeps something": (_keeps, "something else each time it is called"),
    "works with an array": (_borrows, "works with ndarray"),
    "calls a library": (_other_library, "works with|cannot"),
    "writes into what it is given": (_in_place, "does not work on arrays"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_step_that_others_could_not_repeat_is_refused_with_the_reason(name):
    step, reason = BAD[name]

    @dataclass(frozen=True, kw_only=True, eq=False)
    class Bad(NeuronModel):
        kind = "bad"
        title = "bad"

        def constants(self, dt_ms):
            return {"bias": np.zeros(()), "threshold": np.ones(())}

    Bad.step = lambda self, *given, **named: step(*given, **named)
    with pytest.raises(SpecError, match=reason):
        traces(Bad())


@pytest.mark.parametrize("label", ["reference", *QUICK])
def test_a_state_that_is_no_number_any_more_stops_the_run(label):
    @dataclass(frozen=True, kw_only=True, eq=False, repr=False)
    class Runaway(NeuronModel):
        kind = "runaway"
        title = "runaway"
        fires = False
        emits = "nothing"

        def constants(self, dt_ms):
            return {"bias": np.zeros(())}

        def step(self, ops, state, constant, current):
            return {"v": state.v * 1e30}

    network = kim_network()
    (units,) = network.populations
    alone = replace(
        network, populations=[replace(units, neurons=Runaway())], projections=[], readouts=[],
        input_size=0,
    )  # fmt: skip
    backend, options = EXACT_BACKENDS[label]
    with pytest.raises(BackendError, match=r"state v of neuron \d+ .* is no longer finite"):
        simulate(alone, drive_for(alone, 4), backend=backend, **options)


def test_what_only_its_reset_holds_back_fires_nowhere_else():
    @dataclass(frozen=True, kw_only=True, eq=False, repr=False)
    class Growing(NeuronModel):
        kind = "growing"
        title = "growing"

        def constants(self, dt_ms):
            return {"bias": np.zeros(()), "threshold": np.asarray(1e6), "reset": np.ones(())}

        def step(self, ops, state, constant, current):
            return {"v": state.v * 1e30}

        def reset(self, ops, state, constant):
            return {"v": constant.reset}

    start = UniformVoltage(low_mv=1.0, high_mv=2.0)
    units = [
        Population(name=name, size=3, neurons=Growing(), initial_voltage=start) for name in "ab"
    ]
    network = SpikingNetwork(dt_ms=1.0, populations=units, projections=[], sample_steps=20)
    drive = Drive(inputs=np.zeros((2, 2, 0)), noise=SharedNoise(seed=0))
    assert simulate(network, drive).spikes.count == 6 * 40 * 2
    for label in QUICK:
        backend, options = EXACT_BACKENDS[label]
        got = simulate(network, drive, backend=backend, margins=True, **options)
        np.testing.assert_array_equal(got.spikes.codes(), simulate(network, drive).spikes.codes())


def runaway_network(**fields):
    """Neurons whose voltage stays where it starts, and whose other state runs away from there."""

    @dataclass(frozen=True, kw_only=True, eq=False, repr=False)
    class Runaway(NeuronModel):
        kind = "runaway"
        title = "runaway"
        fires = False
        emits = "nothing"
        states = MappingProxyType({"v": 0.0, "w": 0.0})

        def constants(self, dt_ms):
            return {"bias": np.zeros(())}

        def step(self, ops, state, constant, current):
            return {"v": state.v + current, "w": state.w * 1e30 + state.v}

    start = UniformVoltage(low_mv=0.0, high_mv=0.0)
    units = Population(name="units", size=4, neurons=Runaway(), initial_voltage=start)
    return SpikingNetwork(
        dt_ms=1.0, populations=[units], projections=[], sample_steps=20, **fields
    )  # fmt: skip


def runaway_drive(samples):
    start = np.zeros((3, 4))
    start[1, 2] = 1.0
    return Drive(
        inputs=np.zeros((samples, 3, 0)), noise=SharedNoise(seed=0), v_initial_mv=start
    )  # fmt: skip


OTHER_STATE = r"state w of neuron 2 of population units \(runaway\) is no longer finite after step "


# Brian2's targets hand over what they hold to one check.
@pytest.mark.parametrize(
    "label",
    ["reference", *QUICK]
    + [pytest.param(f"brian2-{name}", marks=pytest.mark.full) for name in ("cython", "standalone")],
)
def test_so_does_a_state_that_is_not_the_voltage(label, monkeypatch):
    # As if the noise of one trial alone fitted into memory.
    monkeypatch.setattr(import_module("bridge.backends.brian2.runtime"), "_NOISE_BYTES", 1.0)
    backend, options = EXACT_BACKENDS[label]
    with pytest.raises(BackendError, match=OTHER_STATE + "19 of trial 1$"):
        simulate(runaway_network(), runaway_drive(1), backend=backend, **options)


def test_brian2_sees_a_state_in_the_samples_that_are_recorded_and_else_at_the_end():
    shown = [StateReadout(name="w", source="units", state="w")]
    given = {"backend": "brian2", "target": "numpy"}
    with pytest.raises(BackendError, match=OTHER_STATE + "19 of trial 1$"):
        simulate(runaway_network(readouts=shown), runaway_drive(3), **given)
    with pytest.raises(BackendError, match=OTHER_STATE + "59 of trial 1$"):
        simulate(runaway_network(), runaway_drive(3), **given)


def test_the_lag_of_a_filter_is_what_its_operations_say():
    assert filter_trace(alpha()()).lag == 2
    assert filter_trace(Exponential(tau_ms=5.0, normalisation="area")).lag == 1
