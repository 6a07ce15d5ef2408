"""The tables that pages search: made from `labelled_products` after it was written, and small enough to be scanned.

A page may read neither a million whole products nor an index that every load and every relabelling would have to keep
up. So these tables follow a moment later (`include.warehouse.search_index`), and hold numbers where the products hold
texts: `product_facets` is a thirtieth of `labelled_products`.
"""

from __future__ import annotations

from sqlalchemy import (
    REAL,
    TIMESTAMP,
    BigInteger,
    Column,
    Date,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR

from include.warehouse.tables import METADATA

FACETS = (
    "source", "label", "department", "decision", "decided_by", "modality", "language", "photo_status", "model_version",
)  # fmt: skip
"""Columns of `labelled_products` that hold one of a few values. `flags`, the list of them, is a facet as well."""

PENDING = {"gin_pending_list_limit": 65_536}
"""KiB of new rows that an index takes in unsorted; a refresh has them sorted in at its end, many at once."""

CODES = f"(ARRAY[{', '.join(FACETS)}] || flags)"
"""All values of a product in one array, whose index finds any combination of them."""

product_words = Table(
    "product_words",
    METADATA,
    Column("number", Integer, Identity(always=True), primary_key=True, comment="Number of the product in the search"),
    Column("product_id", Text, nullable=False, comment="Product, as in labelled_products"),
    Column("content", BigInteger, nullable=False, comment="Hash of the content_hash whose words these are"),
    Column(
        "words",
        TSVECTOR,
        nullable=False,
        comment="Words of name, brand and ingredients without accents and case, and %16 to %1024 in samples",
    ),
    UniqueConstraint("product_id", name="product_words_product_id_key"),
    Index(None, "words", postgresql_using="gin", postgresql_with=PENDING),
    comment="One row per product that the search finds: its words; follows labelled_products",
)

facet_values = Table(
    "facet_values",
    METADATA,
    Column("code", SmallInteger, Identity(always=True), primary_key=True, comment="Number of the value"),
    Column("facet", Text, nullable=False, comment="Column of labelled_products, e.g. label, or flags"),
    Column("value", Text, nullable=False, comment="Value of that column, or one of its flags"),
    UniqueConstraint("facet", "value", name="facet_values_facet_value_key"),
    comment="One row per value that a product has or had in a column with few values",
)

product_facets = Table(
    "product_facets",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False, comment="Product, as in product_words"),
    Column("day", Date, nullable=False, comment="last_seen_day of the product"),
    Column("confidence", REAL, nullable=False, comment="Calibrated probability of the current label, 0 to 1"),
    *(Column(name, SmallInteger, comment=f"Code of {name} in facet_values; empty if there is none") for name in FACETS),
    Column("flags", ARRAY(SmallInteger), comment="Codes of flags in facet_values; empty if there are none"),
    Index("product_facets_codes_idx", text(CODES), postgresql_using="gin", postgresql_with=PENDING),
    Index(None, "day", "number"),
    Index(None, "confidence", "number"),
    Index(None, "decision", "confidence", "number"),
    comment="One row per product that the search finds: what it is filtered, counted and sorted by",
)

search_changes = Table(
    "search_changes",
    METADATA,
    Column("change_id", BigInteger, Identity(always=True), primary_key=True, comment="Running number"),
    Column("source", Text, nullable=False, comment="Source of the products"),
    Column("first_day", Date, nullable=False, comment="First last_seen_day of the products"),
    Column("last_day", Date, nullable=False, comment="Last last_seen_day of the products"),
    Column("product_id", Text, comment="The one product that changed; empty for all of these days"),
    Column(
        "changed_at",
        TIMESTAMP(timezone=True),
        nullable=False,
        server_default=func.now(),
        comment="When labelled_products was written",
    ),
    comment="One row per change of labelled_products that the search has not taken over yet",
)
