"""What needs a person today, from the batches, the runs and the model of the platform."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Engine

from include.pages.web.days import Day, DayState, Window, failed_runs
from include.pages.web.host import Host, Run
from include.pages.web.recent_days import recent_days
from include.pages.web.scheduler import Scheduler, scheduler_of
from include.settings import Settings
from include.warehouse.doubtful_products import doubtful_products
from include.warehouse.promotions import StoredPromotion, decided_champion

WARNED_DAYS = 7
"""Days whose drift warnings are still news."""
MOST_COUNTED = 10_000
"""Doubtful products are counted up to here; a page then says that there are more."""


@dataclass(frozen=True, slots=True)
class Spell:
    """Days of one source, one after the other, with which the same is wrong."""

    source: str
    first: date
    last: date
    example: Day
    """The last of them."""

    @property
    def count(self) -> int:
        """How many days they are."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Attention:
    """Everything that the first page tells."""

    window: Window
    is_new: bool
    """Whether nothing has ever run."""
    spells: Sequence[Spell]
    """Days that failed, were refused or never ran, newest first."""
    failed_runs: Sequence[Run]
    """Runs that failed although their batches are published."""
    warned: Sequence[Day]
    """The newest warned day of each source within the last week."""
    warned_days: int
    """Days of sources with a warning within the last week."""
    doubtful: int
    approvals: Sequence[Run]
    champion: StoredPromotion | None
    scheduler: Scheduler

    @property
    def missing(self) -> int:
        """Days of sources that failed or never ran, those refused not among them, and runs that failed alone."""
        return self._days(DayState.FAILED, DayState.NEVER) + len(self.failed_runs)

    @property
    def refused(self) -> int:
        """Batches that broke a batch rule."""
        return self._days(DayState.REFUSED)

    @property
    def is_well(self) -> bool:
        """Whether nothing needs a person; doubtful products can wait."""
        return not (
            self.spells or self.failed_runs or self.warned or self.approvals or not self.scheduler.is_alive
        ) and bool(self.champion)

    def _days(self, *states: DayState) -> int:
        return sum(spell.count for spell in self.spells if spell.example.state in states)


def look(engine: Engine, host: Host, settings: Settings, moment: datetime) -> Attention:
    """What needs a person at a moment."""
    recent = recent_days(engine, host, settings, moment.date())
    window, days, runs = recent.window, recent.days, recent.runs
    news = [day for judged in days.values() for day in judged if window.last - day.day < timedelta(days=WARNED_DAYS)]
    warned = [day for day in news if day.state == DayState.WARNED]
    newest = {day.source: day for day in warned}  # the days of a source are in order: the last one stays
    return Attention(
        window=window,
        is_new=not runs and not recent.has_batches,
        spells=spells_of(days),
        failed_runs=failed_runs(days, runs),
        warned=list(newest.values()),
        warned_days=len(warned),
        doubtful=doubtful_products(engine, MOST_COUNTED),
        approvals=host.approvals(),
        champion=decided_champion(engine),
        scheduler=scheduler_of(host, moment),
    )


def spells_of(days: Mapping[str, Iterable[Day]]) -> list[Spell]:
    """The troubled days, newest first; days in a row that never ran, or that failed in the same way, are one."""
    found: list[Spell] = []
    for source, judged in days.items():
        goes_on = False
        for day in judged:
            if day.is_troubled and goes_on and _same(found[-1].example, day):
                found[-1] = Spell(source, found[-1].first, day.day, day)
            elif day.is_troubled:
                found.append(Spell(source, day.day, day.day, day))
            goes_on = day.is_troubled
    return sorted(found, key=lambda spell: (-spell.last.toordinal(), spell.source))


def _same(one: Day, other: Day) -> bool:
    """Whether two days have the same wrong with them; a refused batch stands alone, for it has a report."""
    return one.what == other.what and one.state != DayState.REFUSED
