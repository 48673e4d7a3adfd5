"""What users read is plain English: short sentences, and the words of the field."""

import ast
import inspect
import json
import re
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
import typer

import bridge
from bridge.cli import app

ROOT = Path(__file__).parents[1]
# More than this a reader loses the thread; 25 as a rule.
LONGEST, RULE, SHARE_OVER_RULE = 35, 25, 0.05
# Translated idiom, and what the field says instead.
INSTEAD = {
    r"\bhangs? together": "are correlated",
    r"\bnames (are )?drawn|\bdrawing names": "labels are permuted",
    r"\bbut for\b": "except",
    r"\bhand(s|ed)? on\b": "pass on",
    r"\bvolley": "burst",
    r"\breckon": "estimated",
    r"\b(mends?|bears?)\b": "repair, resolve, tolerate",
    r"\bheard\b": "received, take effect",
    r"(?<!there) \b(is|are) no (?!longer|more|better)": "is not a",
    r"\bbesides?\b": "next to, in addition to, compared with, apart from",
    r"\b(told|tells?\b(?! you))\b": "given, stated, states, reports",
}
FOLDERS = [ROOT / "README.md", ROOT / "data" / "README.md"]
PAGES = [*FOLDERS, *sorted((ROOT / "notebooks").glob("*.md"))]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SECTION = re.compile(r"^ *(Args|Attributes|Returns|Raises|Yields):\n", re.MULTILINE)
FIELD = re.compile(r"^ {4}(?! )\*{0,2}(\w+): ", re.MULTILINE)


def prose(markdown):
    """Paragraphs without code, tables, headings, pictures and addresses."""
    text = re.sub(r"^```.*?^```", "", markdown, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"^\|.*$|^#.*$|^!\[.*$|^ {4}.*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"^: ", "\n\n", re.sub(r"\]\([^)]*\)", "]", text), flags=re.MULTILINE)
    return re.split(r"\n\s*\n|\n- ", text)


def sentences(paragraphs):
    """Sentences of paragraphs; code and formulas in `` count as a word."""
    for paragraph in paragraphs:
        plain = re.sub(r"`[^`]*`|\$[^$]*\$", "code", " ".join(paragraph.split()))
        yield from re.split(r"(?<=[.!?])[*)\"]*\s+", plain)


def whole(path):
    """The text of a page with its tables, or of a notebook; without code, and the words below."""
    text = path.read_text(encoding="utf-8")
    if path in NOTEBOOKS:
        return "\n".join(paragraph for paragraph in cells(path))
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"^\| not \| but \|.*?\n\n", "", text, flags=re.MULTILINE | re.DOTALL)


def cells(notebook):
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "markdown":
            yield from prose("".join(cell["source"]))


def helps():
    for command in typer.main.get_command(app).commands.values():
        yield from (command.help or "").split("\n\n")
        yield from (getattr(param, "help", None) or "" for param in command.params)


def shown():
    """All public names, and what the page of the API shows in addition."""
    yield from ((name, getattr(bridge, name)) for name in bridge.__all__)
    page = (ROOT / "notebooks" / "api.md").read_text(encoding="utf-8")
    for place, name in re.findall(r"autoclass:: (bridge[.\w]+)\.(\w+)$", page, re.MULTILINE):
        if place != "bridge":
            found = getattr(import_module(place), name)
            yield from ((each.__name__, each) for each in found.__mro__ if each is not object)


def docstrings():
    """Of all that is shown, and of the members of classes."""
    for name, found in shown():
        yield name, inspect.getdoc(found) or ""
        if inspect.isclass(found):
            for each, member in vars(found).items():
                of = getattr(member, "fget", None) or getattr(member, "__func__", member)
                if not each.startswith("_") and inspect.isfunction(of) and of.__doc__:
                    yield f"{name}.{each}", inspect.cleandoc(of.__doc__)


def described():
    for _, text in docstrings():
        yield from re.split(r"\n\s*\n", FIELD.sub("\n\n", SECTION.sub("\n\n", text)))


def called(path):
    return str(path.relative_to(ROOT))


TEXTS = {
    **{called(path): lambda path=path: prose(path.read_text(encoding="utf-8")) for path in PAGES},
    **{called(path): lambda path=path: cells(path) for path in NOTEBOOKS},
    "--help": helps,
    "docstrings": described,
}


@pytest.mark.parametrize("name", TEXTS)
def test_sentences_are_short(name):
    counts = {sentence: len(sentence.split()) for sentence in sentences(TEXTS[name]())}
    assert {s for s, words in counts.items() if words > LONGEST} == set()
    long = [s for s, words in counts.items() if words > RULE]
    assert len(long) <= SHARE_OVER_RULE * len(counts), long


@cache
def strings():
    """Each text in the code with its place: docstrings, help, messages, what the report says."""
    pages = (ROOT / "bridge").rglob("*.html")
    found = [(called(page), page.read_text(encoding="utf-8")) for page in pages]
    for path in sorted((ROOT / "bridge").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append((f"{path.relative_to(ROOT)}:{node.lineno}", node.value))
    return found


def without_code(text):
    """Without what is in ``, and without names of arguments at the beginning of a line."""
    return FIELD.sub("", re.sub(r"`[^`]*`", "", inspect.cleandoc(text)))


@pytest.mark.parametrize("idiom", INSTEAD)
def test_the_words_are_those_of_the_field(idiom):
    used = [
        (place, match.group())
        for place, text in strings()
        if " " in text and (match := re.search(idiom, without_code(text), re.IGNORECASE))
    ]
    for path in (*PAGES, *NOTEBOOKS):
        text = without_code(" ".join(whole(path).split()))
        used += [(called(path), m.group()) for m in re.finditer(f"(?i).{{0,20}}{idiom}", text)]
    assert not used, f"write: {INSTEAD[idiom]}"


def test_no_sentence_goes_on_in_the_next_field_of_a_docstring():
    """A page of the reference shows each field on its own."""
    broken = []
    for name, text in docstrings():
        parts = SECTION.split(text)
        for section, body in zip(parts[1::2], parts[2::2], strict=True):
            fields = re.split(r"\n(?= {4}\S)", body.split("\n\n")[0])
            if section in ("Args", "Attributes"):
                broken += [(name, each) for each in fields if not each.rstrip().endswith(".")]
    assert not broken


def test_no_property_says_a_colon_that_the_reference_would_take_for_a_type():
    """Sphinx shows `ms; None: it has none.` as a property of type `ms; None`."""
    for name, found in shown():
        for each, member in inspect.getmembers(found, lambda of: isinstance(of, property)):
            first, *_ = inspect.cleandoc(member.__doc__ or "").splitlines()[:1] or [""]
            assert ": " not in first or each.startswith("_"), f"{name}.{each}: {first}"
