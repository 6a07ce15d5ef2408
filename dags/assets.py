"""The assets that connect the DAGs: what changed, and what starts when it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, get_current_context

from task_context import current_day

if TYPE_CHECKING:
    from collections.abc import Mapping

PRODUCTS = Asset("products", group="lake")
LABELLED_PRODUCTS = Asset("labelled_products", group="warehouse")
CHAMPION_MODEL = Asset("champion_model", group="models")
"""Updated only when another model version has become champion; `extra["version"]` is its number."""


def announce(asset: Asset, summary: Mapping[str, Any], **extra: Any) -> None:
    """Record in the asset's event what changed and for which day: asset-triggered runs have no day of their own.

    Of a task's summary, its counts become `counts`; the event has its report, a path in the lake, and the number of its
    model version too. Beside them stands what else is given, e.g. `source`.
    """
    counts: Any = {name: value for name, value in summary.items() if type(value) is int}
    named = {name: summary[name] for name in ("report", "model_version") if summary.get(name)}
    event = get_current_context()["outlet_events"][asset]
    event.extra = {"day": current_day().isoformat(), **extra, "counts": counts, **named}
