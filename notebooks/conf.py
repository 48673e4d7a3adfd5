"""How the documentation is built: `make docs`."""

import gc
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
# The pages are written from the code they lie beside.
sys.path[:0] = [str(HERE), str(HERE.parent)]

import api_reference
import command_reference
from docutils import nodes

# Pages are trees of thousands of nodes that stay: looking for garbage there took a sixth of all.
gc.set_threshold(200_000, 20, 100)

project = "spikebridge"
author = "The authors of spikebridge"
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["**.ipynb_checkpoints"]
html_theme = "furo"
html_title = "spikebridge"
html_show_copyright = False
# Options begin with two dashes, and keep them.
smartquotes = False

# The tests run the notebooks; the pages show what was kept of their last full run.
nb_execution_mode = "off"
myst_enable_extensions = ["deflist", "dollarmath"]
myst_heading_anchors = 4

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_preserve_defaults = True
# Attributes are listed where the docstring lists them, in its words.
napoleon_use_ivar = True
napoleon_use_rtype = False
viewcode_follow_imported_members = True


def fill_pages(_app: Any, page: str, source: list[str]) -> None:
    """Write into the pages of references what is read from the code."""
    if page == "commands":
        source[0] += "\n" + command_reference.markdown()
    if page == "api":
        source[0] += "\n" + api_reference.others(source[0])


def leave_out(*given: Any) -> bool:
    """Whether the page of the API leaves a member out."""
    _app, _what, name, _member, skip, _options = given
    return skip or name in api_reference.INTERNAL


def describe_types(app: Any, page: Any) -> None:
    """Types as a reader says them."""
    if app.env.docname == "api":
        api_reference.describe_types(page, nodes)


def setup(app: Any) -> None:
    """What Sphinx calls with itself."""
    app.connect("source-read", fill_pages)
    app.connect("autodoc-skip-member", leave_out)
    app.connect("doctree-read", describe_types)
