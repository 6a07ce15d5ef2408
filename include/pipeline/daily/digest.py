"""The digest: one message a day with the failures and drift warnings of all sources, and none when all is well.

What was sent is remembered in the lake, `reports/digests/day=D.json`, so that a rerun sends nothing unless the
outcome changed. The file is written after sending: killed in between, a message comes twice rather than never.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, TypedDict

from include.notify import notify
from include.pages.drift_report import drift_folder
from include.schema import text_hash
from include.settings import Settings
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer

logger = logging.getLogger(__name__)

ERROR_CHARACTERS = 600
"""Of a failure's reason, which the table `batches` has in full."""


class DigestSummary(TypedDict):
    """What a day's digest was about, and whether a message was sent now."""

    failures: int
    warnings: int
    sent: bool


def send_digest(day: date, settings: Settings) -> DigestSummary:
    """Send a message about a day's failed batches and drift warnings, once for each outcome of the day.

    A source of `daily_sources` that left no batch counts as failed. Raises WarehouseUnreachable, NotificationFailed or
    ConfigurationError; running it again then sends what was not sent.
    """
    from include.warehouse.engine import open_engine
    from include.warehouse.queries import daily_batches

    lake = Lake(settings.lake_root)
    with open_engine(settings.warehouse_dsn) as engine:
        batches = daily_batches(engine, day)
    absent = set(settings.daily_sources) - {batch["source"] for batch in batches}
    batches += [{"source": source, "status": "absent", "warnings": []} for source in sorted(absent)]
    troubled = [batch for batch in batches if batch["status"] != "published" or batch["warnings"]]
    failures = sum(batch["status"] != "published" for batch in troubled)
    warnings = sum(len(batch["warnings"]) for batch in troubled if batch["status"] == "published")
    marker = f"{Layer.DIGESTS}/day={day.isoformat()}.json"
    if not troubled:
        lake.delete(marker)  # if the day fails again, a message is sent again
        return DigestSummary(failures=0, warnings=0, sent=False)
    title, body = _title(day, failures, warnings), _body(lake, day, troubled)
    content = {"day": day.isoformat(), "title": title, "body": body, "sha256": text_hash(f"{title}\n{body}")}
    if lake.exists(marker) and json.loads(lake.read_bytes(marker))["sha256"] == content["sha256"]:
        logger.info("nothing new since the last digest of %s: %s", day, title)
        return DigestSummary(failures=failures, warnings=warnings, sent=False)
    notify(title, body, settings.notify_url.get_secret_value())
    lake.write_bytes(marker, json.dumps(content, ensure_ascii=False, indent=1).encode())
    return DigestSummary(failures=failures, warnings=warnings, sent=True)


def early_retraining(day: date, settings: Settings) -> str | None:
    """The id of the early training run that a day's drift asks for, e.g. `drift__2026-W02`; None if it asks for none.

    One a week, because its id is the ISO week's. Only the newest day counts: a backfill of last year does not train.
    """
    if not settings.retrain_on_drift:
        return None
    from include.warehouse.engine import open_engine
    from include.warehouse.queries import daily_batches, newest_daily_batch

    with open_engine(settings.warehouse_dsn) as engine:
        has_drifted = any(batch["warnings"] for batch in daily_batches(engine, day))
        newest = newest_daily_batch(engine)
    if not has_drifted or (newest is not None and newest > day):
        return None
    year, week, _weekday = day.isocalendar()
    return f"drift__{year}-W{week:02d}"


def _title(day: date, failures: int, warnings: int) -> str:
    counts = [
        f"{count} {noun}{'' if count == 1 else plural}"
        for count, noun, plural in ((failures, "failed batch", "es"), (warnings, "drift warning", "s"))
        if count
    ]
    return f"Cuvée {day.isoformat()}: {', '.join(counts)}"


def _body(lake: Lake, day: date, troubled: Sequence[Mapping[str, Any]]) -> str:
    """Plain text: a paragraph for each source."""
    paragraphs = []
    for batch in troubled:
        if batch["status"] == "absent":
            lines = [f"{batch['source']}: no batch of this day. See its tasks in Airflow."]
        elif batch["status"] != "published":
            lines = [f"{batch['source']}: failed at {batch['failed_step']}.", str(batch["error"])[:ERROR_CHARACTERS]]
        else:
            page = lake.url(f"{drift_folder(Batch(batch['source'], day))}/index.html")
            lines = [*batch["warnings"], f"Page: {page}"]
        paragraphs.append("\n".join(lines))
    return "\n\n".join([*paragraphs, "What to do: docs/operations.md, “A red task” and “Drift”."])
