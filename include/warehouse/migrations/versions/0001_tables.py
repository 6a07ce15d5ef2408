"""Create the tables of the warehouse"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "batches",
        sa.Column("source", sa.Text(), nullable=False, comment="Source of the batch"),
        sa.Column("day", sa.Date(), nullable=False, comment="Day of the batch"),
        sa.Column("kind", sa.Text(), nullable=False, comment="daily or import"),
        sa.Column("status", sa.Text(), nullable=False, comment="published or failed"),
        sa.Column("received", sa.Integer(), nullable=True, comment="Records that the source brought for the day"),
        sa.Column(
            "unchanged",
            sa.Integer(),
            nullable=True,
            comment="Records dropped because an earlier day has them with the same content",
        ),
        sa.Column("products", sa.Integer(), nullable=True, comment="Records that passed validation"),
        sa.Column("quarantined", sa.Integer(), nullable=True, comment="Records set aside"),
        sa.Column(
            "reasons",
            postgresql.JSONB(),
            nullable=True,
            comment="Reason code to number of quarantined records",
        ),
        sa.Column("labelled", sa.Integer(), nullable=True, comment="Products labelled and published"),
        sa.Column("accepted", sa.Integer(), nullable=True, comment="Labels accepted without review"),
        sa.Column("reviewed", sa.Integer(), nullable=True, comment="Labels sent to review"),
        sa.Column(
            "photos",
            postgresql.JSONB(),
            nullable=True,
            comment="Photo status to number of products",
        ),
        sa.Column("training_labels", sa.Integer(), nullable=True, comment="Trusted labels that the batch brought"),
        sa.Column(
            "durations",
            postgresql.JSONB(),
            nullable=True,
            comment="Step to seconds of its last run",
        ),
        sa.Column("report", sa.Text(), nullable=True, comment="Validation report, path in the lake"),
        sa.Column("model_version", sa.Text(), nullable=True, comment="Model version that labelled the batch"),
        sa.Column(
            "failed_step", sa.Text(), nullable=True, comment="Step that failed; empty when the last run succeeded"
        ),
        sa.Column("error", sa.Text(), nullable=True, comment="Why it failed, and what to do"),
        sa.Column(
            "updated_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When this row was last written",
        ),
        sa.PrimaryKeyConstraint("source", "day", name=op.f("batches_pkey")),
        comment="One row per source and day: what its last run did",
    )
    op.create_table(
        "label_history",
        sa.Column("product_id", sa.Text(), nullable=False, comment="Product, as in labelled_products"),
        sa.Column("content_hash", sa.Text(), nullable=False, comment="Content of the product that was labelled"),
        sa.Column("model_version", sa.Text(), nullable=False, comment="Model version that labelled it"),
        sa.Column("label", sa.Text(), nullable=False, comment="Label given"),
        sa.Column("confidence", sa.REAL(), nullable=False, comment="Calibrated probability of the label, 0 to 1"),
        sa.Column("decision", sa.Text(), nullable=False, comment="accepted or review"),
        sa.Column(
            "modality", sa.Text(), nullable=False, comment="What the prediction rested on: text, photo, fusion, none"
        ),
        sa.Column(
            "first_day",
            sa.Date(),
            nullable=False,
            comment="First day on which this model version labelled this content",
        ),
        sa.Column("last_day", sa.Date(), nullable=False, comment="Last day on which it did; the label is of that day"),
        sa.PrimaryKeyConstraint("product_id", "content_hash", "model_version", name=op.f("label_history_pkey")),
        comment="One row per label given to one product content by one model version",
    )
    op.create_table(
        "label_reviews",
        sa.Column("review_id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Running number"),
        sa.Column("product_id", sa.Text(), nullable=False, comment="Product, as in labelled_products"),
        sa.Column("label", sa.Text(), nullable=False, comment="The right label, as the person decided"),
        sa.Column("previous_label", sa.Text(), nullable=False, comment="Label that the product had before"),
        sa.Column("reviewer", sa.Text(), nullable=False, comment="Who decided"),
        sa.Column("comment", sa.Text(), nullable=False, comment="Why; may be empty"),
        sa.Column(
            "reviewed_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the decision was recorded",
        ),
        sa.PrimaryKeyConstraint("review_id", name=op.f("label_reviews_pkey")),
        comment="One row per human decision; the newest one of a product counts",
    )
    op.create_index(
        op.f("label_reviews_product_id_review_id_idx"), "label_reviews", ["product_id", "review_id"], unique=False
    )
    op.create_table(
        "labelled_products",
        sa.Column("product_id", sa.Text(), nullable=False, comment="Id across sources: source:native_id"),
        sa.Column(
            "native_id",
            sa.Text(),
            nullable=False,
            comment="Id at the source: barcode with leading zeros, foodId, uniq_id",
        ),
        sa.Column("name", sa.Text(), nullable=True, comment="Product name as the source gives it"),
        sa.Column("brand", sa.Text(), nullable=True, comment="Brand as the source gives it"),
        sa.Column("description", sa.Text(), nullable=True, comment="Generic name or description, plain text"),
        sa.Column("ingredients", sa.Text(), nullable=True, comment="Ingredients, plain text"),
        sa.Column("quantity", sa.Text(), nullable=True, comment="Quantity in the source's words, e.g. 75 cl"),
        sa.Column("language", sa.Text(), nullable=True, comment="Two-letter code of the main language"),
        sa.Column(
            "category_tags",
            postgresql.ARRAY(sa.Text()),
            nullable=True,
            comment="Category tags of the source, general to specific",
        ),
        sa.Column("source_category", sa.Text(), nullable=True, comment="Category in the source's own words"),
        sa.Column("url", sa.Text(), nullable=True, comment="Page of the product at the source"),
        sa.Column(
            "image_url", sa.Text(), nullable=True, comment="Address of the photo, or its path for catalogue files"
        ),
        sa.Column(
            "flags",
            postgresql.ARRAY(sa.Text()),
            nullable=True,
            comment="Remarks that did not reject the record, e.g. check_digit_wrong",
        ),
        sa.Column(
            "last_modified",
            sa.TIMESTAMP(timezone=True),
            nullable=True,
            comment="When the source last changed the record",
        ),
        sa.Column(
            "content_hash",
            sa.Text(),
            nullable=False,
            comment="SHA-256 of what a classifier sees; changes exactly when that changes",
        ),
        sa.Column(
            "photo_status",
            sa.Text(),
            nullable=False,
            comment="ok, or why there is no photo: no_url, not_found, too_large, corrupt, ...",
        ),
        sa.Column("photo_sha256", sa.Text(), nullable=True, comment="SHA-256 of the photo as it is kept in the lake"),
        sa.Column(
            "label",
            sa.Text(),
            nullable=False,
            comment="Current label: the human one where there is one, else the predicted one",
        ),
        sa.Column("department", sa.Text(), nullable=False, comment="Department of the current label"),
        sa.Column(
            "confidence",
            sa.REAL(),
            nullable=False,
            comment="Calibrated probability of the current label, 0 to 1; 1 for a human label",
        ),
        sa.Column("decision", sa.Text(), nullable=False, comment="accepted, or review: a person should look"),
        sa.Column(
            "top_labels",
            postgresql.JSONB(),
            nullable=False,
            comment="The likeliest labels with their probabilities, best first",
        ),
        sa.Column(
            "modality", sa.Text(), nullable=False, comment="What the prediction rests on: text, photo, fusion, none"
        ),
        sa.Column("model_version", sa.Text(), nullable=False, comment="Model version that made the prediction"),
        sa.Column("source", sa.Text(), nullable=False, comment="Where the product comes from, e.g. openfoodfacts"),
        sa.Column("decided_by", sa.Text(), nullable=False, comment="Who decided the current label: model or human"),
        sa.Column(
            "predicted_label",
            sa.Text(),
            nullable=False,
            comment="Label predicted by model_version, also where a human decided otherwise",
        ),
        sa.Column(
            "predicted_confidence",
            sa.REAL(),
            nullable=False,
            comment="Calibrated probability of predicted_label, 0 to 1",
        ),
        sa.Column(
            "first_seen_day", sa.Date(), nullable=False, comment="First day on which the source brought the product"
        ),
        sa.Column(
            "last_seen_day",
            sa.Date(),
            nullable=False,
            comment="Last day on which the source brought the product; its facts are of that day",
        ),
        sa.PrimaryKeyConstraint("product_id", name=op.f("labelled_products_pkey")),
        comment="One row per product: its facts, its current label and who decided it",
    )
    op.create_index(
        op.f("labelled_products_label_decision_idx"), "labelled_products", ["label", "decision"], unique=False
    )
    op.create_index(
        op.f("labelled_products_source_last_seen_day_idx"),
        "labelled_products",
        ["source", "last_seen_day"],
        unique=False,
    )
    op.create_table(
        "promotions",
        sa.Column("promotion_id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Running number"),
        sa.Column("candidate_version", sa.Text(), nullable=False, comment="Model version that was to become champion"),
        sa.Column(
            "champion_version", sa.Text(), nullable=True, comment="Champion at that time; empty for the first model"
        ),
        sa.Column("promoted", sa.Boolean(), nullable=False, comment="Whether the candidate became champion"),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why, as a sentence"),
        sa.Column(
            "metrics",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="Scores of both on the same products",
        ),
        sa.Column("decided_by", sa.Text(), nullable=False, comment="gate, or the person who decided"),
        sa.Column(
            "decided_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was decided",
        ),
        sa.PrimaryKeyConstraint("promotion_id", name=op.f("promotions_pkey")),
        comment="One row per promotion decision, the refusals too; rows are only ever added",
    )
    op.create_table(
        "quarantined_products",
        sa.Column("source", sa.Text(), nullable=False, comment="Source of the record"),
        sa.Column("day", sa.Date(), nullable=False, comment="Day whose batch rejected it"),
        sa.Column("rejection_id", sa.Text(), nullable=False, comment="Id of the rejection within source and day"),
        sa.Column("native_id", sa.Text(), nullable=True, comment="Id at the source, if it could be read"),
        sa.Column(
            "reasons", postgresql.ARRAY(sa.Text()), nullable=False, comment="Reason codes, e.g. no_name, code_damaged"
        ),
        sa.Column("detail", sa.Text(), nullable=False, comment="What is wrong, as a sentence"),
        sa.Column(
            "raw",
            sa.Text(),
            nullable=False,
            comment="The record as received, JSON text; raw::jsonb reads all but the most broken ones",
        ),
        sa.Column("position", sa.Text(), nullable=False, comment="Where it stood: file or page and line"),
        sa.PrimaryKeyConstraint("source", "day", "rejection_id", name=op.f("quarantined_products_pkey")),
        comment="One row per record that validation set aside; replaced as a whole when its day is run again",
    )
    op.create_table(
        "training_labels",
        sa.Column("product_id", sa.Text(), nullable=False, comment="Product id: source:native_id"),
        sa.Column(
            "origin",
            sa.Text(),
            nullable=False,
            comment="Who says so, strongest first: human, catalogue, source_tag, rule",
        ),
        sa.Column("label", sa.Text(), nullable=False, comment="The trusted label"),
        sa.Column("source", sa.Text(), nullable=False, comment="Source of the product"),
        sa.Column(
            "day",
            sa.Date(),
            nullable=False,
            comment="Day of the batch, or for a human label the product's last seen day",
        ),
        sa.PrimaryKeyConstraint("product_id", "origin", name=op.f("training_labels_pkey")),
        comment="One row per trusted label that training may use; a predicted label is never here",
    )
    op.create_index(op.f("training_labels_source_day_idx"), "training_labels", ["source", "day"], unique=False)
    # A history that can be rewritten proves nothing.
    op.execute(
        """
        CREATE FUNCTION promotions_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'promotions is append-only: add a row that corrects the earlier one';
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER promotions_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON promotions "
        "FOR EACH STATEMENT EXECUTE FUNCTION promotions_are_append_only()"
    )


def downgrade() -> None:
    op.drop_index(op.f("training_labels_source_day_idx"), table_name="training_labels")
    op.drop_table("training_labels")
    op.drop_table("quarantined_products")
    op.drop_table("promotions")
    op.execute("DROP FUNCTION promotions_are_append_only()")
    op.drop_index(op.f("labelled_products_source_last_seen_day_idx"), table_name="labelled_products")
    op.drop_index(op.f("labelled_products_label_decision_idx"), table_name="labelled_products")
    op.drop_table("labelled_products")
    op.drop_index(op.f("label_reviews_product_id_review_id_idx"), table_name="label_reviews")
    op.drop_table("label_reviews")
    op.drop_table("label_history")
    op.drop_table("batches")
