"""What a person reads before approving a promotion: short Markdown for the task that asks in Airflow."""

from __future__ import annotations

from include.models.promotion.gate import Clause
from include.models.promotion.judgement import Judgement, report_folder
from include.pages.decision_headline import headline
from include.pages.decision_scores import score_rows
from include.pages.drawing import shortened
from include.pages.rendering import markdown_environment, signed

LONGEST = 4_000
"""Characters that a form has room for."""
_CELLS = (200, 100, 50, 25)
"""Characters of a cell, tried in order until the whole fits."""


def comparison_markdown(judgement: Judgement) -> str:
    """Candidate against champion, and the gate's clauses, as two tables in Markdown: no HTML, under 4,000 characters.

    Names and labels are escaped. Long cells are shortened; the page beside the judgement has all of them.
    """
    texts = (_render(judgement, length) for length in _CELLS)
    return next(text for text in texts if len(text) < LONGEST)


def _render(judgement: Judgement, length: int) -> str:
    difference, clauses = judgement.difference, judgement.judged.clauses
    content = {
        "headline": shortened(headline(judgement, None), 300),
        "candidate": shortened(judgement.candidate, length),
        "name": shortened(judgement.judged.name, length),
        "champion": shortened(judgement.champion, length) if judgement.champion else None,
        "gold_products": judgement.gold_products,
        "scores": score_rows(judgement),
        "interval": f"{signed(difference.low)} to {signed(difference.high)}" if difference else "",
        "confidence": f"{100 * judgement.confidence:g} %",
        "clauses": [_cells(clause, length) for clause in sorted(clauses, key=lambda clause: clause.holds)],
        "page": f"{report_folder(judgement)}/index.html",
    }
    return markdown_environment().get_template("approval.md").render(content).strip() + "\n"


def _cells(clause: Clause, length: int) -> tuple[str, ...]:
    texts = (clause.name, clause.found, clause.wanted)
    return ("✓" if clause.holds else "✗", *(shortened(text, length) for text in texts))
