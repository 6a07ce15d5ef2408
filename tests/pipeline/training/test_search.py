"""What a search finds is what the next training uses, as long as it fits."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from include.models.classifier.recipe import Recipe
from include.models.search.outcome import outcome_text, read_outcome, write_outcome
from include.models.search.search import SearchBudget
from include.models.version.artefact import Artefact
from include.models.version.registry import Registry
from include.pipeline.import_catalogue import import_catalogue
from include.pipeline.training.search import search_recipe
from include.pipeline.training.train import train_model
from include.settings import Settings
from include.storage.lake import Lake
from tests.fixtures.trained import FIRST_DAY


@pytest.fixture
def settings(warehouse_settings: Settings, small_catalogue: Path, empty_registry: Callable[[Path], None]) -> Settings:
    """A small imported catalogue."""
    small = {"training_folds": 2, "text_dimensions": 16, "min_label_examples": 2}
    settings = warehouse_settings.model_copy(update=small)
    empty_registry(settings.state_dir)
    import_catalogue(small_catalogue, FIRST_DAY, settings)
    return settings


def trained_recipe(settings: Settings) -> Recipe:
    return Artefact.load(Registry(settings.tracking_uri, settings.state_dir).champion().path).recipe


def test_training_takes_up_what_the_search_found(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    lake = Lake(settings.lake_root)
    outcome = search_recipe(settings, SearchBudget(trials=2, minutes=5))
    assert len(outcome.values) == 2
    assert read_outcome(lake) == outcome
    written = outcome_text(lake)
    search_recipe(settings, SearchBudget(trials=2, minutes=5))
    assert outcome_text(lake) == written

    found = replace(Recipe(), text_regularisation=7.5, fusion="late")
    write_outcome(lake, replace(outcome, recipe=found.to_dict(), is_default=False))
    train_model(settings)
    assert trained_recipe(settings) == found
    assert train_model(settings)["reused"]

    write_outcome(lake, replace(outcome, kind="of another encoder", recipe=found.to_dict()))
    with caplog.at_level(logging.WARNING):
        assert not train_model(settings, promote=True)["reused"]
    assert trained_recipe(settings) == Recipe()
    assert "the recipe of the last search is not used" in caplog.text
