"""Days that the delta files no longer hold, landed from the full dump of Open Food Facts.

The dump has each product once, as it was when the dump was made, so a product lands on the day of its last
change. A day that was landed this way is then run like any other.
"""

from __future__ import annotations

import gzip
import logging
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from typing import IO

from include.errors import ConfigurationError, SourceError
from include.sources.landing import MAX_LINE_BYTES, Landing, parse_line
from include.sources.openfoodfacts_delta import DeltaFile, day_bounds
from include.sources.openfoodfacts_record import moment_of_change
from include.storage.batch import Batch
from include.storage.lake import Lake

logger = logging.getLogger(__name__)

SOURCE = "openfoodfacts"
SECONDS_OF_DAY = 86_400
MAX_DAYS = 92
"""Days landed in one pass: each has a file open for as long as the pass takes."""


def land_days_of_dump(path: Path, first: date, last: date, lake: Lake) -> dict[date, int]:
    """Land the rows of a dump (JSON lines, gzip allowed) for the days from `first` to `last`; rows by landed day.

    Days that are completely landed already are left alone. Raises ConfigurationError for days out of order or
    too many, SourceError for a file that cannot be read to its end: then no day of it is landed.
    """
    if not 0 <= (last - first).days < MAX_DAYS:
        raise ConfigurationError(f"{first} to {last}: expected 1 to {MAX_DAYS} days, the first one first")
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    landings = {day: Landing(lake, Batch(SOURCE, day)) for day in days}
    landings = {day: landing for day, landing in landings.items() if not landing.is_complete()}
    rows = dict.fromkeys(landings, 0)
    with ExitStack() as stack:
        files = {}
        for day, landing in landings.items():
            stream = stack.enter_context(landing.open_write(_file_of(day).name))
            files[day] = stack.enter_context(gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0))
        for moment, line in _dated_lines(path):
            number = (moment - day_bounds(first)[0]) // SECONDS_OF_DAY
            if 0 <= number < len(days) and days[number] in files:
                files[days[number]].write(line.rstrip(b"\r\n") + b"\n")
                rows[days[number]] += 1
    for day, landing in landings.items():
        landing.complete({"files": [_file_of(day).name], "dump": path.name})
    logger.info("landed from dump: path=%s rows=%s", path, rows)
    return rows


def _file_of(day: date) -> DeltaFile:
    start, end = day_bounds(day)
    return DeltaFile(start, end, f"openfoodfacts_products_{start}_{end}.json.gz")


def _dated_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Moment of the last change (Unix seconds) and text of each line that has one; the others belong to no day."""
    undated = 0
    try:
        with path.open("rb") as probe:
            zipped = probe.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if zipped else path.open("rb") as stream:
            for line in _bounded_lines(stream):
                moment = moment_of_change(parse_line(line))
                if moment is None:
                    undated += 1
                else:
                    yield moment, line
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{path}: cannot be read to its end ({error}): download it again") from error
    if undated:
        logger.warning("%d lines of %s have no time of change: they belong to no day", undated, path)


def _bounded_lines(stream: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    """Lines of a stream; of an over-long one only its first `MAX_LINE_BYTES` + 1 bytes."""
    while line := stream.readline(MAX_LINE_BYTES + 1):
        rest = line
        while len(rest) > MAX_LINE_BYTES and not rest.endswith(b"\n"):
            rest = stream.readline(MAX_LINE_BYTES + 1)
        yield line
