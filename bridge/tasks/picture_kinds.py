"""The kinds of picture files that are written, known without loading what draws them."""

from bridge.errors import SpecError

FORMATS = ("png", "svg", "pdf")


def check_kind(suffix: str) -> str:
    """The kind of picture that a file's ending asks for; SpecError for one that is not known."""
    kind = suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise SpecError(f"a picture ends in .{', .'.join(FORMATS)}, got {suffix!r}")
    return kind
