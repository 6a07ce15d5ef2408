"""The tabs that Airflow shows beside a DAG and beside a run: what is known here of just that one.

Airflow shows them on every DAG, so that for most there is a sentence.
"""

from __future__ import annotations

from typing import Any

from fastapi import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.status import HTTP_404_NOT_FOUND

from include.pages.green_comparison import RUNS, changes_since_green
from include.pages.model_documents import decision_documents, decisions_of_run, relabel_documents
from include.pages.stored_reports import read_reports, read_summaries, reported_days
from include.pages.web.access import CurrentViewer, router_for
from include.pages.web.data import CurrentData, Data
from include.pages.web.host import Host, Right, Run
from include.pages.web.rendering import render
from include.pages.web.validation import report_context
from include.storage.batch import Batch
from include.warehouse.batch_history import BatchFilter, StoredBatch, batches_of_days, newest_batches
from include.warehouse.relabelled_versions import relabelled_versions

router = router_for(Right.VIEW)

KIND_OF_DAG = {"champagne_daily": "daily", "import_catalogue": "import"}
"""DAG → kind of its batches in the table `batches`."""
DECIDING_DAGS = ("retrain_weekly", "rollback_champion")
RELABELLING_DAG = "relabel_catalogue"

NO_SECTION = "dags"
"""None of the navigation's: a tab belongs to its DAG."""
SHOWN_BATCHES = 28
SHOWN_DOCUMENTS = 10


@router.get("/dags/{dag_id}")
def tab_of_dag(request: Request, viewer: CurrentViewer, data: CurrentData, dag_id: str) -> Response:
    """The newest that a DAG left."""
    found: dict[str, Any] = {}
    if dag_id in KIND_OF_DAG:
        found["batches"] = newest_batches(data.engine, BatchFilter(kind=KIND_OF_DAG[dag_id]), limit=SHOWN_BATCHES)
    elif dag_id in DECIDING_DAGS:
        found["decisions"] = decision_documents(data.lake, data.engine)[:SHOWN_DOCUMENTS]
    elif dag_id == RELABELLING_DAG:
        found["relabellings"] = relabel_documents(data.lake, data.engine)[:SHOWN_DOCUMENTS]
    return render(request, "dag_tab.html", viewer, section=NO_SECTION, dag_id=dag_id, run=None, found=found)


@router.get("/dags/{dag_id}/runs/{run_id}")
def tab_of_run(request: Request, viewer: CurrentViewer, data: CurrentData, dag_id: str, run_id: str) -> Response:
    """What one run left: the reports of its day, or its decision, or what it relabelled."""
    if dag_id not in (*KIND_OF_DAG, *DECIDING_DAGS, RELABELLING_DAG):
        return render(request, "dag_tab.html", viewer, section=NO_SECTION, dag_id=dag_id, run=None, found={})
    host: Host = request.app.state.host
    run = host.run(dag_id, run_id)
    if run is None:
        raise HTTPException(
            HTTP_404_NOT_FOUND, f"Airflow has no run {run_id[:100]} of {dag_id} any more: choose another run."
        )
    if dag_id in KIND_OF_DAG:
        states = batches_of_days(data.engine, run.day, run.day, kind=KIND_OF_DAG[dag_id])
        reports = [_reports_on(data, state) for state in states]
        return render(request, "run_tab.html", viewer, section=NO_SECTION, run=run, reports=reports)
    return render(
        request, "dag_tab.html", viewer, section=NO_SECTION, dag_id=dag_id, run=run, found=_left_by(data, run)
    )


def _left_by(data: Data, run: Run) -> dict[str, Any]:
    """The decision of a run, or the relabelling."""
    if run.dag_id in DECIDING_DAGS:
        decisions = decision_documents(data.lake, data.engine)
        return {"decisions": decisions_of_run(decisions, run.day, run.started, run.ended)}
    if run.started is None:
        return {"relabellings": []}
    versions = relabelled_versions(data.engine, run.started, run.ended)
    documents = relabel_documents(data.lake, data.engine) if versions else []
    return {"relabellings": [one for one in documents if one.version in versions]}


def _reports_on(data: Data, state: StoredBatch) -> dict[str, Any]:
    """A batch of a run with its reports; where a rule refused it, what changed since the last green run."""
    batch = Batch(state.source, state.day)
    reports = read_reports(data.lake, batch)
    days = [day for day in reported_days(data.lake, batch.source) if day <= batch.day][:RUNS]
    history = read_summaries(data.lake, [Batch(batch.source, day) for day in sorted(days)], with_rules=True)
    return {
        "batch": batch,
        "state": state,
        "reports": reports,
        "changes": changes_since_green(reports, batch, history) if reports.is_refused else None,
        **report_context(reports, batch, history),
    }
