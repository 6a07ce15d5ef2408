"""The tables of the warehouse, with the comments that analysts see in their SQL client.

Facts of a product have the names and types of `include.schema.LABELS`. The tables are created by the
migrations beside this file; a test compares the two.
"""

from __future__ import annotations

import pyarrow as pa
from sqlalchemy import (
    REAL,
    TIMESTAMP,
    BigInteger,
    Boolean,
    Column,
    Date,
    Identity,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import TypeEngine

from include.schema import LABELS

METADATA = MetaData(
    naming_convention={"pk": "%(table_name)s_pkey", "ix": "%(table_name)s_%(column_0_N_name)s_idx"},
)

FACT_COMMENTS = {
    "product_id": "Id across sources: source:native_id",
    "native_id": "Id at the source: barcode with leading zeros, foodId, uniq_id",
    "name": "Product name as the source gives it",
    "brand": "Brand as the source gives it",
    "description": "Generic name or description, plain text",
    "ingredients": "Ingredients, plain text",
    "quantity": "Quantity in the source's words, e.g. 75 cl",
    "language": "Two-letter code of the main language",
    "category_tags": "Category tags of the source, general to specific",
    "source_category": "Category in the source's own words",
    "url": "Page of the product at the source",
    "image_url": "Address of the photo, or its path for catalogue files",
    "flags": "Remarks that did not reject the record, e.g. check_digit_wrong",
    "last_modified": "When the source last changed the record",
    "content_hash": "SHA-256 of what a classifier sees; changes exactly when that changes",
    "photo_status": "ok, or why there is no photo: no_url, not_found, too_large, corrupt, ...",
    "photo_sha256": "SHA-256 of the photo as it is kept in the lake",
    "label": "Current label: the human one where there is one, else the predicted one",
    "department": "Department of the current label",
    "confidence": "Calibrated probability of the current label, 0 to 1; 1 for a human label",
    "decision": "accepted, or review: a person should look",
    "top_labels": "The likeliest labels with their probabilities, best first",
    "modality": "What the prediction rests on: text, photo, fusion, none",
    "model_version": "Model version that made the prediction",
}


def sql_type(arrow: pa.DataType) -> TypeEngine:
    """The SQL type of a column of `include.schema`; a list of structs becomes JSON."""
    if pa.types.is_list(arrow):
        return JSONB() if pa.types.is_struct(arrow.value_type) else ARRAY(sql_type(arrow.value_type))
    if pa.types.is_timestamp(arrow):
        return TIMESTAMP(timezone=True)
    if pa.types.is_float32(arrow):
        return REAL()
    if pa.types.is_int32(arrow):
        return Integer()
    if pa.types.is_string(arrow):
        return Text()
    raise TypeError(f"no SQL type is written down for {arrow}")


def _fact(name: str) -> Column:
    field = LABELS.field(name)
    return Column(
        name,
        sql_type(field.type),
        primary_key=name == "product_id",
        nullable=field.nullable,
        comment=FACT_COMMENTS[name],
    )


def _text(
    name: str, comment: str, *, key: bool = False, nullable: bool = False, server_default: str | None = None
) -> Column:
    return Column(name, Text, primary_key=key, nullable=nullable, comment=comment, server_default=server_default)


def _day(name: str, comment: str, *, key: bool = False) -> Column:
    return Column(name, Date, primary_key=key, nullable=False, comment=comment)


labelled_products = Table(
    "labelled_products",
    METADATA,
    *(_fact(name) for name in LABELS.names),
    _text("source", "Where the product comes from, e.g. openfoodfacts"),
    _text("decided_by", "Who decided the current label: model or human"),
    _text("predicted_label", "Label predicted by model_version, also where a human decided otherwise"),
    Column("predicted_confidence", REAL, nullable=False, comment="Calibrated probability of predicted_label, 0 to 1"),
    _day("first_seen_day", "First day on which the source brought the product"),
    _day("last_seen_day", "Last day on which the source brought the product; its facts are of that day"),
    Index(None, "label", "decision"),
    Index(None, "source", "last_seen_day"),
    # A relabelled row stays in its page, next to what it replaces, and no index has to learn of it. After the first
    # relabelling the table is as large without the room: the dead copies of all rows lie elsewhere then.
    postgresql_with={"fillfactor": 45},
    comment="One row per product: its facts, its current label and who decided it",
)

label_history = Table(
    "label_history",
    METADATA,
    _text("product_id", "Product, as in labelled_products"),
    _text("content_hash", "Content of the product that was labelled"),
    _text("model_version", "Model version that labelled it"),
    _text("label", "Label given"),
    Column("confidence", REAL, nullable=False, comment="Calibrated probability of the label, 0 to 1"),
    _text("decision", "accepted or review"),
    _text("modality", "What the prediction rested on: text, photo, fusion, none"),
    _day("first_day", "First day on which this model version labelled this content"),
    _day("last_day", "Last day on which it did; the label is of that day"),
    # The version comes first: what relabelling adds is in one place of the index, and not beside every product's
    # older labels, where each new row would touch another page.
    PrimaryKeyConstraint("model_version", "product_id", "content_hash"),
    comment="One row per label given to one product content by one model version",
)

quarantined_products = Table(
    "quarantined_products",
    METADATA,
    _text("source", "Source of the record", key=True),
    _day("day", "Day whose batch rejected it", key=True),
    _text("rejection_id", "Id of the rejection within source and day", key=True),
    _text("native_id", "Id at the source, if it could be read", nullable=True),
    Column("reasons", ARRAY(Text), nullable=False, comment="Reason codes, e.g. no_name, code_damaged"),
    _text("detail", "What is wrong, as a sentence"),
    _text("raw", "The record as received, JSON text; raw::jsonb reads all but the most broken ones"),
    _text("position", "Where it stood: file or page and line"),
    comment="One row per record that validation set aside; replaced as a whole when its day is run again",
)

label_reviews = Table(
    "label_reviews",
    METADATA,
    Column("review_id", BigInteger, Identity(always=True), primary_key=True, comment="Running number"),
    _text("product_id", "Product, as in labelled_products"),
    _text("label", "The right label, as the person decided"),
    _text("previous_label", "Label that the product had before"),
    _text("reviewer", "Who decided"),
    _text("comment", "Why; may be empty"),
    Column(
        "reviewed_at",
        TIMESTAMP(timezone=True),
        nullable=False,
        server_default=func.now(),
        comment="When the decision was recorded",
    ),
    Index(None, "product_id", "review_id"),
    comment="One row per human decision; the newest one of a product counts",
)

training_labels = Table(
    "training_labels",
    METADATA,
    _text("product_id", "Product id: source:native_id", key=True),
    _text("origin", "Origin of the label, strongest first: human, catalogue, source_tag, rule", key=True),
    _text("label", "The trusted label"),
    _text("source", "Source of the product"),
    _day("day", "Day of the batch, or for a human label the product's last seen day"),
    Index(None, "source", "day"),
    comment="One row per trusted label that training may use; a predicted label is never here",
)

batches = Table(
    "batches",
    METADATA,
    _text("source", "Source of the batch", key=True),
    _day("day", "Day of the batch", key=True),
    _text("kind", "daily or import"),
    _text("status", "published or failed"),
    Column("received", Integer, comment="Records that the source brought for the day"),
    Column("unchanged", Integer, comment="Records dropped because an earlier day has them with the same content"),
    Column("products", Integer, comment="Records that passed validation"),
    Column("quarantined", Integer, comment="Records set aside"),
    Column("reasons", JSONB, comment="Reason code to number of quarantined records"),
    Column("labelled", Integer, comment="Products labelled and published"),
    Column("accepted", Integer, comment="Labels accepted without review"),
    Column("reviewed", Integer, comment="Labels sent to review"),
    Column("photos", JSONB, comment="Photo status to number of products"),
    Column("training_labels", Integer, comment="Trusted labels that the batch brought"),
    Column("durations", JSONB, comment="Step to seconds of its last run"),
    _text("report", "Validation report, path in the lake", nullable=True),
    _text("model_version", "Model version that labelled the batch", nullable=True),
    Column("drift", JSONB, comment="Drift figure to its value, its bound and the training's value; see models.md"),
    Column("warnings", ARRAY(Text), comment="What drifted beyond its bound, a sentence each; empty when all is well"),
    _text("failed_step", "Step that failed; empty when the last run succeeded", nullable=True),
    _text("error", "Why it failed, and what to do", nullable=True),
    Column(
        "updated_at",
        TIMESTAMP(timezone=True),
        nullable=False,
        server_default=func.now(),
        comment="When this row was last written",
    ),
    comment="One row per source and day: what its last run did",
)

promotions = Table(
    "promotions",
    METADATA,
    Column("promotion_id", BigInteger, Identity(always=True), primary_key=True, comment="Running number"),
    _text("candidate_version", "Model version that was to become champion"),
    _text("champion_version", "Champion at that time; empty for the first model", nullable=True),
    Column("promoted", Boolean, nullable=False, comment="Whether the candidate became champion"),
    _text("reason", "Why, as a sentence"),
    Column(
        "metrics",
        JSONB,
        nullable=False,
        server_default=text("'{}'::jsonb"),
        comment="Scores of both on the same products",
    ),
    _text("decided_by", "gate, or the person who decided"),
    Column(
        "decided_at",
        TIMESTAMP(timezone=True),
        nullable=False,
        server_default=func.now(),
        comment="When it was decided",
    ),
    _text("kind", "promotion, or rollback to an earlier version", server_default="promotion"),
    Column("day", Date, comment="Last day whose labels the candidate could learn from"),
    _text("snapshot", "Training snapshot of the candidate, SHA-256", nullable=True),
    _text("training_key", "What was trained: snapshot, recipes and settings, SHA-256", nullable=True),
    _text("decision_key", "The decision as it can be taken once, SHA-256; a rerun finds its row", nullable=True),
    _text("report", "Page of the decision, path in the lake", nullable=True),
    Index(None, "decision_key", unique=True),
    comment="One row per promotion decision, the refusals too; rows are only ever added",
)

relabellings = Table(
    "relabellings",
    METADATA,
    Column("relabelling_id", BigInteger, Identity(always=True), primary_key=True, comment="Running number"),
    _text("model_version", "Model version that labelled the products again"),
    _text("previous_version", "Model version whose prediction it replaced"),
    _text("source", "Source of the products"),
    _text("decided_by", "Who decided their current labels: model, or human, whose label stayed"),
    _text("label_before", "Label predicted before"),
    _text("label_after", "Label predicted now"),
    _text("decision_before", "accepted or review, before"),
    _text("decision_after", "accepted or review, now"),
    Column("products", Integer, nullable=False, comment="Products that changed so"),
    Column(
        "examples",
        JSONB,
        nullable=False,
        server_default=text("'[]'::jsonb"),
        comment="Some of them, surest first: product_id, name, confidence_before, confidence_after",
    ),
    Column(
        "relabelled_at",
        TIMESTAMP(timezone=True),
        nullable=False,
        server_default=func.now(),
        comment="When the shard was written",
    ),
    comment="One row per shard of a relabelling and kind of change, no change among them; rows are only ever added",
)
