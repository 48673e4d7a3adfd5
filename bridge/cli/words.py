"""Several names given to one option, with commas between them."""

from bridge.errors import SpecError


def between_commas(option: str, text: str) -> list[str]:
    """The names in "brian2, snntorch".

    Raises:
        SpecError: one of them is empty.
    """
    words = [word.strip() for word in text.split(",")]
    if not all(words):
        raise SpecError(f"{option}: expected names with commas between them, got {text!r}")
    return words
