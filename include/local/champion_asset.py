"""Announcing a new champion to the local Airflow, which then relabels the catalogue."""

from __future__ import annotations

import logging

from include.local.airflow import LocalAirflow
from include.local.airflow_api import AirflowFailure
from include.settings import Settings

logger = logging.getLogger(__name__)

CHAMPION_ASSET = "champion_model"
"""Name of the asset in `dags/assets.py`."""


class _NoDatabase:
    """In place of the embedded PostgreSQL, which need not be installed: the REST API is all that is used here."""

    def url(self, database: str) -> str:
        """No address is known."""
        return ""


def announce_champion(settings: Settings, version: str) -> bool:
    """Update the asset `champion_model` of this state folder's Airflow; False where none runs or it does not answer."""
    airflow = LocalAirflow(settings, _NoDatabase())
    if not airflow.is_running():
        return False
    api = airflow.api()
    try:
        found = api.get("assets", name_pattern=CHAMPION_ASSET)["assets"]
        number = next(asset["id"] for asset in found if asset["name"] == CHAMPION_ASSET)
        api.request("POST", "assets/events", {"asset_id": number, "extra": {"version": version}})
    except (AirflowFailure, StopIteration) as error:
        logger.warning("the champion, version %s, was not announced to Airflow: %s", version, error)
        return False
    logger.info("announced the champion, version %s, to Airflow", version)
    return True
