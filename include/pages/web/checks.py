"""What `python -m include check` says now, without making a page wait: it takes seconds.

The page of batches has a link to it, which the script replaces by the answer. One check runs at a time, however many
people look, and its answer is good for a minute.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock, Thread

from starlette.requests import Request
from starlette.responses import Response

from include.errors import CuveeError
from include.pages.web.access import CurrentViewer, router_for
from include.pages.web.host import Host, Right
from include.pages.web.rendering import render

logger = logging.getLogger(__name__)

router = router_for(Right.VIEW)

GOOD_SECONDS = 60.0
WAIT_SECONDS = 45.0
"""How long a page waits for a check that is going on."""


@dataclass
class Checks:
    """The newest check of a host."""

    host: Host
    wait: float = WAIT_SECONDS
    _lock: Lock = field(default_factory=Lock)
    _newest: Future[Sequence[str]] | None = None
    _ended: float = 0.0

    def newest(self) -> Future[Sequence[str]]:
        """The problems found, once they are; starts a check unless one goes on or ended within the last minute."""
        with self._lock:
            known = self._newest
            if known is None or (known.done() and time.monotonic() - self._ended > GOOD_SECONDS):
                known = self._newest = Future()
                # A daemon: a check that hangs does not keep the server from ending.
                Thread(target=self._check, args=(known,), name="cuvee-check", daemon=True).start()
            return known

    def _check(self, answer: Future[Sequence[str]]) -> None:
        try:
            found = tuple(self.host.problems())
        except CuveeError as error:
            found = (f"the check itself stopped: {error}",)
        except Exception:
            logger.exception("the check of the platform failed")
            found = ("the check itself failed: run `python -m include check` in a shell, which says why",)
        self._ended = time.monotonic()
        answer.set_result(found)


@router.get("/checks")
async def checks(request: Request, viewer: CurrentViewer) -> Response:
    """What was found; waits for it without keeping a thread from other pages."""
    watch: Checks = request.app.state.checks
    try:
        problems = await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(watch.newest())), watch.wait)
    except TimeoutError:
        problems = None
    return render(request, "checks.html", viewer, section="batches", problems=problems)
