"""Pages of reports from their templates, and where and when they were made."""

import platform
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2

from bridge.compare.report.machine_readable import versions
from bridge.compare.report.vector import variable
from bridge.plot.style import DARK
from bridge.versions import version


def rendered(template: str, **values: Any) -> str:
    """A page, from a template of this folder and those that it includes."""
    colours = [(variable(light), dark) for light, dark in DARK.items()]
    return _templates().get_template(template).render(dark_colours=colours, **values)


@cache
def _templates() -> jinja2.Environment:
    """Those of this folder; each is compiled once in a process."""
    folder = files("bridge.compare.report")
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: folder.joinpath(name).read_text("utf-8")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )


def made_now() -> str:
    """The time, and the version that writes."""
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M UTC} by spikebridge {version('spikebridge')}"


def made_with() -> dict[str, str]:
    """Packages and the machine, for the foot of a page."""
    return {
        "versions": ", ".join(f"{name} {number}" for name, number in versions().items()),
        "machine": f"Python {platform.python_version()}, {platform.platform()}",
    }
