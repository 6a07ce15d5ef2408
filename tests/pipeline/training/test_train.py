"""Training on what the lake and the warehouse hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from include.models.version.artefact import Artefact
from include.models.version.registry import Registry
from include.pipeline.import_catalogue import import_catalogue
from include.pipeline.training.train import train_model
from include.settings import Settings
from include.storage.lake import Lake
from tests.fixtures.trained import FIRST_DAY


@pytest.fixture
def settings(warehouse_settings: Settings, small_catalogue: Path, empty_registry: Callable[[Path], None]) -> Settings:
    """A small imported catalogue and no model yet."""
    small = {"training_folds": 2, "text_dimensions": 16, "min_label_examples": 2}
    settings = warehouse_settings.model_copy(update=small)
    empty_registry(settings.state_dir)
    import_catalogue(small_catalogue, FIRST_DAY, settings)
    return settings


def champion(settings: Settings) -> Artefact:
    return Artefact.load(Registry(settings.tracking_uri, settings.state_dir).champion().path)


def test_photos_that_this_encoder_has_not_seen_are_embedded_before_training(settings: Settings) -> None:
    lake = Lake(settings.lake_root)
    before = lake.list_files("embeddings")
    assert before
    # As after a change of the image encoder: its folder of the cache is empty.
    for path in before:
        lake.delete(path)
    train_model(settings)
    assert champion(settings).photo_classifier is not None
    assert lake.list_files("embeddings")


def test_the_same_rows_are_trained_on_once_unless_the_champion_is_damaged(settings: Settings) -> None:
    first = train_model(settings)
    assert (first["promoted"], first["reused"]) == (True, False)
    again = train_model(settings)
    assert (again["version"], again["reused"]) == (first["version"], True)

    arrays = Registry(settings.tracking_uri, settings.state_dir).champion().path / "classifiers.npz"
    arrays.write_bytes(arrays.read_bytes()[:-10])
    repaired = train_model(settings, promote=True)
    assert (repaired["promoted"], repaired["reused"]) == (True, False)
    assert champion(settings).labels
