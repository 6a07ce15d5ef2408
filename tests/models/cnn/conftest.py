"""A small lake of drawn photos, and a training on it, for whatever backend Keras has been given."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from include.models.cnn.fitting import FittedCnn, fit_cnn
from include.models.cnn.labelled_photos import LabelledPhotos
from include.models.cnn.recipes import CnnRecipe
from include.settings import Settings
from include.storage.lake import Lake
from tests.models.cnn.drawn_photos import draw_lake, own_network_recipe, reading, save_own_network


@pytest.fixture(scope="session", autouse=True)
def keras_backend() -> str:
    """The backend of these tests: `KERAS_BACKEND`, or TensorFlow."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    return os.environ.setdefault("KERAS_BACKEND", "tensorflow")


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """State folder of these tests."""
    return tmp_path_factory.mktemp("cnn")


@pytest.fixture(scope="session")
def settings(home: Path) -> Settings:
    return Settings(state_dir=home)


@pytest.fixture(scope="session")
def lake(settings: Settings) -> Lake:
    return Lake(settings.lake_root)


@pytest.fixture(scope="session")
def photos(lake: Lake) -> LabelledPhotos:
    """48 photos of three labels, packed in several files and row groups."""
    return draw_lake(lake, per_label=16)


@pytest.fixture(scope="session")
def recipe(home: Path) -> CnnRecipe:
    """Two phases on a tiny network of one's own."""
    return own_network_recipe(save_own_network(home / "own.keras"))


@pytest.fixture(scope="session")
def fitted(photos: LabelledPhotos, recipe: CnnRecipe, home: Path, lake: Lake, settings: Settings) -> FittedCnn:
    """A training that was never interrupted."""
    return fit_cnn(photos, recipe, home / "fitted", lake, **reading(settings))
