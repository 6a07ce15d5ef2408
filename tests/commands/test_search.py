"""What `search` prints of what it found."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from include.commands.search import draw_search, print_outcome
from include.models.classifier.recipe import Recipe
from include.models.search.outcome import SearchOutcome
from tests.pages.evaluations import draw_search_outcome


def printed(outcome: SearchOutcome) -> str:
    stream = io.StringIO()
    print_outcome(outcome, Console(file=stream, width=200))
    return stream.getvalue()


def test_it_prints_what_differs_from_the_default_and_how_much_it_matters() -> None:
    outcome = draw_search_outcome()
    text = printed(outcome)
    assert f"{len(outcome.values)} trials on 840 products" in text
    assert f"{outcome.value:.4f}" in text and "0.9611" in text
    assert "34.2" in text and "46%" in text
    assert "rbf_width" not in text


def test_it_says_that_the_default_stays() -> None:
    assert "the default stays" in printed(replace(draw_search_outcome(), recipe=Recipe().to_dict(), is_default=True))


def test_it_draws_the_course_of_the_search(tmp_path: Path) -> None:
    png, svg = draw_search(draw_search_outcome(), tmp_path)
    assert png.stat().st_size > 1_000
    assert svg.read_text(encoding="utf-8").endswith("</svg>\n")


def test_few_trials_leave_no_empty_column_and_no_empty_panel(tmp_path: Path) -> None:
    few = replace(draw_search_outcome(), importances={})
    assert "importance" in printed(draw_search_outcome())
    assert "importance" not in printed(few)
    (tmp_path / "few").mkdir()
    assert "importance of the parameter" in draw_search(draw_search_outcome(), tmp_path)[1].read_text(encoding="utf-8")
    assert "importance of the parameter" not in draw_search(few, tmp_path / "few")[1].read_text(encoding="utf-8")
