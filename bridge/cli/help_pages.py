"""Commands as a user meets them: help in filled paragraphs, advice that names their options."""

import inspect
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from bridge.cli.advice import in_options
from bridge.errors import FullError


class Command(TyperCommand):
    """A command whose flags stand alone in its help, and whose advice names what it has."""

    def invoke(self, ctx: Any) -> Any:
        """Run it."""
        try:
            return super().invoke(ctx)
        except FullError as error:
            raise in_options(error, self) from None

    def get_params(self, ctx: Any) -> Any:
        """Its parameters."""
        return _flags_alone(super().get_params(ctx))


class Group(TyperGroup):
    """The same for the commands together."""

    def get_params(self, ctx: Any) -> Any:
        """Its parameters."""
        return _flags_alone(super().get_params(ctx))


def fill(app: typer.Typer) -> None:
    """Let all commands of an app have such help."""
    app.info.cls = Group
    for command in app.registered_commands:
        command.cls = Command
        said = inspect.getdoc(command.callback) or ""
        command.help = "\n\n".join(" ".join(part.split()) for part in said.split("\n\n"))


def _flags_alone(params: Any) -> Any:
    # A flag takes no value, so its type, bool, says nothing.
    for param in params:
        if getattr(param, "is_flag", False) and param.metavar is None:
            param.metavar = ""
    return params
