"""What a command says can be done: in the words of its own options."""

from typer.core import TyperCommand, TyperOption

from bridge.errors import BackendError, FullError


def in_options(error: FullError, command: TyperCommand) -> BackendError:
    """The same error, which names only what the command has."""
    spelled = {
        param.name: param.opts[0] for param in command.params if isinstance(param, TyperOption)
    }
    smaller = [spelled[name] for name in error.options if name in spelled]
    if smaller:
        return BackendError(f"{error.reason}; try a smaller {' or '.join(smaller)}")
    if "device" in spelled:
        return BackendError(f"{error.reason}; another --device may have room")
    return BackendError(error.reason)
