"""Parts of a report that come from the lake: bars of reasons, flags and labels, and examples of quarantined rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from include.quality.reasons import describe_flag, describe_reason
from include.storage.lake import Lake

REASONS_TITLE = "Why records were set aside"
"""Title of the chart of reasons."""
EXAMPLE_ROWS = 50
RAW_CHARACTERS = 2_000
_READ_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a bar chart."""

    name: str
    count: int
    share: float
    """Of the rows that the chart is about, 0 to 1; one row may count in several bars."""
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class BarChart:
    """Counts by name, largest first."""

    title: str
    note: str
    bars: list[Bar]


@dataclass(frozen=True, slots=True)
class Example:
    """One quarantined row as the report shows it."""

    native_id: str | None
    reasons: list[str]
    detail: str
    position: str
    raw: str


@dataclass(frozen=True, slots=True)
class QuarantineSections:
    """The report's sections on a quarantine file."""

    rows: int
    bars: list[BarChart]
    examples: list[Example]


def quarantine_sections(lake: Lake, path: str) -> QuarantineSections:
    """Count the reasons of all rows of a quarantine file and choose up to 50 examples; nothing for a missing file.

    Every reason gets its share of the examples, so that a frequent one does not hide a rare one.
    """
    if not lake.exists(path):
        return QuarantineSections(0, [], [])
    reasons: Counter[str] = Counter()
    rows = 0
    for row in _rows(lake, path, ["reasons"]):
        rows += 1
        reasons.update(row["reasons"])
    bars = [_chart(REASONS_TITLE, "Share of the quarantined records.", reasons, rows, describe_reason)]
    return QuarantineSections(rows, bars if rows else [], _examples(lake, path, reasons))


def flag_bars(flags: Counter[str], products: int) -> list[BarChart]:
    """The chart of flags; empty if there are none."""
    note = "Share of the products. Flags are remarks; a flagged product goes on."
    return [_chart("Flags", note, flags, products, describe_flag)] if flags else []


def label_bars(counts: Mapping[str, Counter[str]]) -> list[BarChart]:
    """Charts of the labels, and of what became of the photos."""
    titles = {"label": "Labels", "photo_status": "Photos"}
    return [
        _chart(title, "Share of the labelled products.", counts[column], counts[column].total(), lambda _: "")
        for column, title in titles.items()
        if counts[column]
    ]


def _chart(title: str, note: str, counts: Counter[str], total: int, describe: Any) -> BarChart:
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    bars = [Bar(name, count, count / total if total else 0.0, describe(name)) for name, count in ordered]
    return BarChart(title, note, bars)


def _examples(lake: Lake, path: str, reasons: Counter[str]) -> list[Example]:
    if not reasons:
        return []
    quota = max(1, EXAMPLE_ROWS // len(reasons))
    chosen: dict[int, dict[str, Any]] = {}
    taken: Counter[str] = Counter()
    spare: dict[int, dict[str, Any]] = {}
    for number, row in enumerate(_rows(lake, path, ["native_id", "reasons", "detail", "position", "raw"])):
        if any(taken[reason] < quota for reason in row["reasons"]):
            chosen[number] = row
            taken.update(row["reasons"])
        elif len(spare) < EXAMPLE_ROWS:
            spare[number] = row
        if all(taken[reason] >= min(quota, count) for reason, count in reasons.items()) and (
            len(chosen) + len(spare) >= EXAMPLE_ROWS
        ):
            break
    for number, row in spare.items():
        if len(chosen) >= EXAMPLE_ROWS:
            break
        chosen[number] = row
    return [_example(chosen[number]) for number in sorted(chosen)[:EXAMPLE_ROWS]]


def _example(row: Mapping[str, Any]) -> Example:
    raw = row["raw"]
    return Example(
        native_id=row["native_id"],
        reasons=list(row["reasons"]),
        detail=row["detail"],
        position=row["position"],
        raw=raw if len(raw) <= RAW_CHARACTERS else f"{raw[:RAW_CHARACTERS]}…",
    )


def _rows(lake: Lake, path: str, columns: list[str]) -> Iterator[dict[str, Any]]:
    with lake.parquet_file(path) as file:
        for batch in file.iter_batches(batch_size=_READ_ROWS, columns=columns):
            yield from batch.to_pylist()
