"""What a notebook shows of an object is its `repr` as a small table of plain HTML."""

import dataclasses
from html.parser import HTMLParser

import pytest
from conftest import drive_for, kim_network
from exchange.test_store import conversion, recording
from plot.test_plot import agreement, gain_search

THINGS = {
    "network": kim_network,
    "rate network": lambda: conversion().rate,
    "recording": recording,
    "drive": lambda: drive_for(kim_network(), 3),
    "conversion": conversion,
    "search": lambda: conversion().search,
    "gain search": gain_search,
    "agreement": agreement,
}


class Read(HTMLParser):
    """Tags that are opened and closed in order, and the text between them."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.texts = [], set(), []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.add(tag)
        assert {name for name, _ in attrs} <= {"style"}
        assert not any(word in value for _, value in attrs for word in ("color", "background"))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def read(thing):
    found = Read()
    found.feed(thing._repr_html_())
    found.close()
    assert not found.open
    return found


@pytest.mark.parametrize("thing", THINGS.values(), ids=THINGS)
def test_a_notebook_shows_what_the_repr_tells(thing):
    thing = thing()
    found = read(thing)
    assert found.tags == {"table", "caption", "tbody", "tr", "th", "td"}
    title, *cells = found.texts
    assert title == type(thing).__name__
    assert len(cells) % 2 == 0
    inside = repr(thing)[len(title) + 1 : -1]
    for name, value in zip(cells[::2], cells[1::2], strict=True):
        assert value in inside
        inside = inside.replace(f"{name} {value}" if f"{name} {value}" in inside else value, "", 1)
    assert not inside.strip(", "), "the repr tells nothing that the table does not"


def test_names_are_text_and_never_markup():
    bad = "<script>alert(1)</script>&\udcff"
    shown = dataclasses.replace(
        recording(),
        task=bad.encode("utf-8", "replace").decode(),
        provenance={"method": f"<b>{bad}"},
    )
    text = shown._repr_html_()
    text.encode()
    assert "<script" not in text
    assert "<b>" not in text
    assert "<b><script>alert(1)</script>&?" in " ".join(read(shown).texts)
