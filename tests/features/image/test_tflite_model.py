"""TFLite networks, with real pretrained weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from include.errors import ConfigurationError
from include.features.image.tflite_model import TfliteModel
from tests.features.image.encoders import load_encoder
from tests.features.image.networks import jpeg, write_relu_tflite

WEIGHTS = "coral_mobilenet_v1_1.0_224_quant_embedding_extractor.tflite"


@pytest.fixture(scope="module")
def weights(shared_data: Path) -> Path:
    return shared_data / "weights" / WEIGHTS


def test_real_photos_become_vectors_of_1024_dimensions(weights: Path, shared_data: Path) -> None:
    encoder = load_encoder(str(weights), threads=2)
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
    encoder = load_encoder(str(weights))
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


def test_values_for_each_place_are_averaged(tmp_path: Path) -> None:
    model = TfliteModel(write_relu_tflite(tmp_path / "net.tflite", [1, 8, 6, 3]), "raw")
    assert model.input_size == (8, 6)
    pixels = np.broadcast_to(np.array([30, 40, 0], dtype=np.uint8), (2, 8, 6, 3))
    np.testing.assert_allclose(model.embed(pixels), [[0.6, 0.8, 0.0]] * 2, atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "element_type", "squeezed", "message"),
    [
        ([1, 3, 8, 8], "FLOAT32", False, r"Expected is one of the shape \(1, height, width, 3\): channels last"),
        ([1, 8, 8, 1], "FLOAT32", False, r"Expected is one of the shape"),
        ([1, 8, 8, 3], "INT32", False, "wants int32 pixels. Expected is uint8, int8 or float32"),
        ([1, 8, 8, 3], "FLOAT32", True, r"has the output \[8, 8, 3\]. Expected is one vector a photo"),
    ],
)
def test_other_inputs_and_outputs_are_refused_with_what_was_expected(
    tmp_path: Path, shape: list[int], element_type: str, squeezed: bool, message: str
) -> None:
    path = write_relu_tflite(tmp_path / "net.tflite", shape, element_type, squeezed=squeezed)
    with pytest.raises(ConfigurationError, match=message):
        TfliteModel(path)
