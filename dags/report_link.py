"""A button on a task's page that leads to the report on its batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperatorLink

from task_context import run_day_of

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator


class ReportLink(BaseOperatorLink):
    """Leads from a task of a source to the page on the validation of its day."""

    name = "Validation report"

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:
        """Address of the page, relative to Airflow's own; `ti_key` is the running task instance."""
        source = operator.task_id.split(".")[0]
        return f"plugin/cuvee/cuvee/validation/{source}/{run_day_of(ti_key.get_template_context()).isoformat()}"


def link_to_report(reported: Any) -> Any:
    """The result of a task of a source, whose page gets the button."""
    reported.operator.operator_extra_links = (ReportLink(),)
    return reported
