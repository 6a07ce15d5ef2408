"""Run by Alembic: applies the migrations on the connection that `include.warehouse.engine.upgrade` passes."""

from __future__ import annotations

from alembic import context

from include.warehouse.search_tables import product_words

context.configure(connection=context.config.attributes["connection"], target_metadata=product_words.metadata)
with context.begin_transaction():
    context.run_migrations()
