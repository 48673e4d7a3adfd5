"""The tables on record: of networks made as the program makes them, each whole."""

import json
import shutil
from pathlib import Path

import pytest

from bridge.studies.catalog import STUDIES
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
    effort = Effort(**{key: said[key] for key in Effort().plain()})
    folder = Folder(tmp_path, STUDIES[name], effort)
    with folder.claimed():
        assert len(folder.all_results()) == len(rows)
    assert set(said["cells"]) == {cell.name for cell in STUDIES[name].cells}


def test_some_studies_are_on_record():
    assert len(list(RECORD.glob("*/table.csv"))) >= 10
