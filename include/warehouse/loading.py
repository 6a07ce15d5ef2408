"""Loading of one source and day into the warehouse: all of it in one transaction, or nothing.

What is loaded does not depend on the order of days, and loading again changes nothing:

- a product's facts and prediction are those of the last day that saw it;
- a label that a human decided stays, whatever is predicted later;
- the quarantine rows of the day are replaced as a whole;
- products that only this day ever had, and that it no longer has, go.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import chain

import pyarrow as pa
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    FromClause,
    MetaData,
    Table,
    and_,
    case,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.sql.dml import Delete

from include.errors import BatchRejected
from include.schema import LABELS, QUARANTINE
from include.storage.lake import Lake
from include.warehouse.copying import copy_batches
from include.warehouse.engine import driver_connection
from include.warehouse.new_products import LABEL_GIVEN, NUMBERED, copy_new, known_rows, numbered, rows_where
from include.warehouse.search_index import note_change
from include.warehouse.tables import label_history, labelled_products, quarantined_products, sql_type, training_labels

logger = logging.getLogger(__name__)

CHUNK_ROWS = 5_000
LOAD_LOCK = 0x6C6F6164
"""First key of the advisory lock that lets one load per source run at a time; the second is the source."""

TRAINING = pa.schema([(name, pa.string()) for name in ("product_id", "label", "origin")])
DECIDED = ("label", "department", "confidence", "decision")
"""Columns of a product that a human decides, where one has."""


@dataclass(frozen=True)
class LoadCounts:
    """Rows of the batch as they were loaded."""

    labelled: int
    quarantined: int
    training_labels: int
    removed: int
    """Products of an earlier run of this day that it no longer has."""


def load_day(
    engine: Engine,
    lake: Lake,
    source: str,
    day: date,
    *,
    labels_path: str | None,
    quarantine_path: str | None,
    trusted: pa.Table | None,
    allow_empty: bool = False,
) -> LoadCounts:
    """Load a day's labels file, quarantine file and trusted labels in one transaction.

    `labels_path` is a file of `schema.LABELS`, None for a day without products (those of an earlier run of the
    day go); `quarantine_path` a file of `schema.QUARANTINE`, None where nothing was rejected; `trusted` has the
    columns product_id, label, origin. Memory holds some thousand rows, and a byte for each row. Raises BatchRejected,
    and changes nothing, where a day without products would remove all that it has in the warehouse, unless
    `allow_empty`; else the driver's errors: `open_engine` turns a lost server into WarehouseUnreachable.
    """
    with source_transaction(engine, source) as connection:
        published = numbered(_chunks(lake, labels_path, ["product_id", "model_version"]))
        incoming, labelled = copy_to_temporary(connection, "incoming_rows", NUMBERED, published)
        is_known = known_rows(connection, incoming, labelled)
        removed = connection.execute(_delete_vanished(incoming, source, day)).rowcount
        if removed and not labelled and not allow_empty:
            raise BatchRejected(
                f"{source} {day} has no product now, and the warehouse has {removed} of this day alone: nothing was "
                f"removed. If they are to go, confirm it: `python -m include run-day {day} --source {source} "
                "--allow-empty`, or trigger champagne_daily with the param allow_empty"
            )
        _merge_known(connection, rows_where(_chunks(lake, labels_path), is_known), source, day)
        copy_new(connection, lambda names: rows_where(_chunks(lake, labels_path, names), ~is_known), source, day)
        quarantined = _replace_quarantine(connection, lake, quarantine_path, source, day)
        training = _merge_training_labels(connection, trusted, incoming, source, day)
        note_change(connection, source, day, day)
    counts = LoadCounts(labelled=labelled, quarantined=quarantined, training_labels=training, removed=removed)
    logger.info("loaded source=%s day=%s %s", source, day, counts)
    return counts


def load_import(
    engine: Engine, lake: Lake, source: str, day: date, *, quarantine_path: str | None, trusted: pa.Table | None
) -> LoadCounts:
    """Load what a catalogue brings, trusted labels and quarantine rows; arguments and errors as in `load_day`.

    Labelled products are not changed: a catalogue's products come with their label.
    """
    with source_transaction(engine, source) as connection:
        quarantined = _replace_quarantine(connection, lake, quarantine_path, source, day)
        training = _merge_training_labels(connection, trusted, None, source, day)
    counts = LoadCounts(labelled=0, quarantined=quarantined, training_labels=training, removed=0)
    logger.info("loaded import source=%s day=%s %s", source, day, counts)
    return counts


@contextmanager
def source_transaction(engine: Engine, source: str) -> Iterator[Connection]:
    """A transaction in which no other load of the source runs."""
    with engine.begin() as connection:
        connection.execute(select(func.pg_advisory_xact_lock(LOAD_LOCK, func.hashtext(source))))
        yield connection


def _chunks(lake: Lake, path: str | None, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
    if path is None:
        return
    with lake.parquet_file(path) as file:
        yield from file.iter_batches(batch_size=CHUNK_ROWS, columns=columns)


def copy_to_temporary(
    connection: Connection, name: str, schema: pa.Schema, batches: Iterator[pa.RecordBatch]
) -> tuple[Table, int]:
    """COPY batches into a temporary table that goes with the transaction; returns it and its number of rows."""
    columns = (Column(field.name, sql_type(field.type)) for field in schema)
    table = Table(name, MetaData(), *columns, prefixes=["TEMPORARY"], postgresql_on_commit="DROP")
    table.create(connection, checkfirst=False)
    return table, copy_batches(driver_connection(connection), name, batches)


def _delete_vanished(incoming: Table, source: str, day: date) -> Delete:
    stored = labelled_products.c
    return delete(labelled_products).where(
        stored.source == source,
        stored.last_seen_day == day,
        stored.first_seen_day == day,
        stored.decided_by != "human",
        ~exists().where(incoming.c.product_id == stored.product_id),
    )


def _merge_known(connection: Connection, batches: Iterator[pa.RecordBatch], source: str, day: date) -> None:
    """Merge rows whose products, or whose labels, the warehouse may have already."""
    first = next(batches, None)
    if first is None:
        return
    incoming, rows = copy_to_temporary(connection, "incoming_labels", LABELS, chain([first], batches))
    _merge_labels(connection, incoming, rows, source, day)
    connection.execute(merged_history(incoming, literal(day)))


def _merge_labels(connection: Connection, incoming: Table, rows: int, source: str, day: date) -> None:
    new: dict[str, ColumnElement] = {column.name: column for column in incoming.columns}
    new |= {
        "source": literal(source),
        "decided_by": literal("model"),
        "predicted_label": incoming.c.label,
        "predicted_confidence": incoming.c.confidence,
        "first_seen_day": literal(day),
        "last_seen_day": literal(day),
    }
    statement = insert(labelled_products).from_select(list(new), select(*new.values()))
    old, excluded = labelled_products.c, statement.excluded
    by_human = old.decided_by == "human"
    changes: dict[str, ColumnElement] = {
        name: excluded[name] for name in new if name not in ("product_id", "decided_by", *DECIDED)
    }
    compared = [name for name in changes if name != "first_seen_day"] + ["decision", "department"]
    changes |= {name: case((by_human, old[name]), else_=excluded[name]) for name in DECIDED}
    changes["first_seen_day"] = func.least(old.first_seen_day, excluded.first_seen_day)
    differs = tuple_(*(old[name] for name in compared)).is_distinct_from(tuple_(*(excluded[name] for name in compared)))
    written = connection.execute(
        statement.on_conflict_do_update(
            index_elements=[old.product_id],
            set_=changes,
            # An unchanged row is not written: a rerun writes nothing.
            where=and_(
                excluded.last_seen_day >= old.last_seen_day, or_(differs, excluded.first_seen_day < old.first_seen_day)
            ),
        ),
        execution_options={"preserve_rowcount": True},
    ).rowcount
    if written == rows:
        return  # Every product was written, so none can have been seen on later days only.
    connection.execute(
        labelled_products.update()
        .where(old.product_id == incoming.c.product_id, old.first_seen_day > day)
        .values(first_seen_day=day)
    )


def merged_history(labelled: FromClause, day: ColumnElement) -> Insert:
    """The statement that puts labels into `label_history`, as labels of a day.

    `labelled` has the columns product_id, content_hash, model_version, label, confidence, decision and modality.
    """
    rows = select(*(labelled.c[name] for name in LABEL_GIVEN), day, day)
    statement = insert(label_history).from_select([*LABEL_GIVEN, "first_day", "last_day"], rows)
    old, excluded = label_history.c, statement.excluded
    newer = excluded.last_day >= old.last_day
    given = ("label", "confidence", "decision", "modality")
    differs = tuple_(*(old[name] for name in given)).is_distinct_from(tuple_(*(excluded[name] for name in given)))
    return statement.on_conflict_do_update(
        index_elements=[old.product_id, old.content_hash, old.model_version],
        set_={name: case((newer, excluded[name]), else_=old[name]) for name in given}
        | {
            "first_day": func.least(old.first_day, excluded.first_day),
            "last_day": func.greatest(old.last_day, excluded.last_day),
        },
        where=or_(excluded.first_day < old.first_day, excluded.last_day > old.last_day, and_(newer, differs)),
    )


def _replace_quarantine(connection: Connection, lake: Lake, path: str | None, source: str, day: date) -> int:
    stored = quarantined_products.c
    connection.execute(delete(quarantined_products).where(stored.source == source, stored.day == day))
    if path is None:
        return 0
    incoming, rows = copy_to_temporary(connection, "incoming_quarantine", QUARANTINE, _chunks(lake, path))
    connection.execute(
        insert(quarantined_products)
        .from_select([*QUARANTINE.names, "source", "day"], select(*incoming.columns, literal(source), literal(day)))
        .on_conflict_do_nothing()
    )
    return rows


def _merge_training_labels(
    connection: Connection, trusted: pa.Table | None, labelled: Table | None, source: str, day: date
) -> int:
    """Take over the day's trusted labels, and drop those of its products that no longer hold."""
    table = TRAINING.empty_table() if trusted is None else trusted.select(TRAINING.names).cast(TRAINING)
    batches = iter(table.to_batches(max_chunksize=CHUNK_ROWS))
    incoming, rows = copy_to_temporary(connection, "incoming_training", TRAINING, batches)
    old = training_labels.c
    gone = and_(
        old.origin != "human",
        ~exists().where(incoming.c.product_id == old.product_id, incoming.c.origin == old.origin),
    )
    connection.execute(delete(training_labels).where(old.source == source, old.day == day, gone))
    products = labelled_products.c
    if labelled is not None:
        newest_here = exists().where(
            labelled.c.product_id == old.product_id,
            products.product_id == old.product_id,
            products.last_seen_day == day,
        )
        connection.execute(delete(training_labels).where(old.source == source, old.day < day, newest_here, gone))
    seen_later = exists().where(products.product_id == incoming.c.product_id, products.last_seen_day > day)
    statement = insert(training_labels).from_select(
        [*TRAINING.names, "source", "day"], select(*incoming.columns, literal(source), literal(day)).where(~seen_later)
    )
    excluded = statement.excluded
    differs = tuple_(old.label, old.day).is_distinct_from(tuple_(excluded.label, excluded.day))
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[old.product_id, old.origin],
            set_={"label": excluded.label, "source": excluded.source, "day": excluded.day},
            where=and_(excluded.day >= old.day, old.origin != "human", differs),
        )
    )
    return rows
