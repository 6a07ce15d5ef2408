"""Open Food Facts by day: delta files as landed, champagne products as read."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from include.schema import Product, Rejection
from include.sources.feed import belongs_to_feed, could_belong_to_feed
from include.sources.landing import Landing, unreadable_line
from include.sources.openfoodfacts_delta import (
    DELTA_PATH,
    INDEX_PATH,
    DeltaFile,
    day_bounds,
    files_of_day,
    parse_file_name,
    parse_index,
)
from include.sources.openfoodfacts_record import parse_product
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
            size = http.download(url, lambda name=file.name: landing.open_write(name))  # type: ignore[misc]
            logger.info("landed source=%s day=%s file=%s bytes=%d", self.name, day, file.name, size)
        landing.complete({"files": [file.name for file in files]})

    def read(self, day: date, landing: Landing) -> Iterator[Product | Rejection]:
        """The day's champagne products, newest file first; rows of other days are passed over.

        A product that changed twice on a day stands in two files: its newest state comes first, and the row
        rules keep the first.
        """
        taxonomy = load_taxonomy()
        seen: Counter[str] = Counter()
        for name in reversed(landing.manifest()["files"]):
            file = parse_file_name(name)
            if file is not None:
                yield from self._read_file(file, day, landing, taxonomy, seen)
        logger.info("read source=%s day=%s %s", self.name, day, dict(sorted(seen.items())))

    def _read_file(
        self, file: DeltaFile, day: date, landing: Landing, taxonomy: Taxonomy, seen: Counter[str]
    ) -> Iterator[Product | Rejection]:
        day_start, day_end = day_bounds(day)
        for number, payload in landing.read_json_lines(file.name):
            if not file.owns(_modified(payload), day_start, day_end):
                seen["of another day"] += 1
                continue
            position = f"{file.name}:{number}"
            if isinstance(payload, str):
                record: Product | Rejection = unreadable_line(payload, self.name, position)
                wanted = True
            else:
                record = parse_product(payload, self.name, position)
                wanted = (
                    belongs_to_feed(record, taxonomy)
                    if isinstance(record, Product)
                    else could_belong_to_feed(payload, taxonomy)
                )
            if not wanted:
                seen["not champagne"] += 1
                continue
            seen["products" if isinstance(record, Product) else "rejected"] += 1
            yield record


def _modified(payload: dict[str, Any] | str) -> int | None:
    """`last_modified_t` as far as it can be read; the parser judges it properly."""
    value = payload.get("last_modified_t") if isinstance(payload, dict) else None
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        return int(value.strip()[:12])
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
