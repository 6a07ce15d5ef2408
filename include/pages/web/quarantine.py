"""Downloads of the records of a batch that were set aside, and where those records are found."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice

from starlette.responses import Response, StreamingResponse

from include.pages.quarantine import FORMATS, PublishedQuarantine, Quarantine, RefusedQuarantine
from include.pages.stored_reports import BatchReports, read_reports
from include.pages.web.access import router_for
from include.pages.web.batch_address import KnownBatch
from include.pages.web.data import CurrentData, Data
from include.pages.web.host import Right
from include.storage.batch import Batch
from include.warehouse.batch_history import StoredBatch

logger = logging.getLogger(__name__)

router = router_for(Right.VIEW)

CHUNK_BYTES = 64 * 1024
"""Lines are sent together until they are as long as this."""


def quarantine_of(data: Data, batch: Batch, state: StoredBatch | None, reports: BatchReports) -> Quarantine:
    """The quarantine of a batch: of a published one in the warehouse, of any other in the lake."""
    if state is not None and state.status == "published" and not reports.is_refused:
        return PublishedQuarantine(data.engine, batch)
    return RefusedQuarantine(data.lake, batch)


def reasons_of(reports: BatchReports, state: StoredBatch | None) -> dict[str, int]:
    """Reason code → records of the batch, commonest first: of its report, or without one of the warehouse."""
    if reports.products is not None:
        return reports.products.reasons
    counts = (state.reasons if state else None) or {}
    return dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))


@router.get("/validation/{source}/{day}/quarantine.csv")
def quarantine_as_csv(data: CurrentData, known: KnownBatch, reason: str = "") -> Response:
    """The records as CSV."""
    return _download(data, known, reason, "csv")


@router.get("/validation/{source}/{day}/quarantine.jsonl")
def quarantine_as_json_lines(data: CurrentData, known: KnownBatch, reason: str = "") -> Response:
    """The records as JSON lines."""
    return _download(data, known, reason, "jsonl")


def _download(data: Data, known: tuple[Batch, StoredBatch | None], reason: str, ending: str) -> Response:
    """A stream of the records that have a reason, or of all; a reason that none has gives no record."""
    batch, state = known
    quarantine = quarantine_of(data, batch, state, read_reports(data.lake, batch))
    media_type, lines_of = FORMATS[ending]
    rows = quarantine.rows(reason.replace("\0", "") or None)
    # What fails at once is an answer that says so, and not a file with an error in it.
    begun = list(islice(rows, 1))
    lines = lines_of(batch, chain(begun, rows))
    name = re.sub(r"[^a-z0-9_-]", "_", f"quarantine-{batch.source}-{batch.day}", flags=re.IGNORECASE)
    return StreamingResponse(
        _chunks(lines, batch),
        media_type=media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}.{ending}"'},
    )


def _chunks(lines: Iterable[str], batch: Batch) -> Iterator[bytes]:
    """Lines as bytes, some at a time; a stream that breaks ends with a line that says so."""
    chunk = bytearray()
    try:
        for line in lines:
            chunk += line.encode("utf-8", "replace")
            if len(chunk) >= CHUNK_BYTES:
                yield bytes(chunk)
                chunk.clear()
        yield bytes(chunk)
    except Exception:
        logger.exception("the download of the quarantine of %s was cut", batch)
        yield bytes(chunk)
        yield b'{"error": "this file is not complete: the records could not be read to the end, download it again"}\n'
