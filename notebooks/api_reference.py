"""What the page of the API shows besides the names that have a place on it."""

import re
from types import ModuleType

import bridge


def others(page: str) -> str:
    """A section of the public names that the page does not name; nothing, where it names all."""
    placed = set(re.findall(r"auto\w+:: bridge\.(\w+)$", page, re.MULTILINE))
    rest = [name for name in bridge.__all__ if name not in placed]
    if not rest:
        return ""
    return "\n".join(("## Other names", "", "```{eval-rst}", *map(_directive, rest), "```", ""))


def _directive(name: str) -> str:
    found = getattr(bridge, name)
    kind = {ModuleType: "module", type: "class"}.get(type(found), "function")
    members = "" if kind == "function" else "   :members:\n"
    return f".. auto{kind}:: bridge.{name}\n{members}"
