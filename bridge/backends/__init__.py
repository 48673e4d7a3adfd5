"""Simulators of one contract: `simulate(network, drive, ...) -> Recording`, each a module."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from bridge.backends.arithmetic import plain_arithmetic
from bridge.errors import SpecError
from bridge.spiking.drive import Drive
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.recording import Recording

NAMES = ("reference", "brian2", "snntorch", "nest")


def check_name(name: str) -> None:
    """Raise SpecError unless there is a backend of that name."""
    if name not in NAMES:
        raise SpecError(f"unknown backend {name!r}; known are {', '.join(NAMES)}")


def load(name: str) -> Callable[..., Recording]:
    """The `simulate` function of a backend: the only place that imports a simulator."""
    check_name(name)
    simulate: Callable[..., Recording] = import_module(f"bridge.backends.{name}").simulate
    return simulate


def simulate(
    network: SpikingNetwork,
    drive: Drive,
    *,
    backend: str = "reference",
    on_progress: Callable[[float], None] | None = None,
    **options: Any,
) -> Recording:
    """Run a spiking network on a backend.

    Args:
        network: What to run, N neurons.
        drive: Input (T, B, C), noise and start of B trials.
        backend: "reference", "brian2", "snntorch" or "nest". Under `SharedNoise` or `FrozenNoise`
            the first three fire the same spikes in float64; "nest" takes `OwnNoise` only, and
            agrees in distribution.
        on_progress: Called with the fraction done.
        **options: All backends: `voltages`, `margins` (bool: what to record besides spikes).
            brian2: `target` ("numpy", "cython", "standalone"; default: standalone where there is a
            compiler), `workers`. snntorch: `dtype` ("float64", "float32"), `device` ("cpu",
            "cuda", "cuda:N"), `compiled`, `dense` (bool), `workers`. nest: `parameters` ("euler",
            "plain"), `workers`; it has no `margins`.

    Returns:
        Spikes as events and readouts (T, B, O).

    Raises:
        SpecError: the backend is unknown, takes no such option, or the drive does not fit.
        BackendError: the simulator cannot run here.
    """
    run = load(backend)
    try:
        with plain_arithmetic():
            return run(network, drive, on_progress=on_progress, **options)
    except TypeError as error:
        if "unexpected keyword argument" in str(error) and "simulate()" in str(error):
            raise SpecError(f"backend {backend}: {error}") from None
        raise
