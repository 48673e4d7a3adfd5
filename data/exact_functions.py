"""How far the exp, log1p, tanh and sigmoid of a step are from the true ones.

    python data/exact_functions.py [--points 1000000]

Writes exact_functions.csv: for each function its greatest error, in units in the last place of the
result, over arguments drawn at random anywhere in its domain, near 0 and near its ends, and its
`+ - * /`, comparisons, choices and floors. The truth is mpmath's.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from bridge.spiking import exact_functions
from bridge.spiking.operations import NUMPY
from bridge.studies.csv_files import write_csv

HERE = Path(__file__).parent
COLUMNS = ("function", "domain", "points", "greatest_error_ulp", "at", "operations")


def main() -> None:
    """Make all rows anew."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=1_000_000)
    count = parser.parse_args().points
    sys.path.insert(0, str(HERE.parent / "tests"))
    from spiking.exact_points import FUNCTIONS, errors_in_ulp, points, traced

    rows = []
    for name, true, domain in FUNCTIONS:
        x = points(name, count, np.random.default_rng(0))
        errors = errors_in_ulp(true, x, getattr(exact_functions, name)(NUMPY, x))
        worst = errors.argmax()
        operations = len(traced(name)[0])
        found = (name, domain, len(x), float(errors[worst]), repr(x[worst].item()), operations)
        rows.append(dict(zip(COLUMNS, found, strict=True)))
        print(*found, flush=True)
    write_csv(HERE / "exact_functions.csv", COLUMNS, rows)


if __name__ == "__main__":
    main()
