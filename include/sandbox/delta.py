"""The daily delta files of Open Food Facts: gzip JSON lines, one file per window of time.

Windows follow one another without gap or overlap, and 14 days up to the catalogue's last day are kept.
They end at midnight, as they mostly do in the field, but for one that starts on the day before the last
and ends on the last: a reader who trusts the file names to be days loses those rows or files them wrongly.
"""

from __future__ import annotations

import gzip
import json
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from include.sandbox.catalogue import (
    SECONDS_PER_DAY,
    DatedRecord,
    FoodCatalogue,
    Record,
    days_between,
    midnight,
    with_host,
)
from include.sandbox.faults import Faults
from include.sandbox.record_faults import spoil_lines, spoil_products

DAYS_KEPT = 14
_BEFORE_MIDNIGHT = 2 * 3600 + 12 * 60 + 47
_AFTER_MIDNIGHT = 2 * 3600 + 26 * 60 + 41


@dataclass(frozen=True, slots=True)
class Window:
    """The records whose moment lies in [start, end), Unix seconds."""

    start: int
    end: int

    @property
    def name(self) -> str:
        """Name of its file."""
        return f"openfoodfacts_products_{self.start}_{self.end}.json.gz"


def windows(catalogue: FoodCatalogue) -> list[Window]:
    """The windows kept for a catalogue, newest first."""
    last = catalogue.last_day
    cuts = [midnight(day) for day in days_between(last - timedelta(days=DAYS_KEPT - 1), last)]
    straddled = cuts.pop()
    cuts += [straddled - _BEFORE_MIDNIGHT, straddled + _AFTER_MIDNIGHT, straddled + SECONDS_PER_DAY]
    return [Window(start, end) for start, end in pairwise(cuts)][::-1]


def window_records(records: Sequence[DatedRecord], window: Window) -> Sequence[DatedRecord]:
    """The part of the records, which are sorted by moment, that a window holds."""
    start = bisect_left(records, window.start, key=lambda dated: dated.moment)
    end = bisect_left(records, window.end, key=lambda dated: dated.moment)
    return records[start:end]


def delta_file(catalogue: FoodCatalogue, window: Window, host: str, faults: Faults) -> bytes:
    """The content of a window's file, the same bytes on each call; an empty gzip file for a quiet window."""
    path = f"/data/delta/{window.name}"
    records = [with_host(dated.record, host) for dated in window_records(catalogue.records(), window)]
    products = spoil_products(records, faults, path)
    lines = spoil_lines([_line(product) for product in products], faults, path)
    return gzip.compress(b"".join(line + b"\n" for line in lines), mtime=0)


def full_dump(products: Iterable[Record], host: str) -> bytes:
    """The newest state of all products, as the dump that helps where a delta file is no longer kept."""
    return gzip.compress(b"".join(_line(with_host(product, host)) + b"\n" for product in products), mtime=0)


def _line(product: Record) -> bytes:
    return json.dumps(product, ensure_ascii=False, separators=(",", ":")).encode()
