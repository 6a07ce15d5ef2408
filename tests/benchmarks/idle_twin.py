"""DAG file: `champagne_daily` with the work taken out of its tasks, for the benchmark `airflow_overhead`.

It is made from the real DAG, copied beside it into a DAG folder: the same tasks, groups, mapping, dependencies,
retries, pools and XCom arguments, whatever the DAG becomes. Only what each task calls is another function.
"""

from __future__ import annotations

from typing import Any

from champagne_daily import daily

IDLE_DAG_ID = "champagne_idle"


def do_nothing(*_arguments: Any, **_named: Any) -> list[Any]:
    """What every task does here: the empty list maps to no shards, as on a day with nothing new."""
    return []


daily.dag_id = daily.dag_display_name = IDLE_DAG_ID
for operator in daily.tasks:
    operator.python_callable = do_nothing
idle = daily
