"""The batch that an address names: only one that is known, so that no path in the lake is made of a stranger's text."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Depends, HTTPException
from starlette.status import HTTP_404_NOT_FOUND

from include.pages.stored_reports import reported_days, reported_sources
from include.pages.web.data import CurrentData
from include.storage.batch import Batch
from include.warehouse.batch_history import StoredBatch, stored_batch


def day_of(text: str) -> date | None:
    """The day that a text names, `2026-01-05`; None for anything else."""
    try:
        return date.fromisoformat(text) if len(text) == len("2026-01-05") else None
    except ValueError:
        return None


def known_batch(source: str, day: str, data: CurrentData) -> tuple[Batch, StoredBatch | None]:
    """The batch of an address and its row of `batches`.

    Raises HTTPException 404 for one that neither the warehouse nor the reports in the lake know.
    """
    wanted = day_of(day)
    if wanted is not None and "\0" not in source:
        state = stored_batch(data.engine, source, wanted)
        if state is not None:
            return Batch(source, wanted), state
        if source in reported_sources(data.lake) and wanted in reported_days(data.lake, source):
            return Batch(source, wanted), None
    raise HTTPException(
        HTTP_404_NOT_FOUND,
        f"There is no batch of {source[:100]} on {day[:20]}. Choose one of the list under Validation.",
    )


KnownBatch = Annotated[tuple[Batch, StoredBatch | None], Depends(known_batch)]
