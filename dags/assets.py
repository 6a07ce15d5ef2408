"""The assets that connect the DAGs: what changed, and what starts when it does."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Asset, get_current_context

from task_context import current_day

PRODUCTS = Asset("products", group="lake")
LABELLED_PRODUCTS = Asset("labelled_products", group="warehouse")
CHAMPION_MODEL = Asset("champion_model", group="models")
"""Updated only when another model version has become champion; `extra["version"]` is its number."""


def announce(asset: Asset, **extra: Any) -> None:
    """Record in the asset's event what changed and for which day: asset-triggered runs have no day of their own."""
    event = get_current_context()["outlet_events"][asset]
    event.extra = extra | {"day": current_day().isoformat()}
