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
    "05_two_roads": """
        UNITS, MAX_UPDATES = 20, 3
        INVERSE_SCALES, SEARCH_TRIALS = [30], 2
        NEURONS, LEARN_TRIALS, SETTLE_TRIALS = 12, 2, 1
        TRIALS = 8
        BACKENDS, COMPARED_STEPS = ["reference", "compiled"], 10
    """,
    "06_spiking_recurrent_cell": """
        STEPS = 400
        CELLS, EPOCHS = 20, 1
        HELD_OUT = 20
        TRIALS = 2
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


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The code cells of each as they ran, one notebook after the other.

    In one Python: to load what they use takes it longer than what they do. Each begins in a folder
    of its own, without a name of those before it.
    """
    whole, cells = nbformat.v4.new_notebook(), {}
    for name, small in SMALL.items():
        read = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4).cells
        (parameters,) = (c for c in read if "parameters" in c.metadata.get("tags", []))
        parameters.source = "\n".join(line.strip() for line in small.splitlines())
        cells[name] = [cell for cell in read if cell.cell_type == "code"]
        afresh = f"%reset -f\n%cd -q {tmp_path_factory.mktemp(name)}"
        whole.cells += [nbformat.v4.new_code_cell(afresh), *cells[name]]
    whole.metadata.kernelspec = {"name": "python3", "display_name": "here", "language": "python"}
    # An error is that of its own notebook.
    NotebookClient(whole, timeout=300, kernel_name="python3", allow_errors=True).execute()
    return cells


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.filterwarnings("ignore")  # of the Jupyter machinery, not of the notebook's own code
def test_a_notebook_runs(name, ran):
    outputs = [output for cell in ran[name] for output in cell.outputs]
    assert [output for output in outputs if output.output_type == "error"] == []
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
