"""The notebooks run from top to bottom, at small size."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
SMALL = {
    "01_first_conversion": """
        UNITS = 20
        MAX_UPDATES = 5
        INVERSE_SCALES = [30, 40]
        SEARCH_TRIALS = 2
        TRIALS = 2
        BACKENDS = ["reference", "snntorch"]
    """
}


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
    printed = [o.get("text", "") for c in notebook.cells for o in c.get("outputs", [])]
    assert any("agreed: True" in text for text in printed)


@pytest.mark.parametrize("name", SMALL)
def test_a_notebook_is_kept_without_outputs(name):
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
