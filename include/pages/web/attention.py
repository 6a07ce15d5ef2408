"""What needs a person today, from the batches, the runs and the model of the platform."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Engine

from include.pages.web.days import Day, DayState, Window, failed_runs
from include.pages.web.host import Host, Run
from include.pages.web.recent_days import recent_days
from include.pages.web.scheduler import Scheduler, scheduler_of
from include.settings import Settings
from include.warehouse.batch_history import has_batches_table
from include.warehouse.doubtful_products import doubtful_products
from include.warehouse.promotions import StoredPromotion, decided_champion

WARNED_DAYS = 7
"""Days whose drift warnings are still news."""
MOST_COUNTED = 10_000
"""Doubtful products are counted up to here; a page then says that there are more."""


@dataclass(frozen=True, slots=True)
class Spell:
    """Days in a row with which the same is wrong: those of one source, or days on which several sources never ran."""

    sources: tuple[str, ...]
    first: date
    last: date
    example: Day
    """The last of them."""

    def days(self) -> list[date]:
        """All of them, oldest first."""
        return Window(self.first, self.last).days()


@dataclass(frozen=True, slots=True)
class Attention:
    """Everything that the first page tells."""

    window: Window
    spells: Sequence[Spell]
    """Days that failed, were refused or never ran, newest first."""
    failed_runs: Sequence[Run]
    """Runs that failed although their batches are published."""
    warned: Sequence[Day]
    """The newest warned day of each source within the last week."""
    warned_days: int
    """Days of sources with a warning within the last week."""
    running: int
    """Days that are going on."""
    doubtful: int
    approvals: Sequence[Run]
    champion: StoredPromotion | None
    scheduler: Scheduler

    @property
    def missing(self) -> int:
        """Days that failed or never ran, whatever the source; those that were only refused are not among them."""
        of_spells = {day for spell in self.spells if spell.example.state != DayState.REFUSED for day in spell.days()}
        return len(of_spells | {run.day for run in self.failed_runs})

    @property
    def refused(self) -> int:
        """Batches that broke a batch rule."""
        return sum(spell.example.state == DayState.REFUSED for spell in self.spells)

    @property
    def is_well(self) -> bool:
        """Whether nothing needs a person; doubtful products can wait."""
        waits = self.spells or self.failed_runs or self.warned or self.approvals
        return not waits and self.scheduler.is_alive and self.champion is not None


def look(engine: Engine, host: Host, settings: Settings, moment: datetime) -> Attention | None:
    """What needs a person at a moment; None where nothing has ever run."""
    if not has_batches_table(engine):
        return None
    recent = recent_days(engine, host, settings, moment.date())
    window, days, runs = recent.window, recent.days, recent.runs
    if not runs and not recent.has_batches:
        return None
    news = [day for judged in days.values() for day in judged if window.last - day.day < timedelta(days=WARNED_DAYS)]
    warned = [day for day in news if day.state == DayState.WARNED]
    newest = {day.source: day for day in warned}  # the days of a source are in order: the last one stays
    return Attention(
        window=window,
        spells=spells_of(days),
        failed_runs=failed_runs(days, runs),
        warned=list(newest.values()),
        warned_days=len(warned),
        running=len({day.day for judged in days.values() for day in judged if day.state == DayState.RUNNING}),
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
                found[-1] = Spell((source,), found[-1].first, day.day, day)
            elif day.is_troubled:
                found.append(Spell((source,), day.day, day.day, day))
            goes_on = day.is_troubled
    return sorted(_joined(found), key=lambda spell: (-spell.last.toordinal(), spell.sources))


def _same(one: Day, other: Day) -> bool:
    """Whether two days have the same wrong with them; a refused batch stands alone, for it has a report."""
    return one.what == other.what and one.state != DayState.REFUSED


def _joined(spells: Iterable[Spell]) -> Iterator[Spell]:
    """The spells, those of sources that never ran on the same days as one."""
    never: dict[tuple[date, date], Spell] = {}
    for spell in spells:
        if spell.example.state != DayState.NEVER:
            yield spell
            continue
        known = never.get((spell.first, spell.last))
        sources = (*(known.sources if known else ()), *spell.sources)
        never[spell.first, spell.last] = Spell(sources, spell.first, spell.last, spell.example)
    yield from never.values()
