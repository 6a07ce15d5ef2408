"""What the address of the page of batches asks for; what cannot be meant is ignored, and said so."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from include.warehouse.batch_history import BatchFilter, Outcome, Place

KINDS = {"daily": "Daily batches", "import": "Imported catalogues"}
OUTCOMES = {
    Outcome.PUBLISHED: "Published",
    Outcome.WARNED: "Published, with warnings",
    Outcome.FAILED: "Failed or refused",
    Outcome.REFUSED: "Refused",
}


@dataclass(frozen=True, slots=True)
class BatchQuery:
    """The choices of an address."""

    chosen: BatchFilter
    after: Place | None
    ignored: tuple[str, ...]
    """Names of parameters whose value means nothing."""

    @property
    def values(self) -> dict[str, str]:
        """The choices as parameters, without the place."""
        found = {"source": self.chosen.source, "kind": self.chosen.kind, "status": self.chosen.outcome}
        return {name: str(value) for name, value in found.items() if value is not None}


def batch_query(parameters: Mapping[str, str], sources: Collection[str]) -> BatchQuery:
    """The choices in the parameters source, kind, status and after (`2026-01-05,openfoodfacts`)."""
    source, kind, status = (parameters.get(name) or None for name in ("source", "kind", "status"))
    after = parameters.get("after") or None
    place = place_of(after) if after else None
    known = {
        "source": source is None or source in sources,
        "kind": kind is None or kind in KINDS,
        "status": status is None or status in OUTCOMES,
        "after": after is None or place is not None,
    }
    chosen = BatchFilter(
        source if known["source"] else None,
        kind if known["kind"] else None,
        Outcome(status) if status and known["status"] else None,
    )
    return BatchQuery(chosen, place, tuple(name for name, is_known in known.items() if not is_known))


def place_of(text: str) -> Place | None:
    """The place that `2026-01-05,openfoodfacts` names; None for anything else."""
    day, _, source = text.partition(",")
    if not source or "\x00" in source or not source.isprintable():
        return None
    try:
        return Place(date.fromisoformat(day), source)
    except ValueError:
        return None
