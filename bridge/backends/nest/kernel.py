"""One trial in NEST's kernel, which is emptied before it.

Two steps go before the trial. Currents of devices take two steps to a neuron, so noise and input
are there from the first step of the trial on; and neurons that start refractory are made to fire in
the step before it, when nothing is connected that could see it.
"""

import io
import sys
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridge.backends.nest.model import (
    Parameters,
    Port,
    delay_steps,
    input_currents,
    lif,
    membrane_tau_ms,
    noise_weights,
    ports,
    tics_per_ms,
)
from bridge.errors import BackendError
from bridge.spiking.drive import Drive
from bridge.spiking.network import SpikingNetwork

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]

_BEFORE = 2
# What was recorded in the last steps is handed over only in the steps after them.
_AFTER = 2
# Far from every voltage, mV.
_FAR_MV = 1e30


@dataclass(frozen=True)
class Trial:
    """What one trial leaves behind.

    Attributes:
        step: (S,) step of each spike.
        neuron: (S,) neuron of each spike.
        voltages_mv: (T, N) at the end of each sample, mV; None unless asked for.
    """

    step: Numbers
    neuron: Numbers
    voltages_mv: Array | None


def simulator() -> Any:
    """NEST, imported without its greeting and with the loader's flags left as they were."""
    flags = sys.getdlopenflags()
    try:
        with redirect_stdout(io.StringIO()):
            import nest
    finally:
        sys.setdlopenflags(flags)
    return nest


def load_its_packages() -> None:
    """Import the packages that NEST imports, so that processes forked from this one need not.

    They take most of the time of its import, and are nothing of its session.
    """
    for name in ("h5py", "matplotlib.patches", "pandas"):
        # Of one that is broken, which fails in ways of its own, NEST's own import tells.
        with suppress(Exception):
            import_module(name)


class Kernel:
    """NEST ready for the trials of one network."""

    def __init__(self, network: SpikingNetwork, parameters: Parameters) -> None:
        self._nest = simulator()
        self._network, self._parameters = network, parameters
        self._noise = noise_weights(network, parameters)
        self._ports = [
            (part, ports(part, network, parameters))
            for part in network.projections
            if not network.is_analog(part.source)
        ]

    def run(self, drive: Drive, seed: int, *, voltages: bool) -> Trial:
        """The one trial of a drive.

        Raises:
            BackendError: NEST refused something.
        """
        try:
            return self._run(drive, seed, voltages=voltages)
        except self._nest.NESTError as error:
            raise BackendError(f"NEST failed: {error}") from None

    def _run(self, drive: Drive, seed: int, *, voltages: bool) -> Trial:
        nest, dt_ms = self._nest, self._network.dt_ms
        self._reset(seed)
        neurons = nest.Create(
            "iaf_psc_exp_multisynapse", self._network.size, params=self._parameters_of_neurons()
        )
        recorder = nest.Create("spike_recorder", params={"time_in_steps": True})
        meter = self._meter() if voltages else None
        if meter is not None:
            nest.Connect(meter, neurons, syn_spec={"delay": dt_ms})
        self._connect_noise()
        self._connect_input(drive)
        self._start(neurons, drive)
        self._connect_synapses(drive)
        nest.Connect(neurons, recorder, syn_spec={"delay": dt_ms})
        nest.Simulate((drive.n_steps(self._network) + _AFTER) * dt_ms)
        return self._trial(drive, recorder, meter)

    def _reset(self, seed: int) -> None:
        nest, dt_ms = self._nest, self._network.dt_ms
        nest.ResetKernel()
        nest.verbosity = nest.VerbosityLevel.ERROR
        longest = max((int(delay_steps(part).max(initial=1)) for part, _ in self._ports), default=1)
        # Delays must be known before the first step.
        nest.set(
            tics_per_ms=tics_per_ms(dt_ms), resolution=dt_ms, local_num_threads=1, rng_seed=seed
        )
        nest.set(min_delay=dt_ms, max_delay=longest * dt_ms)

    def _parameters_of_neurons(self) -> list[dict[str, Any]]:
        """Parameters of every neuron that no start changes."""
        found: list[dict[str, Any]] = []
        for population in self._network.populations:
            neurons = lif(population.neurons)
            tau_ms = membrane_tau_ms(neurons, self._network.dt_ms, self._parameters)
            taus = [port.tau_ms for port in self._ports_of(population.name)]
            rest = np.asarray(neurons.v_rest_mv)
            for number in range(population.size):
                one = {"tau_m": tau_ms[number], "C_m": tau_ms[number], "E_L": rest[number]}
                one |= {"V_m": rest[number], "V_reset": -_FAR_MV, "V_th": _FAR_MV, "t_ref": 0.0}
                if taus:
                    one["tau_syn"] = np.array([tau[number] for tau in taus])
                found.append(one)
        return found

    def _ports_of(self, target: str) -> list[Port]:
        """All ports of a population, in the order of the projections."""
        return [port for part, own in self._ports if part.target == target for port in own]

    def _meter(self) -> Any:
        interval_ms = self._network.sample_steps * self._network.dt_ms
        return self._nest.Create(
            "multimeter",
            params={"record_from": ["V_m"], "time_in_steps": True}
            | {"interval": interval_ms, "offset": _BEFORE * self._network.dt_ms},
        )

    def _connect_noise(self) -> None:
        """One generator, which draws anew for each neuron; the weights give the s.d."""
        noisy = np.flatnonzero(self._noise)
        if not noisy.size:
            return
        nest, dt_ms = self._nest, self._network.dt_ms
        source = nest.Create("noise_generator", params={"std": 1.0, "dt": dt_ms})
        self._connect(np.full(noisy.size, source.global_id), noisy + 1, self._noise[noisy], dt_ms)

    def _connect_input(self, drive: Drive) -> None:
        starts, currents = input_currents(self._network, drive)
        driven = np.flatnonzero(currents.any(axis=0))
        if not driven.size:
            return
        nest, dt_ms = self._nest, self._network.dt_ms
        # A current set for time t acts in the step from t + 1 on; the trial starts at 2.
        times = (starts + _BEFORE - 1) * dt_ms
        sources = nest.Create(
            "step_current_generator",
            driven.size,
            params=[
                {"amplitude_times": times, "amplitude_values": currents[:, number]}
                for number in driven
            ],
        )
        self._connect(np.array(sources.tolist()), driven + 1, np.ones(driven.size), dt_ms)

    def _start(self, neurons: Any, drive: Drive) -> None:
        """The two steps before the trial, and the state in which it starts."""
        nest, dt_ms = self._nest, self._network.dt_ms
        nest.Simulate((_BEFORE - 1) * dt_ms)
        for population in self._network.populations:
            steps = population.neurons.initial_refractory_steps
            if steps:
                mine = neurons[self._network.span(population.name)]
                mine.set(V_reset=-2 * _FAR_MV, V_th=-_FAR_MV, t_ref=steps * dt_ms)
        nest.Simulate(dt_ms)
        v_mv = drive.initial_voltages_mv(self._network)[0]
        for population in self._network.populations:
            span, model = self._network.span(population.name), lif(population.neurons)
            neurons[span].set(
                V_th=np.asarray(model.v_threshold_mv),
                V_reset=np.asarray(model.v_reset_mv),
                V_m=v_mv[span],
                I_e=np.asarray(model.bias_mv),
                t_ref=model.refractory_steps * dt_ms,
            )

    def _connect_synapses(self, drive: Drive) -> None:
        gain = 1.0 if drive.recurrent_gain is None else float(drive.recurrent_gain[0])
        before = dict.fromkeys((population.name for population in self._network.populations), 0)
        firing = self._spiking_inputs(drive)
        for part, own in self._ports:
            first, factor = firing.get(part.source, 0), 1.0
            if not first:
                first = self._network.span(part.source).start + 1
                factor = gain if part.scaled else 1.0
            columns = part.synapses()
            pre = np.repeat(np.arange(part.shape[1]), np.diff(columns.indptr))
            post = columns.indices
            for port in own:
                before[part.target] += 1
                self._connect(
                    pre + first,
                    post + self._network.span(part.target).start + 1,
                    columns.data * port.weight[post] * factor,
                    delay_steps(part)[pre] * self._network.dt_ms,
                    before[part.target],
                )

    def _spiking_inputs(self, drive: Drive) -> dict[str, int]:
        """A generator for each unit; the number of the first one of each input."""
        nest, dt_ms, firing = self._nest, self._network.dt_ms, {}
        for name, spikes in drive.spikes.items():
            order = np.argsort(spikes.neuron, kind="stable")
            edges = np.searchsorted(spikes.neuron[order], np.arange(1, spikes.n_neurons))
            # As neurons do, they stamp the end of a step.
            times = (spikes.step[order].astype(np.int64) + _BEFORE + 1) * dt_ms
            trains = [{"spike_times": own} for own in np.split(times, edges)]
            firing[name] = nest.Create("spike_generator", spikes.n_neurons, params=trains)
        return {name: int(nodes[0].global_id) for name, nodes in firing.items()}

    def _connect(
        self, pre: Any, post: Any, weights: Array, delay_ms: ArrayLike, receptor: int = 0
    ) -> None:
        """One connection for each weight; `pre` and `post` count NEST's nodes from 1."""
        if not weights.size:
            return
        self._nest.Connect(
            pre,
            post,
            "one_to_one",
            {
                "weight": weights,
                "delay": np.full(weights.size, delay_ms),
                "receptor_type": np.full(weights.size, receptor),
            },
        )

    def _trial(self, drive: Drive, recorder: Any, meter: Any) -> Trial:
        steps = drive.n_steps(self._network)
        spikes = recorder.events
        # NEST stamps the end of a step, the contract counts from 0.
        step = np.asarray(spikes["times"]).astype(np.int64) - _BEFORE - 1
        inside = step < steps
        neuron = np.asarray(spikes["senders"]).astype(np.int64) - 1
        voltages = None
        if meter is not None:
            voltages = self._voltages(meter.events, len(drive.inputs))
        return Trial(step[inside], neuron[inside], voltages)

    def _voltages(self, events: dict[str, NDArray[Any]], samples: int) -> Array:
        """(T, N) voltages at the end of each sample, mV."""
        after = np.asarray(events["times"]).astype(np.int64) - _BEFORE
        sample = after // self._network.sample_steps - 1
        neuron = np.asarray(events["senders"]).astype(np.int64) - 1
        kept = (sample >= 0) & (sample < samples)
        voltages = np.full((samples, self._network.size), np.nan)
        voltages[sample[kept], neuron[kept]] = events["V_m"][kept]
        return voltages
