"""Taking a champion back, with the page that lists all decisions."""

from __future__ import annotations

from include.pages.decisions_overview import write_decisions_overview
from include.pipeline.promotion import ChampionChange, roll_back
from include.settings import Settings


class Rollback(ChampionChange):
    """Who is champion after a rollback, and the list of all decisions."""

    page: str
    """Path in the lake."""


def run_rollback(settings: Settings, *, reason: str, decided_by: str, to: str | None = None) -> Rollback:
    """Make an earlier version champion again and write the list of decisions; see `promotion.roll_back`."""
    change = roll_back(settings, reason=reason, decided_by=decided_by, to=to)
    return Rollback(**change, page=write_decisions_overview(settings))
