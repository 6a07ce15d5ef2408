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

**See what came of it.** [Cuvée pages](plugin/cuvee): what was set aside and why.

**Owner.** data-platform. More in `docs/operations.md`.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param, dag, get_current_context, task

from assets import PRODUCTS, announce
from include.settings import load_settings
from task_context import DEFAULT_ARGUMENTS, current_day, day_param, record_failed_batch


@task(outlets=[PRODUCTS], pool="embedding")
def import_file() -> Any:
    from pathlib import Path

    from include.pipeline.import_catalogue import import_catalogue

    given = get_current_context()["params"]
    summary = import_catalogue(
        Path(given["path"]), current_day(), load_settings(), source=given["source"], kind=given["kind"]
    )
    announce(PRODUCTS, summary, source=summary["source"])
    return summary


@dag(
    dag_id="import_catalogue",
    description="Bring in a labelled catalogue file: its products, photos and trusted labels.",
    schedule=None,
    is_paused_upon_creation=False,  # it runs only when a person triggers it
    max_active_runs=1,
    default_args={**DEFAULT_ARGUMENTS, "on_failure_callback": record_failed_batch},
    params={
        "path": Param(
            "",
            type="string",
            minLength=1,
            pattern="[^ ]",
            title="Path",
            description="The catalogue file on the Airflow machine, e.g. /data/shop.csv.",
        ),
        "source": Param(
            None,
            type=["null", "string"],
            pattern="^[a-z0-9][a-z0-9_.-]{0,62}$",
            title="Source",
            description="Name of the source, e.g. corner_shop; the file's name by default.",
        ),
        "kind": Param(
            None,
            type=["null", "string"],
            enum=[None, "flipkart", "openfoodfacts", "plain"],
            title="Kind of file",
            description="What its columns mean, e.g. plain; found out by looking into the file by default.",
        ),
        "day": day_param("Day", "Day under which it is kept in the lake; the day of the trigger by default"),
    },
    tags=["catalogue", "manual"],
    doc_md=__doc__,
)
def import_catalogue() -> None:
    import_file()


import_catalogue()
