"""Run the notebooks at full size and keep them with what they print and draw.

    python notebooks/store.py [NAME ...]

A notebook remembers a hash of the code that was run, so that a test can tell a picture that its
code no longer draws.
"""

import hashlib
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
LONGEST_S = 3600


def main(names: list[str]) -> None:
    """Run those named, else all."""
    for path in sorted(HERE.glob("*.ipynb")):
        if not names or path.stem in names:
            store(path)
            print(f"{path.name}: run and kept with its pictures")


def store(path: Path) -> None:
    """Run one notebook from top to bottom and write its outputs into the file."""
    notebook = nbformat.read(path, as_version=4)
    # What it saves is not kept.
    with TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        # Of progress, a line that is written over and over, the last state is kept.
        client = NotebookClient(
            notebook,
            timeout=LONGEST_S,
            record_timing=False,
            coalesce_streams=True,
            resources=resources,
        )
        client.execute()
    notebook.metadata["language_info"] = {"name": "python"}
    notebook.metadata["code_sha256"] = code_hash(notebook)
    nbformat.write(notebook, path)


def code_hash(notebook: nbformat.NotebookNode) -> str:
    """SHA-256 of all code cells."""
    code = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    return hashlib.sha256(code.encode()).hexdigest()


if __name__ == "__main__":
    main(sys.argv[1:])
