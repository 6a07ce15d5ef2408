"""The table `promotions`: every decision about the champion, the refusals too.

The table is the truth about which version is champion: the newest row with `promoted` names it, and the registry's
alias follows it. A decision is written first and carried out then, so that a process that is killed in between leaves
a decision that the next one carries out.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import Connection, Engine, and_, func, select
from sqlalchemy.dialects.postgresql import insert

from include.schema import text_hash
from include.warehouse.tables import promotions

logger = logging.getLogger(__name__)

Kind = Literal["promotion", "rollback"]


@dataclass(frozen=True)
class PromotionRecord:
    """One decision about a candidate version."""

    candidate_version: str
    champion_version: str | None
    """Champion at that time, None for the first model."""
    promoted: bool
    reason: str
    decided_by: str
    """`gate`, `train`, or the person who decided."""
    kind: Kind = "promotion"
    day: date | None = None
    """Last day whose labels the candidate could learn from."""
    snapshot: str | None = None
    training_key: str | None = None
    report: str | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StoredPromotion:
    """A row of `promotions`."""

    promotion_id: int
    candidate_version: str
    champion_version: str | None
    promoted: bool
    reason: str
    decided_by: str
    decided_at: datetime
    kind: str
    snapshot: str | None
    training_key: str | None
    day: date | None = None
    report: str | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)


def record_decision(engine: Engine, record: PromotionRecord, *, once: bool) -> StoredPromotion:
    """Write a decision down and return its row.

    With `once`, a decision about the same versions and training is found again instead of taken again: a step that
    runs twice decides once, also after later decisions. Without, every call is a separate decision, as a person's is.
    """
    columns = promotions.c
    with engine.begin() as connection:
        newest = None if once else connection.scalar(select(func.max(columns.promotion_id)))
        parts = [record.kind, record.candidate_version, record.champion_version, record.training_key, newest]
        key = text_hash(json.dumps(parts))
        row = {item.name: getattr(record, item.name) for item in fields(record)}
        statement = insert(promotions).values(**row | {"metrics": dict(record.metrics), "decision_key": key})
        connection.execute(statement.on_conflict_do_nothing(index_elements=[columns.decision_key]))
        stored = _select_one(connection, select(*_STORED).where(columns.decision_key == key))
    if stored is None:
        raise AssertionError("a decision that was written is not there")
    logger.info(
        "decision: candidate=%s champion=%s promoted=%s by=%s: %s",
        stored.candidate_version, stored.champion_version, stored.promoted, stored.decided_by, stored.reason,
    )  # fmt: skip
    return stored


def decided_champion(engine: Engine) -> StoredPromotion | None:
    """The newest decision that made a version champion; None before the first."""
    columns = promotions.c
    query = select(*_STORED).where(columns.promoted).order_by(columns.promotion_id.desc()).limit(1)
    with engine.connect() as connection:
        return _select_one(connection, query)


def decision_on(
    engine: Engine, training_key: str, candidate: str | None = None, champion: str | None = None
) -> StoredPromotion | None:
    """The newest decision of a retraining on this snapshot with these recipes and bounds; None if there was none.

    With `candidate`, the decision about that version against that champion (None: where there was none).
    """
    columns = promotions.c
    query = select(*_STORED).where(columns.training_key == training_key)
    if candidate is not None:
        about = and_(columns.candidate_version == candidate, columns.champion_version.is_not_distinct_from(champion))
        query = query.where(about)
    with engine.connect() as connection:
        return _select_one(connection, query.order_by(columns.promotion_id.desc()).limit(1))


def champions_so_far(engine: Engine) -> list[StoredPromotion]:
    """Every decision that made a version champion, oldest first."""
    columns = promotions.c
    with engine.connect() as connection:
        rows = connection.execute(select(*_STORED).where(columns.promoted).order_by(columns.promotion_id)).mappings()
        return [StoredPromotion(**row) for row in rows]


def all_decisions(engine: Engine) -> list[StoredPromotion]:
    """Every decision, newest first: promotions, refusals, rollbacks."""
    with engine.connect() as connection:
        rows = connection.execute(select(*_STORED).order_by(promotions.c.promotion_id.desc())).mappings()
        return [StoredPromotion(**row) for row in rows]


_STORED = tuple(promotions.c[name] for name in StoredPromotion.__dataclass_fields__)


def _select_one(connection: Connection, query: Any) -> StoredPromotion | None:
    row = connection.execute(query).mappings().first()
    return None if row is None else StoredPromotion(**row)
