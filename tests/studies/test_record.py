"""The tables on record: of networks made as the program makes them, each whole."""

import json
import shutil
from dataclasses import fields
from pathlib import Path

import page_tables
import pytest

from bridge.studies.catalog import STUDIES, find
from bridge.studies.csv_files import read_csv
from bridge.studies.folder import Folder
from bridge.studies.study import Effort

RECORD = Path(__file__).parents[2] / "data" / "studies"


@pytest.mark.parametrize("name", sorted(path.parent.name for path in RECORD.glob("*/table.csv")))
def test_a_study_on_record_can_be_gone_on_with(name, tmp_path):
    """Where a default changed, the study is run again, or leaves the record."""
    rows = read_csv(RECORD / name / "table.csv")
    home = shutil.copytree(RECORD / name, tmp_path / name, ignore=shutil.ignore_patterns("results"))
    said = json.loads((home / "study.json").read_text())
    effort = Effort(
        **{entry.name: said[entry.name] for entry in fields(Effort) if entry.name in said}
    )
    study = find(name.removesuffix("-original"))
    folder = Folder(tmp_path, study, effort)
    assert folder.home == home
    with folder.claimed():
        assert len(folder.all_results()) == len(rows)
    assert set(said["cells"]) == {cell.name for cell in study.cells}


# As many networks in each cell as a figure rests on, at least.
LEAST = {"2c": {"": 10}, "7": {"sigmoid": 100, "": 30}, "7-faithful": {"": 100}}


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_is_on_record_with_enough_networks(name):
    seeds = {cell.name: set() for cell in STUDIES[name].cells}
    for row in read_csv(RECORD / name / "table.csv"):
        seeds[row["cell"]].add(row["seed"])
    least = LEAST.get(name, {"": 5})
    for cell, found in seeds.items():
        assert len(found) >= least.get(cell, least[""]), cell


@pytest.mark.parametrize(("page", "name"), page_tables.MADE)
def test_the_tables_of_a_page_are_those_of_the_record(page, name):
    said = (page_tables.PAGES / f"{page}.md").read_text(encoding="utf-8")
    _, found, _ = page_tables.split(said, name)
    assert found == page_tables.made(page, name)
