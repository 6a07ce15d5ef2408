"""Keep what retraining decided, and what drifted in a batch"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column(
        "batches",
        sa.Column(
            "drift",
            postgresql.JSONB(),
            nullable=True,
            comment="Drift figure to its value, its bound and the training's value; see models.md",
        ),
    )
    op.add_column(
        "batches",
        sa.Column(
            "warnings",
            postgresql.ARRAY(sa.Text()),
            nullable=True,
            comment="What drifted beyond its bound, a sentence each; empty when all is well",
        ),
    )
    op.add_column(
        "promotions",
        sa.Column(
            "kind",
            sa.Text(),
            server_default="promotion",
            nullable=False,
            comment="promotion, or rollback to an earlier version",
        ),
    )
    op.add_column(
        "promotions",
        sa.Column("day", sa.Date(), nullable=True, comment="Last day whose labels the candidate could learn from"),
    )
    texts = {
        "snapshot": "Training snapshot of the candidate, SHA-256",
        "training_key": "What was trained: snapshot, recipes and settings, SHA-256",
        "decision_key": "The decision as it can be taken once, SHA-256; a rerun finds its row",
        "report": "Page of the decision, path in the lake",
    }
    for name, comment in texts.items():
        op.add_column("promotions", sa.Column(name, sa.Text(), nullable=True, comment=comment))
    op.create_index(op.f("promotions_decision_key_idx"), "promotions", ["decision_key"], unique=True)


def downgrade() -> None:
    op.drop_index(op.f("promotions_decision_key_idx"), table_name="promotions")
    for name in ("report", "decision_key", "training_key", "snapshot", "day", "kind"):
        op.drop_column("promotions", name)
    op.drop_column("batches", "warnings")
    op.drop_column("batches", "drift")
