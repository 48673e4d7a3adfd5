"""Brian2's numpy and cython targets: chunks of trials side by side in this process."""

from collections.abc import Callable
from functools import partial

# First, since importing Brian2 changes global state.
from bridge.backends.brian2.session import session  # isort: skip

import brian2
import numpy as np
from brian2.core.functions import Function
from numpy.typing import NDArray

from bridge.backends import cache_folder
from bridge.backends.brian2.form import Form, PopulationForm
from bridge.backends.brian2.formed import form_of
from bridge.backends.brian2.late import late_function
from bridge.backends.brian2.model import Group, Model, build
from bridge.backends.brian2.results import Left, Results
from bridge.backends.brian2.values import (
    constant_values,
    delay_values,
    input_values,
    run_seed,
    start_values,
    train,
    window_values,
)
from bridge.backends.brian2.vocabulary import in_numpy
from bridge.spiking.drive import Drive, NoiseStream
from bridge.spiking.network import SpikingNetwork

Array = NDArray[np.float64]

_NOISE_BYTES = 256e6


def run(
    network: SpikingNetwork,
    drive: Drive,
    results: Results,
    target: str,
    report: Callable[[float], None],
) -> None:
    """Run all trials, as many side by side as the memory of their noise allows."""
    trials, steps, size = results.shape
    chunk = max(1, int(_NOISE_BYTES / (steps * size * 8)))
    for first in range(0, trials, chunk):
        part = drive.trials(first, min(first + chunk, trials))
        _in_session(target, partial(_run_chunk, network, part, results, first, report))


def _in_session(target: str, work: Callable[[], None]) -> None:
    """Do what needs Brian2; where its modules have no room in the cache, with them elsewhere."""
    try:
        with session(target):
            work()
    except OSError as error:
        if target != "cython":
            raise
        # The second time there is no other place, and a sentence says so.
        cache_folder.do_without(error)
        _in_session(target, work)


def _run_chunk(
    network: SpikingNetwork,
    drive: Drive,
    results: Results,
    first: int,
    report: Callable[[float], None],
) -> None:
    form = form_of(network, drive, results.kept.wanted, counted=False)
    model = build(form, _Arrays(network, drive, form))
    for number, group in enumerate(model.groups):
        constants = constant_values(network, form, number)
        constants |= window_values(form, number, results.kept.wanted)
        for name, value in constants.items():
            setattr(group.neurons, name, np.tile(value, drive.n_trials) if value.ndim else value)
        for name, value in start_values(network, form, number, drive).items():
            setattr(group.neurons, name, value)
    brian2.seed(run_seed(drive))

    def on_report(_elapsed: object, done: float, *_: object) -> None:
        report((first + done * drive.n_trials) / results.shape[0])

    duration = form.steps * form.dt_ms * brian2.ms
    # What overflows is reported afterwards, in a sentence.
    with np.errstate(over="ignore", invalid="ignore"):
        model.net.run(duration, report=on_report, report_period=0.5 * brian2.second)
    _gather(model, form, results, first)


def _gather(model: Model, form: Form, results: Results, first: int) -> None:
    for number in form.neurons:
        group, mine = model.groups[number], form.populations[number]
        results.take(number, first, form.trials, _left(group, mine, margins=form.margins))


def _left(group: Group, mine: PopulationForm, *, margins: bool) -> Left:
    spikes, neurons = group.spikes, group.neurons
    return Left(
        fired=np.empty(0, dtype=np.int32) if spikes is None else np.asarray(spikes.i),
        times_s=np.empty(0) if spikes is None else np.asarray(spikes.t / brian2.second),
        samples={name: np.asarray(getattr(group.samples, name)).T for name in mine.sampled},
        final={
            name: np.asarray(getattr(neurons, name))
            for name in dict.fromkeys((*mine.states, *mine.sampled))
        },
        window={name: np.asarray(getattr(group.window, name)) for name in mine.stepped},
        margins_mv=np.asarray(neurons.margin) if margins else None,
    )


class _Arrays:
    """Input, noise and synapses of the trials of a drive, as arrays."""

    def __init__(self, network: SpikingNetwork, drive: Drive, form: Form) -> None:
        self.network, self.trials, self.form = network, drive.n_trials, form
        dt = form.dt_ms * brian2.ms
        self.space: dict[str, object] = {"input_offset": form.sample_offset_steps * dt}
        for number, projection in enumerate(form.projections):
            if projection.source < 0:
                values = input_values(network, number, drive)
                stepwise = projection.given
                self._add(f"u_{number}", values, dt if stepwise else form.sample_steps * dt)
            elif projection.late and projection.graded:
                name = f"late_values_{number}"
                self.space[name] = late_function(name, self._delays(number))
        if any(population.noise == "given" for population in form.populations):
            noise = NoiseStream(network, drive).take(form.steps)
            for number, population in enumerate(network.populations):
                mine = noise[:, :, network.span(population.name)].reshape(form.steps, -1)
                self._add(f"noise_{number}", mine, dt)
        if drive.stimulation:
            kicks = drive.kicks().take(range(form.steps))
            for m in range(len(drive.stimulation)):
                self._add(f"kick_{m}", kicks[:, m], dt)

        for number in range(len(form.neurons), len(form.populations)):
            name, (table, _) = f"train_{number}", train(network, number, drive)
            self.space[name] = _table(name, table)

    def _add(self, name: str, values: Array, dt: brian2.Quantity) -> None:
        self.space[name] = brian2.TimedArray(values, dt=dt, name=name)

    def namespace(self) -> dict[str, object]:
        return self.space

    def input(self, number: int) -> str:
        if self.form.projections[number].given:
            return f"u_{number}(t, i)"
        return f"u_{number}(t + input_offset, i)"

    def given_noise(self, number: int) -> str:
        return f"noise_{number}(t, i)"

    def kick(self, stimulation: int, number: int) -> str:
        # Trial after trial lie the neurons of the group.
        return f"kick_{stimulation}(t, i // {self.form.populations[number].size})"

    def late(self, number: int) -> str:
        return f"late_values_{number}(emitted, t_in_timesteps, i)"

    def _delays(self, number: int) -> NDArray[np.int32]:
        """Of each neuron of the group, steps."""
        return np.tile(delay_values(self.network, self.form, number), self.trials)

    def delay(self, relay: brian2.Synapses, number: int) -> None:
        relay.delay = self._delays(number) * self.form.dt_ms * brian2.ms

    def connect(self, synapses: brian2.Synapses, number: int, factor: int) -> None:
        columns = self.network.projections[number].factors[factor]
        n_post, n_pre = columns.shape
        pre = np.repeat(np.arange(n_pre), np.diff(columns.indptr))
        trial = np.arange(self.trials)[:, None]
        target = brian2.prefs["codegen.target"]
        # Cython would compile a module for it, to copy arrays once.
        brian2.prefs["codegen.target"] = "numpy"
        synapses.connect(
            i=(pre + trial * n_pre).ravel(), j=(columns.indices + trial * n_post).ravel()
        )
        brian2.prefs["codegen.target"] = target
        synapses.w = np.tile(columns.data, self.trials)


def _table(name: str, table: NDArray[np.int32]) -> Function:
    """A function that gives the whole number at a place of a table."""
    function = Function(
        pyfunc=lambda place: table[place],
        arg_units=[1],
        arg_types=["integer"],
        return_unit=1,
        return_type="integer",
    )
    in_numpy(function)
    code = f"""
    cdef int {name}(int place) noexcept:
        global _namespace{name}_values
        return _namespace{name}_values[place]
    """
    values = {f"{name}_values": table}
    function.implementations.add_implementation("cython", code, namespace=values)
    return function
