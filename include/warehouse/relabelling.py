"""The catalogue in slices: what another model version has to label, and one transaction for its labels.

A slice is a range of days of one source, or a part of one large day: products that came together were embedded
together, so that no slice looks into the embeddings of the whole catalogue. A product that the version labelled
already is in no slice, which is why relabelling can be stopped and started at any time.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import CTE, ColumnElement, Connection, Engine, and_, case, func, select, text, true
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert

from include.schema import LABELS
from include.warehouse.copying_out import ArrowReader
from include.warehouse.loading import DECIDED, copy_to_temporary, merged_history, source_transaction
from include.warehouse.search_index import note_change
from include.warehouse.tables import batches, labelled_products, relabellings

logger = logging.getLogger(__name__)

BATCH_ROWS = 5_000
"""Products predicted at a time, and more where a day goes on: a day's embeddings lie in the same files."""
LARGEST_BATCH = 4 * BATCH_ROWS
WHOLE_TABLE_WAYS = ("enable_seqscan", "enable_mergejoin")
"""Ways to find a slice that read the whole table; they may look cheaper while statistics are older than the rows."""
EXAMPLES = 3
"""Products that are named for each kind of change of a slice."""

CATALOGUE = pa.schema(
    [
        *(LABELS.field(name) for name in ("product_id", "content_hash", "photo_sha256", "flags")),
        ("model_version", pa.string()),
        ("predicted_label", pa.string()),
        ("predicted_confidence", pa.float32()),
        ("decision", pa.string()),
        ("last_seen_day", pa.date32()),
    ]
)
"""Products as they are read for relabelling, with what was predicted before."""
TEXTS = pa.schema(
    [LABELS.field(name) for name in ("product_id", "content_hash", "name", "brand", "description", "ingredients")]
)
"""Their texts, which are read only where their text features are not stored."""

PREDICTED = (
    "flags", "label", "department", "confidence", "decision", "top_labels", "modality", "model_version",
)  # fmt: skip
"""Columns of `schema.LABELS` that a prediction gives to a product."""
_BEFORE = {
    "model_version": "previous_version",
    "predicted_label": "label_before",
    "predicted_confidence": "confidence_before",
    "decision": "decision_before",
}
NEW_PREDICTIONS = pa.schema(
    [
        *(CATALOGUE.field(name) for name in ("product_id", "content_hash", "photo_sha256")),
        *(CATALOGUE.field(name).with_name(renamed) for name, renamed in _BEFORE.items()),
        *(LABELS.field(name) for name in PREDICTED),
    ]
)


@dataclass(frozen=True)
class CatalogueSlice:
    """Products of one source that were last seen on a range of days, and, of one large day, a range of ids."""

    source: str
    first_day: date
    last_day: date
    first_id: str | None = None
    """Lowest product id of the slice; None for whole days."""
    before_id: str | None = None
    """Lowest product id beyond the slice; None where nothing is beyond."""

    @property
    def condition(self) -> ColumnElement[bool]:
        """Whether a row of `labelled_products` belongs to the slice."""
        row = labelled_products.c
        return and_(
            row.source == self.source,
            row.last_seen_day.between(self.first_day, self.last_day),
            row.product_id >= self.first_id if self.first_id is not None else true(),
            row.product_id < self.before_id if self.before_id is not None else true(),
        )


def count_by_day(engine: Engine, version: str, since: datetime | None = None) -> list[tuple[str, date, int]]:
    """Products that another version than `version` labelled: (source, last seen day, products), in that order.

    With `since` only those of days that were published since then. That reads these days only: to look through rows
    that were just written costs the server more than a third of what writing them did, with checksums.
    """
    row = labelled_products.c
    query = (
        select(row.source, row.last_seen_day, func.count())
        .where(row.model_version != version)
        .group_by(row.source, row.last_seen_day)
        .order_by(row.source, row.last_seen_day)
    )
    with engine.connect() as connection:
        if since is not None:
            _find_by_index(connection)
            is_of_batch = and_(batches.c.source == row.source, batches.c.day == row.last_seen_day)
            query = query.join(batches, is_of_batch).where(batches.c.updated_at >= since)
        return [tuple(found) for found in connection.execute(query)]


def server_time(engine: Engine) -> datetime:
    """The time by the clock that stamps what is published."""
    with engine.connect() as connection:
        return connection.scalars(select(func.now())).one()


def split_day(engine: Engine, version: str, source: str, day: date, parts: int) -> list[tuple[CatalogueSlice, int]]:
    """A day's products that another version labelled, in at most `parts` slices by id, each with its number of them.

    Their numbers differ by one at most.
    """
    row = labelled_products.c
    condition = and_(CatalogueSlice(source, day, day).condition, row.model_version != version)
    part = func.ntile(parts).over(order_by=row.product_id).label("part")
    numbered = select(row.product_id, part).where(condition).subquery()
    query = select(func.min(numbered.c.product_id), func.count()).group_by(numbered.c.part).order_by(numbered.c.part)
    with engine.connect() as connection:
        found = connection.execute(query).all()
    ends = [*(start for start, _ in found[1:]), None]
    return [
        (CatalogueSlice(source, day, day, start, end), products)
        for (start, products), end in zip(found, ends, strict=True)
    ]


def read_slice(reader: ArrowReader, part: CatalogueSlice, version: str) -> pa.Table:
    """The products of a slice that another version than `version` labelled, as a table of `CATALOGUE` by day and id."""
    return _read(reader, part, version, CATALOGUE)


def read_slice_texts(reader: ArrowReader, part: CatalogueSlice, version: str) -> pa.Table:
    """The texts of the same products, as a table of `TEXTS`; some may have changed, come or gone meanwhile."""
    return _read(reader, part, version, TEXTS)


def _read(reader: ArrowReader, part: CatalogueSlice, version: str, schema: pa.Schema) -> pa.Table:
    row = labelled_products.c
    query = (
        select(*(row[name] for name in schema.names))
        .where(part.condition, row.model_version != version)
        .order_by(row.last_seen_day, row.product_id)
    )
    return reader.read(query, schema, WHOLE_TABLE_WAYS)


def by_days(products: pa.Table) -> Iterator[pa.Table]:
    """A table of `CATALOGUE` in parts of some thousand rows, each of whole days unless one is much larger.

    Products that were embedded together are read together.
    """
    days = products["last_seen_day"].cast(pa.int32()).to_numpy()
    ends = np.append(np.flatnonzero(np.diff(days)) + 1, len(days))
    start = 0
    while start < len(days):
        wanted = min(start + BATCH_ROWS, len(days))
        end = min(int(ends[np.searchsorted(ends, wanted)]), start + LARGEST_BATCH)
        yield products.slice(start, end - start)
        start = end


def new_predictions(products: pa.Table, predicted: dict[str, Any]) -> pa.Table:
    """What `write_predictions` takes, from products as `read_slice` gives them and the columns `PREDICTED`."""
    columns = {name: products[name] for name in ("product_id", "content_hash", "photo_sha256")}
    columns |= {renamed: products[name] for name, renamed in _BEFORE.items()} | predicted
    return pa.table([columns[name] for name in NEW_PREDICTIONS.names], schema=NEW_PREDICTIONS)


def write_predictions(engine: Engine, part: CatalogueSlice, predictions: pa.Table) -> int:
    """Write a slice's new predictions in one transaction; returns the number of products that changed version.

    A product whose content, photo or prediction is no longer the one that was read is not changed: a load brought it
    together with a label. A label that a human decided stays; the model's prediction is stored beside it.
    `label_history` and `relabellings` cover exactly the products that were written.
    """
    with source_transaction(engine, part.source) as connection:
        _find_by_index(connection)
        batches = iter(predictions.to_batches(max_chunksize=BATCH_ROWS))
        incoming, _rows = copy_to_temporary(connection, "incoming_predictions", NEW_PREDICTIONS, batches)
        written = _update(incoming, part)
        history = merged_history(written, written.c.last_seen_day).cte("history")
        changes = _changes(written).add_cte(history).cte("changes")
        changed = int(connection.scalar(select(func.coalesce(func.sum(changes.c.products), 0))) or 0)
        if changed:
            note_change(connection, part.source, part.first_day, part.last_day)
        return changed


def _find_by_index(connection: Connection) -> None:
    """Never read the whole table for one slice."""
    for way in WHOLE_TABLE_WAYS:
        connection.execute(text(f"SET LOCAL {way} = off"))


def _update(incoming: Any, part: CatalogueSlice) -> CTE:
    """The update of `labelled_products`, and its rows as they are afterwards beside what was there before."""
    old, new = labelled_products.c, incoming.c
    by_human = old.decided_by == "human"
    values: dict[str, ColumnElement] = {name: new[name] for name in PREDICTED if name not in DECIDED}
    values |= {name: case((by_human, old[name]), else_=new[name]) for name in DECIDED}
    values |= {"predicted_label": new.label, "predicted_confidence": new.confidence}
    unchanged = and_(
        old.product_id == new.product_id,
        old.content_hash == new.content_hash,
        old.photo_sha256.is_not_distinct_from(new.photo_sha256),
        old.model_version == new.previous_version,
        part.condition,
    )
    predicted = (new[name] for name in NEW_PREDICTIONS.names if name not in ("decision", "flags", "top_labels"))
    decisions = (
        case((by_human, "accepted"), else_=new.decision_before).label("settled_before"),
        old.decision.label("settled_after"),
    )
    kept = (old.name, old.source, old.decided_by, old.last_seen_day, new.decision)
    return (
        labelled_products.update()
        .where(unchanged)
        .values(values)
        .returning(*predicted, *kept, *decisions)
        .cte("written")
    )


def _changes(written: CTE) -> Any:
    """The statement that adds up the rows written by kind of change, and names the surest of those that changed."""
    row = written.c
    kinds: dict[str, ColumnElement] = {
        name: row[name] for name in ("model_version", "previous_version", "source", "decided_by", "label_before")
    }
    kinds |= {"label_after": row.label, "decision_before": row.settled_before, "decision_after": row.settled_after}
    example = func.jsonb_build_object(
        "product_id", row.product_id, "name", row.name,
        "confidence_before", row.confidence_before, "confidence_after", row.confidence,
    )  # fmt: skip
    is_change = (row.label_before != row.label) | (row.settled_before != row.settled_after)
    surest = func.array_agg(aggregate_order_by(example, row.confidence.desc(), row.product_id)).filter(is_change)
    examples = func.coalesce(func.to_jsonb(surest[1:EXAMPLES]), text("'[]'::jsonb"))
    rows = select(*kinds.values(), func.count(), examples).group_by(*kinds.values()).order_by(*kinds.values())
    return insert(relabellings).from_select([*kinds, "products", "examples"], rows).returning(relabellings.c.products)


def changes_of(engine: Engine, version: str) -> list[dict[str, Any]]:
    """What the last relabelling to a version changed, by kind, as the columns of `relabellings`; empty without one.

    A relabelling is all that was written for a version with no other version between, in however many runs. The
    commonest kind comes first; `examples` are the surest of all slices.
    """
    row = relabellings.c
    last = select(func.max(row.relabelling_id)).where(row.model_version == version).scalar_subquery()
    before = (
        select(func.coalesce(func.max(row.relabelling_id), 0))
        .where(row.model_version != version, row.relabelling_id < last)
        .scalar_subquery()
    )
    kinds = (
        row.previous_version, row.source, row.decided_by, row.label_before, row.label_after,
        row.decision_before, row.decision_after,
    )  # fmt: skip
    query = (
        select(*kinds, func.sum(row.products).label("products"), func.jsonb_agg(row.examples).label("examples"))
        .where(row.model_version == version, row.relabelling_id > before)
        .group_by(*kinds)
        .order_by(func.sum(row.products).desc(), *kinds)
    )
    with engine.connect() as connection:
        return [{**found, "examples": _surest(found["examples"])} for found in connection.execute(query).mappings()]


def _surest(by_slice: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    examples = [example for examples in by_slice for example in examples]
    return sorted(examples, key=lambda example: (-example["confidence_after"], example["product_id"]))[:EXAMPLES]
