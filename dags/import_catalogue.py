"""
### Bring in a labelled catalogue

**What it does.** Reads a catalogue file (Flipkart CSV, Open Food Facts export, or plain CSV, Parquet or JSON
lines), validates its products, packs and embeds its photos, and writes the labels that training may trust to
`training_labels`. Trigger it by hand with the file's path on the Airflow machine.

| param | meaning |
|---|---|
| `path` | the file; its photos are expected in `images/` beside it |
| `source` | name of the source; the file's name by default |
| `kind` | `flipkart`, `openfoodfacts` or `plain`; found out by looking into the file by default |
| `day` | the day under which it is kept in the lake; the day of the trigger by default |

**When it fails.** The error of a refused file names the line and what was expected: fix the file and trigger again.
Nothing is written before the whole file was read once. Importing the same file twice leaves the same rows.

**Owner.** data-platform. More in `docs/operations.md`.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param, dag, get_current_context, task

from assets import PRODUCTS, announce
from include.settings import load_settings
from task_context import DEFAULT_ARGUMENTS, current_day, record_failed_batch


@task(outlets=[PRODUCTS], pool="embedding")
def import_file() -> Any:
    from pathlib import Path

    from include.pipeline.import_catalogue import import_catalogue

    given = get_current_context()["params"]
    summary = import_catalogue(
        Path(given["path"]), current_day(), load_settings(), source=given["source"], kind=given["kind"]
    )
    announce(PRODUCTS, source=summary["source"])
    return summary


@dag(
    dag_id="import_catalogue",
    schedule=None,
    is_paused_upon_creation=False,  # it runs only when a person triggers it
    max_active_runs=1,
    default_args={**DEFAULT_ARGUMENTS, "on_failure_callback": record_failed_batch},
    params={
        "path": Param("", type="string", minLength=1, description="Path of the catalogue file."),
        "source": Param(None, type=["null", "string"], description="Name of the source."),
        "kind": Param(None, type=["null", "string"], enum=[None, "flipkart", "openfoodfacts", "plain"]),
        "day": Param(None, type=["null", "string"], format="date", description="Day in the lake."),
    },
    tags=["catalogue", "manual"],
    doc_md=__doc__,
)
def import_catalogue() -> None:
    import_file()


import_catalogue()
