"""What each level of the agreement gate sees of each fault, and how often it cries wolf.

    python data/faults.py [--only faults|alarms|detections] [--comparisons 200]

Rows that are there are not made again; a file of another test is left as it is, and said.
`faults.csv`: every fault, put into one of two backends that run `tests/backends/frozen/lif.h5`, on
each level. `false_alarms.csv`: comparisons of one backend with itself on the statistical level,
each with trials and noise of its own. `detections.csv`: the same with weights that are a little
wrong.
"""

import argparse
import csv
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import bridge
from bridge.compare.faults import FAULTS
from bridge.compare.gate import LEVELS
from bridge.compare.statistics.comparison import ALPHA, Plan
from bridge.studies.csv_files import write_csv

HERE = Path(__file__).parent
NETWORK = HERE.parent / "tests" / "backends" / "frozen" / "lif.h5"
FAULT_COLUMNS = ("fault", "meaning", "level", "seen", "trials", "what", "draws", "seconds")
ALARM_COLUMNS = ("seed", "trials", "p", "alarm", "effect", "notable", "draws", "seconds")
# How the levels are run: the exact one by two simulators, the others by one of each.
BACKENDS = {
    "exact": ("brian2", "snntorch"),
    "probe": ("snntorch", "snntorch"),
    "statistical": ("brian2", "brian2"),
}
ALARM_TRIALS, DETECTIONS, SMALL_FAULTS = 40, 25, ("weights-0.98", "weights-0.95")
TRIALS = {"exact": 20, "probe": None, "statistical": 100}
# The network has a readout.
DRAWS = Plan().design(3, readouts=True).draws


def main() -> None:
    """Make the rows that are missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("faults", "alarms", "detections"))
    parser.add_argument("--comparisons", type=int, default=200)
    asked = parser.parse_args()
    network = bridge.load(NETWORK).network
    if asked.only in (None, "faults"):
        _fill(HERE / "faults.csv", FAULT_COLUMNS, _faults(network), ("fault", "level"))
    if asked.only in (None, "alarms"):
        rows = (((seed,), partial(_alarm, network, seed)) for seed in range(asked.comparisons))
        _fill(HERE / "false_alarms.csv", ALARM_COLUMNS, rows, ("seed",))
    if asked.only in (None, "detections"):
        rows = (
            ((fault, seed), partial(_alarm, network, seed, fault))
            for seed in range(DETECTIONS)
            for fault in SMALL_FAULTS
        )
        _fill(HERE / "detections.csv", ("fault", *ALARM_COLUMNS), rows, ("fault", "seed"))


def _fill(path: Path, columns: tuple[str, ...], rows: Any, keys: tuple[str, ...]) -> None:
    """Add the rows whose keys are not there yet; each row is a function that makes it."""
    kept: list[dict[str, Any]] = []
    if path.exists():
        with path.open(newline="") as file:
            reader = csv.DictReader(file)
            kept = list(reader)
        draws = {row["draws"] for row in kept if row.get("draws")} or {str(DRAWS)}
        if tuple(reader.fieldnames or ()) != columns or draws != {str(DRAWS)}:
            raise SystemExit(f"{path} was made by another test: move it away to make it anew")
    there = {tuple(row[key] for key in keys) for row in kept}
    for key, make in rows:
        if tuple(map(str, key)) in there:
            continue
        kept.append(dict(zip(keys, key, strict=True)) | make())
        print(kept[-1], flush=True)
        write_csv(path, columns, kept)


def _faults(network: "bridge.SpikingNetwork") -> Iterator[tuple[tuple[str, str], Any]]:
    for name in FAULTS:
        # What simulators compute of readouts is seen on the exact level alone.
        for level in ("exact",) if FAULTS[name].of_readouts else LEVELS:
            yield (name, level), partial(_fault, network, name, level)


def _fault(network: "bridge.SpikingNetwork", name: str, level: str) -> dict[str, Any]:
    began = time.monotonic()
    found = bridge.compare(
        network, backends=BACKENDS[level], levels=[level], trials=TRIALS[level], inject=name
    )
    what = ""
    if level == "exact":
        what = f"{found.exact[0].differing} spikes"
        if found.exact[0].identical:
            what = f"readouts by {found.exact[0].readouts_apart:.2g}"
    elif level == "probe":
        wrong = [part.quantity for part in found.probes[1].findings if not part.passed]
        what = "; ".join(wrong)
    else:
        what = f"p = {found.statistical[0].p:.2g}"
    return {
        "meaning": FAULTS[name].meaning,
        "seen": not found.agreed,
        "trials": TRIALS[level] or "",
        "what": what,
        "draws": found.statistical[0].draws if found.statistical else "",
        "seconds": round(time.monotonic() - began, 1),
    }


def _alarm(network: "bridge.SpikingNetwork", seed: int, fault: str | None = None) -> dict[str, Any]:
    began = time.monotonic()
    found = bridge.compare(
        network,
        # The same simulator under two names.
        backends=["brian2", "brian2:standalone"],
        levels=["statistical"],
        plan=Plan(alpha=ALPHA, trials=ALARM_TRIALS),
        trials=ALARM_TRIALS,
        seed=seed,
        inject=fault,
    ).statistical[0]
    return {
        "trials": found.trials,
        "p": f"{found.p:.4g}",
        "alarm": not found.agreed,
        "effect": f"{found.effect:.4g}",
        "notable": f"{found.quantities[0].notable:.4g}",
        "draws": found.draws,
        "seconds": round(time.monotonic() - began, 1),
    }


if __name__ == "__main__":
    main()
