"""What is compared: a backend with its options, and with a fault if one is put in."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from bridge import backends as simulators
from bridge.backends import parse_backend
from bridge.compare.faults import Fault
from bridge.errors import SpecError
from bridge.spiking.computed_readouts import with_computed_readouts, with_computed_units
from bridge.spiking.drive import Drive
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.recording import Recording

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Side:
    """One side of a comparison.

    Attributes:
        label: What it is called, such as "brian2:numpy" or "snntorch with weights-0.98".
        backend: Name of the backend.
        options: Its options.
        fault: What is wrong with it, or None.
    """

    label: str
    backend: str
    options: dict[str, Any] = field(default_factory=dict)
    fault: Fault | None = None

    @property
    def exact(self) -> bool:
        """Whether it claims identical spikes under frozen noise."""
        return simulators.claims_exact(self.backend, self.options)

    def run(
        self,
        network: SpikingNetwork,
        drive: Drive,
        on_progress: Progress | None = None,
        **what: Any,
    ) -> Recording:
        """Run a network, with the fault if there is one; `what` says what to record.

        Raises:
            SpecError: the fault has nothing to touch in this network.
        """
        if self.fault is not None and not self.fault.of_readouts:
            network, drive = self.fault.change(network, drive)
        return self._simulated(network, drive, on_progress, what)

    def run_computed(self, network: SpikingNetwork, drive: Drive) -> Recording:
        """The same with the readouts computed inside the simulator; with the fault, too.

        Raises:
            SpecError: the backend takes no such network.
        """
        if self.fault is not None and not self.fault.of_readouts:
            network, drive = self.fault.change(network, drive)
        computed = with_computed_readouts(network)
        drive = with_computed_units(drive, computed)
        if self.fault is not None and self.fault.of_readouts:
            computed, drive = self.fault.change(computed, drive)
        return self._simulated(computed, drive, None, {})

    def run_probe(self, network: SpikingNetwork, drive: Drive, **what: bool) -> Recording:
        """The same for a network that tests one thing: what the fault cannot touch is run as is."""
        if self.fault is not None:
            with suppress(SpecError):
                network, drive = self.fault.change(network, drive)
        return self._simulated(network, drive, None, what)

    def _simulated(
        self,
        network: SpikingNetwork,
        drive: Drive,
        on_progress: Progress | None,
        what: dict[str, bool],
    ) -> Recording:
        return simulators.simulate(
            network, drive, backend=self.backend, on_progress=on_progress, **self.options, **what
        )


def sides_of(labels: tuple[str, ...], fault: Fault | None) -> tuple[Side, ...]:
    """The sides of a comparison; a fault is put into every one but the first.

    Raises:
        SpecError: fewer than two, or two that are the same.
    """
    parsed = [(label, *parse_backend(label)) for label in labels]
    if len(labels) < 2 or (fault is None and len(set(labels)) < len(labels)):
        raise SpecError(f"backends: name at least two different ones, got {', '.join(labels)}")
    if len(set(labels[1:])) < len(labels) - 1:
        raise SpecError(f"backends: name none but the first twice, got {', '.join(labels)}")
    first, *others = (Side(label, name, options) for label, name, options in parsed)
    if fault is None:
        return (first, *others)
    faulty = (
        Side(f"{side.label} with {fault.name}", side.backend, side.options, fault)
        for side in others
    )
    return (first, *faulty)
