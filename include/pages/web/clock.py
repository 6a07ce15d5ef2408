"""What time it is for a page; tests say another."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends


async def now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)


Now = Annotated[datetime, Depends(now)]


def age_text(since: datetime, moment: datetime) -> str:
    """How long ago something was, in its largest unit: `5 seconds`, `1 minute`, `12 days`; none for the future."""
    seconds = max(0, int((moment - since).total_seconds()))
    for name, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            return f"{seconds // size} {name}{'' if seconds // size == 1 else 's'}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"


def duration_text(seconds: float) -> str:
    """How long something took: `3.2 s`, `4 min 5 s`, `2 h 10 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
