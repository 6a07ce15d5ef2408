"""`day_memory_growth`: peak memory of a day with 100,000 products against one with 10,000 (no photos).

Each day runs in a process of its own against a sandbox of its own process; the figure is the larger peak
resident memory divided by the smaller. Pairs are measured side by side, the order alternating.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

from pydantic import SecretStr

from include.local.postgres import PostgresServer
from include.settings import Settings
from include.storage.batch import Batch
from tests.benchmarks.measure import Figure, summarise
from tests.fixtures.storage import free_port

SMALL, LARGE, PAIRS = 10_000, 100_000, 5
DAY = date(2026, 1, 5)


def day_in_this_process(state_dir: str, warehouse_url: str, products: int) -> None:
    """Land `products` generated records, run the day from there, and print the peak memory in KiB."""
    from include.pipeline.daily.run_day import run_day
    from include.sources.connection import SourceConnection
    from include.sources.landing import Landing
    from include.storage.lake import Lake

    lake_root = tempfile.mkdtemp(prefix="cuvee-memory-")
    try:
        settings = Settings(state_dir=Path(state_dir), lake_url=lake_root, warehouse_url=SecretStr(warehouse_url))
        landing = Landing(Lake(lake_root), Batch("openfoodfacts", DAY))
        start = 1767571200  # 2026-01-05T00:00:00Z
        name = f"openfoodfacts_products_{start}_{start + 86400}.json.gz"
        landing.write_json_lines(name, (record(number, start) for number in range(products)))
        landing.complete({"files": [name]})
        summary = run_day("openfoodfacts", DAY, settings, SourceConnection(base_url="http://127.0.0.1:9"))
        if summary["labelled"] != products:
            raise RuntimeError(f"{summary['labelled']} of {products} products were labelled")
    finally:
        shutil.rmtree(lake_root)
    sys.stdout.write(json.dumps(_peak_kibibytes()) + "\n")


def _peak_kibibytes() -> int:
    """Largest resident memory of this process; `ru_maxrss` would count what its parent had before the exec."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE).group(1))  # type: ignore[union-attr]


def record(number: int, start: int) -> dict[str, object]:
    """A champagne record in the API's shape; texts differ, so that every one is embedded."""
    return {
        "code": f"{3_000_000_000_000 + number}",
        "product_name": f"Champagne brut cuvée {number} {'rosé' if number % 3 else 'blanc de blancs'}",
        "brands": f"Maison {number % 997}",
        "generic_name": f"Vin effervescent d'appellation, lot {number * 7919 % 100_003}",
        "ingredients_text": "raisin, _sulfites_, liqueur de dosage",
        "categories_tags": ["en:beverages", "en:wines", "en:sparkling-wines", "en:champagnes"],
        "last_modified_t": start + number % 86_400,
        "lang": "fr",
    }


def train_small_model(settings: Settings) -> None:
    """A model on the drawn catalogue; its quality does not matter here."""
    from include.pipeline.import_catalogue import import_catalogue
    from include.pipeline.training.train import train_model
    from include.sandbox import write_demo_catalogue

    import_catalogue(write_demo_catalogue(settings.state_dir / "catalogue"), DAY - timedelta(days=1), settings)
    train_model(settings)


def run(pairs: int = PAIRS, small: int = SMALL, large: int = LARGE) -> dict[str, Figure]:
    """Peak memory of the large day over that of the small day, over paired runs."""
    folder = Path(tempfile.mkdtemp(prefix="cuvee-memory-"))
    server = PostgresServer(Settings(state_dir=folder, postgres_port=free_port()))
    try:
        server.start()
        settings = Settings(state_dir=folder, warehouse_url=SecretStr(server.url("cuvee")), training_folds=2)
        train_small_model(settings)
        ratios, peaks = [], []
        for number in range(pairs):
            order = (small, large) if number % 2 == 0 else (large, small)
            measured = {products: _peak(folder, server.url("cuvee"), products) for products in order}
            ratios.append(measured[large] / measured[small])
            peaks.append(measured[large] / 1024)
        return {
            "day_memory_growth": summarise(ratios, f"x ({large} against {small} products)", better="lower"),
            "day_memory_peak": summarise(peaks, f"MiB ({large} products)"),
        }
    finally:
        server.stop()
        shutil.rmtree(folder)


def _peak(folder: Path, warehouse_url: str, products: int) -> float:
    code = (
        "from tests.benchmarks.day_memory import day_in_this_process as day; import sys; "
        "day(sys.argv[1], sys.argv[2], int(sys.argv[3]))"
    )
    output = subprocess.run(
        [sys.executable, "-c", code, str(folder), warehouse_url, str(products)],
        capture_output=True, text=True, check=True, timeout=1800, env=os.environ,
    )  # fmt: skip
    return float(json.loads(output.stdout.splitlines()[-1]))
