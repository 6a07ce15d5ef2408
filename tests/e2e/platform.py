"""A running Airflow as the tests of days and of pages use it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text

from include.local.airflow import LocalAirflow
from include.local.airflow_api import AirflowApi
from include.settings import Settings
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.warehouse.engine import open_engine

RUN_SECONDS = 600.0


@dataclass(frozen=True)
class Platform:
    """A running Airflow with its settings."""

    settings: Settings
    airflow: LocalAirflow
    api: AirflowApi

    def rows(self, query: str, **parameters: Any) -> list[Any]:
        """Rows of the warehouse."""
        with open_engine(self.settings.warehouse_dsn) as engine, engine.connect() as connection:
            return list(connection.execute(text(query), parameters).all())

    @contextmanager
    def nameless_landing(self, source: str, day: date) -> Iterator[None]:
        """A block in which the products of a landed day have no name, so that validation refuses the batch."""
        lake = Lake(self.settings.lake_root)
        files = lake.list_files(Batch(source, day).folder(Layer.LANDING))
        good = {path: lake.read_bytes(path) for path in files if path.endswith(".json.gz")}
        for path, content in good.items():
            records = [json.loads(line) for line in gzip.decompress(content).splitlines()]
            nameless = [{key: value for key, value in record.items() if "name" not in key} for record in records]
            lake.write_bytes(path, gzip.compress("\n".join(map(json.dumps, nameless)).encode()))
        yield
        for path, content in good.items():
            lake.write_bytes(path, content)
