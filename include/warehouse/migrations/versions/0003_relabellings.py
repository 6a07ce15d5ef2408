"""Keep what relabelling changed"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    texts = {
        "model_version": "Model version that labelled the products again",
        "previous_version": "Model version whose prediction it replaced",
        "source": "Source of the products",
        "decided_by": "Who decided their current labels: model, or human, whose label stayed",
        "label_before": "Label predicted before",
        "label_after": "Label predicted now",
        "decision_before": "accepted or review, before",
        "decision_after": "accepted or review, now",
    }
    op.create_table(
        "relabellings",
        sa.Column(
            "relabelling_id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Running number"
        ),
        *(sa.Column(name, sa.Text(), nullable=False, comment=comment) for name, comment in texts.items()),
        sa.Column("products", sa.Integer(), nullable=False, comment="Products that changed so"),
        sa.Column(
            "examples",
            postgresql.JSONB(),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
            comment="Some of them, surest first: product_id, name, confidence_before, confidence_after",
        ),
        sa.Column(
            "relabelled_at",
            sa.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the shard was written",
        ),
        sa.PrimaryKeyConstraint("relabelling_id", name=op.f("relabellings_pkey")),
        comment="One row per shard of a relabelling and kind of change, no change among them; rows are only ever added",
    )


def downgrade() -> None:
    op.drop_table("relabellings")
