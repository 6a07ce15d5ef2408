"""Keeps the tables of the search (`include.warehouse.search_tables`) in step with `labelled_products`.

Whoever writes `labelled_products` notes in the same transaction which days it changed (`note_change`), which costs one
row. `refresh_search` takes over what was noted, a day of a source in a transaction: killed anywhere it goes on there,
and run again it changes nothing. Until then the search finds products by what they were before.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import date, timedelta

import pyarrow as pa
from sqlalchemy import Connection, Engine, func, insert, select, text

from include.warehouse.copying import copy_batches
from include.warehouse.engine import driver_connection
from include.warehouse.search_tables import FACETS, search_changes
from include.warehouse.search_words import SAMPLES, product_words

logger = logging.getLogger(__name__)

REFRESH_LOCK = 0x66696E64
"""Key of the advisory lock that lets one process at a time bring the search up to date."""
CHUNK_ROWS = 5_000
WHOLE_TABLE_WAYS = ("enable_seqscan", "enable_mergejoin", "enable_hashjoin")
SHARE_THAT_NEEDS_STATISTICS = 0.1

_WORDS = pa.schema([("product_id", pa.string()), ("words", pa.string())])


def note_change(
    connection: Connection, source: str, first_day: date, last_day: date, product_id: str | None = None
) -> None:
    """Note, in the transaction that writes them, that products last seen on these days changed; or the one named."""
    change = {"source": source, "first_day": first_day, "last_day": last_day, "product_id": product_id}
    connection.execute(insert(search_changes).values(change))


def changes_behind(engine: Engine) -> int:
    """How many changes the search has not taken over yet; 0 when it shows what `labelled_products` holds."""
    with engine.connect() as connection:
        return connection.scalars(select(func.count()).select_from(search_changes)).one()


def refresh_search(engine: Engine) -> int:
    """Take over all changes that were noted; returns the number of products that the search shows differently.

    Memory holds some thousand products. Several processes may call it: they take turns.
    """
    changed = 0
    with engine.connect() as connection:
        newest = connection.scalar(select(func.max(search_changes.c.change_id)))
    while newest is not None:
        with engine.begin() as connection:
            connection.execute(select(func.pg_advisory_xact_lock(REFRESH_LOCK)))
            taken = _take_over_next(connection, newest)
        if taken is None:
            break
        changed += taken
    if changed:
        _tidy_up(engine, changed)
        logger.info("search: took over %d products", changed)
    return changed


def _take_over_next(connection: Connection, newest: int) -> int | None:
    """Take over the next day of the oldest change up to `newest`; the products that changed, or None if none is left.

    Days that several changes cover are looked at again, which finds nothing to do.
    """
    noted = search_changes.c
    change = connection.execute(
        select(search_changes).where(noted.change_id <= newest).order_by(noted.change_id).limit(1)
    ).one_or_none()
    if change is None:
        return None
    day = connection.scalar(text(_NEXT_DAY), change._asdict())
    is_done = day is None or change.product_id is not None or day == change.last_day
    if is_done:
        connection.execute(search_changes.delete().where(noted.change_id == change.change_id))
    else:
        # What a shorter range leaves behind: the days before it are done.
        rest = {"first_day": day + timedelta(days=1)}
        connection.execute(search_changes.update().where(noted.change_id == change.change_id).values(rest))
    return 0 if day is None else _take_over(connection, change.source, day, change.product_id)


def _take_over(connection: Connection, source: str, day: date, product_id: str | None) -> int:
    for way in WHOLE_TABLE_WAYS:  # while statistics are older than the rows, the whole tables would be read each day
        connection.execute(text(f"SET LOCAL {way} = off"))
    values = {"source": source, "day": day, "product_id": product_id}
    if product_id is None:
        connection.execute(text(_SAME_DAY), values)
    for statement in (_STAGE, _STAGE_KEY, _STAGE_STATISTICS, _WORDS_TABLE, _NEW_VALUES, _REMOVE):
        connection.execute(text(statement), values)
    changed = 0
    for batch in _words_of_changed(connection):
        changed += copy_batches(driver_connection(connection), "new_words", [batch])
    if changed:
        connection.execute(text(_MERGE_WORDS))
    faceted = connection.execute(text(_MERGE_FACETS), execution_options={"preserve_rowcount": True}).rowcount
    return max(changed, faceted)


def _words_of_changed(connection: Connection) -> Iterator[pa.RecordBatch]:
    """Rows of `_WORDS`: products that are new to the search, or whose texts may be others."""
    with driver_connection(connection).cursor("changed_texts") as cursor:
        cursor.execute(_CHANGED_TEXTS)
        while rows := cursor.fetchmany(CHUNK_ROWS):
            columns = [[row[0] for row in rows], [product_words(*row[1:]) for row in rows]]
            yield pa.record_batch([pa.array(column, pa.string()) for column in columns], schema=_WORDS)


def _tidy_up(engine: Engine, changed: int) -> None:
    """Sort what is new into the indexes, and after many changes count anew for the planner, before autovacuum does."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        products = connection.scalars(
            text("SELECT reltuples FROM pg_class WHERE oid = 'product_facets'::regclass")
        ).one()
        if changed > max(products, 0) * SHARE_THAT_NEEDS_STATISTICS:
            connection.execute(text("VACUUM (ANALYZE) product_words, product_facets"))  # sorts as well
            return
        for index in ("product_words_words_idx", "product_facets_codes_idx"):
            connection.execute(text(f"SELECT gin_clean_pending_list('{index}')"))


_SAME_DAY = "DELETE FROM search_changes WHERE source = :source AND first_day = :day AND last_day = :day"
"""All that was noted of the day by now is taken over at once: a relabelling notes a large day often."""
_NEXT_DAY = """
    SELECT min(day) FROM (
        (SELECT last_seen_day AS day FROM labelled_products
         WHERE source = :source AND last_seen_day BETWEEN :first_day AND :last_day ORDER BY last_seen_day LIMIT 1)
        UNION ALL
        (SELECT day FROM product_facets
         WHERE day BETWEEN :first_day AND :last_day AND source =
             (SELECT code FROM facet_values WHERE facet = 'source' AND value = :source)
         ORDER BY day LIMIT 1)
    ) AS days
"""
"""The first day of a change that has products of the source, or had some."""

# The day's products as they are now, without their texts.
_STAGE = f"""
    CREATE TEMPORARY TABLE staged_products ON COMMIT DROP AS
    SELECT product_id, hashtextextended(content_hash, 0) AS content, last_seen_day AS day, confidence,
        {", ".join(FACETS)}, flags
    FROM labelled_products
    WHERE source = :source AND last_seen_day = :day
        AND (CAST(:product_id AS text) IS NULL OR product_id = :product_id)
"""  # noqa: S608
# Joined by its index with all other tables: hash joins are off, and a loop without an index would take minutes.
_STAGE_KEY = "ALTER TABLE staged_products ADD PRIMARY KEY (product_id)"
_STAGE_STATISTICS = "ANALYZE staged_products"
_WORDS_TABLE = "CREATE TEMPORARY TABLE new_words (product_id text, words text) ON COMMIT DROP"

_NEW_VALUES = f"""
    INSERT INTO facet_values (facet, value)
    {" UNION ".join(f"SELECT '{name}', {name} FROM staged_products WHERE {name} IS NOT NULL" for name in FACETS)}
    UNION SELECT 'flags', unnest(flags) FROM staged_products WHERE flags <> '{{}}'
    EXCEPT SELECT facet, value FROM facet_values
    ON CONFLICT DO NOTHING
"""  # noqa: S608

_REMOVE = """
    WITH gone AS (
        SELECT words.number FROM product_facets AS facets JOIN product_words AS words USING (number)
        WHERE facets.day = :day
            AND facets.source = (SELECT code FROM facet_values WHERE facet = 'source' AND value = :source)
            AND NOT EXISTS (SELECT FROM labelled_products AS products WHERE products.product_id = words.product_id)
            AND (CAST(:product_id AS text) IS NULL OR words.product_id = :product_id)
    ), facets_gone AS (
        DELETE FROM product_facets USING gone WHERE product_facets.number = gone.number
    )
    DELETE FROM product_words USING gone WHERE product_words.number = gone.number
"""

_CHANGED_TEXTS = """
    SELECT staged.product_id, products.name, products.brand, products.ingredients
    FROM staged_products AS staged JOIN labelled_products AS products USING (product_id)
    WHERE NOT EXISTS (
        SELECT FROM product_words AS words
        WHERE words.product_id = staged.product_id AND words.content = staged.content
    )
"""

_MERGE_WORDS = f"""
    INSERT INTO product_words (product_id, content, words)
    SELECT product_id, content,
        array_to_tsvector(array_remove(string_to_array(words, ' '), '') || ARRAY(
            SELECT '%' || share FROM unnest(ARRAY{list(SAMPLES)}) AS share
            WHERE (hashtext(product_id) & {max(SAMPLES) - 1}) < {max(SAMPLES)} / share
        ))
    FROM new_words JOIN staged_products USING (product_id)
    ON CONFLICT (product_id) DO UPDATE SET content = excluded.content, words = excluded.words
"""  # noqa: S608

_FACET_CODES = "\n    ".join(
    f"LEFT JOIN facet_values AS {name}_value ON {name}_value.facet = '{name}' AND {name}_value.value = staged.{name}"
    for name in FACETS
)
_FACET_COLUMNS = ("day", "confidence", *FACETS, "flags")
_MERGE_FACETS = f"""
    INSERT INTO product_facets AS facets (number, {", ".join(_FACET_COLUMNS)})
    SELECT words.number, staged.day, staged.confidence, {", ".join(f"{name}_value.code" for name in FACETS)},
        CASE WHEN staged.flags <> '{{}}' THEN (
            SELECT array_agg(code ORDER BY code) FROM facet_values
            WHERE facet = 'flags' AND value = ANY(staged.flags)
        ) END
    FROM staged_products AS staged JOIN product_words AS words USING (product_id)
    {_FACET_CODES}
    ON CONFLICT (number) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _FACET_COLUMNS)}
    WHERE ROW({", ".join(f"facets.{name}" for name in _FACET_COLUMNS)})
        IS DISTINCT FROM ROW({", ".join(f"excluded.{name}" for name in _FACET_COLUMNS)})
"""  # noqa: S608
