"""Files of ours changed at one place, with a fitting checksum, and what becomes of them.

    python data/mutants.py [--mutants 10000]

Counts go to `mutants.csv`, a row for each kind of file: how many are refused in one sentence, how
many are read as something whole, and what else happened (nothing should). What else happened is
printed too.
"""

import argparse
import resource
import sys
import tempfile
import time
import warnings
from collections import Counter
from importlib.metadata import version
from pathlib import Path

from bridge.studies.csv_files import write_csv

HERE = Path(__file__).parent
COLUMNS = ("kind", "mutants", "refused", "loaded", "otherwise", "seconds", "version")
# A file that claims more than it holds ends here, and not the machine.
MOST_MEMORY = 8 * 2**30


def main() -> None:
    """Make all rows anew."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutants", type=int, default=10_000)
    asked = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    # A warning would be seen by a user, and counts as a fault.
    warnings.simplefilter("error")
    sys.path.insert(0, str(HERE.parent / "tests"))
    from exchange.mutants import fates

    counts: dict[str, Counter[str]] = {}
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for number, kind, what, fate in fates(Path(folder), range(asked.mutants)):
            known = fate in ("refused", "loaded")
            counts.setdefault(kind, Counter())[fate if known else "otherwise"] += 1
            if not known:
                print(number, kind, what, fate, sep="; ", flush=True)
    seconds = round(time.monotonic() - began, 1)
    rows = [
        {"kind": kind, "mutants": sum(found.values()), "seconds": "", "version": ""}
        | {name: found[name] for name in ("refused", "loaded", "otherwise")}
        for kind, found in counts.items()
    ]
    whole = {name: sum(row[name] for row in rows) for name in COLUMNS[1:5]}
    told = {"kind": "all", "seconds": seconds, "version": version("spikebridge")}
    write_csv(HERE / "mutants.csv", COLUMNS, [*rows, told | whole])
    print(told | whole)


if __name__ == "__main__":
    main()
