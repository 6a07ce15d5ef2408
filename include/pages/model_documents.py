"""What is written about models: decisions about the champion, and relabellings; each with its page if it has one."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from include.pages.decision_headline import BADGES, Badge, state_of
from include.pages.decision_page import REPORTS
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.warehouse.promotions import StoredPromotion, all_decisions
from include.warehouse.relabelled_versions import relabelled_versions

if TYPE_CHECKING:
    from sqlalchemy import Engine

DAYS_OF_A_WEEK = 7

_DECISION_PAGE = re.compile(rf"{re.escape(REPORTS)}/day=(\d{{4}}-\d\d-\d\d)/training=[\w-]+/index\.html", re.ASCII)
_RELABEL_PAGE = re.compile(
    rf"{re.escape(Layer.RELABELLING_REPORTS)}/version=([A-Za-z0-9._-]{{1,80}})/index\.html", re.ASCII
)


@dataclass(frozen=True)
class DecisionDocument:
    """One decision, or a judgement that waits for one."""

    badge: Badge
    stored: StoredPromotion | None
    """Its row in `promotions`; None as long as nobody decided."""
    day: date | None
    """Last day whose labels counted; None for a rollback."""
    path: str
    """Its page; empty where there is none."""


@dataclass(frozen=True)
class RelabelDocument:
    """One version that the catalogue was labelled again with."""

    version: str
    when: datetime | None
    """When its last product was written; None where the warehouse knows nothing of it."""
    relabelled: int | None
    """Products; None where the report does not say."""
    label_changed: int | None
    left: int
    """Products that still have another version's label."""
    path: str
    """Its page; empty where there is none yet."""


def decision_documents(lake: Lake, engine: Engine) -> list[DecisionDocument]:
    """Every decision, newest first, behind the judgements that nobody decided about yet."""
    pages = {path for path in lake.list_files(REPORTS, "/index.html") if _DECISION_PAGE.fullmatch(path)}
    decisions = all_decisions(engine)
    open_pages = sorted(pages - {stored.report for stored in decisions if stored.report}, reverse=True)
    waiting = [DecisionDocument(BADGES["open"], None, _day_of(path), path) for path in open_pages]
    return waiting + [_decision(stored, pages) for stored in decisions]


def decisions_of_run(
    decisions: Sequence[DecisionDocument], day: date, started: datetime | None, ended: datetime | None
) -> list[DecisionDocument]:
    """The decisions that a run took; else what stands about the week that begins on its day.

    A run that finds its decision taken before (a task was cleared, say) takes none itself.
    """
    if started is not None:
        taken = [
            one for one in decisions
            if one.stored and one.stored.decided_at >= started and (ended is None or one.stored.decided_at <= ended)
        ]  # fmt: skip
        if taken:
            return taken
    week = [one for one in decisions if one.day and day <= one.day < day + timedelta(days=DAYS_OF_A_WEEK)]
    return week[:1]


def relabel_documents(lake: Lake, engine: Engine) -> list[RelabelDocument]:
    """Every relabelling, newest first."""
    listed = (_RELABEL_PAGE.fullmatch(path) for path in lake.list_files(Layer.RELABELLING_REPORTS, "/index.html"))
    pages = {found.group(1): found.group() for found in listed if found}
    summaries = lake.read_files([path.replace("/index.html", "/summary.json") for path in pages.values()])
    times = relabelled_versions(engine)
    documents = []
    for version in {**pages, **times}:
        path = pages.get(version, "")
        counts = _counts(summaries.get(path.replace("/index.html", "/summary.json")))
        documents.append(
            RelabelDocument(
                version,
                when=times.get(version),
                relabelled=counts.get("relabelled"),
                label_changed=counts.get("label_changed"),
                left=counts.get("others", 0),
                path=path,
            )
        )
    return sorted(documents, key=lambda one: (one.when is not None, one.when, one.version), reverse=True)


def _decision(stored: StoredPromotion, pages: Collection[str]) -> DecisionDocument:
    path = stored.report if stored.report in pages else ""
    return DecisionDocument(BADGES[state_of(stored)], stored, stored.day, path or "")


def _day_of(path: str) -> date | None:
    found = _DECISION_PAGE.fullmatch(path)
    try:
        return date.fromisoformat(found.group(1)) if found else None
    except ValueError:
        return None


def _counts(content: bytes | None) -> dict[str, int]:
    try:
        summary = json.loads(content or b"{}")
    except ValueError:
        return {}
    entries = summary.items() if isinstance(summary, dict) else ()
    return {name: value for name, value in entries if isinstance(value, int)}
