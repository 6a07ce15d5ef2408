"""Step 1: land what the source has for a day, as received."""

from __future__ import annotations

import logging
import time
from typing import TypedDict

from include.errors import BatchRejected, CuveeError, SourceError
from include.pipeline.source_access import http_limits
from include.settings import Settings
from include.sources import get_source
from include.sources.connection import SourceConnection
from include.sources.http import HttpClient
from include.sources.landing import Landing
from include.sources.source import Source
from include.storage.batch import Batch
from include.storage.lake import Lake

logger = logging.getLogger(__name__)


class FetchSummary(TypedDict):
    """What was landed, for the batch's record."""

    files: int
    bytes: int
    seconds: float


def fetch_day(
    batch: Batch,
    settings: Settings,
    connection: SourceConnection,
    *,
    refetch: bool = False,
    allow_empty: bool = False,
) -> FetchSummary:
    """Land the files of a batch; what is already landed is not requested again.

    `refetch` requests the day again; the landed files are replaced once the new answer is whole, and stay until then.
    Raises SourceError when the API fails beyond the limits of retries, with what of the day is kept;
    BatchRejected when a new answer has no record and the landed one has some, unless `allow_empty`.
    """
    started = time.monotonic()
    landing = Landing(Lake(settings.lake_root), batch)
    api = get_source(batch.source)
    if not refetch and landing.is_complete():
        logger.info("already landed: source=%s day=%s", batch.source, batch.day)
    else:
        with HttpClient(http_limits(settings), allow_private_hosts=connection.allow_private_hosts) as http:
            if refetch:
                _fetch_anew(api, landing, connection, http, allow_empty=allow_empty)
            else:
                _fetch(api, landing, connection, http)
    landing.remove_replaced()
    summary = FetchSummary(
        files=len(landing.manifest()["files"]),
        bytes=landing.total_bytes(),
        seconds=round(time.monotonic() - started, 3),
    )
    logger.info(
        "fetched source=%s day=%s files=%d bytes=%d", batch.source, batch.day, summary["files"], summary["bytes"]
    )
    return summary


def _fetch(api: Source, landing: Landing, connection: SourceConnection, http: HttpClient) -> None:
    try:
        api.fetch(landing.day, landing, connection, http)
    except SourceError as error:
        landed = len(landing.file_names())
        if landed == 0:
            raise
        # From None: its own causes quote whole URLs, credentials included.
        raise _extended(
            error, f"{landed} {'file is' if landed == 1 else 'files are'} landed, the next try resumes"
        ) from None


def _fetch_anew(
    api: Source, landing: Landing, connection: SourceConnection, http: HttpClient, *, allow_empty: bool
) -> None:
    """Land the day beside what is there, and put it in its place when it is whole."""
    again = landing.beside()
    try:
        api.fetch(landing.day, again, connection, http)
        if not allow_empty:
            _refuse_emptiness(api, again, landing)
        landing.replace_by(again)
    except BaseException as error:
        if landing.is_replaced_by(again):
            raise
        _discard(again)
        kept = "nothing was replaced: the landed day is as it was before"
        if isinstance(error, CuveeError):
            raise _extended(error, kept) from None
        logger.error("source=%s day=%s: %s", landing.source, landing.day, kept)
        raise


def _refuse_emptiness(api: Source, again: Landing, landing: Landing) -> None:
    """Raise BatchRejected if the new answer has no record of the feed, sound or not, and the landed day has one."""
    if _has_records(api, again):
        return
    try:
        was_empty = not _has_records(api, landing)
    except SourceError:  # nothing is landed, or what is landed cannot be read
        was_empty = True
    if not was_empty:
        raise BatchRejected(
            f"{landing.source} now answers with no record of {landing.day}, of which records were landed before. If it "
            f"really has none any more, confirm it: `python -m include run-day {landing.day} --source {landing.source} "
            "--refetch --allow-empty`"
        )


def _has_records(api: Source, landing: Landing) -> bool:
    return any(True for _ in api.read(landing.day, landing))


def _discard(again: Landing) -> None:
    try:
        again.discard()
    except Exception:
        logger.exception(
            "%s could not be removed: the first fetch of the day that comes a day later removes it",
            again.lake.url(again.folder),
        )


def _extended(error: CuveeError, sentence: str) -> CuveeError:
    """The same kind of error with one more sentence."""
    return type(error)(f"{error}; {sentence}")
