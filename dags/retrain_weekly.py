"""
### Retrain every week, and promote only what is measurably better

**What it does.** Takes a snapshot of all trusted labels as of the week's last day, trains the candidates of the
candidates file on it, scores them and the champion on the gold set, and lets the gate decide. A refusal is normal: the
run is green, and the champion stays.

| step | reads | writes |
|---|---|---|
| `plan` | products, photos, people's decisions | `lake/snapshots`, `lake/gold_set`; skipped when nothing is new |
| `candidate` (one for each) | the snapshot | model versions in MLflow; behaviour, latency, size |
| `judge` | the gold set | `lake/reports/retraining`: scores, and the gate's decision |
| `approve` | a person's answer, where one is asked for | |
| `conclude` | the decision | a row in `promotions`; the alias `champion` |
| `announce_champion` | | the asset `champion_model`, which starts `relabel_catalogue`; skipped if the champion stays |
| `report` | the decision | its page, and figures beside the MLflow runs |

| param | meaning |
|---|---|
| `day` | last day whose labels count; the last day of the week by default |
| `approval` | whether a person is asked before a promotion; the setting `CUVEE_PROMOTION_APPROVAL` by default |
| `rollback_to` | trains nothing: makes this version champion again; `previous` is the one before the champion |
| `reason` | why a rollback is wanted; recorded in `promotions` |

**When it fails.**

* `plan` skipped: there was nothing to do; the reason is in the log (no new labels, most weeks).
* `train` red: too few labels, or memory. Clear it; what was registered is found again.
* `judge` red: the champion's artefact or its photo encoder is missing. Roll back (see `rollback_to`), then run again.
* `conclude` red, another version became champion meanwhile: clear the whole run.
* Killed anywhere: clear the red task. `python -m include check` compares registry and `promotions`.

**See what came of it.** [Cuvée pages](plugin/cuvee): model cards and decisions.

**Owner.** data-platform. More in `docs/models.md`.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param, dag, task_group

import retraining_tasks as tasks
from schedules import runs_named_after_days
from task_context import DEFAULT_ARGUMENTS, day_param


@task_group
def candidate(planned: Any, name: str) -> Any:
    return tasks.examine(planned, tasks.train(planned, name))


@dag(
    dag_id="retrain_weekly",
    description="Train candidates on all trusted labels, and promote only what is measurably better.",
    schedule=runs_named_after_days("@weekly"),
    catchup=False,
    max_active_runs=1,
    default_args={**DEFAULT_ARGUMENTS, **tasks.FAILURE},
    params={
        "day": day_param("Last day", "Last day whose labels count; the last of the week by default"),
        "approval": Param(
            None,
            type=["null", "boolean"],
            title="Ask before a promotion",
            description="Whether a person is asked, e.g. true; the setting CUVEE_PROMOTION_APPROVAL by default.",
        ),
        "rollback_to": Param(
            None,
            type=["null", "string"],
            pattern="^([0-9]+|previous)$",
            title="Roll back to",
            description="Train nothing, and make this model version champion again, e.g. 3 or previous.",
        ),
        "reason": Param(
            None,
            type=["null", "string"],
            pattern="[^ ]",
            maxLength=500,
            title="Reason of the rollback",
            description="Recorded with it, e.g. too many vinegars called wine.",
        ),
    },
    tags=["models", "weekly"],
    doc_md=__doc__,
)
def retrain_weekly() -> None:
    planned, rolled_back = tasks.plan(), tasks.roll_back()
    tasks.choose() >> [planned, rolled_back]
    examined = candidate.partial(planned=planned).expand(name=tasks.list_candidates(planned))
    judged, asked = tasks.judge(planned, examined), tasks.approve()
    concluded = tasks.conclude(judged, asked.output)
    tasks.ask_a_person(judged) >> [asked, concluded]
    tasks.announce_champion(concluded, rolled_back)
    tasks.report(judged, concluded)


retrain_weekly()
