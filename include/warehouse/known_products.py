"""Which products are labelled, and in which batch they were last seen."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine, select

from include.storage.batch import Batch
from include.warehouse.tables import labelled_products


def labelled_among(engine: Engine, product_ids: Sequence[str]) -> set[str]:
    """Those of some products that are in `labelled_products`: products of a catalogue are not."""
    if not product_ids:
        return set()
    identity = labelled_products.c.product_id
    with engine.connect() as connection:
        return set(connection.scalars(select(identity).where(identity.in_(product_ids))))


def last_batch(engine: Engine, product_id: str) -> Batch | None:
    """The batch that a labelled product was last seen in; None if there is no such product, whatever the id is."""
    if "\0" in product_id:  # which PostgreSQL has in no text
        return None
    columns = labelled_products.c
    query = select(columns.source, columns.last_seen_day).where(columns.product_id == product_id)
    with engine.connect() as connection:
        row = connection.execute(query).one_or_none()
        return None if row is None else Batch(*row)
