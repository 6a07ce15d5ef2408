"""One kind of bad behaviour of a server, and what must come of each kind of request to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tests.faults.server import Behaviour

Target = Literal["index", "delta", "page", "photo"]
ALL: tuple[Target, ...] = ("index", "delta", "page", "photo")
API: tuple[Target, ...] = ("index", "delta", "page")


@dataclass(frozen=True)
class Case:
    """A behaviour, with the outcome of requests to the APIs and of a photo's."""

    name: str
    """Stage of the protocol and what is wrong there: `"chunks: a negative size"`."""
    behaviour: Behaviour
    api: Literal["ok", "retried", "refused"]
    """Whether an API's request succeeds, is tried again and given up, or is refused at once."""
    reason: str = ""
    """What the message says, as a regular expression."""
    photo: str = "unreachable"
    """The photo's status."""
    targets: tuple[Target, ...] = ALL
    hangs: bool = False
    """Whether only a deadline ends it: then the deadline is a fraction of a second."""
    tls: Literal["", "trusted", "unknown", "other name", "expired"] = ""
    greets: bool = False
    """Whether the server acts before it has read anything."""
    public_only: bool = False
    """Whether private addresses are refused, as they are outside of tests."""
    is_quick: bool = True
