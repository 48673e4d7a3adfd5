"""The pages' tables of results on record, made from the files in `data/`.

    python notebooks/page_tables.py

Rewrites the tables between marks in the pages; a test holds pages and files together.
"""

from pathlib import Path

from tables import (
    cells,
    constants,
    conversions,
    exports,
    gate,
    how_many,
    importers,
    roads,
    speed,
    studies,
)

PAGES = Path(__file__).parent
MADE = {
    ("results", "studies"): studies.studies,
    ("agreement_gate", "faults"): gate.faults,
    ("agreement_gate", "alarms"): gate.alarms,
    ("agreement_gate", "gate"): gate.gate,
    ("one_to_one", "searches"): conversions.searches,
    ("integrate_and_fire", "neurons"): conversions.neurons,
    ("integrate_and_fire", "plain"): conversions.plain,
    ("performance", "backends"): speed.backends,
    ("rate_targets", "fitted"): roads.fitted,
    ("rate_targets", "roads"): roads.roads,
    ("rate_targets", "how-many"): how_many.how_many,
    ("rate_targets", "how-good"): how_many.how_good,
    ("nir", "exports"): exports.exports,
    ("nir_importers", "importers"): importers.importers,
    ("nir_importers", "graphs"): importers.graphs,
    ("nir_importers", "said"): importers.said,
    ("spiking_recurrent_cells", "cells"): cells.cells,
    ("spiking_recurrent_cells", "depth"): cells.depth,
    ("spiking_recurrent_cells", "changed"): cells.changed,
    ("spiking_recurrent_cells", "epochs"): cells.epochs,
    ("spiking_recurrent_cells", "energy"): cells.energy,
    ("spiking_recurrent_cells", "sweeps"): constants.sweeps,
    ("spiking_recurrent_cells", "at-random"): constants.at_random,
    ("spiking_recurrent_cells", "importance"): constants.importance,
}


def main() -> None:
    """Rewrite the pages."""
    for page, name in MADE:
        path = PAGES / f"{page}.md"
        before, _, after = split(path.read_text(encoding="utf-8"), name)
        path.write_text(f"{before}{made(page, name)}{after}", encoding="utf-8")


def made(page: str, name: str) -> str:
    """The tables of that name, as they stand on the page between their marks."""
    return "\n\n" + "\n".join(MADE[page, name]()).strip() + "\n\n"


def split(text: str, name: str) -> tuple[str, str, str]:
    """A page before its tables of that name, the tables, and the page after them."""
    begin, end = f"<!-- from data/: {name} -->", f"<!-- end: {name} -->"
    before, rest = text.split(begin)
    found, after = rest.split(end)
    return before + begin, found, end + after


if __name__ == "__main__":
    main()
