"""The cross-check: the same network on several backends, exactly and in its statistics."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bridge import backends as simulators
from bridge.compare.exactness import ExactComparison, compare_exactly
from bridge.compare.statistics import summary
from bridge.errors import SpecError
from bridge.methods.scale_search import Conversion, ScaleSearch
from bridge.methods.scoring import COMPARE, accuracy, task_drive
from bridge.rate.network import RateNetwork
from bridge.spiking.drive import Drive, OwnNoise, SharedNoise, derived_seed
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.recording import Recording
from bridge.tasks import Trials

# Beside the streams of trials and noise, `COMPARE`.
_RATE_STREAM, _OWN_STREAM = 2, 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Agreement:
    """What a cross-check found.

    Attributes:
        network: What was run.
        labels: The backends, as they were asked for.
        exact: The first backend against each other one, under the same frozen noise.
        frozen: Recording of each backend under the same frozen noise.
        independent: Recording of each backend under noise of its own generator.
        seconds: Wall time of each backend's run under frozen noise, its building included.
        seed: Decides trials, noise and initial voltages.
        trials: The task's trials, where the network has a task.
        rate_outputs: (T, B, O) what the rate network answers to the same trials, if there is one.
        rate: The rate network it was made from, if known.
        search: The search for its scale factor, if known.
    """

    network: SpikingNetwork
    labels: tuple[str, ...]
    exact: tuple[ExactComparison, ...]
    frozen: dict[str, Recording]
    independent: dict[str, Recording]
    seconds: dict[str, float]
    seed: int
    trials: Trials | None
    rate_outputs: NDArray[np.float64] | None
    rate: RateNetwork | None
    search: ScaleSearch | None

    @property
    def agreed(self) -> bool:
        """Whether all backends fired identical spikes under the same noise."""
        return all(comparison.identical for comparison in self.exact)

    def statistics(self) -> dict[str, dict[str, float]]:
        """Statistics of each backend's run under its own noise, by name of the statistic."""
        table: dict[str, dict[str, float]] = {}
        for label, recording in self.independent.items():
            for name, value in self._described(recording).items():
                table.setdefault(name, {})[label] = value
        return table

    def _described(self, recording: Recording) -> dict[str, float]:
        values = summary(recording)
        for name, outputs in recording.readouts.items():
            values[f"readout {name}: mean"] = float(outputs.mean())
            values[f"readout {name}: s.d."] = float(outputs.std())
        if self.trials is not None and recording.readouts:
            values["accuracy (%)"] = 100 * accuracy(self.network, self.trials, recording)
        return values


def compare(
    what: Conversion | SpikingNetwork,
    *,
    backends: Sequence[str] = ("brian2", "snntorch"),
    trials: int = 20,
    seed: int = 0,
    drive: Drive | None = None,
    on_progress: Callable[[str, float], None] | None = None,
) -> Agreement:
    """Run a network on several backends, under the same noise and under noise of their own.

    Args:
        what: A spiking network, or a conversion that holds one.
        backends: At least two of "reference", "brian2", "snntorch"; a target or device may
            follow, as in "brian2:standalone" or "snntorch:cuda".
        trials: Trials of the network's task, where no drive is given.
        seed: Decides trials, noise and initial voltages.
        drive: What to drive a network without a task with; its noise is replaced by `seed`'s.
        on_progress: Called with what is being done and its fraction done.

    Raises:
        SpecError: fewer than two backends, an unknown one, or neither a task nor a drive.
    """
    conversion = what if isinstance(what, Conversion) else None
    network = what.network if isinstance(what, Conversion) else what
    labels = tuple(backends)
    options = {label: parse_backend(label) for label in labels}
    if len(options) != len(labels) or len(labels) < 2:
        raise SpecError(f"backends: name at least two different ones, got {', '.join(labels)}")
    made, drive = _trials_and_drive(network, trials, seed, drive)
    report = on_progress or (lambda _what, _fraction: None)
    frozen, independent, seconds = {}, {}, {}
    for number, (label, (backend, extra)) in enumerate(options.items()):
        started = time.monotonic()
        frozen[label] = simulators.simulate(
            network,
            drive,
            backend=backend,
            voltages=True,
            margins=True,
            on_progress=partial(report, f"{label}, same noise"),
            **extra,
        )
        seconds[label] = time.monotonic() - started
        own = replace(drive, noise=OwnNoise(seed=derived_seed(seed, _OWN_STREAM, number)))
        independent[label] = simulators.simulate(
            network,
            own,
            backend=backend,
            on_progress=partial(report, f"{label}, own noise"),
            **extra,
        )
    pairs = [(labels[0], label) for label in labels[1:]]
    return Agreement(
        network=network,
        labels=labels,
        exact=tuple(
            compare_exactly(network, pair, frozen[pair[0]], frozen[pair[1]]) for pair in pairs
        ),
        frozen=frozen,
        independent=independent,
        seconds=seconds,
        seed=seed,
        trials=made,
        rate_outputs=_rate_outputs(conversion, made, seed),
        rate=conversion.rate if conversion else None,
        search=conversion.search if conversion else None,
    )


def parse_backend(label: str) -> tuple[str, dict[str, Any]]:
    """A backend's name and options from "name" or "name:option"."""
    name, _, option = label.partition(":")
    simulators.check_name(name)
    keys = {"brian2": "target", "snntorch": "device"}
    if option and name not in keys:
        raise SpecError(f"backend {name} takes no option, got {label!r}")
    return name, {keys[name]: option} if option else {}


def _trials_and_drive(
    network: SpikingNetwork, trials: int, seed: int, drive: Drive | None
) -> tuple[Trials | None, Drive]:
    if drive is None:
        return task_drive(network, trials, seed)
    return None, replace(drive, noise=SharedNoise(seed=derived_seed(seed, COMPARE[1])))


def _rate_outputs(
    conversion: Conversion | None, made: Trials | None, seed: int
) -> NDArray[np.float64] | None:
    if conversion is None or made is None:
        return None
    rng = np.random.default_rng((seed, _RATE_STREAM))
    return conversion.rate.run(made.inputs, rng)[0]
