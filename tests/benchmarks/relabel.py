"""`relabel`: what relabelling costs when all embeddings are cached, at 250,000 and at 1,000,000 products.

The catalogue is drawn (see `drawn_catalogue`): some 60 words a product, every second one with a photo. Each run is
`relabel_catalogue` in a fresh process, to another version of the same model, in a PostgreSQL of its own with its data
safely on disk. CPU is that of the process and its children, and of all processes of the server, a checkpoint at the end
included, until the report is summed up; memory is the process's largest. In the first run every label is another than
before; in later ones none is. Between runs the table is vacuumed, as it would be between two promotions.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from psycopg import sql
from pydantic import SecretStr
from sqlalchemy import text

from include.local.postgres import PostgresServer
from include.models.version.artefact import Artefact
from include.models.version.registry import Registry
from include.settings import Settings
from include.storage.lake import Lake
from include.warehouse.engine import open_engine
from tests.benchmarks.day_memory import train_small_model
from tests.benchmarks.drawn_catalogue import draw_catalogue
from tests.benchmarks.measure import Figure, summarise
from tests.benchmarks.server_cpu import server_cpu
from tests.fixtures.storage import free_port, run_as_superuser

SMALL, LARGE, RUNS = 250_000, 1_000_000, 3


def run(runs: int = RUNS, small: int = SMALL, large: int = LARGE) -> dict[str, Figure]:
    """CPU seconds a million products, of which the server's, the larger peak memory, and how CPU a product grows."""
    folder = Path(tempfile.mkdtemp(prefix="cuvee-relabel-"))
    server = PostgresServer(Settings(state_dir=folder, postgres_port=free_port()))
    try:
        server.start()
        settings = Settings(state_dir=folder, warehouse_url=SecretStr(server.url("cuvee")), training_folds=2)
        train_small_model(settings)
        measured = {products: _measure(settings, server, products, runs) for products in (small, large)}
    finally:
        server.stop()
        shutil.rmtree(folder)
    each = {
        products: [(one["client"] + one["server"]) / products for one in rows] for products, rows in measured.items()
    }
    growth = [big / little for big, little in zip(each[large], each[small], strict=True)]
    million = 1e6 / large
    return {
        "relabel_cpu_per_million": summarise([one * 1e6 for one in each[large]], "s of CPU for 1,000,000 products"),
        "relabel_server_cpu": summarise(
            [one["server"] * million for one in measured[large]], "s of it in the warehouse's server"
        ),
        "relabel_seconds": summarise([one["wall"] * million for one in measured[large]], "s for 1,000,000 products"),
        "relabel_memory": summarise([one["mebibytes"] for one in measured[large]], f"MiB ({large:,} products)"),
        "relabel_growth": summarise(growth, f"x (CPU a product, {large:,} against {small:,})", better="lower"),
    }


def _measure(settings: Settings, server: PostgresServer, products: int, runs: int) -> list[dict[str, float]]:
    """Each run's CPU seconds of client and server, its duration, and its peak memory."""
    lake = Lake(settings.lake_root)
    registry = Registry(settings.tracking_uri, settings.state_dir)
    first = registry.champion()
    measured = []
    with open_engine(settings.warehouse_dsn) as engine:
        lake.delete("embeddings")
        with engine.begin() as connection:
            connection.execute(text("TRUNCATE labelled_products, label_history, relabellings"))
        draw_catalogue(engine, lake, Artefact.load(first.path), products, first.version)
        for _ in range(runs):
            version = registry.register(first.path, {}, {}).version
            measured.append(_relabel(settings, server, version, products))
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM ANALYZE"))
    return measured


def _relabel(settings: Settings, server: PostgresServer, version: str, products: int) -> dict[str, float]:
    code = "from tests.benchmarks.relabel_process import relabel; import sys; relabel(*sys.argv[1:])"
    arguments = [str(settings.state_dir), settings.warehouse_url.get_secret_value(), version]
    started, before = time.perf_counter(), server_cpu(server)
    output = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=3600,
        env=os.environ,
    )
    wall = time.perf_counter() - started
    run_as_superuser(server, sql.SQL("CHECKPOINT").format())
    cpu, kibibytes, relabelled = json.loads(output.stdout.splitlines()[-1])
    if relabelled != products:
        raise RuntimeError(f"{relabelled} of {products} products were relabelled")
    return {"client": cpu, "server": server_cpu(server) - before, "wall": wall, "mebibytes": kibibytes / 1024}
