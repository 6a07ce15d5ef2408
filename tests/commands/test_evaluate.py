"""The table says what was measured, what was not, and what was missed."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console
from typer.testing import CliRunner

from include.cli import app
from include.commands.evaluate import print_evaluation
from include.models.evaluation.results import Evaluation, Interval, Target
from include.settings import Settings
from tests.models.evaluation.test_results import example_evaluation


def printed(evaluation: Evaluation) -> list[str]:
    console = Console(width=160, record=True, file=io.StringIO())
    print_evaluation(evaluation, console)
    return console.export_text().splitlines()


@pytest.mark.parametrize(("value", "word"), [(0.97, "met"), (0.964, "missed")])
def test_a_target_is_met_or_missed_by_the_value(value, word):
    figures = {"text_accuracy": Interval(value, 0.95, 0.98)}
    evaluation = replace(example_evaluation(), figures=figures, targets={"text_accuracy": Target("text", 0.965)})
    (line,) = (line for line in printed(evaluation) if "text_accuracy" in line)
    assert word in line
    assert "0.950 to 0.980" in line
    assert "≥ 0.965" in line


def test_what_was_not_measured_is_not_passed_over():
    evaluation = replace(example_evaluation(), figures={}, targets={"ari_text": Target("clusters", 0.55)})
    (line,) = (line for line in printed(evaluation) if "ari_text" in line)
    assert "not measured" in line


def test_figures_without_target_comparisons_and_notes_are_shown():
    evaluation = replace(example_evaluation(), figures={"more": Interval(0.5, 0.4, 0.6)}, targets={})
    text = "\n".join(printed(evaluation))
    for part in ("more", "0.500", "McNemar", "bootstrap", "one", "two", "4 products of flipkart in 3 content groups"):
        assert part in text


def test_a_folder_of_something_else_is_refused_with_a_message(tmp_path, monkeypatch):
    monkeypatch.setattr("include.commands.evaluate.load_settings", lambda: Settings(state_dir=tmp_path / "state"))
    result = CliRunner().invoke(app, ["evaluate", "--data", str(tmp_path)])
    assert result.exit_code == 1
    assert "not a folder of real records" in str(result.exception)


def test_a_narrow_terminal_shows_every_figure_whole():
    figures = {"accepted_precision_no_category_words": Interval(0.97, 0.95, 0.98)}
    evaluation = replace(example_evaluation(), figures=figures, targets={"ari_text": Target("clusters " * 9, 0.55)})
    console = Console(width=80, record=True, file=io.StringIO())
    print_evaluation(evaluation, console)
    text = console.export_text()
    assert "accepted_precision_no_category_words" in text
    assert "0.950 to 0.980" in text
    assert "clusters" not in text
