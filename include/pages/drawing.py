"""How every figure looks and is written: one style, the same bytes for the same data, no window, no pyplot.

A figure is drawn once and kept as a `Drawing`: PNG bytes for documents that take pictures only, and SVG text for
the rest. The colours follow Okabe and Ito, "Color Universal Design", 2008: they stay apart for colour-blind eyes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PAPER, INK, SOFT, LINE = "#ffffff", "#23201a", "#6b6457", "#ddd6c8"
BLUE, ORANGE, GREEN, PURPLE = "#0b5a9e", "#d55e00", "#007a5e", "#a3568a"
SERIES = (BLUE, ORANGE, GREEN, PURPLE)
DASHES = ("-", "--", ":", "-.")
"""Lines differ by dash as well as by colour, for readers and printers without colour."""

DOTS_PER_INCH = 144
_WIDE = 7.5
"""Inches; two narrower figures fit side by side."""

_STYLE: Any = {  # matplotlib types it by its several hundred names
    "font.family": "DejaVu Sans",  # travels with matplotlib: the same letters on every machine
    "font.size": 10,
    "text.color": INK,
    "text.parse_math": False,  # a label with a dollar sign is a name, not a formula
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.labelsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
    "svg.fonttype": "path",
    "figure.dpi": 100,
}

_PAGE_COLOURS = {
    INK: "var(--ink)",
    SOFT: "var(--soft)",
    LINE: "var(--line)",
    PAPER: "var(--card)",
    BLUE: "var(--figure-blue)",
    ORANGE: "var(--figure-orange)",
    GREEN: "var(--figure-green)",
    PURPLE: "var(--figure-purple)",
}
"""Colours that follow the light or dark scheme of the page that a figure is embedded in."""


@dataclass(frozen=True)
class Drawing:
    """One finished figure."""

    name: str
    """Name of its files without ending, e.g. `confusion`."""
    title: str
    caption: str
    """What it shows, in a sentence or two; also the text for readers who do not see it."""
    png: bytes
    svg: str
    is_wide: bool = False
    """Whether it needs the whole width of a page to be read."""

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write `NAME.png` and `NAME.svg` into an existing folder and return their paths."""
        png, svg = folder / f"{self.name}.png", folder / f"{self.name}.svg"
        png.write_bytes(self.png)
        svg.write_text(self.svg, encoding="utf-8")
        return png, svg

    def inline_svg(self) -> str:
        """The SVG as part of an HTML page: scaled to its column, in the page's own colours."""
        body = self.svg[self.svg.index("<svg") :]
        body = re.sub(r'(<svg [^<>]*?)width="[^"]*" ', r"\1", body, count=1)
        body = re.sub(r'(<svg [^<>]*?)height="[^"]*" ', r"\1", body, count=1)
        body = re.sub(r"<!--.*?(?:-->|\Z)", "", body, flags=re.DOTALL)
        # Several figures share a page: its ids must not meet.
        body = re.sub(r'<g id="[^"]*"', "<g", body).replace("DejaVuSans-", f"{self.name}-")
        for colour, variable in _PAGE_COLOURS.items():
            body = body.replace(colour, variable)
        return body.replace("<svg ", '<svg aria-hidden="true" ', 1)


@contextmanager
def house_style(name: str) -> Iterator[None]:
    """Draw and save in the style of the project; matplotlib's settings are as before afterwards."""
    import matplotlib as mpl

    with mpl.rc_context(_STYLE | {"svg.hashsalt": name}):
        yield


def new_figure(width: float, height: float) -> tuple[Figure, Axes]:
    """An empty figure of a size in inches with one pair of axes, laid out so that no label is cut."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor=PAPER)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_facecolor("none")
    return figure, axes


def finish(figure: Figure, name: str, title: str, caption: str) -> Drawing:
    """The figure as PNG and SVG, without dates or versions in them; call it within `house_style`."""
    png, svg = io.BytesIO(), io.BytesIO()
    figure.savefig(png, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    nothing: dict[str, Any] = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(svg, format="svg", metadata=nothing)
    return Drawing(
        name, title, caption, png.getvalue(), svg.getvalue().decode("utf-8"), bool(figure.get_figwidth() > _WIDE)
    )


def percent(share: float) -> str:
    """A share in [0, 1] for people: `0.975` → `97.5 %`."""
    return f"{100 * share:.1f} %".replace(".0 ", " ")


def percent_axis(axes: Axes, which: str) -> None:
    """Show the shares of an axis (`x` or `y`) as percentages."""
    from matplotlib.ticker import FuncFormatter

    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.4g} %"))


def legend_above(axes: Axes) -> None:
    """The legend over the axes in one line, where it covers no data."""
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=4, borderaxespad=0.2, handlelength=1.8)


def beside(axes: Axes, row: int, *figures: str) -> None:
    """Figures at the right of a row, in columns, outside the axes."""
    for number, figure in enumerate(figures):
        axes.annotate(
            figure, (1.0, row), xycoords=("axes fraction", "data"), xytext=(46 + 52 * number, 0),
            textcoords="offset points", ha="right", va="center", size=9, color=INK,
        )  # fmt: skip


def words(name: str) -> str:
    """An id as words: `baby_care` → `baby care`."""
    return name.replace("_", " ")


def shortened(text: str, length: int = 26) -> str:
    """A text of at most `length` characters, so that a long name from outside leaves room for the figure."""
    return text if len(text) <= length else f"{text[: length - 1]}…"
