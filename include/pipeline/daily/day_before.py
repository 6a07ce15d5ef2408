"""When a day's validation may begin, where what is new in it is known only once the day before is validated.

A source that lists everything each day brings what the days before do not have. So a day waits for the day before, but
only while that goes on: a day that was never run, has failed, or is queued behind this one is not waited for. Days that
are backfilled backwards are therefore compared with those before them that are there.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta

from include.errors import DayBeforeUnfinished
from include.storage.batch import Batch

logger = logging.getLogger(__name__)

LOOK_AGAIN = timedelta(seconds=0.5)
"""Pause while the day before is probably validated within seconds."""
SOON = timedelta(seconds=5)
"""How long it is looked for that often."""
LONGEST_PAUSE = timedelta(minutes=5)
DEADLINE = timedelta(hours=6)
"""Longer than a fetch takes with all its tries."""
ENDED = frozenset({"success", "failed", "upstream_failed", "skipped", "removed"})


@dataclass(frozen=True, slots=True)
class DayBefore:
    """The validation of the day before, in the words of what runs it."""

    is_running: bool
    """Whether its run has begun and not ended."""
    state: str | None
    """State of its validation, e.g. `running`; None before it is queued, and where there is none."""


def pause_for_day_before(batch: Batch, before: DayBefore, waited: timedelta) -> timedelta | None:
    """How long the validation of a batch pauses before it looks at the day before again; None to begin.

    It pauses shortly for some seconds, and then for a third of the time that it has waited. Raises DayBeforeUnfinished
    after six hours.
    """
    day = batch.day - timedelta(days=1)
    if not before.is_running or before.state in ENDED:
        if before.state in ENDED and before.state != "success":
            logger.warning(
                "source=%s day=%s: the validation of %s is %s; what is new is counted against the days before it",
                batch.source, batch.day, day, before.state,
            )  # fmt: skip
        return None
    if waited >= DEADLINE:
        raise DayBeforeUnfinished(
            f"{batch} has waited {DEADLINE / timedelta(hours=1):.0f} hours for {day}, whose run goes on and whose "
            f"validation is {before.state or 'not queued yet'}. What is new in a full listing is known only after it. "
            f"See what the run of {day} waits for, and end it, or mark its validate as failed; then clear this task"
        )
    return LOOK_AGAIN if waited < SOON else min(waited / 3, LONGEST_PAUSE)
