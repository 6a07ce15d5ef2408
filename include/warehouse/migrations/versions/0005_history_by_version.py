"""Key the history by model version first: a relabelling adds to one place of the index, not to all of it"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"

_KEY = "label_history_pkey"


def upgrade() -> None:
    op.drop_constraint(_KEY, "label_history", type_="primary")
    op.create_primary_key(_KEY, "label_history", ["model_version", "product_id", "content_hash"])


def downgrade() -> None:
    op.drop_constraint(_KEY, "label_history", type_="primary")
    op.create_primary_key(_KEY, "label_history", ["product_id", "content_hash", "model_version"])
