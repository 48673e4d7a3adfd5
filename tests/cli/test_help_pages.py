"""`--help` can be read on a screen of 80 columns."""

import pytest
import typer
from typer.testing import CliRunner

from bridge.cli import app

COMMANDS = typer.main.get_command(app).commands


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_is_not_cut_at_80_columns(name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    shown = CliRunner().invoke(app, [name, "--help"]).output
    assert max(map(len, shown.splitlines())) <= 80
    assert "…" not in shown
    words = set(shown.replace(",", " ").split())
    assert {opt for param in COMMANDS[name].params for opt in param.opts} <= words | {
        param.name for param in COMMANDS[name].params
    }
    # A flag takes no value.
    assert "<bool>" not in shown


def test_the_lines_of_a_paragraph_are_filled():
    for command in COMMANDS.values():
        assert "\n" not in command.help.replace("\n\n", "")
