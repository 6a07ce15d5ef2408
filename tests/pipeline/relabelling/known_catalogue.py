"""What tests of relabelling share: settings with two model versions, days, and the state that is left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Engine, text

from include.models.reasons.reading import ProductReasons, reasons_of
from include.pages.relabel_report import write_relabel_report
from include.pipeline.relabelling.relabel import relabel_catalogue
from include.settings import Settings
from include.storage.lake import Lake
from include.warehouse.relabel_summary import RelabelSummary
from tests.fixtures.trained import second_registry
from tests.pipeline.state import TABLES, lake_state, warehouse_state

SHARD = 50
"""Products of a shard in tests: the days of the sandbox make several."""


def versions_settings(home: Path, lake: Path, warehouse_url: str, *, champion: str = "1") -> Settings:
    """Settings with the models of `two_versions` and either as champion."""
    given: dict[str, Any] = {} if champion == "1" else {"MLFLOW_TRACKING_URI": second_registry(home)}
    return Settings(
        state_dir=home,
        lake_url=str(lake),
        warehouse_url=SecretStr(warehouse_url),
        shard_size=40,
        relabel_shard_size=SHARD,
        **given,
    )


def relabel(settings: Settings, version: str) -> RelabelSummary:
    """The whole relabelling with its report, as the command does it."""
    summary = relabel_catalogue(settings, version)
    write_relabel_report(Lake(settings.lake_root), summary)
    return summary


def final_state(settings: Settings, engine: Engine) -> tuple[Any, ...]:
    """Rows of the warehouse and files of the lake; the embeddings are the same too, but may be packed otherwise."""
    lake = Lake(settings.lake_root)
    files = lake_state(lake, ("labels", "reasons", "references", "reports"))
    return warehouse_state(engine), changes(engine), files, reasons_of_all(lake, engine)


def reasons_of_all(lake: Lake, engine: Engine) -> dict[str, ProductReasons | None]:
    """Why each product of the warehouse has its label; the files that say so are packed as the shards were."""
    query = text("SELECT product_id, source, last_seen_day, model_version FROM labelled_products ORDER BY product_id")
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    return {
        row.product_id: reasons_of(lake, row.product_id, row.source, row.last_seen_day, row.model_version)
        for row in rows
    }


def changes(engine: Engine) -> list[Any]:
    """What `relabellings` tells in all, however it was cut into shards."""
    query = text(
        "SELECT model_version, previous_version, source, decided_by, label_before, label_after, decision_before,"
        " decision_after, sum(products) FROM relabellings"
        " GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8"
    )
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query)]


def row_versions(engine: Engine) -> dict[str, list[Any]]:
    """Where PostgreSQL keeps each row and which transaction wrote it: changes whenever a row is written."""
    orders = {**TABLES, "relabellings": "relabelling_id"}
    with engine.connect() as connection:
        return {
            table: [
                tuple(row)
                for row in connection.execute(text(f"SELECT ctid::text, xmin::text FROM {table} ORDER BY {order}"))  # noqa: S608
            ]
            for table, order in orders.items()
        }
