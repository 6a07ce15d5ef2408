"""`product_pages`: the pages of labelled products on 1,000,000 drawn products, the first time with cold caches.

Before the first round the server is started anew and the system's file caches are dropped, where this process may.
Each query of `QUERIES` is a page: conditions, order, counts, facets and 50 products. `product_pages_cpu` is what the
server works for one, which says more than its duration where the machine is busy. The export is all of the products as
CSV; its memory is by how much the process grows from the first part to the largest.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import parse_qsl

from pydantic import SecretStr
from sqlalchemy import Engine

from include.local.postgres import PostgresServer
from include.settings import Settings
from include.warehouse.engine import open_engine
from include.warehouse.product_export import export_csv
from include.warehouse.product_filter import DEFAULT_COLUMNS, ProductFilter, ProductQuery
from include.warehouse.product_search import search_products
from include.warehouse.reading import open_pages_engine, read
from tests.benchmarks.drawn_warehouse import draw_warehouse
from tests.benchmarks.measure import Figure, summarise
from tests.benchmarks.server_cpu import server_cpu
from tests.fixtures.storage import free_port

PRODUCTS, ROUNDS = 1_000_000, 6
QUERIES = (
    "", "sort=oldest", "sort=surest", "sort=least_sure", "label=champagne", "label=beauty", "label=baby_care",
    "label=champagne&label=vinegar", "decision=review", "decision=review&sort=surest",
    "decision=accepted&sort=least_sure", "flags=unfamiliar", "flags=bad_address",
    "flags=rule_disagrees&label=champagne", "language=de&label=still_wine", "source=edamam&model_version=2",
    "source=openfoodfacts&label=champagne&language=fr&photo_status=ok", "day_from=2024-06-01&day_to=2024-06-03",
    "day_from=2024-06-01&day_to=2024-09-01", "confidence_from=0.5&confidence_to=0.52", "confidence_from=0.9",
    "decision=review&day_from=2024-11-01&sort=least_sure", "label=nothing", "text=champagne ", "text=maison ",
    "text=gulalinme ", "text=chan", "text=ch", "text=vinaigre sucre", "text=maison huile",
    "text=champagne&label=vinegar", "text=sucre&flags=in_store_code", "text=cremant&language=ru&label=juice",
    "text=champagne&decision=review&sort=surest", "text=felinro", "text=cremant d alsace lasa",
    "text=farine sel beurre ", "text=sucre&day_from=2024-06-01&day_to=2024-06-03",
)  # fmt: skip


def run(products: int = PRODUCTS, rounds: int = ROUNDS) -> dict[str, Figure]:
    """Milliseconds of a page, cold and warm, at the 95th percentile; CPU of the server; memory of an export."""
    folder = Path(tempfile.mkdtemp(prefix="cuvee-pages-"))
    settings = Settings(state_dir=folder, postgres_port=free_port())
    server = PostgresServer(settings)
    try:
        server.start()
        settings = Settings(state_dir=folder, warehouse_url=SecretStr(server.url("cuvee")))
        with open_engine(settings.warehouse_dsn) as engine:
            draw_warehouse(engine, products)
        server.stop()
        _drop_file_caches()
        server.start()
        with open_pages_engine(settings.warehouse_dsn, statement_seconds=60) as engine:
            before = server_cpu(server)
            measured = [_seconds(engine) for _ in range(rounds)]
            cpu = (server_cpu(server) - before) / (rounds * len(QUERIES))
            grown = [_export_growth(engine) for _ in range(2)]
    finally:
        server.stop()
        shutil.rmtree(folder)
    _tell(measured)
    cold, warm = measured[:1], measured[1:]
    return {
        "product_pages_cold": summarise([1e3 * _p95(one) for one in cold], "ms a page, 95th percentile, cold caches"),
        "product_pages": summarise([1e3 * _p95(one) for one in warm], "ms a page, 95th percentile"),
        "product_pages_cpu": summarise([1e3 * cpu], "ms of CPU of the server for a page"),
        "product_export_memory": summarise(grown, f"MiB that an export of {products:,} products grows by"),
    }


def _seconds(engine: Engine) -> list[float]:
    """Seconds of each of the queries."""
    taken = []
    for query in QUERIES:
        asked, ignored = ProductQuery.parse(parse_qsl(query))
        if ignored:
            raise ValueError(f"{query}: {ignored}")
        started = time.perf_counter()
        with read(engine) as connection:
            search_products(connection, asked)
        taken.append(time.perf_counter() - started)
    return taken


def _p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20, method="inclusive")[-1]


def _export_growth(engine: Engine) -> float:
    memory = [_memory() for _ in export_csv(engine, ProductFilter(), DEFAULT_COLUMNS)]
    return max(memory) - memory[0]


def _memory() -> float:
    """MiB of this process."""
    found = re.search(r"^VmRSS:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


def _drop_file_caches() -> None:
    if os.geteuid() == 0:
        subprocess.run(["sync"], check=True)
        Path("/proc/sys/vm/drop_caches").write_text("3")


def _tell(measured: list[list[float]]) -> None:
    for number, query in enumerate(QUERIES):
        each = " ".join(f"{1e3 * one[number]:6.0f}" for one in measured)
        sys.stdout.write(f"{each} ms  {query or 'all products'}\n")
    for name, rounds in (("cold", measured[:1]), ("warm", measured[1:])):
        every = [second for one in rounds for second in one]
        sys.stdout.write(
            f"{name}: p50 {1e3 * statistics.median(every):.0f} ms, p95 {1e3 * _p95(every):.0f} ms, "
            f"max {1e3 * max(every):.0f} ms\n"
        )
