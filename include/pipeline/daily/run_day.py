"""A whole day of one source, step after step in this process: what the DAG does, without Airflow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from include.pipeline.daily.classify import classify
from include.pipeline.daily.embed import embed_images, embed_text
from include.pipeline.daily.fetch import fetch_day
from include.pipeline.daily.publish import PublishSummary, publish_day
from include.pipeline.daily.shards import plan_shards
from include.pipeline.daily.validate import validate_day
from include.settings import Settings
from include.sources.connection import SourceConnection
from include.storage.batch import Batch


def run_day(
    source: str,
    day: date,
    settings: Settings,
    connection: SourceConnection,
    *,
    refetch: bool = False,
    allow_empty: bool = False,
    on_step: Callable[[str], None] = lambda _step: None,
) -> PublishSummary:
    """Fetch, validate, embed, classify and publish one source and day; `on_step` is called with each step's name.

    `refetch` requests the day from the API again; with `allow_empty` the day may lose all the products that it has.
    """
    batch = Batch(source, day)
    on_step("fetch")
    fetched = fetch_day(batch, settings, connection, refetch=refetch, allow_empty=allow_empty)
    on_step("validate")
    validated = validate_day(batch, settings, allow_empty=allow_empty)
    for shard in plan_shards(batch, settings):
        on_step(f"embed and classify shard {shard['shard'] + 1}")
        embed_text(shard, settings)
        embed_images(shard, settings, allow_private_hosts=connection.allow_private_hosts, on_progress=on_step)
        classify(shard, settings)
    on_step("publish")
    steps = {"fetch": fetched, "validate": validated}
    return publish_day(batch, settings, earlier_steps=steps, allow_empty=allow_empty)
