"""Tables as lines of plain text: for a screen of some width, or as wide as they are for a pipe.

Nothing is cut away. Where a table is too wide for a screen, its headers are broken first, then its
columns of words. If that is not enough, it drops to its essential columns and names the others, or
it is turned: a block for each row, a line for each cell.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len, chop_cells

Rows = list[tuple[object, ...]]


@dataclass(frozen=True, kw_only=True)
class Lines:
    """A table that has been laid out.

    Attributes:
        header: Its first lines.
        body: The others.
        left_out: Columns that are not in it.
    """

    header: tuple[str, ...] = ()
    body: tuple[str, ...]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table with a header.

    Attributes:
        headers: A name for each column, with its unit in parentheses.
        rows: A cell for each column.
        words: Columns that hold words: they stand to the left, and may be broken between words.
        essential: Columns that stay where there is no room for all; none: all of them stay.
        footnotes: A column whose cells then become numbers, and its texts notes below; "": none.
    """

    headers: tuple[str, ...]
    rows: Rows
    words: tuple[str, ...] = ()
    essential: tuple[str, ...] = ()
    footnotes: str = ""

    def lines(self, width: int | None, *, everything: bool = False) -> Lines:
        """The table in lines of at most this width; None: as wide as it is.

        Args:
            width: Of the screen.
            everything: No column is left out: what is too wide is turned.
        """
        if everything or not self.essential:
            return self._across(width) or self._turned(width)
        found = self._across(width)
        if found is not None:
            return found
        shorter = self._shorter()
        found = shorter._across(width) or shorter._turned(width)
        left_out = tuple(name for name in self.headers if name not in self.essential)
        return replace(found, body=(*found.body, *self._notes(width)), left_out=left_out)

    def _across(self, width: int | None) -> Lines | None:
        """A line, or a few, for each row; None where that is too wide."""
        cells = [[" ".join(str(cell).split()) for cell in row] for row in self.rows]
        columns = [[row[number] for row in cells] for number in range(len(self.headers))]
        own = [max(map(cell_len, column), default=0) for column in columns]
        widths = [max(cell_len(name), wide) for name, wide in zip(self.headers, own, strict=True)]
        if width is not None and _whole(widths) > width:
            widths = self._squeezed(own, width)
            if _whole(widths) > width:
                return None
        left = [name in self.words for name in self.headers]
        header = _row(self.headers, widths, left, top=False)
        body = [line for row in cells for line in _row(row, widths, left)]
        return Lines(header=tuple(header), body=tuple(body))

    def _squeezed(self, own: list[int], width: int) -> list[int]:
        """Widths of columns of which the headers, and those of words, are broken as needed."""
        widths = [
            max(_longest_word(name), min(wide, _WORDS) if name in self.words else wide)
            for name, wide in zip(self.headers, own, strict=True)
        ]
        room = max(0, width - _whole(widths))
        for number, name in enumerate(self.headers):
            if name in self.words:
                more = min(max(own[number] - widths[number], 0), room)
                widths[number] += more
                room -= more
        return _with_lower_headers(self.headers, widths, room)

    def _shorter(self) -> "Table":
        """The table of the essential columns, as far as they hold anything."""
        named = {name: self.headers.index(name) for name in self.essential}
        named = {
            name: place
            for name, place in named.items()
            if not self.rows or any(str(row[place]) for row in self.rows)
        }
        places = list(named.values())
        found = [[row[place] for place in places] for row in self.rows]
        if self.footnotes in named:
            place, marks = list(named).index(self.footnotes), self._marks()
            for row in found:
                row[place] = marks.get(str(row[place]), "")
        return replace(self, headers=tuple(named), rows=[tuple(row) for row in found])

    def _marks(self) -> dict[str, int]:
        """A number for each text of the column of footnotes."""
        place = self.headers.index(self.footnotes)
        texts = dict.fromkeys(str(row[place]) for row in self.rows if row[place])
        return {text: number for number, text in enumerate(texts, start=1)}

    def _notes(self, width: int | None) -> Iterator[str]:
        """The texts that have become numbers."""
        if self.footnotes:
            for text, number in self._marks().items():
                yield from _hanging(f"{self.footnotes} {number}: ", text, width)

    def _turned(self, width: int | None) -> Lines:
        """A block for each row; what is empty is left out."""
        found: list[str] = []
        for row in self.rows:
            named = zip(self.headers, row, strict=True)
            found += ["", *pairs({name: cell for name, cell in named if str(cell)}, width)]
        return Lines(body=tuple(found[1:]))


def pairs(rows: Mapping[str, object], width: int | None) -> Iterator[str]:
    """Lines of names and values: the values one below the other, broken between words."""
    longest = max(map(cell_len, rows), default=0)
    column = longest if width is None else min(longest, max(width // 2 - len(_GAP), _WORDS))
    for name, value in rows.items():
        lead = name
        if cell_len(name) > column:
            yield name
            lead = ""
        yield from _hanging(_filled(lead, column) + _GAP, str(value), width)


def wrapped(text: str, width: int) -> Iterator[str]:
    """Lines of at most this width, broken between words; only a longer word is itself broken."""
    line = ""
    for word in text.split():
        if line and cell_len(line) + 1 + cell_len(word) <= width:
            line = f"{line} {word}"
            continue
        if line:
            yield line
        *full, line = chop_cells(word, width)
        yield from full
    yield line


_GAP = "  "
# Columns of words are not made narrower than this.
_WORDS = 12


def _whole(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _longest_word(text: str) -> int:
    return max(map(cell_len, text.split()), default=0)


def _with_lower_headers(headers: Sequence[str], widths: list[int], room: int) -> list[int]:
    """Widths at which headers take as few lines as the room allows."""
    found = list(widths)
    while True:
        heights = [_height(name, wide) for name, wide in zip(headers, found, strict=True)]
        place = heights.index(max(heights))
        wider = range(found[place] + 1, found[place] + room + 1)
        enough = [wide for wide in wider if _height(headers[place], wide) < heights[place]]
        if not enough:
            return found
        room -= enough[0] - found[place]
        found[place] = enough[0]


def _height(text: str, width: int) -> int:
    return len(list(wrapped(text, width)))


def _row(
    cells: Sequence[str], widths: list[int], left: list[bool], *, top: bool = True
) -> list[str]:
    """The lines of a row: cells that are broken begin in the first line, or end in the last."""
    parts = [list(wrapped(cell, wide)) for cell, wide in zip(cells, widths, strict=True)]
    height = max(map(len, parts))
    missing = [[""] * (height - len(part)) for part in parts]
    full = [p + m if top else m + p for p, m in zip(parts, missing, strict=True)]
    return [
        _GAP.join(
            _filled(part[number], wide, left=to_left)
            for part, wide, to_left in zip(full, widths, left, strict=True)
        ).rstrip()
        for number in range(height)
    ]


def _filled(text: str, width: int, *, left: bool = True) -> str:
    spaces = " " * (width - cell_len(text))
    return text + spaces if left else spaces + text


def _hanging(lead: str, text: str, width: int | None) -> Iterator[str]:
    """A text behind what leads to it; its further lines begin below its first."""
    if width is None:
        yield f"{lead}{' '.join(text.split())}".rstrip()
        return
    for line in wrapped(text, max(width - cell_len(lead), _WORDS)):
        yield f"{lead}{line}".rstrip()
        lead = " " * cell_len(lead)
