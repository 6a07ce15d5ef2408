"""What tasks take from Airflow: the day of their run, a source's connection, and what to do on failure."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import (
    BaseHook,
    ExceptionRetryPolicy,
    Param,
    RetryAction,
    RetryDecision,
    RetryRule,
    get_current_context,
)

from include.errors import (
    BatchRejected,
    CatalogueRefused,
    ChampionChanged,
    ConfigurationError,
    DayBeforeUnfinished,
    DayRefused,
    NoChampionError,
    NotYetPublished,
    RecordTooSlow,
    reason_and_next_step,
)
from include.settings import load_settings
from include.sources.openfoodfacts_delta import DayNoLongerKept

if TYPE_CHECKING:
    from airflow.sdk import Context

    from include.sources.connection import SourceConnection

logger = logging.getLogger(__name__)

RETRY_POLICY = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            exception=[
                BatchRejected,
                CatalogueRefused,
                ChampionChanged,
                ConfigurationError,
                DayBeforeUnfinished,
                DayNoLongerKept,
                NoChampionError,
                RecordTooSlow,
            ],
            action=RetryAction.FAIL,
            reason="The same input would fail again: a person has to act.",
        )
    ]
)

DEFAULT_ARGUMENTS: dict[str, Any] = {
    "owner": "data-platform",
    "retries": 2,
    "retry_delay": timedelta(seconds=20),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=10),
    "retry_policy": RETRY_POLICY,
    "execution_timeout": timedelta(hours=1),
}


class PatientRetryPolicy(ExceptionRetryPolicy):
    """Asks for hours for a day that is not yet published; for anything else, tries as often as other tasks.

    A day is asked for as soon as it is over, and Open Food Facts publishes it some hours later.
    """

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """What Airflow is to do after a failure of `fetch`."""
        if isinstance(exception, NotYetPublished):
            return RetryDecision.retry(timedelta(minutes=30), "The source has not published the day yet.")
        if try_number > DEFAULT_ARGUMENTS["retries"]:
            return RetryDecision.fail("The source failed in every try.")
        return super().evaluate(exception, try_number, max_tries, context)


PATIENCE: dict[str, Any] = {"retries": 40, "retry_policy": PatientRetryPolicy(rules=RETRY_POLICY.rules)}
"""Arguments of a task that waits for its source: 40 tries, half an hour apart."""


def day_param(title: str, description: str) -> Param:
    """A param for a day such as 2026-01-05; nothing by default."""
    return Param(
        None,
        type=["null", "string"],
        format="date",
        pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        title=title,
        description=f"{description}, e.g. 2026-01-05.",
    )


def midnight(day: date) -> datetime:
    """The start of a day in UTC."""
    return datetime.combine(day, time(), UTC)


def run_day_of(context: Context) -> date:
    """The day a run is about: its param `day` if given, else its data interval's start, else when it was triggered."""
    chosen = context["params"].get("day")
    if chosen:
        return date.fromisoformat(chosen)
    start = context.get("data_interval_start") or context["dag_run"].run_after
    return start.date()


def current_day() -> date:
    """The day of the run that the calling task belongs to."""
    return run_day_of(get_current_context())


def may_be_empty() -> bool:
    """Whether the person who triggered the run of the calling task lets its day lose the products that it has."""
    return bool(get_current_context()["params"].get("allow_empty", False))


def last_day_of_run(context: Context) -> date:
    """The last day that a weekly run is about: its param `day` if given, else the last of its interval, else today."""
    chosen = context["params"].get("day")
    if chosen:
        return date.fromisoformat(chosen)
    end = context.get("data_interval_end")
    # Data intervals end at midnight of the day after. Runs that are triggered by hand may have none, or an empty one.
    if end is not None and end != context.get("data_interval_start"):
        return (end - timedelta(days=1)).date()
    return context["dag_run"].run_after.date()


def source_connection(source: str) -> SourceConnection:
    """The Airflow connection named like the source, as the library's own type.

    Host is the API's base URL, login and password its application id and key; `search_url` and
    `allow_private_hosts` are in the extra field.
    """
    from include.sources.connection import SourceConnection

    connection = BaseHook.get_connection(source)
    extra = connection.extra_dejson
    return SourceConnection(
        base_url=connection.host or "",
        search_url=extra.get("search_url", ""),
        app_id=connection.login or "",
        app_key=connection.password or "",
        query=load_settings().edamam_query,
        allow_private_hosts=bool(extra.get("allow_private_hosts", False)),
    )


def imported_source(params: Mapping[str, Any]) -> str:
    """The source that an import with these params is about, as far as is known without reading its file."""
    from include.sources.catalogue import default_source

    return params.get("source") or default_source(Path(params["path"]), params.get("kind"))


def record_failed_batch(context: Context) -> None:
    """Write the reason of a failed task to the table `batches`, and end its log with reason and next step.

    A task of no source (the digest) has no batch, and a day that was refused makes none.
    """
    from include.warehouse.batches import record_failure
    from include.warehouse.engine import open_engine

    task_id = context["ti"].task_id
    params = context["params"]
    is_import = "path" in params
    error = context.get("exception")
    has_batch = (is_import or "." in task_id) and not isinstance(error, DayRefused)
    if has_batch:
        source = imported_source(params) if is_import else task_id.split(".")[0]
        reason = str(error or "the task was killed or timed out")
        try:
            with open_engine(load_settings().warehouse_dsn) as engine:
                record_failure(
                    engine,
                    source,
                    run_day_of(context),
                    step=task_id.rsplit(".", 1)[-1],
                    reason=reason,
                    kind="import" if is_import else "daily",
                )
        except Exception:
            # The task is red already; a warehouse that is down must not hide why.
            logger.exception("the failure of %s could not be written to `batches`", task_id)
    log_failure(context)


def log_failure(context: Context) -> None:
    """End the log of a failed task with the reason and the next step, in one sentence."""
    from include.security.quoting import printable
    from include.security.redaction import redact

    logger.error("%s", printable(redact(reason_and_next_step(context["ti"].task_id, context.get("exception")))))
