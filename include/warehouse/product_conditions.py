"""A filter of products, and a place among them, as conditions in SQL on the tables of the search.

What stands in the SQL is written here; all that a person gave is a parameter of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, tuple_

from include.warehouse.product_cursor import DESCENDING, KEYS, Cursor, Sort
from include.warehouse.product_filter import ProductFilter
from include.warehouse.search_tables import CODES, facet_values
from include.warehouse.search_words import words_query

_TYPES = {"day": "date", "confidence": "real"}


@dataclass(frozen=True)
class Conditions:
    """Which rows of the search a filter wants."""

    sql: tuple[str, ...]
    """Conditions on `product_facets AS facets`, and `product_words AS words` where there is a text."""
    values: dict[str, Any]
    """Their parameters; `words` is the `tsquery` of the text."""
    is_impossible: bool = False
    """No product has one of the values, or the text has no word."""

    @property
    def has_text(self) -> bool:
        """Whether words are looked for."""
        return "words" in self.values

    def rows(self, columns: str, *, sample: str = "", extra: tuple[str, ...] = ()) -> str:
        """A SELECT of columns of the rows, with a TABLESAMPLE clause and more conditions."""
        tables = f"product_facets AS facets {sample}"
        if self.has_text:
            tables += " JOIN product_words AS words USING (number)"
        return f"SELECT {columns} FROM {tables} WHERE {' AND '.join((*self.sql, *extra)) or 'true'}"  # noqa: S608


def conditions_of(connection: Connection, wanted: ProductFilter) -> Conditions:
    """The conditions of a filter; looks up the codes of its values."""
    codes = _codes(connection, wanted)
    conditions: list[str] = []
    values: dict[str, Any] = {}
    single = [found[0] for facet, found in codes.items() if len(found) == 1 and facet != "decision"]
    if single:
        conditions.append(f"{CODES} @> CAST(:codes AS smallint[])")
        values["codes"] = single
    for facet, several in codes.items():
        if len(several) > 1:
            conditions.append(f"{CODES} && CAST(:{facet} AS smallint[])")
            values[facet] = several
        elif facet == "decision":  # by its column, whose index sorts by confidence within it
            conditions.append("facets.decision = CAST(:decision AS smallint)")
            values["decision"] = several[0]
    for name, comparison in (("from", ">="), ("to", "<=")):
        for column, type_name in _TYPES.items():
            value = getattr(wanted, f"{column}_{name}")
            if value is not None:
                conditions.append(f"facets.{column} {comparison} CAST(:{column}_{name} AS {type_name})")
                values[f"{column}_{name}"] = value
    words = words_query(wanted.text)
    if words:
        conditions.append("words.words @@ CAST(:words AS tsquery)")
        values["words"] = words
    is_impossible = len(codes) < len(wanted.values) or bool(wanted.text.strip() and not words)
    return Conditions(tuple(conditions), values, is_impossible)


def _codes(connection: Connection, wanted: ProductFilter) -> dict[str, list[int]]:
    """Facet to the codes of its wanted values, those that no product ever had left out."""
    pairs = [(name, value) for name, values in wanted.values.items() for value in values]
    codes: dict[str, list[int]] = {}
    if pairs:
        known = facet_values.c
        query = select(known.facet, known.code).where(tuple_(known.facet, known.value).in_(pairs))
        for facet, code in connection.execute(query.order_by(known.code)):
            codes.setdefault(facet, []).append(code)
    return codes


@dataclass(frozen=True)
class Place:
    """An order of rows of `product_facets`, and where in it a page begins; read backwards for a page before a place."""

    key: str
    """Column that is sorted by, e.g. `day`."""
    descending: bool
    values: dict[str, Any]
    """Parameters of `after`."""

    @classmethod
    def of(cls, sort: Sort, cursor: Cursor | None) -> Place:
        """The place that a cursor of this order names; without one its beginning."""
        descending = (sort in DESCENDING) != (cursor is not None and cursor.backwards)
        values = {} if cursor is None else {"after_key": cursor.key, "after_number": cursor.number}
        return cls(KEYS[sort], descending, values)

    @property
    def order(self) -> str:
        """For ORDER BY."""
        direction = "DESC" if self.descending else "ASC"
        return f"{self.key} {direction}, number {direction}"

    @property
    def after(self) -> tuple[str, ...]:
        """The condition that a row lies beyond the place; none at the beginning."""
        if not self.values:
            return ()
        comparison = "<" if self.descending else ">"
        return (f"({self.key}, number) {comparison} (CAST(:after_key AS {_TYPES[self.key]}), :after_number)",)
