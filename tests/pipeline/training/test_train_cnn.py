"""Training a network on the photos of an imported catalogue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from include.errors import ConfigurationError
from include.models.cnn.fitting import EpochRow
from include.models.cnn.recipes import RECIPES, Phase
from include.models.training.candidates import Candidate
from include.models.version.artefact import Artefact
from include.models.version.registry import Registry
from include.pipeline.encoders import configured_image_encoder
from include.pipeline.import_catalogue import import_catalogue
from include.pipeline.training.train import train_candidate
from include.pipeline.training.train_cnn import labelled_photos, train_cnn
from include.pipeline.training.training_data import snapshot_of_today
from include.settings import Settings
from tests.fixtures.trained import FIRST_DAY

TINY = replace(
    RECIPES["scratch-small"], side=16, widths=(4, 8), batch_size=16, phases=(Phase("all", 5, 0.01, 1.0),),
    validation_share=0.3,
)  # fmt: skip


@pytest.fixture
def settings(warehouse_settings: Settings, small_catalogue: Path, empty_registry: Callable[[Path], None]) -> Settings:
    """A small imported catalogue with photos."""
    settings = warehouse_settings.model_copy(update={"min_label_examples": 2})
    empty_registry(settings.state_dir)
    import_catalogue(small_catalogue, FIRST_DAY, settings)
    return settings


def test_a_trained_network_is_a_photo_encoder_by_its_path(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RECIPES, "scratch-small", TINY)
    rows: list[EpochRow] = []
    fitted = train_cnn(settings, epochs=2, on_epoch=rows.append)
    assert [row["epoch"] for row in rows] == [1, 2]
    assert Path(fitted.encoder).is_relative_to(settings.state_dir / "cnn")
    assert configured_image_encoder(fitted.encoder, settings).dimensions == 8
    assert train_cnn(settings, epochs=2, on_epoch=rows.append) == fitted
    assert len(rows) == 2

    photos = labelled_photos(snapshot_of_today(settings).training, settings)
    assert fitted.photos + fitted.validation_photos == len(photos)
    assert fitted.label_names == photos.label_names


def test_without_a_labelled_photo_training_says_what_to_do(warehouse_settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match=r"has a photo to train a CNN on. Import a labelled catalogue"):
        train_cnn(warehouse_settings)


def test_a_candidate_may_fine_tune_a_network_on_the_training_part_of_a_snapshot(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RECIPES, "scratch-small", TINY)
    settings = settings.model_copy(update={"training_folds": 2, "text_dimensions": 16})
    snapshot = snapshot_of_today(settings)
    candidate = Candidate(name="fine_tuned", network="scratch-small", epochs=1, recipe={"photo_heads": ["logistic"]})
    trained = train_candidate(candidate, snapshot.manifest.snapshot, settings)
    path = Registry(settings.tracking_uri, settings.state_dir).get(trained["version"]).path
    artefact = Artefact.load(path)
    assert Path(artefact.image_encoder_spec).is_relative_to(path), "the network is part of the version"
    encoder = configured_image_encoder(artefact.image_encoder_spec, settings)
    assert encoder.identity == artefact.image_encoder_identity
    assert artefact.photo_classifier is not None
    seen = labelled_photos(snapshot.training, settings)
    assert not set(seen.hashes) & set(snapshot.gold["photo_sha256"].to_pylist())
    again = train_candidate(candidate, snapshot.manifest.snapshot, settings)
    assert (again["version"], again["reused"]) == (trained["version"], True)
