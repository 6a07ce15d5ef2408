"""The card of the newest model, put together from what training, search and evaluation left in the state folder."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from include.errors import ConfigurationError
from include.models.classifier.recipe import Recipe
from include.models.evaluation.results import Evaluation
from include.models.search.outcome import SearchOutcome, move_outcome, read_outcome
from include.models.training.report import TrainingReport
from include.pages.model_card import ModelCard, ModelFacts, write_model_card
from include.pipeline.evaluation.evaluate import FULL_FILE, reports_folder
from include.pipeline.training.train import TRAINING_RECORD, TrainingRecord
from include.settings import Settings
from include.storage.lake import Lake

logger = logging.getLogger(__name__)

CARD_FOLDER = "model_card"
"""Folder of the card in the reports folder."""


def write_trained_model_card(settings: Settings) -> ModelCard | None:
    """Write the card of the newest training into the reports folder; None when nothing was trained here.

    An evaluation is included when it was made with the model's photo encoder, a search when the model has its recipe,
    and a network's training when its history lies beside the photo encoder.
    """
    path = settings.state_dir / TRAINING_RECORD
    if not path.exists():
        return None
    record: TrainingRecord = json.loads(path.read_text(encoding="utf-8"))
    training = TrainingReport.from_json(record["report"])
    facts = ModelFacts(
        version=record["version"],
        products_by_source=record["products_by_source"],
        search=_search(settings, training),
        training_history=_history(record["image_encoder"]),
    )
    return write_model_card(reports_folder(settings) / CARD_FOLDER, _evaluation(settings, training), training, facts)


def _evaluation(settings: Settings, training: TrainingReport) -> Evaluation | None:
    path = reports_folder(settings) / FULL_FILE
    if not path.exists():
        return None
    try:
        evaluation = Evaluation.from_json(path.read_text(encoding="utf-8"))
    except ConfigurationError as error:
        logger.warning("the card has no evaluation: %s", error)
        return None
    is_of_this_encoder = evaluation.encoders.get("default") == training.details.get("photo_encoder")
    return evaluation if is_of_this_encoder else None


def _search(settings: Settings, training: TrainingReport) -> SearchOutcome | None:
    lake = Lake(settings.lake_root)
    move_outcome(settings.state_dir, lake)
    try:
        outcome = read_outcome(lake)
    except ConfigurationError as error:
        logger.warning("the card has no search: %s", error)
        return None
    used = training.details.get("recipe")
    if outcome is None or used is None:
        return None
    return outcome if Recipe.from_dict(dict(outcome.recipe)).to_json() == used else None


def _history(image_encoder: str) -> list[dict[str, Any]]:
    path = Path(image_encoder).parent / "history.json"
    if not image_encoder.endswith(".onnx") or not path.exists():
        return []
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return rows
