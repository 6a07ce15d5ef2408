"""When DAGs run that are about days: at the end of each day or week between the first and the last day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.errors import ConfigurationError
from include.settings import load_settings

if TYPE_CHECKING:
    from named_runs import NamedRunsTimetable


def runs_named_after_days(cron: str) -> NamedRunsTimetable:
    """The schedule of a DAG, `@daily` or `@weekly`.

    Raises ConfigurationError if Airflow has another plugins folder.
    """
    try:
        from named_runs import NamedRunsTimetable
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "Airflow does not load the project's plugins, which name its runs: set AIRFLOW__CORE__PLUGINS_FOLDER to "
            "the project's folder `plugins`, and restart all parts of Airflow"
        ) from error
    settings = load_settings()
    return NamedRunsTimetable(cron, first_day=settings.first_day, last_day=settings.last_day)
