"""What comes of recordings as other tools' writers make them. Writes foreign_recordings.csv.

    python data/foreign_recordings.py [FILES]        default: 2000 NWB and 2000 SONATA files

The files are drawn as the tests draw theirs, from other seeds: forms of HDF5 that are clear must
be read right, a fault must be refused in a sentence that names it. A row for each thing that was
drawn: how many files had it, and what came of them. What was wrong is printed.
"""

import collections
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

from exchange.foreign_nwb import draw_nwb  # noqa: E402
from exchange.foreign_recordings import outcome  # noqa: E402
from exchange.foreign_sonata import draw_sonata  # noqa: E402

from bridge.studies.csv_files import write_csv  # noqa: E402

COLUMNS = ("format", "drawn", "files", "read_right", "refused_by_name", "wrong")
FIRST_SEED = 10_000


def main() -> None:
    """Draw the files, and count what comes of them."""
    files = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    rows = []
    for name, draw in (("nwb", draw_nwb), ("sonata", draw_sonata)):
        rows += tried(name, draw, files)
    write_csv(HERE / "foreign_recordings.csv", COLUMNS, rows)


def tried(name, draw, files) -> list[dict[str, object]]:
    """A row for all files of a format, and one for each thing that was drawn."""
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(FIRST_SEED, FIRST_SEED + files):
            path = Path(folder) / f"{seed}.h5"
            drawn = draw(np.random.default_rng(seed), path)
            said = outcome(drawn, path)
            path.unlink()
            if said not in ("read", "refused"):
                print(f"{name}, seed {seed}: {said}", flush=True)
                said = "wrong"
            for trait in {"all files", *drawn.traits}:
                counts[trait][said] += 1
    whole = counts["all files"]
    print(f"{name}: {dict(whole)}")
    return [
        {
            "format": name,
            "drawn": trait,
            "files": found.total(),
            "read_right": found["read"],
            "refused_by_name": found["refused"],
            "wrong": found["wrong"],
        }
        for trait, found in sorted(counts.items(), key=lambda each: (each[0] != "all files", each))
    ]


if __name__ == "__main__":
    main()
