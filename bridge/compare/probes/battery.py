"""Probes: small runs whose outcome follows from a formula, for simulators that integrate otherwise.

They are made from the network that is compared: its neurons, its synapses, its input. What a
backend answers is read from the voltages, from which the membrane's own step gives back the
current, and held against the formula of the description.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bridge.compare.account import Parts
from bridge.compare.probes.findings import Finding
from bridge.compare.probes.input import probe_input
from bridge.compare.probes.input_spikes import probe_input_spikes
from bridge.compare.probes.neurons import probe_currents, probe_noise, probe_refractory
from bridge.compare.probes.synapses import probe_synapses
from bridge.compare.sides import Side
from bridge.errors import SpecError
from bridge.spiking.essentials import essentials
from bridge.spiking.network import SpikingNetwork

Report = Callable[[str, float], None]


@dataclass(frozen=True, kw_only=True)
class ProbeReport:
    """What the probes found of one backend.

    Attributes:
        label: The backend.
        findings: Each thing that was held against a formula.
    """

    label: str
    findings: tuple[Finding, ...]

    __repr__ = essentials

    @property
    def agreed(self) -> bool:
        """Whether everything is as the formulas have it."""
        return all(finding.passed for finding in self.findings)


_EMITS = {"value": "values", "nothing": "nothing"}

_PROBES = {
    "synapses": probe_synapses,
    "input": probe_input,
    "refractory period": probe_refractory,
    "f-I curve": probe_currents,
    "noise": probe_noise,
    # Last, since a probe's number decides what it draws.
    "spikes of inputs": probe_input_spikes,
}


def check_probes(network: SpikingNetwork) -> None:
    """Raise SpecError for networks whose membranes take steps that formulas do not follow."""
    for part in network.populations:
        if part.neurons.emits != "spikes":
            raise SpecError(
                f"population {part.name}: probes are made of spikes, and {part.neurons.title} "
                f"neurons emit {_EMITS[part.neurons.emits]}"
            )
        left = part.neurons.leaves(network.dt_ms)
        tau_ms = part.neurons.arrays().get("tau_mem_ms")
        long = tau_ms is not None and network.dt_ms >= float(np.min(tau_ms))
        if long and (left is None or np.any(left <= 0)):
            raise SpecError(
                f"population {part.name}: probes need a time step below the membrane's time "
                f"constant, got {network.dt_ms:g} ms"
            )


def run_probes(network: SpikingNetwork, side: Side, seed: int, on_progress: Report) -> ProbeReport:
    """Probe a backend with the parts of a network.

    Args:
        network: Whose neurons, synapses and inputs are probed.
        side: The backend.
        seed: Decides the noise, and which synapses are probed where there are very many.
        on_progress: Called with what is being done and its fraction done.

    Raises:
        SpecError: a time step is as long as a membrane's time constant.
    """
    check_probes(network)
    findings: list[Finding] = []
    what = _run_of(side)
    for number, probe in enumerate(_PROBES.values()):
        on_progress(what, number / len(_PROBES))
        findings += probe(network, side, np.random.default_rng((seed, number)))
    on_progress(what, 1.0)
    return ProbeReport(label=side.label, findings=tuple(findings))


def probe_parts(sides: tuple[Side, ...]) -> Parts:
    """The part that `run_probes` reports, for each side."""
    return {_run_of(side): 1.0 for side in sides}


def _run_of(side: Side) -> str:
    return f"{side.label}, probes"
