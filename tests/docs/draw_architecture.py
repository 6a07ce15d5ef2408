"""Draws the map of the packages from the imports in the code: `python -m tests.docs.draw_architecture`.

Boxes are packages, with the first sentence of their docstring; arrows are imports. A test fails when the committed map
is not what this program would draw.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from textwrap import wrap

from tests.conftest import PROJECT_ROOT
from tests.docs.import_graph import Arrows, Code, reduced
from tests.docs.layered_layout import Box, Placed, Point, place

COMMAND = "python -m tests.docs.draw_architecture"
MAP = PROJECT_ROOT / "docs" / "images" / "architecture.svg"
OPENED = ("models", "pipeline")
"""Packages that are drawn with the packages inside them."""
ENTRY = "cli"
MARGIN, PADDING, LINE = 24, 12, 16
COLOURS = ("#3d6fb6", "#b5533c", "#3f8f5f", "#8a5aa8", "#a07a1f", "#2f8c95", "#b04a7c", "#5f6f80")
"""Of arrows, so that two that run side by side can be told apart."""


@dataclass(frozen=True)
class Drawn:
    """A box with its words: a heading, lines below it, and for an opened package what is inside."""

    heading: str
    lines: Sequence[str]
    inside: Placed | None = None
    parts: Mapping[str, Drawn] | None = None
    is_package: bool = True

    @property
    def box(self) -> Box:
        """The size that the words and the packages inside need."""
        width = max([_width(self.heading, 15), *(_width(line, 12) for line in self.lines)]) + 2 * PADDING
        height = 2 * PADDING + 14 + LINE * len(self.lines)
        if self.inside:
            return Box(max(width, self.inside.width + 2 * PADDING), height + self.inside.height + 2 * PADDING)
        return Box(width, height)


def _width(text: str, size: int) -> int:
    """About how wide a text is in a sans-serif font: a drawing has no fonts to ask."""
    narrow, wide = (sum(map(text.count, letters)) for letters in ("iljtf.,:;'|! ", "mwMW"))
    return round(size * (0.62 * (len(text) - narrow - wide) + 0.36 * narrow + 0.95 * wide))


def _summary(code: Code, module: str) -> str:
    """What a package is for; its own name at the start would be read twice."""
    text = code.summary(module).replace("`", "")
    head, colon, rest = text.partition(": ")
    return rest[:1].upper() + rest[1:] if colon and len(head.split()) < 3 else text


def drawing(code: Code) -> str:
    """The map as SVG."""
    ground = [name.removeprefix("include.") for name in code.ground()]
    arrows = _top_arrows(code, set(ground))
    drawn = {name: _drawn(code, name) for name in arrows}
    placed = place({name: each.box for name, each in drawn.items()}, reduced(arrows), gap_x=24, gap_y=56)
    width = placed.width + 2 * MARGIN
    foot = _foot(code, ground, width - 2 * MARGIN)
    height = placed.height + 2 * MARGIN + 40 + LINE * len(foot)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="Helvetica, Arial, sans-serif" role="img" aria-label="Map of the packages and their imports">',
        f"<!-- drawn by {COMMAND} -->",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        *_graph(placed, drawn, reduced(arrows), (MARGIN, MARGIN)),
        *_footer(foot, placed.height + 2 * MARGIN, width),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _top_arrows(code: Code, ground: set[str]) -> dict[str, frozenset[str]]:
    """Between packages and the files that import packages, the DAGs among them; the way in is the command line."""
    arrows = {unit: targets - ground for unit, targets in code.arrows("include").items() if unit not in ground}
    arrows.pop("__main__", None)
    used = {
        other.split(".")[1]
        for module in code.trees
        if module.startswith("dags.")
        for other in code.imports(module)
        if other.startswith("include.")
    }
    return {"dags": frozenset(used - ground), **arrows}


def _drawn(code: Code, name: str) -> Drawn:
    if name == "dags":
        return Drawn("dags", wrap("Documentation, arguments and wiring of the Airflow DAGs", 24))
    module = f"include.{name}"
    if name not in OPENED:
        return Drawn(name, wrap(_summary(code, module), 24), is_package=module in code.packages)
    arrows = reduced(code.arrows(module))
    parts = {
        part: Drawn(part, wrap(_summary(code, f"{module}.{part}"), 24), is_package=f"{module}.{part}" in code.packages)
        for part in arrows
    }
    inside = place({part: each.box for part, each in parts.items()}, arrows, gap_x=12, gap_y=32)
    return Drawn(name, wrap(_summary(code, module), 90), inside, parts)


def _foot(code: Code, ground: Sequence[str], width: int) -> list[str]:
    text = "Beside the packages, files that all of them may import: " + " · ".join(ground)
    note = "An arrow that follows from others is left out: whoever imports models may import features and storage too."
    return [*wrap(text, width // 7), note]


def _footer(lines: Sequence[str], top: int, width: int) -> Iterator[str]:
    yield f'<line x1="{MARGIN}" y1="{top}" x2="{width - MARGIN}" y2="{top}" stroke="#c9ced6"/>'
    for number, line in enumerate(lines):
        yield _text(MARGIN, top + 24 + number * LINE, line, 12, "#4a5361")


def _graph(placed: Placed, drawn: Mapping[str, Drawn], arrows: Arrows, origin: Point, depth: int = 0) -> Iterator[str]:
    for name, each in drawn.items():
        left, top = placed.corners[name][0] + origin[0], placed.corners[name][1] + origin[1]
        yield from _box(name, each, arrows[name], (left, top), depth)
    for number, name in enumerate(drawn):
        colour = COLOURS[number % len(COLOURS)]
        for head in sorted(arrows[name]):
            yield _arrow(placed.paths[name, head], origin, colour, f"{name} imports {head}")


def _box(name: str, each: Drawn, imported: frozenset[str], corner: Point, depth: int) -> Iterator[str]:
    left, top = corner
    fill = ("#f4f6fa", "#ffffff")[depth] if each.is_package else "#fbf8f0"
    dash = "" if each.is_package else ' stroke-dasharray="4 3"'
    yield (
        f'<rect x="{left}" y="{top}" width="{each.box.width}" height="{each.box.height}" rx="6" fill="{fill}" '
        f'stroke="#8791a1"{dash}/>'
    )
    yield _text(left + PADDING, top + PADDING + 12, each.heading, 15, "#1d2530", bold=True)
    for number, line in enumerate(each.lines):
        yield _text(left + PADDING, top + PADDING + 12 + (number + 1) * LINE, line, 12, "#4a5361")
    if each.inside and each.parts:
        inner_top = top + 2 * PADDING + 20 + LINE * len(each.lines)
        inner_left = left + (each.box.width - each.inside.width) // 2
        parts = {part: frozenset(head for tail, head in each.inside.paths if tail == part) for part in each.parts}
        yield from _graph(each.inside, each.parts, parts, (inner_left, inner_top), depth + 1)


def _text(left: int, base: int, words: str, size: int, colour: str, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{left}" y="{base}" font-size="{size}" fill="{colour}"{weight}>{escape(words)}</text>'


def _arrow(path: Sequence[Point], origin: Point, colour: str, words: str) -> str:
    points = [(x + origin[0], y + origin[1]) for x, y in path]
    end_x, end_y = points[-1]
    points[-1] = (end_x, end_y - 7)
    curve = f"M {points[0][0]} {points[0][1]}"
    for (x, y), (to_x, to_y) in pairwise(points):
        middle = (y + to_y) // 2
        curve += f" C {x} {middle} {to_x} {middle} {to_x} {to_y}" if x != to_x else f" L {to_x} {to_y}"
    head = f"{end_x - 4},{end_y - 8} {end_x + 4},{end_y - 8} {end_x},{end_y}"
    return (
        f'<g fill="none" stroke="{colour}" stroke-width="1.5"><title>{escape(words)}</title><path d="{curve}"/>'
        f'<polygon points="{head}" fill="{colour}" stroke="none"/></g>'
    )


def main() -> None:
    """Draw the map, and say whether it has changed."""
    before = MAP.read_text(encoding="utf-8") if MAP.exists() else ""
    after = drawing(Code.read(PROJECT_ROOT))
    if after != before:
        MAP.write_text(after, encoding="utf-8")
        sys.stdout.write(f"{MAP.relative_to(PROJECT_ROOT)} redrawn\n")


if __name__ == "__main__":
    main()
