"""How many products a filter fits, and how they divide by each facet: exactly, or as an estimate from a sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from include.warehouse.product_conditions import Conditions, Place
from include.warehouse.product_filter import FACET_NAMES
from include.warehouse.search_tables import FACETS
from include.warehouse.search_words import SAMPLES

EXACT = 10_000
PAGE_ROWS = 50
SURELY_MANY = 15_000
"""Where a sample says so, there are more than `EXACT`: its error is a tenth at most."""
SAMPLED_ROWS = 40_000
"""Rows of `product_facets` that are read where a filter without text fits many products."""
SAMPLED_MATCHES = 500
"""Products at least that are looked at where a text fits many."""


@dataclass(frozen=True)
class Count:
    """How many, and whether exactly."""

    products: int
    is_exact: bool


Facets = Mapping[str, list[tuple[str, Count]]]
"""Facet to its values and their products, commonest first."""


@dataclass(frozen=True)
class Counted:
    """What is known of the products of a filter."""

    total: Count
    facets: Facets
    page: list[int] | None
    """Numbers of the products of a page, in order, and one more; None where not all products could be looked at."""


NOTHING = Counted(Count(0, True), {name: [] for name in FACET_NAMES}, [])


def count_products(connection: Connection, conditions: Conditions, place: Place) -> Counted:
    """Count the products that fulfil the conditions, and where they are few find a page of them at the same time."""
    expected = _expected(connection, conditions.rows(""), conditions.values)
    estimate = _estimate(connection, conditions, expected) if expected > EXACT else None
    if estimate and estimate.total.products > SURELY_MANY:
        return estimate
    return _count(connection, conditions, place) or estimate or _estimate(connection, conditions, expected)


def _count(connection: Connection, conditions: Conditions, place: Place) -> Counted | None:
    """Exact numbers, and the page; None if there are more than `EXACT` products."""
    matched = conditions.rows("facets.*") + f" LIMIT {EXACT + 1}"
    beyond = " AND ".join(place.after) or "true"
    place_of_row = f"row_number() OVER (ORDER BY {place.order})"
    page = (
        f"SELECT 'page' AS kind, number::text AS value, {place_of_row} FROM matched WHERE {beyond} "  # noqa: S608
        f"ORDER BY {place.order} LIMIT {PAGE_ROWS + 1}"
    )
    rows = connection.execute(text(_counting(matched, page)), conditions.values | place.values).all()
    total = _total(rows)
    if total > EXACT:
        return None
    numbers = sorted((count, int(number)) for kind, number, count in rows if kind == "page")
    return Counted(Count(total, True), _facets(rows, None), [number for _, number in numbers])


def _estimate(connection: Connection, conditions: Conditions, expected: int) -> Counted:
    """Numbers from a sample."""
    sample, values, scale = _sample(connection, conditions, expected)
    rows = connection.execute(text(_counting(sample)), values).all()
    estimate = max(_total(rows) * scale, EXACT + 1)
    return Counted(Count(rounded(estimate), False), _facets(rows, scale), None)


def _expected(connection: Connection, statement: str, values: dict[str, Any]) -> int:
    """How many rows the planner expects, which takes it a fraction of a millisecond."""
    plan = connection.execute(text(f"EXPLAIN (FORMAT JSON) {statement}"), values).scalar_one()
    return int(plan[0]["Plan"]["Plan Rows"])


def rounded(estimate: float) -> int:
    """An estimate to two digits, e.g. 310000: more would pretend."""
    return int(float(f"{estimate:.2g}"))


_DIMENSIONS = ", ".join(f"({name})" for name in FACETS)


def _counting(matched: str, page: str = "") -> str:
    """A statement of rows (kind, value, products): the total, and each value of each facet; or what `page` gives."""
    which = " ".join(f"WHEN {1 << (len(FACETS) - 1 - at)} THEN '{name}'" for at, name in enumerate(FACETS))
    everything = (1 << len(FACETS)) - 1
    return f"""
        WITH matched AS MATERIALIZED ({matched}),
        counted AS (
            SELECT CASE {everything} - GROUPING({", ".join(FACETS)}) {which} END AS kind,
                COALESCE({", ".join(FACETS)}) AS code, count(*) AS products
            FROM matched GROUP BY GROUPING SETS ({_DIMENSIONS})
            UNION ALL
            SELECT 'flags', code, count(*) FROM matched, unnest(flags) AS code WHERE flags IS NOT NULL GROUP BY code
        )
        SELECT 'total' AS kind, NULL AS value, count(*) AS products FROM matched
        UNION ALL
        SELECT counted.kind, facet_values.value, counted.products FROM counted JOIN facet_values USING (code)
        {f"UNION ALL ({page})" if page else ""}
    """  # noqa: S608


def _total(rows: Sequence[Any]) -> int:
    return next(int(count) for kind, _value, count in rows if kind == "total")


def _facets(rows: Sequence[Any], scale: float | None) -> Facets:
    facets: dict[str, list[tuple[str, Count]]] = {name: [] for name in FACET_NAMES}
    for kind, value, count in sorted(rows, key=lambda row: (-row[2], row[1] or "")):
        if kind in facets:
            facets[kind].append((value, Count(count, True) if scale is None else Count(rounded(count * scale), False)))
    return facets


def _sample(connection: Connection, conditions: Conditions, expected: int) -> tuple[str, dict[str, Any], float]:
    """A SELECT of a sample of the rows, always the same one, its parameters, and for how many rows each stands."""
    if conditions.has_text:
        one_of = next((share for share in SAMPLES if expected / share >= SAMPLED_MATCHES), SAMPLES[-1])
        words = f"{conditions.values['words']} & '%{one_of}'"
        return conditions.rows("facets.*"), conditions.values | {"words": words}, one_of
    rows = connection.execute(
        text("SELECT GREATEST(reltuples, 1) FROM pg_class WHERE oid = 'product_facets'::regclass")
    ).scalar_one()
    share = min(100 * SAMPLED_ROWS / rows, 100)
    clause = f"TABLESAMPLE SYSTEM ({share:.6f}) REPEATABLE (0)"
    sampled = connection.execute(text(f"SELECT count(*) FROM product_facets {clause}")).scalar_one()  # noqa: S608
    return conditions.rows("facets.*", sample=clause), conditions.values, rows / max(sampled, 1)
