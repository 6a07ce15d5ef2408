"""One fault: what is injected, what must come of it, and within which bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """A fault that can be injected, e.g. a server that sends one byte every five seconds.

    `inject` brings it about on the real code and returns what came of it, e.g. `"quarantined: no_name"`; it raises
    AssertionError if that is not what must come of it. It takes nothing, so that it can run in a process of its own.
    """

    name: str
    """What is injected, in a few words, unique: `"body: one byte every 5 s"`."""
    inject: Callable[[], str]
    limit_seconds: float = 30.0
    limit_mib: float = 400.0
    """Bound on the growth of the process's resident memory over what it had before, in MiB."""
    is_quick: bool = True
    """Whether `make test` injects it, too: it takes at most a second or two."""
