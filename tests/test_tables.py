"""Tables can be read on a screen of 80 columns, and are whole in a pipe."""

import io
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from exchange.test_store import THINGS, conversion, measured_conversion

from bridge import terminal
from bridge.benchmark import screen
from bridge.benchmark.table import kept_rows
from bridge.describe import describe
from bridge.methods.gain_search import GainSearch
from bridge.search_tables import search_table, sides_table
from bridge.sections import essential, plain, sections
from bridge.studies import cell_summaries
from bridge.studies.catalog import find
from bridge.studies.csv_files import read_csv
from bridge.tables import Table, pairs, wrapped
from bridge.tasks import catalogue

WIDTH = 80
DATA = Path(__file__).parents[1] / "data"
# The one of the longest names, and the ones of the longest numbers.
STUDIES = {"options": "options", "s3": "S3", "7-original": "7"}


def of_benchmark():
    (folder,) = (path.parent for path in (DATA / "benchmarks").glob("*/benchmark.csv"))
    return screen.table_of(kept_rows(folder).values())


def of_study(folder, name):
    return cell_summaries.table_of(find(name), read_csv(DATA / "studies" / folder / "table.csv"))


def of_a_full_gain_search():
    found = GainSearch(
        gains_hz=[50.0, 1600.0], dt_ms=[0.05, 0.25], rates_hz=[5.0, 123.0], trials=1000,
        readout_lag_ms=[0.0, 12.5], best=1, seed=0, backend="reference", seconds=1.0,
        output_error=[27.8, 0.0685], correct=[1000, 998], lost=[0, 2], gained=[0, 0],
        unit_correlations=np.full((2, 3), 0.5),
    )  # fmt: skip
    return search_table(found)


def of_sides():
    kinds = {"lif": conversion, "if": measured_conversion}
    made = {kind: make() for kind, make in kinds.items()}
    return sides_table(
        [SimpleNamespace(neuron=k, conversion=c, rate_hz=12.345) for k, c in made.items()]
    )


TABLES = {
    "benchmark": of_benchmark,
    "search": lambda: search_table(conversion().search),
    "search with measures": lambda: search_table(measured_conversion().search),
    "search for a gain": of_a_full_gain_search,
    "kinds of neurons": of_sides,
} | {f"study {folder}": partial(of_study, folder, name) for folder, name in STUDIES.items()}


def words(text):
    return set(str(text).split())


@pytest.mark.parametrize("everything", [False, True])
@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_table_fits_a_screen_and_no_cell_is_cut(table, everything):
    table = table()
    laid = table.lines(WIDTH, everything=everything)
    lines = [*laid.header, *laid.body]
    assert max(map(len, lines)) <= WIDTH
    assert not any("…" in line for line in lines)
    assert not (everything and laid.left_out)
    shown = [
        n
        for n, name in enumerate(table.headers)
        if name not in laid.left_out and any(str(row[n]) for row in table.rows)
    ]
    told = words(" ".join(lines))
    for row in (table.headers, *table.rows):
        assert words(" ".join(str(row[number]) for number in shown)) <= told


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_in_a_pipe_each_row_is_whole_on_a_line_of_its_own(table):
    table = table()
    laid = table.lines(None)
    assert (len(laid.header), len(laid.body), laid.left_out) == (1, len(table.rows), ())
    for row, line in zip((table.headers, *table.rows), (*laid.header, *laid.body), strict=True):
        assert line.split() == " ".join(map(str, row)).split()


@pytest.mark.parametrize("thing", THINGS.values(), ids=THINGS)
def test_what_a_file_holds_fits_a_screen(thing):
    _, rows = describe(thing())
    parts = sections(rows)
    assert sum(map(len, parts.values())) == len(rows)
    for part in (essential(rows), *parts.values()):
        lines = list(pairs(part, WIDTH))
        assert max(map(len, lines), default=0) <= WIDTH
        assert words(" ".join(map(str, part.values()))) <= words(" ".join(lines))
        assert len(list(pairs(part, None))) == len(part)


def test_the_essentials_of_a_conversion_are_few_and_the_rest_is_elsewhere():
    _, rows = describe(measured_conversion())
    shown = essential(rows)
    assert {"chosen 1/lambda", "neurons", "rate network: units"} <= set(shown)
    assert len(rows) - len(shown) > 10
    assert sections(rows)["rate network"]["units"] == rows["rate network: units"]


def test_what_a_provenance_holds_is_written_for_a_reader():
    options = {"units": 5, "tau_ms": [20.0, 100.0], "inner": {"a": "b"}}
    assert plain(options) == "units=5, tau_ms=[20.0, 100.0], inner=a=b"
    lesion = {"units": [*range(10), 25, 30, 31], "scale": 0.0}
    assert plain([lesion, {"scale": 2.0}]) == "units=0-9, 25, 30-31, scale=0.0; scale=2.0"
    few, others = [1, 2], [0.5] * 9
    assert (plain(few), plain(others)) == (few, others)


def test_the_tasks_fit_a_screen():
    assert max(map(len, pairs(dict(catalogue()), WIDTH))) <= WIDTH


NARROW = Table(
    headers=("name", "speed (1/s)", "a further number", "why"),
    rows=[("one and another", 12, 3.5, "late"), ("two", 7, 4.5, ""), ("three", 8, 1, "late")],
    words=("name",),
    essential=("name", "speed (1/s)", "why"),
    footnotes="why",
)


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (
            40,
            [
                "                 speed  a further",
                "name             (1/s)     number   why",
                "one and another     12        3.5  late",
                "two                  7        4.5",
                "three                8          1  late",
            ],
        ),
        (
            30,
            [
                "                 speed",
                "name             (1/s)  why",
                "one and another     12    1",
                "two                  7",
                "three                8    1",
                "why 1: late",
            ],
        ),
        (
            25,
            [
                "               speed",
                "name           (1/s)  why",
                "one and           12    1",
                "another",
                "two                7",
                "three              8    1",
                "why 1: late",
            ],
        ),
    ],
)
def test_where_it_is_narrow_headers_break_and_then_columns_go(width, expected):
    laid = NARROW.lines(width)
    assert [*laid.header, *laid.body] == expected
    assert laid.left_out == (("a further number",) if width < 40 else ())


def test_where_it_is_narrow_an_empty_column_goes_without_a_word():
    bare = replace(NARROW, rows=[(*row[:-1], "") for row in NARROW.rows])
    laid = bare.lines(30)
    assert " ".join(laid.header).split() == ["name", "speed", "(1/s)"]
    assert laid.left_out == ("a further number",)
    assert "why" in " ".join(replace(NARROW, rows=[]).lines(30).header)


def test_a_table_that_must_keep_all_columns_is_turned():
    laid = NARROW.lines(26, everything=True)
    assert laid.header == laid.left_out == ()
    assert laid.body[:7] == (
        "name          one and",
        "              another",
        "speed (1/s)   12",
        "a further number",
        "              3.5",
        "why           late",
        "",
    )


def test_words_are_broken_only_where_a_line_is_too_short_for_them():
    assert list(wrapped("a path/to/a/file of five", 12)) == ["a", "path/to/a/fi", "le of five"]
    assert list(wrapped("", 12)) == [""]
    # Such a character takes two columns.
    assert list(wrapped("漢字漢字 漢字", 8)) == ["漢字漢字", "漢字"]


@pytest.mark.parametrize(("screen_there", "lines"), [(True, 3), (False, 1)])
def test_sentences_are_broken_between_words_on_a_screen_alone(screen_there, lines, monkeypatch):
    written = io.StringIO()
    console = terminal._Output(
        file=written, force_terminal=screen_there, width=WIDTH, highlight=False, soft_wrap=True
    )
    monkeypatch.setattr(terminal, "console", console)
    sentence = " ".join(["word"] * 40)
    terminal.say(sentence)
    said = written.getvalue().splitlines()
    assert len(said) == lines
    assert " ".join(said) == sentence
    assert terminal.width() == (WIDTH if screen_there else None)
