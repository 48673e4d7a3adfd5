"""The two pieces of work of a study, as pure functions that may run in any process or machine.

Networks travel as the bytes of their files, checked when read; results are plain values.
"""

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bridge.backends import simulate
from bridge.errors import SpecError, TrainingError
from bridge.exchange.store import load, save
from bridge.methods.beside import RateAnswers, beside
from bridge.methods.conversion import convert_for
from bridge.methods.roads import known_by
from bridge.methods.scale_search import Conversion, ScaleSearch
from bridge.methods.scoring import COMPARE, drive_of, quick_run
from bridge.rate.network import RateNetwork
from bridge.rate.network_task import task_of
from bridge.rate.training_parts import train_each
from bridge.spiking.drive import derived_seed
from bridge.spiking.firing import rates_hz
from bridge.studies.details import details_of
from bridge.studies.study import Effort
from bridge.tasks import Task, draw, load_task_file
from bridge.temporary import temporary_folder

Row = dict[str, Any]

# Streams of a network's seed: its fresh trials are neither those of training nor of the search.
_SEARCH, _FRESH = 11, 12


# A part of a training takes so long at least, s: what goes on is written and read in between, which
# takes 0.08 s for a network of 200 units, and 8 s for a hundred of them.
PART_S = 60.0


def train_networks(
    task: str,
    options: Mapping[str, Any],
    seeds: Sequence[int],
    device: str = "cpu",
    begun: Sequence[bytes] = (),
) -> tuple[dict[int, bytes | str], dict[int, bytes]]:
    """Train networks together that differ in nothing but their seed, until some are done.

    Args:
        task: What they learn.
        options: Of their training; the seed among them is not used.
        seeds: One for each.
        device: Where.
        begun: The files of those that are to go on, in the order of their seeds; none: they begin.

    Returns:
        By seed the bytes of the files of those that are done, or why their training failed, and
        the bytes of those that are to go on.

    Raises:
        SpecError: the options make no sense.
    """
    _know_tasks()
    plain = {name: value for name, value in options.items() if name != "seed"}
    networks = [network_of(content) for content in begun]
    found = train_each(task, seeds, begun=networks, part_s=PART_S, device=device, **plain)
    done = {
        seed: str(one) if isinstance(one, TrainingError) else bytes_of(one)
        for seed, one in found.finished.items()
    }
    return done, {seed: bytes_of(one) for seed, one in found.unfinished.items()}


def measure_network(
    content: bytes, seed: int, variants: list[dict[str, Any]], effort: Effort, details: str
) -> list[Row]:
    """Make one rate network spike in every way that is asked for, and score each against it.

    Args:
        content: Its file.
        seed: Its own: trials and noise follow from it.
        variants: name, value, spiking options, searched, as in `bridge.studies.study.Variant`,
            all options among them; none: the rate network alone.
        effort: How much is measured.
        details: What else is kept, see `bridge.studies.details`.

    Returns:
        A row for each variant, or one.
    """
    _know_tasks()
    rate = network_of(content)
    task = task_of(rate)
    answers = _answers(task, rate, seed, effort)
    common = _rate_row(rate, answers)
    if not variants:
        return [{**common, "variant": ""}]
    rows: list[Row] = []
    scale: float | None = None
    for variant in variants:
        began = time.monotonic()
        found = _convert(task, rate, seed, variant, effort, scale)
        scale = _scale(found) if scale is None else scale
        row = {**common, "variant": variant["name"], "variant_value": variant["value"]}
        row |= _spiking_row(task, found, (seed, effort), answers, details)
        rows.append({**row, "searched": variant["searched"], "seconds": _since(began)})
    return rows


def _convert(
    task: Task,
    rate: RateNetwork,
    seed: int,
    variant: Mapping[str, Any],
    effort: Effort,
    scale: float | None,
) -> Conversion:
    """The conversion of a variant; at the scale factor `scale`, unless it has a search."""
    options: dict[str, Any] = {"seed": derived_seed(seed, _SEARCH), **effort.elsewhere()}
    by_scale = "inverse_scales" in known_by(variant["spiking"].get("neuron"))
    predicted = variant["spiking"].get("scale") == "predicted"
    if effort.inverse_scales is not None and by_scale and not predicted:
        options["inverse_scales"] = effort.inverse_scales
    if scale is not None and not variant["searched"] and by_scale:
        options["inverse_scales"] = [scale]
    options |= variant["spiking"]
    # Without a search nothing is chosen by trials; a readout is fitted to them.
    chosen = variant["searched"] or options.get("refit_readout")
    return convert_for(task, rate, trials=effort.search_trials if chosen else 1, **options)


def _scale(found: Conversion) -> float | None:
    """The scale factor of a conversion; None where it has none."""
    search = found.search
    return search.best_inverse_scale if isinstance(search, ScaleSearch) else None


def _answers(task: Task, rate: RateNetwork, seed: int, effort: Effort) -> RateAnswers:
    """What the rate network does in the fresh trials, which its spiking networks are shown, too."""
    fresh = derived_seed(seed, _FRESH)
    trials = draw(task, effort.trials, np.random.default_rng((fresh, COMPARE[0])))
    return RateAnswers.of(rate, task, trials, fresh)


def _rate_row(rate: RateNetwork, answers: RateAnswers) -> Row:
    """What there is to say of a rate network, with its accuracy on fresh trials."""
    history = rate.history
    return {
        "updates": rate.provenance.get("updates"),
        "stopped": rate.provenance.get("stopped"),
        "training_s": rate.provenance.get("seconds"),
        "loss": float(history.loss[-1]) if history is not None and history.loss.size else None,
        "rate_accuracy": answers.accuracy,
        "largest_eigenvalue": float(np.abs(np.linalg.eigvals(rate.recurrent)).max()),
    }


def _spiking_row(
    task: Task, found: Conversion, shown: tuple[int, Effort], answers: RateAnswers, details: str
) -> Row:
    """Accuracy and rates of a spiking network on fresh trials, compared with its rate network."""
    (seed, effort), count = shown, answers.trials.labels.size
    trials, drive = drive_of(task, found.network, count, derived_seed(seed, _FRESH))
    # Networks share the processors of this machine, and have a GPU for themselves.
    where = effort.elsewhere() or {"workers": 1}
    recording = simulate(found.network, drive, **quick_run(found.network, None, where))
    rates = rates_hz(recording.spikes, recording.trial_s)
    searched, paired = found.search.accuracies(), beside(answers, found.network, recording)
    row: Row = {
        "inverse_scale": _scale(found),
        "search_accuracy": float(searched[found.search.best]),
        "plateau": int((searched >= 0.95).sum()),
        "accuracy": paired.accuracy,
        "rate_only": paired.lost,
        "spiking_only": paired.gained,
        "output_error": paired.output_error,
        "unit_correlation": paired.unit_correlation,
        "rate_hz": float(rates.mean()),
    }
    kinds = found.rate.cell_types
    for kind in sorted(set(kinds or ())):
        row[f"rate_{kind}_hz"] = float(rates[:, np.asarray(kinds) == kind].mean())
    if details:
        row["details"] = details_of(details, found, task, trials, recording)
    return row


def _know_tasks() -> None:
    """Make the user's own tasks known in a process that was started afresh."""
    for path in filter(None, os.environ.get(TASK_FILES, "").split(os.pathsep)):
        if path not in _known:
            load_task_file(path)
            _known.add(path)


TASK_FILES = "SPIKEBRIDGE_TASKS"
_known: set[str] = set()


def _since(began: float) -> float:
    return round(time.monotonic() - began, 1)


def bytes_of(network: RateNetwork) -> bytes:
    """The bytes of a network's file."""
    with temporary_folder("study") as folder:
        return save(network, folder / "network.h5").read_bytes()


def network_of(content: bytes) -> RateNetwork:
    """The network of a file's bytes; FormatError where they are damaged."""
    with temporary_folder("study") as folder:
        path = folder / "network.h5"
        path.write_bytes(content)
        network = load(path)
    if not isinstance(network, RateNetwork):
        raise SpecError("a study's network file holds no rate network")
    return network
