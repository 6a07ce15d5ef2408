"""The card of the newest model tells of the evaluation and the search that belong to it, and of no other."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from include.errors import ConfigurationError
from include.models.classifier.recipe import Recipe
from include.models.search.outcome import OUTCOME, write_outcome
from include.models.training.report import TrainingReport
from include.pipeline.evaluation.evaluate import FULL_FILE, reports_folder
from include.pipeline.model_card import write_trained_model_card
from include.pipeline.training.train import TRAINING_RECORD
from include.settings import Settings
from include.storage.lake import Lake
from tests.pages.evaluations import (
    draw_evaluation,
    draw_search_outcome,
    draw_training_history,
    draw_training_report,
)

ENCODER = draw_evaluation().encoders["default"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_dir=tmp_path)


@pytest.fixture
def record(settings: Settings) -> Callable[..., None]:
    """Leaves a training as `train` does, with some of the report's details changed."""

    def write(image_encoder: str = "classical", **details: Any) -> None:
        report = draw_training_report()
        report = replace(report, details={**report.details, "photo_encoder": ENCODER, **details})
        path = settings.state_dir / TRAINING_RECORD
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = {
            "version": "3", "products_by_source": {"flipkart": 840}, "image_encoder": image_encoder,
            "report": report.to_json(),
        }  # fmt: skip
        path.write_text(json.dumps(kept), encoding="utf-8")

    return write


def page(settings: Settings) -> str:
    card = write_trained_model_card(settings)
    assert card is not None
    assert card.html.parent == reports_folder(settings) / "model_card"
    return card.html.read_text(encoding="utf-8")


def test_without_a_training_there_is_no_card(settings: Settings) -> None:
    assert write_trained_model_card(settings) is None


def test_the_card_tells_of_what_belongs_to_the_model(settings: Settings, record: Callable[..., None]) -> None:
    outcome = draw_search_outcome()
    recipe = Recipe.from_dict(dict(outcome.recipe)).to_json()
    network = settings.state_dir / "cnn" / "encoder.onnx"
    network.parent.mkdir()
    (network.parent / "history.json").write_text(json.dumps(draw_training_history()))
    record(image_encoder=str(network), recipe=recipe)
    write_outcome(Lake(settings.lake_root), outcome)
    (reports_folder(settings) / FULL_FILE).write_text(draw_evaluation().to_json())
    text = page(settings)
    for heading in ("How it was evaluated", "Search for hyper-parameters", "Training of the network", "version 3"):
        assert heading in text
    assert page(settings) == text


def test_the_card_is_silent_about_what_belongs_to_another_model(
    settings: Settings, record: Callable[..., None]
) -> None:
    record(photo_encoder="another", recipe=Recipe(text_regularisation=1.5).to_json())
    write_outcome(Lake(settings.lake_root), draw_search_outcome())
    (reports_folder(settings) / FULL_FILE).write_text(draw_evaluation().to_json())
    text = page(settings)
    for heading in ("How it was evaluated", "Search for hyper-parameters", "Training of the network"):
        assert heading not in text


def test_damaged_files_of_others_do_not_prevent_the_card(settings: Settings, record: Callable[..., None]) -> None:
    record()
    Lake(settings.lake_root).write_bytes(OUTCOME, b"{")
    (reports_folder(settings) / FULL_FILE).write_text("{}")
    assert "not evaluated" in page(settings)


def test_a_training_report_is_read_as_it_was_written() -> None:
    report = draw_training_report()
    assert TrainingReport.from_json(report.to_json()) == report
    with pytest.raises(ConfigurationError, match="no training report"):
        TrainingReport.from_json("{}")
