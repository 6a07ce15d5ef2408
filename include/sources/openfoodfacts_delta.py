"""The list of Open Food Facts delta files, and which of them hold a day.

`index.txt` names files `openfoodfacts_products_{from}_{to}.json.gz`, newest first; a file holds the products
that changed between the two moments (Unix seconds). About 14 days are kept, and windows are not always a day.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from include.errors import NotYetPublished, SourceError

logger = logging.getLogger(__name__)

INDEX_PATH = "/data/delta/index.txt"
DELTA_PATH = "/data/delta"
FULL_DUMP_PATH = "/data/openfoodfacts-products.jsonl.gz"
TOLERATED_HOLE_SECONDS = 3_600
"""Missing time between two windows that is only logged; a longer one means that a file is missing."""

_FILE_NAME = re.compile(r"openfoodfacts_products_([0-9]{1,10})_([0-9]{1,10})\.json\.gz")


class DayNoLongerKept(SourceError):
    """The source no longer keeps the delta files of that day; only the full dump has its products."""


@dataclass(frozen=True, order=True)
class DeltaFile:
    """One delta file and its window, `start` included and `end` excluded, in Unix seconds."""

    start: int
    end: int
    name: str

    def owns(self, moment: int | None, day_start: int, day_end: int) -> bool:
        """Whether a row of this file, last modified at `moment`, belongs to the day [day_start, day_end).

        A row belongs to the day of its modification. One without that moment, or with one outside the
        file's own window, belongs to the day on which the window starts: so every row has exactly one day.
        """
        inside = moment is not None and self.start <= moment < self.end
        return day_start <= (moment if inside and moment is not None else self.start) < day_end


def day_bounds(day: date) -> tuple[int, int]:
    """First second of a day and of the next, in UTC, as Unix seconds."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return int(start.timestamp()), int((start + timedelta(days=1)).timestamp())


def parse_file_name(name: str) -> DeltaFile | None:
    """The delta file of that name, or None if the name is not one: nothing else may become a path."""
    match = _FILE_NAME.fullmatch(name)
    if match is None or int(match.group(1)) > int(match.group(2)):
        return None
    return DeltaFile(int(match.group(1)), int(match.group(2)), name)


def parse_index(text: str) -> list[DeltaFile]:
    """The files that an `index.txt` lists, oldest first; lines that are not file names are passed over."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    files = {file for line in lines if (file := parse_file_name(line)) is not None}
    if len(files) < len(set(lines)):
        logger.warning("delta index: %d lines are not names of delta files", len(set(lines)) - len(files))
    return sorted(files)


def files_of_day(files: Sequence[DeltaFile], day: date, base_url: str) -> list[DeltaFile]:
    """The files whose windows overlap a day, oldest first.

    Raises NotYetPublished if the newest window ends before the day does, DayNoLongerKept (which names the
    command for the full dump) if the oldest begins after the day does or a file in between is missing.
    """
    if not files:
        raise SourceError(f"{base_url}{INDEX_PATH} lists no delta file: the export may be running; try again later")
    day_start, day_end = day_bounds(day)
    published_until = max(file.end for file in files)
    if published_until < day_end - 1:
        raise NotYetPublished(
            f"{base_url}{INDEX_PATH}: not yet published: {day} ends at {_utc(day_end)}, the newest delta file ends at "
            f"{_utc(published_until)}; try again after the next file is out, about a day after that"
        )
    overlapping = [file for file in files if file.end > day_start and file.start < day_end]
    covered_until = day_start
    for file in [*overlapping, DeltaFile(day_end, day_end, "")]:
        hole = file.start - covered_until
        if hole > (TOLERATED_HOLE_SECONDS if covered_until > day_start else 1):
            raise DayNoLongerKept(_gap_message(day, covered_until, file.start, files[0].start, base_url))
        if hole > 1:
            logger.warning("delta files leave out %d s of %s after %s", hole, day, _utc(covered_until))
        covered_until = max(covered_until, file.end)
    return overlapping


def _gap_message(day: date, gap_start: int, gap_end: int, oldest: int, base_url: str) -> str:
    return (
        f"{base_url}{INDEX_PATH}: no delta file holds {day} from {_utc(gap_start)} to {_utc(gap_end)} "
        f"(the oldest file kept begins at {_utc(oldest)}). Bring the gap in from the full dump: download "
        f"{base_url}{FULL_DUMP_PATH}, run `python -m include land-dump PATH {day} {day}` (or a longer range of days), "
        "then run the day again"
    )


def _utc(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
