"""The page of the API: names that have no place on it yet, members left out, types in words."""

import re
from collections.abc import Iterable
from types import ModuleType
from typing import Any

from numpy.typing import ArrayLike

import bridge

# Public for other modules of the package, and of no use to who reads the page.
INTERNAL = {
    *("drawn_from", "held", "kicks", "needs_version", "noise_keys", "push_keys"),
    *("rows_told", "told_delay", "told_units"),
}
_ARRAY = re.compile(
    r"(numpy\.)?ndarray\[tuple\[int, \.\.\.\], (numpy\.)?dtype\[(numpy\.)?(\w+)\]\]"
)
# What Sphinx makes of `numpy.typing.ArrayLike`.
_ARRAY_LIKE = re.sub(
    r"\btyping\.", "", re.sub(r"^typing\.Union\[(.*)\]$", r"\1", str(ArrayLike))
).replace(", ", " | ")


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


def in_words(type_: str) -> str:
    """A type as a reader says it: "float64 array"."""
    found = _ARRAY.sub(r"\4 array", type_).replace(_ARRAY_LIKE, "array-like")
    return re.sub(r"\b(collections\.abc|typing|pathlib|bridge(\.\w+)*)\.(?=[A-Z])", "", found)


def describe_types(content: Any, nodes: Any) -> None:
    """Replace in the fields of a docstring the types of arrays by words, and " -- " by a colon.

    Args:
        content: Node of the page.
        nodes: `docutils.nodes`, which only the documentation needs.
    """
    for text in list(content.findall(nodes.Text)):
        if text.astext() == " -- ":
            line, at = text.parent, text.parent.index(text)
            line[at] = nodes.Text(": ")
            _replace_type(line, line.children[:at], nodes)


def _replace_type(line: Any, before: Iterable[Any], nodes: Any) -> None:
    parts = list(before)
    texts = [each.astext() for each in parts]
    if " (" not in texts or texts[-1] != ")":
        return
    start = texts.index(" (") + 1
    whole = "".join(texts[start:-1])
    if (said := in_words(whole)) != whole:
        line.children[start : len(parts) - 1] = []
        line.insert(start, nodes.emphasis("", said))
