"""Whether something starts the runs: how long ago the newest scheduler was alive."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from include.pages.web.clock import age_text
from include.pages.web.host import Host

SILENT_SECONDS = 60
"""A scheduler reports every few seconds; after a minute of silence it is taken for dead."""


@dataclass(frozen=True, slots=True)
class Scheduler:
    """What a page says of the scheduler."""

    is_alive: bool
    seen: datetime | None
    age: str
    """How long ago it was alive, `5 seconds`; empty when there never was one."""


def scheduler_of(host: Host, moment: datetime) -> Scheduler:
    """The newest scheduler, as it is at a moment."""
    seen = host.heartbeat()
    if seen is None:
        return Scheduler(is_alive=False, seen=None, age="")
    return Scheduler((moment - seen).total_seconds() <= SILENT_SECONDS, seen, age_text(seen, moment))
