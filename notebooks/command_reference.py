"""The page of commands, written from the command itself."""

import re
from collections.abc import Iterator
from typing import Any

import typer

from bridge.cli import app


def markdown() -> str:
    """A section for each command: what it does, its arguments and options, examples."""
    commands = typer.main.get_command(app).commands
    return "\n".join(line for name in commands for line in _section(name, commands[name]))


def _section(name: str, command: Any) -> Iterator[str]:
    yield from (f"## `spikebridge {name}`", "", _plain(command.help or ""), "")
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option"]
    for title, params in (("argument", arguments), ("option", options)):
        if params:
            yield from (f"| {title} | what it says | if not given |", "|---|---|---|")
            yield from map(_row, params)
            yield ""
    if examples := re.findall(r"\$ (.+)", command.epilog or ""):
        yield from ("```text", *examples, "```", "")


def _row(param: Any) -> str:
    names = ", ".join(f"`{each}`" for each in (*param.opts, *param.secondary_opts))
    value = f" {param.metavar}" if param.metavar and param.param_type_name == "option" else ""
    return f"| {names}{value} | {_cell(param.help or '')} | {_cell(_default(param))} |"


def _default(param: Any) -> str:
    if param.required:
        return "must be given"
    if isinstance(param.show_default, str):
        return param.show_default
    if param.default is None or not param.show_default or isinstance(param.default, bool):
        return ""
    if isinstance(param.default, tuple | list):
        return " ".join(map(str, param.default))
    return str(param.default)


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|").replace("\n", " ")


def _plain(text: str) -> str:
    """Without the marks of bold and dim of the terminal; what Markdown would take is kept."""
    text = re.sub(r"\[/?(bold|dim|italic|i|b)\]", "", text)
    return text.replace("*", "\\*").replace("<", "&lt;")
