"""The description as Brian2 objects: groups, synapses and the operations of a step.

No integrator of Brian2 does what the contract asks, so every equation is written out with
`run_regularly`, one binary operation a statement: Brian2 rewrites longer expressions and the
rounding changes. Slots of a step: `groups` membrane and noise; `thresholds`; `synapses` arrivals;
`after_synapses` filters; `resets`.

Inside Brian2 everything is named by its number, not by the user's names: networks of one form then
share their generated code, and compile once.
"""

from dataclasses import dataclass

import brian2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from bridge.backends.constants import Gates, gates, input_current, membrane
from bridge.spiking.drive import Drive
from bridge.spiking.filters import Direct
from bridge.spiking.network import INPUT, Projection, SpikingNetwork
from bridge.spiking.neurons import Population

Array = NDArray[np.float64]


@dataclass
class Group:
    """One population in all trials of the run: B * n neurons, trial after trial."""

    population: Population
    span: slice
    neurons: brian2.NeuronGroup
    spikes: brian2.SpikeMonitor
    voltages: brian2.StateMonitor | None
    noise: brian2.TimedArray | None
    constants: dict[str, Array]

    def set_constants(self, trials: int) -> None:
        """Give every neuron its constants, the same in each trial."""
        for name, value in self.constants.items():
            setattr(self.neurons, name, np.tile(value, trials))
        self.neurons.refractory_steps = self.population.neurons.refractory_steps

    def start_values(self, v_mv: Array, gain: Array, seed: int) -> dict[str, ArrayLike]:
        """What the variables are at the start of the trials: v_mv is (B, N), gain (B,)."""
        ones = np.ones((len(gain), self.population.size))
        left = self.population.neurons.initial_refractory_steps
        return {
            "v": v_mv[:, self.span].ravel(),
            "trial_gain": (gain[:, None] * ones).ravel(),
            "refractory_left": np.full(ones.size, left, dtype=np.int32),
            # Finite, so that the arithmetic that replaces it leaves nothing behind.
            "margin": np.full(ones.size, 1e300),
            "run_seed": seed,
        }


@dataclass
class Model:
    """A network of Brian2 objects for B trials side by side."""

    net: brian2.Network
    groups: list[Group]
    inputs: dict[str, brian2.TimedArray]


def build(
    network: SpikingNetwork, drive: Drive, noise_mv: Array | None, *, voltages: bool, margins: bool
) -> Model:
    """Brian2 objects for all trials of `drive`, with their constants.

    Args:
        network: What to build.
        drive: Its input, and the number of trials and steps.
        noise_mv: (K, B, N) noise to add, mV; None: Brian2 draws its own where there is any.
        voltages: Monitor the voltages at the end of each sample.
        margins: Keep the least distance from threshold.
    """
    dt = network.dt_ms * brian2.ms
    inputs = {
        projection.name: _timed(
            input_values(network, projection, drive), network.sample_steps * dt, f"u_{number}"
        )
        for number, projection in enumerate(network.projections)
        if projection.source == INPUT
    }
    net = brian2.Network()
    groups = []
    for population in network.populations:
        writer = _Statements(network, drive, population, inputs)
        groups.append(writer.group(net, noise_mv, voltages=voltages, margins=margins))
        groups[-1].set_constants(drive.n_trials)
    neurons = {group.population.name: group.neurons for group in groups}
    for number, projection in enumerate(network.projections):
        if projection.source != INPUT and projection.synapses().nnz:
            net.add(_synapses(number, projection, neurons, drive.n_trials, dt))
    return Model(net=net, groups=groups, inputs=inputs)


def input_values(network: SpikingNetwork, projection: Projection, drive: Drive) -> Array:
    """(T, B * n_post) input current of every sample."""
    current = input_current(projection, drive.inputs)
    return current.reshape(len(current), -1)


def _timed(values: Array, dt: brian2.Quantity, name: str) -> brian2.TimedArray:
    return brian2.TimedArray(values, dt=dt, name=name)


def _synapses(
    number: int,
    projection: Projection,
    neurons: dict[str, brian2.NeuronGroup],
    trials: int,
    dt: brian2.Quantity,
) -> brian2.Synapses:
    """Synapses within each trial, sorted by (pre, post): so every target sums in that order."""
    columns = projection.synapses()
    n_post, n_pre = projection.shape
    pre = np.repeat(np.arange(n_pre), np.diff(columns.indptr))
    trial = np.arange(trials)[:, None]
    synapses = brian2.Synapses(
        neurons[projection.source],
        neurons[projection.target],
        "w : 1",
        on_pre=f"arrived_{number}_post += w",
        delay=projection.delay_steps * dt,
        dt=dt,
        name=f"synapses_{number}",
    )
    synapses.connect(i=(pre + trial * n_pre).ravel(), j=(columns.indices + trial * n_post).ravel())
    synapses.w = np.tile(columns.data, trials)
    return synapses


class _Statements:
    """Writes the equations, the operations and the constants of one population."""

    def __init__(
        self,
        network: SpikingNetwork,
        drive: Drive,
        population: Population,
        inputs: dict[str, brian2.TimedArray],
    ) -> None:
        self.network, self.drive, self.population, self.inputs = network, drive, population, inputs
        self.dt = network.dt_ms * brian2.ms
        self.membrane = membrane(population.neurons, network.dt_ms)
        self.number = network.populations.index(population)
        self.into = {
            number: projection
            for number, projection in enumerate(network.projections)
            if projection.target == population.name
        }
        self.gates: dict[int, Gates] = {
            number: gates(projection.filter, network.dt_ms)
            for number, projection in self.into.items()
        }
        self.constants: dict[str, Array] = {
            "bias": self.membrane.bias,
            "factor": self.membrane.factor,
            "v_threshold": self.membrane.threshold,
            "v_reset": self.membrane.reset,
            "noise_sd": np.asarray(population.noise_mv),
            "dt_s": np.full(population.size, network.dt_ms / 1000.0),
        }
        self.variables = ["v", "current", "change", "stepped", "margin"]
        for number, gate in self.gates.items():
            self.variables += [f"x_{number}", f"h_{number}", f"arrived_{number}"]
            for part in ("decay", "rise", "gain"):
                if getattr(gate, part) is not None:
                    self.constants[f"{part}_{number}"] = getattr(gate, part)

    def group(
        self, net: brian2.Network, noise_mv: Array | None, *, voltages: bool, margins: bool
    ) -> Group:
        """The neurons with their operations and monitors, added to `net`."""
        size, trials = self.population.size, self.drive.n_trials
        span = self.network.span(self.population.name)
        given = None
        if noise_mv is not None:
            mine = noise_mv[:, :, span].reshape(len(noise_mv), -1)
            given = _timed(mine, self.dt, f"noise_{self.number}")
        neurons = brian2.NeuronGroup(
            trials * size,
            self._equations(),
            threshold="v >= v_threshold",
            reset="v = v_reset\nrefractory_left = refractory_steps",
            dt=self.dt,
            name=f"neurons_{self.number}",
            namespace=self._namespace(given),
        )
        self._run(neurons, "groups", self._membrane())
        self._run(neurons, "groups", self._noise(given), order=1)
        if margins:
            self._run(neurons, "before_thresholds", _MARGIN)
        self._run(neurons, "after_synapses", self._filters())
        spikes = brian2.SpikeMonitor(neurons, name=f"spikes_{self.number}")
        monitor = self._voltage_monitor(neurons) if voltages else None
        net.add(neurons, *neurons.contained_objects, spikes)
        if monitor is not None:
            net.add(monitor)
        return Group(self.population, span, neurons, spikes, monitor, given, self.constants)

    def _voltage_monitor(self, neurons: brian2.NeuronGroup) -> brian2.StateMonitor:
        # At the start of a step a monitor sees the end of the step before; the last is read off v.
        return brian2.StateMonitor(
            neurons,
            "v",
            record=True,
            dt=self.network.sample_steps * self.dt,
            when="start",
            name=f"voltages_{self.number}",
        )

    def _equations(self) -> str:
        lines = [f"{name} : 1" for name in self.variables]
        lines += [f"{name} : 1 (constant)" for name in [*self.constants, "trial_gain"]]
        counts = ["refractory_left : integer", "refractory_steps : integer (constant)"]
        return "\n".join([*lines, *counts, "run_seed : integer (shared)"])

    def _namespace(self, noise: brian2.TimedArray | None) -> dict[str, object]:
        space: dict[str, object] = {
            timed.name: timed for timed in [*self.inputs.values(), *([noise] if noise else [])]
        }
        return {**space, "input_offset": self.network.sample_offset_steps * self.dt}

    def _run(
        self, neurons: brian2.NeuronGroup, when: str, lines: list[str], order: int = 0
    ) -> None:
        if lines:
            neurons.run_regularly("\n".join(lines), dt=self.dt, when=when, order=order)

    def _membrane(self) -> list[str]:
        # Never a bare "current = bias": the numpy target would then add to bias itself.
        lines, total = [], "bias"
        for number, projection in self.into.items():
            x = f"x_{number}"
            if projection.source == INPUT and isinstance(projection.filter, Direct):
                lines.append(f"{x} = u_{number}(t + input_offset, i)")
            lines.append(f"current = {total} + {x}")
            total = "current"
        if not self.into:
            lines.append("current = bias")
        lines += _EULER if self.membrane.euler else _EXACT
        return [*lines, "refractory_left = refractory_left - int(refractory_left > 0)"]

    def _noise(self, given: brian2.TimedArray | None) -> list[str]:
        if given is not None:
            return [f"v = v + {given.name}(t, i)"]
        if np.any(self.constants["noise_sd"]):
            return ["stepped = randn()", "stepped = stepped * noise_sd", "v = v + stepped"]
        return []

    def _filters(self) -> list[str]:
        lines: list[str] = []
        for number, projection in self.into.items():
            gate = self.gates[number]
            x, h, arrived = f"x_{number}", f"h_{number}", f"arrived_{number}"
            if projection.source == INPUT:
                if gate.decay is None:
                    continue
                lines.append(f"{arrived} = u_{number}(t + input_offset, i)")
            elif self.drive.recurrent_gain is not None:
                lines.append(f"{arrived} = {arrived} * trial_gain")
            if gate.rise is not None:
                lines += [f"{x} = {x} * decay_{number}", f"change = {h} * dt_s"]
                lines += [f"{x} = {x} + change", f"{h} = {h} * rise_{number}"]
                lines += [f"{arrived} = {arrived} * gain_{number}", f"{h} = {h} + {arrived}"]
            elif gate.decay is not None:
                lines += [f"{x} = {x} * decay_{number}", f"{arrived} = {arrived} * gain_{number}"]
                lines.append(f"{x} = {x} + {arrived}")
            else:
                lines.append(f"{x} = {arrived}")
            lines.append(f"{arrived} = 0")
        return lines


_EULER = [
    "change = current - v",
    "change = change * factor",
    "change = change * int(refractory_left == 0)",
    "v = v + change",
]
_EXACT = [
    "change = v - current",
    "change = change * factor",
    "stepped = current + change",
    "stepped = stepped * int(refractory_left == 0)",
    "v = v * int(refractory_left > 0)",
    "v = v + stepped",
]
_MARGIN = [
    "change = abs(v - v_threshold)",
    "stepped = change * int(change < margin)",
    "margin = margin * int(change >= margin)",
    "margin = margin + stepped",
]
