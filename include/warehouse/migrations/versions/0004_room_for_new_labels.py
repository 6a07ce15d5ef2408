"""Leave room in the pages of labelled products for their next label"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    # Pages written from now on; those that are there get their room with the first relabelling.
    op.execute("ALTER TABLE labelled_products SET (fillfactor = 45)")


def downgrade() -> None:
    op.execute("ALTER TABLE labelled_products RESET (fillfactor)")
