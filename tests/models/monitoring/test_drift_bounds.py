"""The default bounds on real records: silent on ordinary days, not on changed ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from include.pipeline.evaluation.data import load_evaluation_data
from include.settings import Settings
from tests.models.monitoring.drift_bounds import FEED, Halves, batches, train_on_half

CATALOGUE, GROCERIES = "flipkart", "openfoodfacts_labelled_fr"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(state_dir=tmp_path_factory.mktemp("drift"), image_encoder="classical", training_folds=3)


@pytest.fixture(scope="module")
def halves(shared_data: Path, settings: Settings) -> Halves:
    data = load_evaluation_data(shared_data, settings, {"default": settings.image_encoder}, lambda _text: None)
    return train_on_half(data, settings, most=500)


@pytest.mark.parametrize("source", [CATALOGUE, GROCERIES, FEED])
@pytest.mark.parametrize("size", [50, 200, 2_000])
def test_a_batch_of_the_same_kind_does_not_warn(halves: Halves, settings: Settings, source: str, size: int) -> None:
    for rows in batches(halves.pool(source), size, 30):
        assert halves.drift(rows, source, settings).warnings == []


@pytest.mark.parametrize(("source", "other"), [(CATALOGUE, GROCERIES), (GROCERIES, CATALOGUE), (FEED, GROCERIES)])
def test_a_batch_of_another_kind_warns(halves: Halves, settings: Settings, source: str, other: str) -> None:
    for rows in batches(halves.pool(other), 200, 20):
        beyond = {figure.name for figure in halves.drift(rows, source, settings).figures if figure.verdict == "beyond"}
        assert beyond >= {"label_mix", "text_embedding"}


def test_photos_that_are_gone_warn(halves: Halves, settings: Settings) -> None:
    rows = halves.pool(CATALOGUE)[:100]
    missing = np.ones_like(halves.has_photo)
    without = Halves(**{**vars(halves), "has_photo": ~missing})
    beyond = [f.name for f in without.drift(rows, CATALOGUE, settings).figures if f.verdict == "beyond"]
    assert beyond == ["missing_photos"]
