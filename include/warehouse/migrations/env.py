"""Run by Alembic: applies the migrations on the connection that `include.warehouse.engine.upgrade` passes."""

from __future__ import annotations

from alembic import context

from include.warehouse.search_tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
