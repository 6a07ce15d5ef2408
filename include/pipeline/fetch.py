"""Step 1: land what the source has for a day, as received."""

from __future__ import annotations

import logging
import time
from datetime import date
from typing import TypedDict

from include.settings import Settings
from include.sources import get_source
from include.sources.connection import SourceConnection
from include.sources.http import HttpClient
from include.sources.landing import Landing
from include.warehouse.lake import Lake

logger = logging.getLogger(__name__)


class FetchSummary(TypedDict):
    """What was landed, for the batch's record."""

    files: int
    seconds: float


def fetch_day(
    source: str, day: date, settings: Settings, connection: SourceConnection, *, refetch: bool = False
) -> FetchSummary:
    """Land the files of one source and day; what is already landed is not asked for again.

    `refetch` discards what was landed and asks the API anew. Raises SourceError when the API fails beyond
    the limits of retries: what came is kept, and the next try resumes.
    """
    started = time.monotonic()
    landing = Landing(Lake(settings.lake_root), source, day)
    if refetch:
        landing.clear()
    if landing.is_complete():
        logger.info("already landed: source=%s day=%s", source, day)
    else:
        with HttpClient(settings, allow_private_hosts=connection.allow_private_hosts) as http:
            get_source(source).fetch(day, landing, connection, http)
    files = len(landing.file_names())
    logger.info("fetched source=%s day=%s files=%d", source, day, files)
    return FetchSummary(files=files, seconds=round(time.monotonic() - started, 3))
