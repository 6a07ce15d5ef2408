"""Tables for the search of products, and comments in the words of the glossary"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"

_FACETS = (
    "source", "label", "department", "decision", "decided_by", "modality", "language", "photo_status", "model_version",
)  # fmt: skip
_WHOLE_CATALOGUE = """
    INSERT INTO search_changes (source, first_day, last_day)
    SELECT source, min(last_seen_day), max(last_seen_day) FROM labelled_products GROUP BY source ORDER BY source
"""


def upgrade() -> None:
    op.create_table(
        "product_words",
        sa.Column("number", sa.Integer(), sa.Identity(always=True), comment="Number of the product in the search"),
        sa.Column("product_id", sa.Text(), nullable=False, comment="Product, as in labelled_products"),
        sa.Column("content", sa.BigInteger(), nullable=False, comment="Hash of the content_hash whose words these are"),
        sa.Column(
            "words",
            postgresql.TSVECTOR(),
            nullable=False,
            comment="Words of name, brand and ingredients without accents and case, and %16 to %1024 in samples",
        ),
        sa.PrimaryKeyConstraint("number", name="product_words_pkey"),
        sa.UniqueConstraint("product_id", name="product_words_product_id_key"),
        comment="One row per product that the search finds: its words; follows labelled_products",
    )
    op.create_index(
        "product_words_words_idx",
        "product_words",
        ["words"],
        postgresql_using="gin",
        postgresql_with={"gin_pending_list_limit": 65_536},
    )
    op.create_table(
        "facet_values",
        sa.Column("code", sa.SmallInteger(), sa.Identity(always=True), comment="Number of the value"),
        sa.Column("facet", sa.Text(), nullable=False, comment="Column of labelled_products, e.g. label, or flags"),
        sa.Column("value", sa.Text(), nullable=False, comment="Value of that column, or one of its flags"),
        sa.PrimaryKeyConstraint("code", name="facet_values_pkey"),
        sa.UniqueConstraint("facet", "value", name="facet_values_facet_value_key"),
        comment="One row per value that a product has or had in a column with few values",
    )
    op.create_table(
        "product_facets",
        sa.Column("number", sa.Integer(), autoincrement=False, comment="Product, as in product_words"),
        sa.Column("day", sa.Date(), nullable=False, comment="last_seen_day of the product"),
        sa.Column(
            "confidence", sa.REAL(), nullable=False, comment="Calibrated probability of the current label, 0 to 1"
        ),
        *(
            sa.Column(name, sa.SmallInteger(), comment=f"Code of {name} in facet_values; empty if there is none")
            for name in _FACETS
        ),
        sa.Column(
            "flags",
            postgresql.ARRAY(sa.SmallInteger()),
            comment="Codes of flags in facet_values; empty if there are none",
        ),
        sa.PrimaryKeyConstraint("number", name="product_facets_pkey"),
        comment="One row per product that the search finds: what it is filtered, counted and sorted by",
    )
    op.create_index(
        "product_facets_codes_idx",
        "product_facets",
        [sa.text(f"(ARRAY[{', '.join(_FACETS)}] || flags)")],
        postgresql_using="gin",
        postgresql_with={"gin_pending_list_limit": 65_536},
    )
    for columns in (["day", "number"], ["confidence", "number"], ["decision", "confidence", "number"]):
        op.create_index(f"product_facets_{'_'.join(columns)}_idx", "product_facets", columns)
    op.create_table(
        "search_changes",
        sa.Column("change_id", sa.BigInteger(), sa.Identity(always=True), comment="Running number"),
        sa.Column("source", sa.Text(), nullable=False, comment="Source of the products"),
        sa.Column("first_day", sa.Date(), nullable=False, comment="First last_seen_day of the products"),
        sa.Column("last_day", sa.Date(), nullable=False, comment="Last last_seen_day of the products"),
        sa.Column("product_id", sa.Text(), comment="The one product that changed; empty for all of these days"),
        sa.Column(
            "changed_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When labelled_products was written",
        ),
        sa.PrimaryKeyConstraint("change_id", name="search_changes_pkey"),
        comment="One row per change of labelled_products that the search has not taken over yet",
    )
    op.execute(_WHOLE_CATALOGUE)
    op.alter_column(
        "training_labels", "origin", comment="Origin of the label, strongest first: human, catalogue, source_tag, rule"
    )


def downgrade() -> None:
    op.alter_column(
        "training_labels", "origin", comment="Who says so, strongest first: human, catalogue, source_tag, rule"
    )
    for table in ("search_changes", "product_facets", "facet_values", "product_words"):
        op.drop_table(table)
