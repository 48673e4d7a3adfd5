"""The pages that are written from the code say what the code says."""

from pathlib import Path

import api_reference
import command_reference
import pytest
import typer

import bridge
from bridge.cli import app

COMMANDS = typer.main.get_command(app).commands
API = (Path(__file__).parents[1] / "notebooks" / "api.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_on_the_page_of_commands(name):
    _, _, rest = command_reference.markdown().partition(f"## `spikebridge {name}`\n")
    section, _, _ = rest.partition("\n## ")
    assert all(f"`{param.opts[0]}`" in section for param in COMMANDS[name].params)
    examples = [line for line in COMMANDS[name].epilog.splitlines() if "$ " in line]
    assert section.count("\nspikebridge ") == len(examples) > 0


def test_no_name_is_on_the_page_of_the_api_that_is_not_public():
    placed = [line.split("bridge.")[1] for line in API.splitlines() if ":: bridge." in line]
    own = {name for name in placed if "." not in name and name != "errors"}
    assert own <= set(bridge.__all__)


def test_a_public_name_without_a_place_on_the_page_goes_to_its_end():
    page = API.replace(".. autofunction:: bridge.convert\n", "")
    assert ".. autofunction:: bridge.convert\n" in api_reference.others(page)
    assert "bridge.convert_each" not in api_reference.others(page)
