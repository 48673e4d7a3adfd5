"""The time step of a graph: NIR states none, but exporters from discrete time leave its traces."""

import numpy as np

from bridge.errors import SpecError
from bridge.exchange.nir.flat import Flat, shown_names
from bridge.exchange.nir.metadata import DT_MS, number_in
from bridge.spiking.values import time_step_ms

# Exporters compute in float32.
_ALIKE = 1e-5
_QUOTIENTS = {
    "LI": (("tau", "r"),),
    "LIF": (("tau", "r"),),
    "CubaLI": (("tau_mem", "r"), ("tau_syn", "w_in")),
    "CubaLIF": (("tau_mem", "r"), ("tau_syn", "w_in")),
}


def step_ms(graph: Flat, given_ms: float | None, file: str) -> tuple[float, str]:
    """The time step, ms, and where it comes from, in words.

    Where neither a user nor our own metadata give it, it is inferred from r = tau / dt and
    w_in = tau_syn / dt, by which exporters make a step of the equations that of a discrete
    network: time constants of at least two lengths have to say the same, and none another.

    Raises:
        SpecError: it is not given, and the file does not make it certain.
    """
    if given_ms is not None:
        return time_step_ms("dt_ms", given_ms), "given"
    kept = number_in(graph.kept, DT_MS)
    if kept is not None:
        return time_step_ms("dt_ms", kept), "as the metadata say"
    quotients, taus = _quotients(graph)
    if len(taus) > 1 and min(quotients) > 0 and np.ptp(quotients) <= _ALIKE * np.max(quotients):
        found = float(f"{1000.0 * float(np.median(quotients)):.5g}")
        return found, "inferred from the file, where r = tau / dt or w_in = tau_syn / dt everywhere"
    hint = ""
    if graph.nodes and all(place.kind not in _QUOTIENTS for place in graph.nodes.values()):
        hint = "; where a step is to sum its input as it is, r = 1, that is 1000"
    raise SpecError(
        f"{file}: its time step is not known, since NIR states none and the numbers of "
        f"{shown_names(list(graph.nodes))} do not make it certain: give --dt-ms (dt_ms){hint}"
    )


def _quotients(graph: Flat) -> tuple[list[float], set[float]]:
    """Tau / r of all nodes where r is not 1, s, and the different lengths of tau among them."""
    found: list[float] = []
    taus: set[float] = set()
    for place in graph.nodes.values():
        for tau, gain in _QUOTIENTS.get(place.kind, ()):
            if not place.has(gain):
                continue
            try:
                one, other = np.broadcast_arrays(place.numbers(tau), place.numbers(gain))
            except ValueError:
                continue
            told = (other != 1.0) & (other != 0.0)
            if np.any(told):
                quotients = one[told] / other[told]
                found += [float(quotients.min()), float(quotients.max())]
                taus |= {float(f"{each:.4g}") for each in (one[told].min(), one[told].max())}
    return found or [0.0], taus
