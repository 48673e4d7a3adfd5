"""The notebooks run from top to bottom, at small size."""

import csv
import hashlib
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
TABLES = Path(__file__).parents[1] / "data" / "studies"
SMALL = {
    "01_first_conversion": """
        UNITS = 20
        MIN_UPDATES, MAX_UPDATES = 5, 5
        INVERSE_SCALES = [30, 40]
        SEARCH_TRIALS = 2
        TRIALS = 2
        BACKENDS = ["reference", "brian2:numpy"]
    """,
    "02_the_paper_reproduced": """
        FIGURES = ["7", "s2"]
    """,
    "03_a_task_of_your_own": """
        UNITS = 10
        MAX_UPDATES = 3
        INVERSE_SCALES = [30]
        SEARCH_TRIALS = 2
        TRIALS = 2
        BACKENDS = ["reference", "compiled"]
    """,
    "04_your_own_pytorch_network": """
        UNITS = 20
        UPDATES = 20
        TRIALS = 4
        NEURONS = ["if"]
        BACKENDS = ["reference", "compiled"]
    """,
}


def mean_and_spread():
    """Of figure 7's sigmoid networks, straight from the table."""
    with (TABLES / "7" / "table.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["cell"] == "sigmoid"]
    right = 100 * np.array([float(row["accuracy"]) for row in rows])
    return f"{right.mean():.1f} +- {right.std():.1f}"


# What shows that a notebook has come to its point.
SAID = {"02_the_paper_reproduced": mean_and_spread()}


def test_every_notebook_has_a_small_size():
    assert {path.stem for path in NOTEBOOKS.glob("*.ipynb")} == set(SMALL)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.filterwarnings("ignore")  # of the Jupyter machinery, not of the notebook's own code
def test_a_notebook_runs(name, tmp_path):
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    (parameters,) = (c for c in notebook.cells if "parameters" in c.metadata.get("tags", []))
    parameters.source = "\n".join(line.strip() for line in SMALL[name].splitlines())
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "here", "language": "python"}
    client = NotebookClient(
        notebook,
        timeout=300,
        resources={"metadata": {"path": str(tmp_path)}},
        kernel_name="python3",
    )
    client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    said = SAID.get(name, "agreed: True")
    assert any(said in output.get("text", "") for output in outputs)
    assert any("image/png" in output.get("data", {}) for output in outputs)


@pytest.mark.parametrize("name", SMALL)
def test_a_notebook_is_kept_with_what_its_code_prints_and_draws(name):
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert not any(output.output_type == "error" for output in outputs)
    code = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    same = hashlib.sha256(code.encode()).hexdigest() == notebook.metadata["code_sha256"]
    assert same, f"run `python notebooks/store.py {name}`: the code is newer than its pictures"
