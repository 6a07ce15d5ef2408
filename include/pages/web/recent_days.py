"""The last 30 days of the daily sources, as the first page and the chart of batches look at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Engine

from include.pages.web.days import Day, Window, judged_days, last_window
from include.pages.web.host import Host, Run
from include.settings import Settings
from include.warehouse.batch_history import batches_between, first_daily_day

DAG = "champagne_daily"
"""The DAG whose runs make the batches."""


@dataclass(frozen=True, slots=True)
class RecentDays:
    """Days up to yesterday, with their batches and runs."""

    window: Window
    days: Mapping[str, Sequence[Day]]
    """Source → its days, oldest first."""
    runs: Sequence[Run]
    has_batches: bool
    """Whether one of the sources has a batch at all."""


def recent_days(
    engine: Engine, host: Host, settings: Settings, today: date, sources: Sequence[str] | None = None
) -> RecentDays:
    """The last days of some sources, or of all that `champagne_daily` fetches."""
    sources = settings.daily_sources if sources is None else sources
    window = last_window(settings, today)
    first_days = {source: first_daily_day(engine, source) for source in sources}
    batches = batches_between(engine, sources, window.first, window.last)
    runs = host.runs(DAG, window.first, window.last)
    days = judged_days(window, first_days, batches, runs, settings.first_day)
    return RecentDays(window, days, runs, has_batches=any(first_days.values()))
