"""What the agreement gate found."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bridge.compare.exactness import ExactComparison
from bridge.compare.probes.battery import ProbeReport
from bridge.compare.statistics.comparison import (
    StatisticalComparison,
)
from bridge.compare.statistics.settled import from_ms_of, settled
from bridge.compare.statistics.spike_statistics import summary
from bridge.methods.error_curve import ErrorCurve
from bridge.methods.faithfulness import Faithfulness
from bridge.methods.scale_search import Search
from bridge.methods.scoring import Score, score_of
from bridge.rate.network import RateNetwork
from bridge.spiking.drive import Drive
from bridge.spiking.essentials import as_table, in_a_line, names, of_task, several
from bridge.spiking.network import SpikingNetwork
from bridge.spiking.recording import Recording
from bridge.tasks import Task, Trials


@dataclass(frozen=True, kw_only=True, eq=False)
class Agreement:
    """What the gate found.

    Attributes:
        network: What was run; None where recordings of others were compared.
        labels: The sides: the first is held against each other one.
        exact: The first side against others under the same frozen noise.
        probes: Backends against formulas.
        statistical: The first side against others under noise of their own.
        frozen: Recording of each side under the same frozen noise.
        seconds: Wall time of each of these runs, its building included.
        seed: Decides trials, noise and initial voltages.
        fault: What was put in on purpose, in words, or "".
        task: The network's, if it was shown trials of it.
        trials: The task's trials of `frozen`, where the network has a task.
        own_trials: The task's trials that the recordings of `statistical` were shown first to last.
        drive: What a network without a task was driven with.
        rate_outputs: (T, B, O) what the rate network answers to them, if there is one.
        rate: The rate network it was made from, if known.
        search: The search for its scale factor or gain, if known.
        curves: Output error against spikes of the neurons it was made of, and of other kinds that
            were searched with them, if known.
        faithfulness: The first side compared with the rate network, if there is one. Whether it
            still does the same is another question than whether simulators agree.
        from_ms: Start of the part of each trial in which rates, intervals and correlations are
            described; None: as `bridge.compare.statistics.settled` finds for each recording. All
            spikes are judged.
    """

    network: SpikingNetwork | None
    labels: tuple[str, ...]
    exact: tuple[ExactComparison, ...] = ()
    probes: tuple[ProbeReport, ...] = ()
    statistical: tuple[StatisticalComparison, ...] = ()
    frozen: dict[str, Recording]
    seconds: dict[str, float]
    seed: int
    fault: str = ""
    task: Task | None = None
    trials: Trials | None = None
    own_trials: Trials | None = None
    drive: Drive | None = None
    rate_outputs: NDArray[np.float64] | None = None
    rate: RateNetwork | None = None
    search: Search | None = None
    curves: tuple[ErrorCurve, ...] = ()
    faithfulness: Faithfulness | None = None
    from_ms: float | None = None

    __repr__ = in_a_line
    _repr_html_ = as_table

    def rows_told(self) -> dict[str, str]:
        """Its essentials, as `bridge.spiking.essentials.Rows` says."""
        held = (("exact", self.exact), ("probe", self.probes), ("statistical", self.statistical))
        levels = names(level for level, found in held if found)
        return {
            "sides": names(self.labels),
            "verdict": f"{'agreed' if self.agreed else 'differ'} on {levels or 'no level'}",
            "seed": f"seed {self.seed}",
            "size": "" if self.network is None else several(self.network.size, "neuron"),
            "task": "" if self.network is None else of_task(self.network.task),
            "fault": self.fault,
        }

    @property
    def agreed(self) -> bool:
        """Whether no level found a difference."""
        return (
            all(found.agreed for found in self.exact)
            and all(found.agreed for found in self.probes)
            and all(found.agreed for found in self.statistical)
        )

    @property
    def conversion_failed(self) -> bool:
        """Whether the spiking network has lost what its rate network can do."""
        return self.faithfulness is not None and self.faithfulness.failed

    def statistics(self) -> dict[str, dict[str, float]]:
        """Described, not judged: statistics of each recording, by name of the statistic."""
        table: dict[str, dict[str, float]] = {}
        for label, recording in self.described().items():
            for name, value in self._described(recording).items():
                table.setdefault(name, {})[label] = value
        return table

    def described(self) -> dict[str, Recording]:
        """A recording of each side: under its own noise where there is one, else as it is."""
        found = dict(self.frozen)
        for comparison in self.statistical:
            found[comparison.labels[0]] = comparison.sets[0]
            found[comparison.labels[1]] = comparison.sets[-1]
        return {label: found[label] for label in self.labels if label in found}

    def _described(self, recording: Recording) -> dict[str, float]:
        values = summary(settled(recording, from_ms_of(self.from_ms, recording)))
        for name, outputs in recording.readouts.items():
            if not outputs.size:
                continue
            values[f"readout {name}: mean"] = float(outputs.mean())
            values[f"readout {name}: s.d."] = float(outputs.std())
        made = self.own_trials if self.statistical else self.trials
        if self.task is not None and made is not None and recording.readouts:
            shown = made.chosen(np.arange(recording.spikes.n_trials))
            values |= _scored(score_of(self.task, shown, recording))
        return values


def _scored(found: Score) -> dict[str, float]:
    """A score by the names of what it says."""
    values = {} if found.correct is None else {"accuracy (%)": 100 * found.accuracy}
    if found.measured is not None:
        unit = f" ({found.measured.unit})" if found.measured.unit else ""
        for part in ("median", "lowest", "highest"):
            values[f"{found.measured.name}{unit}: {part}"] = getattr(found.measured, part)
    return values
