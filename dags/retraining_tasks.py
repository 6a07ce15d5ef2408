"""Tasks of the weekly retraining: each hands what the steps before it left to one library function."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from assets import CHAMPION_MODEL, announce
from include.settings import load_settings
from task_context import last_day_of_run, log_failure

TRAINING: dict[str, Any] = {
    "pool": "training",
    "execution_timeout": timedelta(hours=12),
    "map_index_template": "{{ candidate_name }}",
}
"""One at a time: a training uses both cores for a while, and an examination measures time."""
APPROVE, REJECT = "Approve", "Reject"
PREVIOUS = "previous"
"""Value of the param `rollback_to` that stands for the champion before this one."""


def name_map_index(name: str) -> None:
    """Show a mapped task under its candidate's name."""
    context: Any = get_current_context()
    context["candidate_name"] = name


@task.branch
def choose() -> str:
    return "roll_back" if get_current_context()["params"]["rollback_to"] else "plan"


@task
def roll_back() -> Any:
    from include.pipeline.retraining.run_rollback import run_rollback

    context = get_current_context()
    params = context["params"]
    target = None if params["rollback_to"] == PREVIOUS else params["rollback_to"]
    by = getattr(context["dag_run"], "triggering_user_name", None) or "airflow"
    return run_rollback(load_settings(), to=target, reason=params["reason"] or "", decided_by=by)


@task
def plan() -> Any:
    from include.pipeline.retraining.steps import plan_retraining

    context = get_current_context()
    planned = plan_retraining(load_settings(), last_day_of_run(context))
    if planned["reason"]:
        context["ti"].xcom_push("reason", planned["reason"])
        raise AirflowSkipException(planned["reason"])
    return planned


@task
def list_candidates(planned: Any) -> Any:
    return planned["candidates"]


@task(**TRAINING)
def train(planned: Any, name: str) -> Any:
    from include.pipeline.retraining.steps import alone_in_training, train_planned

    name_map_index(name)
    with alone_in_training(load_settings(), wait=True):
        return train_planned(planned, name, load_settings())


@task(**TRAINING)
def examine(planned: Any, trained: Any) -> Any:
    from include.pipeline.retraining.steps import examine_trained

    name_map_index(trained["candidate"])
    return examine_trained(planned, trained, load_settings())


@task(pool="training")
def judge(planned: Any, candidates: Any) -> Any:
    from include.pipeline.retraining.reporting import question_for_a_person
    from include.pipeline.retraining.steps import judge_trained

    # Of a mapped group with a single instance, Airflow hands over its value instead of a list of one.
    examined: list[Any] = [candidates] if isinstance(candidates, dict) else list(candidates)
    judged = judge_trained(planned, examined, load_settings())
    return {**judged, "question": question_for_a_person(judged["path"], load_settings())}


@task.branch
def ask_a_person(judged: Any) -> str:
    wanted = get_current_context()["params"]["approval"]
    if wanted is None:
        wanted = load_settings().promotion_approval
    return "approve" if wanted and judged["outcome"] == "promote" else "conclude"


def approve() -> HITLOperator:
    judged = "ti.xcom_pull(task_ids='judge')"
    return HITLOperator(
        task_id="approve",
        subject=f"Make model version {{{{ {judged}['candidate'] }}}} champion?",
        body=f"{{{{ {judged}['question'] }}}}",
        options=[APPROVE, REJECT],
        defaults=REJECT,
        response_timeout=timedelta(hours=load_settings().approval_hours),
    )


@task(trigger_rule="none_failed_min_one_success")
def conclude(judged: Any, answer: Any) -> Any:
    from include.pipeline.retraining.steps import Approval, conclude

    approval = None
    if answer:
        user = answer["responded_by_user"]
        approval = Approval(approved=answer["chosen_options"] == [APPROVE], by=user["name"] if user else None)
    return conclude(judged["path"], load_settings(), approval)


@task(outlets=[CHAMPION_MODEL], trigger_rule="none_failed_min_one_success")
def announce_champion(concluded: Any, rolled_back: Any) -> Any:
    version = rolled_back["version"] if rolled_back else concluded["candidate"] if concluded["promoted"] else None
    if version is None:
        raise AirflowSkipException("The champion stays: nothing is labelled again.")
    summary = {"report": rolled_back["page"] if rolled_back else concluded["report"], "model_version": version}
    announce(CHAMPION_MODEL, summary, version=version)
    return version


@task
def report(judged: Any, concluded: Any) -> Any:
    from include.pipeline.retraining.reporting import report_decision

    return report_decision(judged["path"], load_settings())


FAILURE: dict[str, Any] = {"on_failure_callback": log_failure}
