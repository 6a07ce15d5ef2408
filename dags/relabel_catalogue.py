"""
### Relabel all known products with another model version

**What it does.** When another model version has become champion, or by hand with a version's number: predicts the
label of every product in the warehouse again from its cached embeddings, shard after shard, each in one transaction.
What is not cached for the version's encoders is embedded first. A label that a person decided stays. In the end, the
asset `labelled_products` has an event with the version and the counts.

| step | reads | writes |
|---|---|---|
| `pin_version` | the champion's number, or the param `version` | nothing; the number holds for the whole run |
| `plan_shards` | `labelled_products` | nothing; some 50 shards at most |
| `relabel_shard` | one shard, embeddings, rarely packed photos | `labelled_products`, `label_history`, `relabellings` |
| `report` | what came meanwhile, `relabellings` | these tables, `lake/reports/relabel/version=N` |

| param | meaning |
|---|---|
| `version` | number of a model version; the champion's by default |

**When it fails.** Shards that are done stay done, the others keep the labels they have: nothing is half written.

* `pin_version` red: there is no champion, its artefact is damaged, or there is no such version: see the log.
  Train or promote a model, then clear the task.
* `relabel_shard` red: the warehouse did not answer, or a photo encoder is not at hand. Fix what the log names and clear
  the red shards; those that are green are not done again.
* `report` red: clear it. What changed is kept in `relabellings`, not in the run.

It may be run again at any time: a product that the version labelled already is not touched.

**See what came of it.** [Cuvée pages](plugin/cuvee): labelled products, and the report on each relabelling.

**Owner.** data-platform. More in `docs/operations.md`.
"""

from __future__ import annotations

from airflow.sdk import Param, dag

from assets import CHAMPION_MODEL
from relabel_tasks import pin_version, plan_shards, relabel_shard, report
from task_context import DEFAULT_ARGUMENTS, log_failure


@dag(
    dag_id="relabel_catalogue",
    description="Label all known products again with another model version.",
    schedule=[CHAMPION_MODEL],
    is_paused_upon_creation=False,  # it runs only when a champion was made, or by hand
    max_active_runs=1,
    default_args={**DEFAULT_ARGUMENTS, "on_failure_callback": log_failure},
    params={
        "version": Param(
            None,
            type=["null", "string"],
            pattern="^[0-9]+$",
            title="Model version",
            description="Number of the model version to label with, e.g. 3; the champion's by default.",
        ),
    },
    tags=["models", "catalogue"],
    doc_md=__doc__,
)
def relabel_catalogue() -> None:
    model = pin_version()
    relabel_shard.expand(shard=plan_shards(model)) >> report(model)


relabel_catalogue()
