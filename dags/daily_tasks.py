"""Tasks of the daily batch: each hands the run's day and a source's connection to one library function."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from airflow.sdk import task
from airflow.sdk.exceptions import DagRunTriggerException

from assets import LABELLED_PRODUCTS, PRODUCTS, announce
from day_order import possible_day, wait_for_day_before
from include.settings import load_settings
from include.sources import LISTING_SOURCES
from include.storage.batch import Batch
from task_context import PATIENCE, current_day, may_be_empty, source_connection

logger = logging.getLogger(__name__)


@task(pool="food_api", **PATIENCE)
def fetch(source: str) -> Any:
    from include.pipeline.daily.fetch import fetch_day

    return fetch_day(Batch(source, possible_day()), load_settings(), source_connection(source))


@task(outlets=[PRODUCTS])
def validate(source: str, fetched: Any) -> Any:
    from include.pipeline.daily.validate import validate_day

    batch = Batch(source, current_day())
    if source in LISTING_SOURCES:
        wait_for_day_before(batch)
    summary = validate_day(batch, load_settings(), allow_empty=may_be_empty())
    announce(PRODUCTS, summary, source=source)
    return summary


@task
def plan_shards(source: str, validated: Any) -> Any:
    from include.pipeline.daily.shards import plan_shards

    return plan_shards(Batch(source, current_day()), load_settings())


@task(pool="embedding")
def embed_text(shard: Any) -> Any:
    from include.pipeline.daily.embed import embed_text

    return embed_text(shard, load_settings())


@task(pool="photos", execution_timeout=timedelta(hours=3))
def embed_images(shard: Any) -> Any:
    from include.pipeline.daily.embed import embed_images

    allowed = source_connection(shard["source"]).allow_private_hosts
    return embed_images(shard, load_settings(), allow_private_hosts=allowed)


@task
def classify(shard: Any) -> Any:
    from include.pipeline.daily.classify import classify

    return classify(shard, load_settings())


@task(outlets=[LABELLED_PRODUCTS], pool="warehouse", trigger_rule="none_failed")
def publish(source: str, fetched: Any, validated: Any) -> Any:
    from include.pipeline.daily.publish import publish_day

    steps = {"fetch": fetched, "validate": validated}
    summary = publish_day(
        Batch(source, current_day()), load_settings(), earlier_steps=steps, allow_empty=may_be_empty()
    )
    announce(LABELLED_PRODUCTS, summary, source=source)
    return summary


@task
def digest() -> Any:
    from include.pipeline.daily.digest import send_digest

    return send_digest(possible_day(), load_settings())


@task(trigger_rule="none_failed")
def retrain_early() -> None:
    from include.pipeline.daily.digest import early_retraining

    day = possible_day()
    run_id = early_retraining(day, load_settings())
    if run_id is None:
        # Skipping would be clearer, but Airflow notices a skipped task up to a second late, every day.
        logger.info("no early training is wanted: day=%s", day)
        return
    # What TriggerDagRunOperator does, whose module costs a second of imports at every parse of the DAG.
    raise DagRunTriggerException(
        trigger_dag_id="retrain_weekly",
        dag_run_id=run_id,
        conf={"day": day.isoformat()},
        note=f"The products of {day} have drifted from the training data; see the drift warnings of that day.",
        reset_dag_run=False,
        skip_when_already_exists=True,
        wait_for_completion=False,
        allowed_states=[],
        failed_states=[],
        poke_interval=0,
        deferrable=False,
    )
