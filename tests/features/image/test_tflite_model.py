"""TFLite networks, with real pretrained weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from include.errors import ConfigurationError
from include.features.image import load_image_encoder
from include.features.image.tflite_model import TfliteModel
from include.settings import Settings
from tests.features.image.networks import jpeg

WEIGHTS = "coral_mobilenet_v1_1.0_224_quant_embedding_extractor.tflite"


@pytest.fixture(scope="module")
def weights(shared_data: Path) -> Path:
    return shared_data / "weights" / WEIGHTS


def test_real_photos_become_vectors_of_1024_dimensions(weights: Path, shared_data: Path) -> None:
    encoder = load_image_encoder(str(weights), Settings(inference_threads=2))
    photos = [path.read_bytes() for path in sorted((shared_data / "flipkart" / "images").glob("*.jpg"))[:21]]
    photos[5] = b"not a photo"
    vectors = encoder.encode(photos)
    assert vectors.shape == (21, 1024)
    assert encoder.dimensions == 1024
    assert np.isnan(vectors[5]).all()
    rest = np.delete(vectors, 5, axis=0)
    np.testing.assert_allclose(np.linalg.norm(rest, axis=1), 1, rtol=1e-5)
    alone = np.vstack([encoder.encode([photo]) for photo in photos[:4]])
    np.testing.assert_allclose(vectors[:4], alone, atol=1e-6)


def test_similar_products_are_nearer_than_different_ones(weights: Path, shared_data: Path) -> None:
    encoder = load_image_encoder(str(weights), Settings())
    folder = shared_data / "grocery" / "images"
    kinds = sorted(path for path in folder.rglob("*") if path.is_dir() and len(list(path.glob("*.jpg"))) >= 4)[:4]
    assert len(kinds) == 4
    vectors = np.stack([encoder.encode([p.read_bytes() for p in sorted(kind.glob("*.jpg"))[:4]]) for kind in kinds])
    same = np.mean([(kind @ kind.T)[np.triu_indices(4, 1)].mean() for kind in vectors])
    different = np.mean([(a @ b.T).mean() for i, a in enumerate(vectors) for b in vectors[i + 1 :]])
    assert same > different + 0.05


def test_the_identity_names_the_weights(weights: Path) -> None:
    assert TfliteModel(weights).identity.startswith("coral_mobilenet_v1_1_0_224_quant_embedding_extra-")
    with pytest.raises(ConfigurationError, match="quantised input takes pixels as they are"):
        TfliteModel(weights, "torch")


def test_missing_and_foreign_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        TfliteModel(tmp_path / "absent.tflite")
    (tmp_path / "photo.tflite").write_bytes(jpeg(8, 8))
    with pytest.raises(ConfigurationError, match="not a TFLite network"):
        TfliteModel(tmp_path / "photo.tflite")
