"""All decisions about the champion on one page: promotions, refusals and rollbacks, newest first."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from include.pages.decision_figures import DayScores, timeline_figure
from include.pages.decision_headline import BADGES, Badge, State, state_of
from include.pages.decision_page import REPORTS
from include.pages.drawing import Drawing
from include.pages.rendering import html_environment, signed
from include.settings import Settings
from include.storage.lake import Lake
from include.warehouse.engine import open_engine
from include.warehouse.promotions import StoredPromotion, all_decisions

logger = logging.getLogger(__name__)

OVERVIEW = f"{REPORTS}/index.html"


@dataclass(frozen=True)
class DecisionRow:
    """One decision as the overview shows it."""

    stored: StoredPromotion
    badge: Badge
    link: str
    """Its page, from the overview; empty where there is none."""
    candidate: float | None
    """Macro-F1 of both on the gold set of that day; None where they were not compared, as in a rollback."""
    champion: float | None
    difference: str


def write_decisions_overview(settings: Settings) -> str:
    """Write the list of all rows of `promotions` to `reports/retraining/index.html`, and return that path.

    It links to the decision pages that are there: write those first.
    """
    lake = Lake(settings.lake_root)
    with open_engine(settings.warehouse_dsn) as engine:
        decisions = all_decisions(engine)
    pages = frozenset(lake.list_files(REPORTS, "/index.html"))
    rows = [_row(stored, pages) for stored in decisions]
    states: Counter[State] = Counter(state_of(stored) for stored in decisions)
    content = {
        "rows": rows,
        "champion": next((row for row in rows if row.stored.promoted), None),
        "states": {BADGES[state]: states[state] for state in BADGES if states[state]},
        "timeline": _timeline(rows),
    }
    lake.write_bytes(OVERVIEW, html_environment().get_template("decisions.html").render(content).encode())
    logger.info("overview of decisions: rows=%d path=%s", len(rows), OVERVIEW)
    return OVERVIEW


def _row(stored: StoredPromotion, pages: Collection[str]) -> DecisionRow:
    candidate, champion, difference = (
        stored.metrics.get(name) for name in ("candidate_macro_f1", "champion_macro_f1", "difference")
    )
    has_page = stored.report in pages
    return DecisionRow(
        stored,
        badge=BADGES[state_of(stored)],
        link=(stored.report or "").removeprefix(f"{REPORTS}/") if has_page else "",
        candidate=candidate,
        champion=champion,
        difference="" if difference is None else signed(difference),
    )


def _timeline(rows: Sequence[DecisionRow]) -> Drawing | None:
    """The course of the scores; None with fewer than two decisions, which make no line."""
    scored = [
        DayScores(row.stored.day, row.candidate, row.champion, row.stored.promoted)
        for row in rows
        if row.stored.day is not None and row.candidate is not None
    ]
    return timeline_figure(scored) if len(scored) >= 2 else None
