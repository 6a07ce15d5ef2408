"""Places boxes of a graph without circles in rows, so that every arrow points down and few of them cross.

The method of Sugiyama, Tagawa and Toda (1981): rows, order within the rows, places. Whole numbers and fixed orders
throughout: the same graph gives the same drawing on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from tests.docs.import_graph import Arrows

SWEEPS = 24
Point = tuple[int, int]


@dataclass(frozen=True)
class Box:
    """What has to be placed: its size in pixels."""

    width: int
    height: int


@dataclass(frozen=True)
class Placed:
    """A drawing: the upper left corner of each box, the points of each arrow from tail to head, and the whole size."""

    corners: Mapping[str, Point]
    paths: Mapping[tuple[str, str], Sequence[Point]]
    width: int
    height: int


@dataclass
class _Rows:
    """Boxes and the bends of long arrows, row by row from the top; `links` are the pieces of arrows between rows."""

    rows: list[list[str]]
    sizes: dict[str, Box]
    chains: dict[tuple[str, str], list[str]]
    links: list[tuple[str, str]] = field(default_factory=list)

    def neighbours(self, row: int, above: bool) -> dict[str, list[str]]:
        """What each entry of a row is linked to in the row above, or below."""
        pairs = [(low, high) if above else (high, low) for high, low in self.links]
        return {name: [other for one, other in pairs if one == name] for name in self.rows[row]}


def place(boxes: Mapping[str, Box], arrows: Arrows, gap_x: int = 24, gap_y: int = 56) -> Placed:
    """Places for the boxes, those that import on top of those that they import."""
    rows = _with_bends(boxes, arrows, _row_numbers(boxes, arrows))
    _order(rows)
    centres = _centres(rows, gap_x)
    left = min(centres[name] - rows.sizes[name].width // 2 for name in centres)
    centres = {name: centre - left for name, centre in centres.items()}
    tops, heights, top = [], [], 0
    for row in rows.rows:
        heights.append(max(rows.sizes[name].height for name in row))
        tops.append(top)
        top += heights[-1] + gap_y
    row_of = {name: number for number, row in enumerate(rows.rows) for name in row}
    middle = {name: tops[row_of[name]] + heights[row_of[name]] // 2 for name in row_of}
    corners = {name: (centres[name] - box.width // 2, middle[name] - box.height // 2) for name, box in boxes.items()}
    paths = {}
    for (tail, head), chain in rows.chains.items():
        start = _port(tail, head, boxes, centres, rows, leaving=True)
        end = _port(head, tail, boxes, centres, rows, leaving=False)
        # Straight within a row, so that an arrow bends between rows only and passes no box.
        stops = [(start, row_of[tail]), *((centres[bend], row_of[bend]) for bend in chain), (end, row_of[head])]
        straight = [(x, y) for x, row in stops for y in (tops[row], tops[row] + heights[row])]
        bottom = corners[tail][1] + boxes[tail].height
        paths[tail, head] = [(start, bottom), *straight[1:-1], (end, corners[head][1])]
    width = max(centres[name] + rows.sizes[name].width // 2 for name in centres)
    return Placed(corners, paths, width, top - gap_y)


def _row_numbers(boxes: Mapping[str, Box], arrows: Arrows) -> dict[str, int]:
    """A row for each box below all that import it; then each moves to where its arrows are shortest in all."""
    importers = {name: [other for other in boxes if name in arrows.get(other, ())] for name in boxes}
    numbers: dict[str, int] = {}

    def depth(name: str) -> int:
        if name not in numbers:
            numbers[name] = 1 + max((depth(other) for other in importers[name]), default=-1)
        return numbers[name]

    for name in boxes:
        depth(name)
    last = max(numbers.values())
    for _ in range(SWEEPS):
        for name in sorted(boxes, key=lambda name: -numbers[name]):
            imported = [numbers[other] for other in arrows.get(name, ())]
            if imported and len(imported) >= len(importers[name]):
                numbers[name] = min(imported) - 1
            elif not imported and not importers[name]:
                numbers[name] = last
    return numbers


def _with_bends(boxes: Mapping[str, Box], arrows: Arrows, numbers: Mapping[str, int]) -> _Rows:
    rows = _Rows([[] for _ in range(max(numbers.values()) + 1)], dict(boxes), {})
    alone = {name for name in boxes if not arrows.get(name) and not any(name in heads for heads in arrows.values())}
    for name in sorted(boxes, key=lambda name: name in alone):
        rows.rows[numbers[name]].append(name)
    for tail in boxes:
        for head in sorted(arrows.get(tail, ())):
            chain = []
            for row in range(numbers[tail] + 1, numbers[head]):
                bend = f"{tail} to {head} in {row}"
                chain.append(bend)
                rows.rows[row].append(bend)
                rows.sizes[bend] = Box(8, 0)
            rows.chains[tail, head] = chain
            stops = [tail, *chain, head]
            rows.links += list(pairwise(stops))
    return rows


def _order(rows: _Rows) -> None:
    """Sort each row by the mean place of what its entries are linked to, down and up; keep the best order seen."""
    best, fewest = [list(row) for row in rows.rows], _crossings(rows)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        numbers = range(1, len(rows.rows)) if down else range(len(rows.rows) - 2, -1, -1)
        for number in numbers:
            place = {name: index for index, name in enumerate(rows.rows[number - 1 if down else number + 1])}
            linked = rows.neighbours(number, above=down)
            own = {name: index for index, name in enumerate(rows.rows[number])}
            mean = {
                name: sum(place[other] for other in others) / len(others) if others else own[name]
                for name, others in linked.items()
            }
            rows.rows[number].sort(key=lambda name: (mean[name], own[name]))
        _swap_neighbours(rows)
        crossings = _crossings(rows)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows.rows], crossings
    rows.rows = best


def _swap_neighbours(rows: _Rows) -> None:
    """Swap two neighbours of a row where fewer arrows cross then."""
    for row in rows.rows:
        for index in range(len(row) - 1):
            before = _crossings(rows)
            row[index], row[index + 1] = row[index + 1], row[index]
            if _crossings(rows) >= before:
                row[index], row[index + 1] = row[index + 1], row[index]


def _crossings(rows: _Rows) -> int:
    place = {name: (number, index) for number, row in enumerate(rows.rows) for index, name in enumerate(row)}
    links = sorted((place[high], place[low][1]) for high, low in rows.links)
    return sum(
        one[0][0] == other[0][0] and one[0][1] < other[0][1] and one[1] > other[1]
        for index, one in enumerate(links)
        for other in links[index + 1 :]
    )


def _centres(rows: _Rows, gap: int) -> dict[str, int]:
    """The middle of each entry: as near as the order allows to what it is linked to."""
    centres: dict[str, int] = {}
    for row in rows.rows:
        right = 0
        for name in row:
            centres[name] = right + rows.sizes[name].width // 2
            right += rows.sizes[name].width + gap
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for number in range(len(rows.rows)) if down else range(len(rows.rows) - 1, -1, -1):
            row = rows.rows[number]
            linked = rows.neighbours(number, above=down)
            if sweep >= SWEEPS - 2:
                other = rows.neighbours(number, above=not down)
                linked = {name: linked[name] + other[name] for name in row}
            wanted = [
                sum(centres[other] for other in linked[name]) / len(linked[name]) if linked[name] else centres[name]
                for name in row
            ]
            centres |= dict(zip(row, _spread(row, wanted, rows.sizes, gap), strict=True))
    return centres


def _spread(row: Sequence[str], wanted: Sequence[float], sizes: Mapping[str, Box], gap: int) -> list[int]:
    """Places in the given order without overlap, as near to the wanted ones as possible (pool adjacent violators)."""
    offsets = [0]
    for one, other in pairwise(row):
        offsets.append(offsets[-1] + (sizes[one].width + sizes[other].width + 1) // 2 + gap)
    pools: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        mean, count = want - offset, 1
        while pools and pools[-1][0] > mean:
            other_mean, other_count = pools.pop()
            mean = (mean * count + other_mean * other_count) / (count + other_count)
            count += other_count
        pools.append((mean, count))
    means = [mean for mean, count in pools for _ in range(count)]
    return [round(mean) + offset for mean, offset in zip(means, offsets, strict=True)]


def _port(
    name: str, other: str, boxes: Mapping[str, Box], centres: Mapping[str, int], rows: _Rows, *, leaving: bool
) -> int:
    """Where on the side of a box an arrow begins or ends: apart from the others, in the order of where they lead."""
    chains = {
        (pair[1] if leaving else pair[0]): chain for pair, chain in rows.chains.items() if pair[not leaving] == name
    }
    first = {end: (chain[0 if leaving else -1] if chain else end) for end, chain in chains.items()}
    ordered = sorted(first, key=lambda end: (centres[first[end]], end))
    step = min(28, boxes[name].width // (len(ordered) + 1))
    return centres[name] + round((ordered.index(other) - (len(ordered) - 1) / 2) * step)
