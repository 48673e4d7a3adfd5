"""The notebooks run from top to bottom, at small size."""

import csv
import hashlib
from pathlib import Path
from types import ModuleType

import matplotlib
import nbformat
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from methods.short_task import SHORT_TASK
from traitlets.config import Config

from bridge.tasks import go_nogo

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
TABLES = Path(__file__).parents[1] / "data" / "studies"
SMALL = {
    "01_first_conversion": """
        UNITS = 20
        MIN_UPDATES, MAX_UPDATES = 5, 5
        INVERSE_SCALES = [30, 40]
        SEARCH_TRIALS = 2
        TRIALS = 2
        BACKENDS = ["brian2:numpy", "reference"]
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
        STEPS = 240
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


class Shell(InteractiveShell):
    """IPython without a window: what is drawn is an output."""

    def enable_gui(self, gui=None):
        pass


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    """What runs cells, in this process: to load what they use takes longer than what they do."""
    settings, backend = Config(), matplotlib.get_backend()
    settings.HistoryManager.enabled = False
    # To trim the edges of a picture is to draw it twice.
    settings.InlineBackend.print_figure_kwargs = {"bbox_inches": None}
    with pytest.MonkeyPatch.context() as patch, matplotlib.rc_context():
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        # Under the usual name, `__main__`, it would take the place of this process's own.
        yield Shell.instance(config=settings, user_module=ModuleType("cells"))
        Shell.clear_instance()
        matplotlib.use(backend)


def small_cells(name):
    """The code cells of a notebook, those of the small size first among them."""
    cells = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4).cells
    (parameters,) = (cell for cell in cells if "parameters" in cell.metadata.get("tags", []))
    parameters.source = "\n".join(line.strip() for line in SMALL[name].splitlines())
    return [cell.source for cell in cells if cell.cell_type == "code"]


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.filterwarnings("ignore")  # of the Jupyter machinery, not of the notebook's own code
def test_a_notebook_runs(name, shell, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(go_nogo, "GoNoGo", SHORT_TASK)
    # Without a name of the notebooks before it.
    shell.reset(new_session=False)
    # Within the trap, which else takes the place of what captures.
    with shell.display_trap, capture_output() as shown:
        for cell in small_cells(name):
            shell.run_cell(cell, store_history=True).raise_error()
    assert SAID.get(name, "agreed: True") in shown.stdout
    assert any("image/png" in output.data for output in shown.outputs)


@pytest.mark.parametrize("name", SMALL)
def test_a_notebook_is_kept_with_what_its_code_prints_and_draws(name):
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert not any(output.output_type == "error" for output in outputs)
    code = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    same = hashlib.sha256(code.encode()).hexdigest() == notebook.metadata["code_sha256"]
    assert same, f"run `python notebooks/store.py {name}`: the code is newer than its pictures"
