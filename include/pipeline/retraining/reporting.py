"""The reports of a retraining's decision: its page, the list of all, figures, and the request for approval."""

from __future__ import annotations

from include.models.promotion.judgement import read_judgement
from include.pages.approval_text import comparison_markdown
from include.pages.candidate_figures import log_candidate_figures
from include.pages.decision_page import write_decision_page
from include.pages.decisions_overview import write_decisions_overview
from include.settings import Settings
from include.storage.lake import Lake


def report_decision(path: str, settings: Settings) -> str:
    """Write everything about the judgement at `path` in the lake; returns the page's path in the lake.

    Done again, it leaves the same. The list comes after the page, because it links to pages that are there.
    """
    page = write_decision_page(path, settings)
    write_decisions_overview(settings)
    log_candidate_figures(read_judgement(Lake(settings.lake_root), path), settings)
    return page


def question_for_a_person(path: str, settings: Settings) -> str:
    """The request to approve a promotion, in Markdown; the page that it links to is written."""
    write_decision_page(path, settings)
    return comparison_markdown(read_judgement(Lake(settings.lake_root), path))
