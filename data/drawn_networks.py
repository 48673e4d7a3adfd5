"""How many networks drawn by chance gave the same bits in every exact backend.

    python data/drawn_networks.py [COUNT]

draws about COUNT (300) networks, as many for each neuron model, as
`tests/backends/test_drawn_networks.py` does, runs each in the reference, snnTorch, Brian2's numpy
target and the compiled loop, and writes what was drawn to `drawn_networks.csv`. The first that
differs ends it, made as small as it still differs.
"""

import csv
import os
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main(count: int) -> None:
    """Draw, run and record."""
    os.environ["BRIDGE_DRAWN_NETWORKS"] = str(count)
    sys.path[:0] = [str(HERE.parent / "tests"), str(HERE.parent / "tests" / "backends")]
    import test_drawn_networks as drawn

    drawn.test_drawn_networks_give_the_same_bits_everywhere()
    with (HERE / "drawn_networks.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["drawn", "count"])
        table.writerows(sorted(drawn.DRAWN.items()))
        table.writerow(["differing", 0])
    made = drawn.DRAWN["networks"]
    print(f"{HERE / 'drawn_networks.csv'}: {made} networks, none differing")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
