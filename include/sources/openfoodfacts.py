"""Open Food Facts by day: delta files as landed, champagne products as read."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from typing import TYPE_CHECKING

from include.record_guard import RecordGuard
from include.schema import Product, Rejection
from include.sources.feed import belongs_to_feed, could_belong_to_feed
from include.sources.landing import Landing, parse_line, unreadable_line
from include.sources.openfoodfacts_delta import (
    DELTA_PATH,
    INDEX_PATH,
    DeltaFile,
    day_bounds,
    files_of_day,
    parse_file_name,
    parse_index,
)
from include.sources.openfoodfacts_record import moment_of_change, parse_product
from include.taxonomy import Taxonomy, load_taxonomy

if TYPE_CHECKING:
    from include.sources.connection import SourceConnection
    from include.sources.http import HttpClient

logger = logging.getLogger(__name__)


class OpenFoodFacts:
    """The daily changes of the world's open food database."""

    name = "openfoodfacts"
    attribution = (
        "Data from Open Food Facts (https://openfoodfacts.org) under the Open Database Licence 1.0; "
        "photos under CC BY-SA 3.0."
    )
    incremental = True

    def fetch(self, day: date, landing: Landing, connection: SourceConnection, http: HttpClient) -> None:
        """Land the delta files whose windows overlap the day, as served.

        Raises SourceError: NotYetPublished for a day that is too young, DayNoLongerKept for one too old.
        """
        index = parse_index(http.get_text(f"{connection.base_url}{INDEX_PATH}"))
        files = files_of_day(index, day, connection.base_url)
        for file in files:
            if landing.has(file.name):
                logger.info("already landed: source=%s day=%s file=%s", self.name, day, file.name)
                continue
            url = f"{connection.base_url}{DELTA_PATH}/{file.name}"
            http.download(url, lambda name=file.name: landing.open_write(name))  # type: ignore[misc]
        landing.complete({"files": [file.name for file in files]})

    def read(self, day: date, landing: Landing, guard: RecordGuard | None = None) -> Iterator[Product | Rejection]:
        """The day's champagne products, newest file first; rows of other days are passed over.

        A product that changed twice on a day is in two files: its newest state comes first, and the row
        rules keep the first.
        """
        if guard is None:
            with RecordGuard(self.name) as own:
                yield from self.read(day, landing, own)
            return
        taxonomy = load_taxonomy()
        seen: Counter[str] = Counter()
        for name in reversed(landing.manifest()["files"]):
            file = parse_file_name(name)
            if file is not None:
                lines = ((f"{name}:{number}", line) for number, line in landing.read_lines(name))
                yield from guard.read_each(lines, _line_reader(file, day, taxonomy, seen))
        logger.info("read source=%s day=%s %s", self.name, day, dict(sorted(seen.items())))


def _line_reader(
    file: DeltaFile, day: date, taxonomy: Taxonomy, seen: Counter[str]
) -> Callable[[bytes, str], Product | Rejection | None]:
    """What reads a line of a file; it gives None for a row of another day, or without champagne."""
    day_start, day_end = day_bounds(day)

    def read(line: bytes, position: str) -> Product | Rejection | None:
        payload = parse_line(line)
        if not file.owns(moment_of_change(payload), day_start, day_end):
            seen["of another day"] += 1
            return None
        if isinstance(payload, str):
            seen["rejected"] += 1
            return unreadable_line(payload, OpenFoodFacts.name, position)
        record = parse_product(payload, OpenFoodFacts.name, position)
        if isinstance(record, Product):
            is_wanted, kind = belongs_to_feed(record, taxonomy), "products"
        else:
            is_wanted, kind = could_belong_to_feed(payload, taxonomy), "rejected"
        seen[kind if is_wanted else "not champagne"] += 1
        return record if is_wanted else None

    return read
