"""
### Label each day's new champagne products

**What it does.** For every source (Open Food Facts, Edamam): fetch the day's records, validate them, embed
texts and photos, label them with the champion model, and publish them to Parquet and to the warehouse.

| step | reads | writes |
|---|---|---|
| `fetch` | the food API | `lake/landing/source=S/day=D` as received |
| `validate` | landing | `lake/products`, `lake/quarantine`, the validation report |
| `plan_shards` | products | nothing; pins the model version for the whole day |
| `embed_text`, `embed_images` | products, photos | `lake/images`, `lake/embeddings` (only what is not cached) |
| `classify` | embeddings | staged labels |
| `publish` | staged labels | `lake/labels`, `labelled_products`, `label_history`, `quarantined_products`, `batches` |
| `digest` | `batches` | one message with the day's failures and drift warnings; none when all is well |
| `retrain_early` | `batches` | if `CUVEE_RETRAIN_ON_DRIFT` is set, triggers `retrain_weekly` after drift |

**When it fails.** Reason and next step are the last line of the task's log; the reason is in the table `batches` too.

* `fetch` up for retry: the source has not published the day yet; it is retried every half hour for 20 hours.
* `fetch` red: the API is down or limits us. What came is kept; clear the task and it resumes.
* `fetch` red, “has not begun yet”, “is before the first day”, “no delta file holds”: there is nothing to run.
* `validate` up for reschedule (Edamam): the day before is still on its way there; it goes on by itself.
* `validate` red: the batch broke a batch rule; open the validation report it names. Nothing was published.
* `validate` or `publish` red, as the day would lose all its products: they are kept. If the source really has none
  any more, trigger the day with `allow_empty`.
* `plan_shards` red: no champion model. Run `python -m include train`, then clear the task.
* `publish` red: the warehouse does not answer. The Parquet files are kept; clear the task when it is back.
* `digest` red: the message was not accepted; the log has the reason. The day is published and its run stays green.

Every step may be run again at any time: it leaves the same rows. To redo days, use *Trigger → Backfill*, with any of
its choices; leave its params as they are.

**See what came of it.** [Cuvée pages](plugin/cuvee): batches, validation, labelled products.

**Owner.** data-platform. More in `docs/operations.md`.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param, dag, task_group

from daily_tasks import (
    classify,
    digest,
    embed_images,
    embed_text,
    fetch,
    plan_shards,
    publish,
    retrain_early,
    validate,
)
from include.settings import load_settings
from report_link import link_to_report
from schedules import runs_named_after_days
from task_context import DEFAULT_ARGUMENTS, day_param, record_failed_batch


@task_group
def label_shard(shard: Any) -> None:
    [embed_text(shard), embed_images(shard)] >> classify(shard)


@dag(
    dag_id="champagne_daily",
    description="Fetch, validate, label and publish each day's new products of every source.",
    schedule=runs_named_after_days("@daily"),
    catchup=False,
    max_active_runs=3,
    default_args={**DEFAULT_ARGUMENTS, "on_failure_callback": record_failed_batch},
    params={
        "day": day_param("Day", "Day to run instead of that of the logical date; not for backfills"),
        "allow_empty": Param(
            False,
            type="boolean",
            title="Allow an empty day",
            description="Let the day lose the products that it has, e.g. because the source has withdrawn them.",
        ),
    },
    tags=["champagne", "daily"],
    doc_md=__doc__,
)
def champagne_daily() -> None:
    # A teardown runs however the sources end, and does not decide whether the run is red.
    digested, retrained = digest().as_teardown(), retrain_early()
    for source in load_settings().daily_sources:

        @task_group(group_id=source)
        def label_source(source: str = source) -> None:
            fetched = fetch(source)
            validated = link_to_report(validate(source, fetched))
            labelled = label_shard.expand(shard=plan_shards(source, validated))
            labelled >> link_to_report(publish(source, fetched, validated))

        label_source() >> [digested, retrained]


daily = champagne_daily()
