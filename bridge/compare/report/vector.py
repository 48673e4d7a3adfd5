"""Figures as small vector graphics: for a file of their own, and for within a page.

What matplotlib writes is kept, only shorter: places to a hundredth of a point, one path for many
marks, one style for many dots.
"""

import io
import re
from functools import partial

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from bridge.plot.style import DARK, REPORT

# A page chooses what it has; a file is shown alike on most machines.
_LETTERS = "Helvetica, Arial, 'DejaVu Sans', sans-serif"
# Of what is drawn as pixels within a figure, per inch.
_PIXELS = 300

_PLACES = re.compile(r'\b(?:d|x|y|x1|y1|width|height|transform)="[^"]*"')
_NUMBER = re.compile(r"-?\d+\.\d+")
_STYLE_OF_ALL = re.compile(r"\s*<defs>\s*<style[^>]*>[^<]*</style>\s*</defs>")
_FAMILY = re.compile(r"font-family: [^;]*")
_STILL = re.compile(r' transform="rotate\(-0 [^"]*\)"')
_BAR = re.compile(r'<path id="(m\w+)" d="M 0 ([\d.]+) ?\nL 0 (-[\d.]+) ?\n"')
_USE = r'<use xlink:href="#(\w+)" x="([^"]*)" y="([^"]*)" style="([^"]*)"/>\s*'
_USES = re.compile(rf"(?:{_USE}){{2,}}")
# Of a file alone: a page knows them.
_OF_FILES = re.compile(r"\s*<metadata>.*?</metadata>| xmlns(?::\w+)?=\"[^\"]*\"", re.DOTALL)
_NAME = re.compile(r'(\bid="|href="#|url\(#)')


def vector(figure: Figure, title: str) -> str:
    """A figure as an SVG file that says what it shows; the figure is not to be used after that."""
    buffer = io.BytesIO()
    # The time of day would make another file of the same figure.
    about = {"Title": title, "Date": None, "Creator": None}
    with mpl.rc_context(REPORT):
        canvas = FigureCanvasSVG(figure)
        # `savefig` would lay it out twice and draw it twice: half of the time of a report.
        if (engine := figure.get_layout_engine()) is not None:
            engine.execute(figure)
            figure.set_layout_engine("none")
        figure.set_dpi(_PIXELS)
        canvas.print_svg(buffer, metadata=about)  # type: ignore[no-untyped-call]
    return shortened(buffer.getvalue().decode())


def shortened(svg: str) -> str:
    """The same picture in fewer letters."""
    # A style of all elements would be one of the whole page.
    svg = _STYLE_OF_ALL.sub("", svg, count=1)
    svg = svg.replace('<g id="figure_1">', '<g id="figure_1" stroke-linejoin="round">', 1)
    svg = _FAMILY.sub(f"font-family: {_LETTERS}", svg)
    svg = _STILL.sub("", svg)
    bars = {name: (float(top), float(end)) for name, top, end in _BAR.findall(svg)}
    svg = _USES.sub(partial(_run, bars), svg)
    return _PLACES.sub(lambda found: _NUMBER.sub(_rounded, found[0]), svg)


def _rounded(found: re.Match[str]) -> str:
    return f"{float(found[0]):.2f}".rstrip("0").rstrip(".")


def _run(bars: dict[str, tuple[float, float]], found: re.Match[str]) -> str:
    """A run of marks of one kind and style, as one path where they are upright bars."""
    marks = re.findall(_USE, found[0])
    if len({(name, style) for name, _, _, style in marks}) > 1:
        return found[0]
    name, style = marks[0][0], marks[0][3]
    if name in bars:
        top, end = bars[name]
        path = "".join(f"M{x} {float(y) + top}v{end - top}" for _, x, y, _ in marks)
        return f'<path d="{path}" style="{style}"/>\n'
    places = "".join(f'<use xlink:href="#{name}" x="{x}" y="{y}"/>' for _, x, y, _ in marks)
    return f'<g style="{style}">{places}</g>\n'


def within_page(svg: str, name: str) -> str:
    """A figure as a part of a page: names are its own, and colours those of the page's ground.

    Args:
        svg: What `vector` gives.
        name: Of the figure on the page.
    """
    drawn = _OF_FILES.sub("", svg[svg.index("<svg") :])
    named = _NAME.sub(lambda found: f"{found[1]}{name}-", drawn)
    told = {colour: f"var({variable(colour)},{colour})" for colour in DARK}
    for colour, either in told.items():
        named = re.sub(f"(: ){colour}\\b", rf"\g<1>{either}", named)
    return named.replace("<svg ", '<svg role="img" ', 1)


def variable(colour: str) -> str:
    """What a page calls a colour."""
    return f"--c{colour[1:]}"
