"""What the agreement gate finds of healthy simulators, and what that takes.

    python data/gate.py

Trains and converts an XOR and a context network (seed 0, defaults of 250 units), and compares
simulators on these and on `tests/backends/frozen/lif.h5`, each in a process of its own whose wall
time and memory are measured. Rows that are in `gate.csv` are not made again; the networks stay in
the folder given with --networks.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import bridge
from bridge.studies.csv_files import write_csv

HERE = Path(__file__).parent
TABLE = HERE / "gate.csv"
COLUMNS = (
    *("task", "units", "backends", "levels", "trials", "agreed", "spikes", "differing"),
    *("margin_mv", "voltages_mv", "p", "effect", "seconds", "peak_mb", "versions"),
)
HEALTHY = "probe,statistical"
CASES = (
    ("go-nogo", "brian2,snntorch", "exact"),
    ("go-nogo", "brian2,snntorch", "statistical"),
    ("go-nogo", "brian2,nest", HEALTHY),
    ("xor", "brian2,snntorch", "exact"),
    ("xor", "brian2,nest", HEALTHY),
    ("context", "brian2,snntorch", "exact"),
    ("context", "brian2,nest", HEALTHY),
)
TRIALS = 100


def main() -> None:
    """Make the rows that are missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", type=Path, default=Path("results/gate"))
    folder = parser.parse_args().networks
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    if TABLE.exists():
        with TABLE.open(newline="") as file:
            rows = list(csv.DictReader(file))
    there = {(row["task"], row["backends"], row["levels"]) for row in rows}
    for case in CASES:
        if case in there:
            continue
        rows.append(_row(_network(case[0], folder), case, folder))
        print(rows[-1], flush=True)
        write_csv(TABLE, COLUMNS, rows)


def _network(task: str, folder: Path) -> Path:
    """The file of the spiking network of a task."""
    if task == "go-nogo":
        return HERE.parent / "tests" / "backends" / "frozen" / "lif.h5"
    path = folder / f"{task}.h5"
    if not path.exists():
        bridge.save(bridge.convert(bridge.train(task, units=250)), path)
    return path


def _row(network: Path, case: tuple[str, str, str], folder: Path) -> dict[str, Any]:
    task, backends, levels = case
    page = folder / "report.html"
    command = [
        *(sys.executable, "-m", "bridge.cli", "compare", str(network), "--backends", backends),
        *("--levels", levels, "--trials", str(TRIALS), "--out", str(page), "--force"),
    ]
    began = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    if process.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)}: failed")
    told = json.loads(page.with_suffix(".json").read_text())
    exact, own = (next(iter(told[level]), {}) for level in ("exact", "statistical"))
    return {
        "task": task,
        "units": bridge.load(network).network.size,
        "backends": backends,
        "levels": levels,
        "trials": TRIALS,
        "agreed": told["agreed"],
        "spikes": exact["spikes"][0] if exact else "",
        "differing": exact.get("differing", ""),
        "margin_mv": exact.get("margin_mv", ""),
        "voltages_mv": exact.get("largest_difference_mv", ""),
        "p": own.get("p", ""),
        "effect": own.get("effect", ""),
        "seconds": round(seconds, 1),
        # Linux counts it in KiB.
        "peak_mb": round(used.ru_maxrss * 1024 / 1e6),
        "versions": ", ".join(f"{name} {number}" for name, number in told["versions"].items()),
    }


if __name__ == "__main__":
    main()
