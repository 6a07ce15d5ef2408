"""`day_200k`: a day of 200,000 products without photos, from landing to warehouse, in CPU seconds a step.

Each run is a fresh process on an empty lake, but for the landed file, and empty tables, of a PostgreSQL of its own with
its data safely on disk. CPU is that of the process and of all processes of the server, a checkpoint at the end
included. The products are those of `day_memory`: champagne, every text another and with words that no other has, so
that nothing is found in a cache. Their records hold little but what is read of them. A row of a real delta file has
some 200 keys more and is mostly of a product that is no champagne: `delta_reading` is what such rows cost until they
are turned away.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import text

from include.local.postgres import PostgresServer
from include.settings import Settings
from include.sources.landing import Landing
from include.sources.openfoodfacts import OpenFoodFacts
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.warehouse.engine import open_engine
from tests.benchmarks.day_200k_process import SOURCE
from tests.benchmarks.day_memory import DAY, record, train_small_model
from tests.benchmarks.measure import Figure, summarise
from tests.fixtures.storage import free_port

PRODUCTS, RUNS = 200_000, 5
DELTA_ROWS, CHAMPAGNE_EVERY = 20_000, 50
STEPS = ("validate", "plan", "embed_text", "embed_images", "classify", "publish")
_START = 1767571200  # 2026-01-05T00:00:00Z
_FILE = f"openfoodfacts_products_{_START}_{_START + 86400}.json.gz"


def run(runs: int = RUNS, products: int = PRODUCTS) -> dict[str, Figure]:
    """CPU seconds of the day, of each of its steps, and of the server's part; its duration and its peak memory."""
    folder = Path(tempfile.mkdtemp(prefix="cuvee-day-"))
    settings = Settings(state_dir=folder, postgres_port=free_port(), training_folds=2)
    server = PostgresServer(settings)
    try:
        server.start()
        settings = settings.model_copy(update={"warehouse_url": SecretStr(server.url("cuvee"))})
        train_small_model(settings)
        _land(folder / "landed", (record(number, _START) for number in range(products)))
        days = [_day(settings, folder, products) for _ in range(runs)]
        _land(folder / "delta", (_delta_row(number) for number in range(DELTA_ROWS)))
        reading = [_seconds_to_read(folder / "delta") for _ in range(runs)]
    finally:
        server.stop()
        shutil.rmtree(folder)
    whole = f"s of CPU, {products:,} products from landing to warehouse"
    cpu = {step: [_cpu(day["steps"][step]) for day in days] for step in STEPS}
    figures = {
        "day_200k": summarise([sum(one) for one in zip(*cpu.values(), strict=True)], whole),
        **{f"day_200k_{step}": summarise(values, "s of it") for step, values in cpu.items()},
        "day_200k_server": summarise(_sums(days, "server"), "s of it in the warehouse's server"),
        "day_200k_seconds": summarise(_sums(days, "wall"), "s that the same day takes"),
        "day_200k_peak": summarise([day["kibibytes"] / 1024 for day in days], "MiB"),
    }
    rows = f"s of CPU to read {DELTA_ROWS:,} rows as delta files have them, 1 in {CHAMPAGNE_EVERY} champagne"
    return figures | {"delta_reading": summarise(reading, rows)}


def _cpu(spent: dict[str, float]) -> float:
    return spent["client"] + spent["server"]


def _sums(days: list[dict[str, Any]], what: str) -> list[float]:
    return [sum(spent[what] for spent in day["steps"].values()) for day in days]


def _land(lake_root: Path, records: Iterable[dict[str, Any]]) -> None:
    landing = Landing(Lake(str(lake_root)), Batch(SOURCE, DAY))
    landing.write_json_lines(_FILE, records)
    landing.complete({"files": [_FILE]})


def _day(settings: Settings, folder: Path, products: int) -> dict[str, Any]:
    """What `run_landed_day` prints of a day that nobody has seen before."""
    lake = folder / "day"
    shutil.rmtree(lake, ignore_errors=True)
    shutil.copytree(folder / "landed", lake)
    with open_engine(settings.warehouse_dsn) as engine, engine.begin() as connection:
        connection.execute(text("TRUNCATE labelled_products, label_history, training_labels, batches"))
    code = "from tests.benchmarks.day_200k_process import run_landed_day as day; import sys; day(*sys.argv[1:])"
    warehouse, port = settings.warehouse_url.get_secret_value(), str(settings.postgres_port)
    output = subprocess.run(
        [sys.executable, "-c", code, str(folder), warehouse, port, str(lake), DAY.isoformat()],
        capture_output=True, text=True, check=True, timeout=1800, env=os.environ,
    )  # fmt: skip
    told: dict[str, Any] = json.loads(output.stdout.splitlines()[-1])
    if told["labelled"] != products:
        raise RuntimeError(f"{told['labelled']} of {products} products were labelled")
    return told


def _delta_row(number: int) -> dict[str, Any]:
    """A record of some 11 kB in the shape of a delta file's: most keys are read by nobody here."""
    language = ("fr", "en", "de", "it")[number % 4]
    nutrients = ("energy", "fat", "saturated-fat", "carbohydrates", "sugars", "fiber", "proteins", "salt", "sodium")
    forms = ("", "_100g", "_serving", "_unit", "_value", "_prepared", "_label")
    image = {"uploader": "someone", "uploaded_t": _START, "sizes": {"400": {"h": 400, "w": 300}, "full": {"h": 4000}}}
    row = {
        "code": f"{4_000_000_000_000 + number}",
        "product_name": f"Biscuits croquants {number}",
        "brands": f"Maison {number % 997}",
        "ingredients_text": "farine de blé, sucre, beurre, œufs, sel, poudre à lever: carbonates " * 3,
        "categories_tags": ["en:snacks", "en:sweet-snacks", "en:biscuits-and-cakes", "en:biscuits"],
        "last_modified_t": _START + number % 86_400,
        "lang": language,
        "nutriments": {f"{name}{form}": 12.5 for name in nutrients for form in forms},
        "images": {str(key): image for key in range(12)} | {"front_fr": {"rev": "4", "imgid": "1"}},
        "ingredients": [
            {"id": f"en:ingredient-{place}", "percent_estimate": 100 / (place + 1), "text": "farine", "vegan": "yes"}
            for place in range(25)
        ],
        "editors_tags": [f"editor-{place}" for place in range(20)],
    } | {f"{name}_tags": [f"en:{name}-{place}" for place in range(8)] for name in _TAGGED}
    return row | record(number, _START) if number % CHAMPAGNE_EVERY == 0 else row


_TAGGED = (
    "additives", "allergens", "brands", "cities", "codes", "countries", "data_quality", "ecoscore", "entry_dates",
    "food_groups", "informers", "ingredients", "labels", "languages", "last_edit_dates", "manufacturing_places", "misc",
    "nova_groups", "nutrition_grades", "origins", "packaging", "photographers", "pnns_groups", "popularity", "purchase",
    "states", "stores", "traces", "unknown_nutrients", "vitamins",
)  # fmt: skip


def _seconds_to_read(lake_root: Path) -> float:
    started = time.process_time()
    found = sum(1 for _ in OpenFoodFacts().read(DAY, Landing(Lake(str(lake_root)), Batch(SOURCE, DAY))))
    if found != DELTA_ROWS // CHAMPAGNE_EVERY:
        raise RuntimeError(f"{found} rows of the delta were taken for champagne")
    return time.process_time() - started
