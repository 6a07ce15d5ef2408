"""Tasks of relabelling: each hands the pinned model version and a shard to one library function."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import get_current_context, task

from assets import CHAMPION_MODEL, LABELLED_PRODUCTS, announce
from include.settings import load_settings

if TYPE_CHECKING:
    from airflow.sdk import Context

logger = logging.getLogger(__name__)


def announced_version(context: Context) -> str | None:
    """The version in the newest of the events that triggered the run; None for a run by hand."""
    events = context["triggering_asset_events"].get(CHAMPION_MODEL, [])
    newest = max(events, key=lambda event: event.timestamp, default=None)
    return None if newest is None else newest.extra.get("version")


@task
def pin_version() -> Any:
    from include.pipeline.relabelling.plan import pin_version

    context = get_current_context()
    return pin_version(load_settings(), context["params"]["version"], announced_version(context))


@task
def plan_shards(model: Any) -> Any:
    from include.pipeline.relabelling.plan import plan_relabelling

    return plan_relabelling(model, load_settings())


@task(
    pool="embedding",
    map_index_template="{{ task.op_kwargs['shard']['name'] }}",
    execution_timeout=timedelta(hours=3),  # photos that only another encoder has seen take most of it
)
def relabel_shard(shard: Any) -> Any:
    from include.pipeline.relabelling.relabel import relabel_shard

    return relabel_shard(shard, load_settings())


@task(outlets=[LABELLED_PRODUCTS], pool="embedding", trigger_rule="none_failed", execution_timeout=timedelta(hours=3))
def report(model: Any) -> Any:
    from include.pages.relabel_report import write_relabel_report
    from include.pipeline.relabelling.relabel import finish_relabelling
    from include.storage.lake import Lake

    summary = finish_relabelling(model, load_settings())
    lake = Lake(load_settings().lake_root)
    path = write_relabel_report(lake, summary)
    if not summary["relabelled"]:
        logger.info("nothing to relabel: no product has the label of another version than %s", model["version"])
    counts = (
        "version",
        "relabelled",
        "label_changed",
        "accepted_to_review",
        "review_to_accepted",
        "others",
    )
    relabelled = {name: value for name, value in summary.items() if name in counts} | {"report": path}
    sources = sorted(summary["relabelled_by_source"])
    announce(LABELLED_PRODUCTS, relabelled | {"model_version": model["version"]}, sources=sources)
    return relabelled
