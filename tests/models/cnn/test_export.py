"""The exported network: equal to Keras, a photo encoder by its path, and a classifier without Keras."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from include.errors import ConfigurationError
from include.features.image.decode import decode_photo
from include.models.cnn import export
from include.models.cnn.classifier import CnnClassifier
from include.models.cnn.export import LARGEST_DIFFERENCE, export_network
from include.models.cnn.fitting import FittedCnn
from include.models.cnn.networks import build_network
from include.models.cnn.recipes import CnnRecipe
from include.pipeline.encoders import configured_image_encoder
from include.settings import PROJECT_ROOT, Settings
from tests.models.cnn.drawn_photos import COLOURS, drawn_photo

PHOTOS = [drawn_photo(label, number) for label in COLOURS for number in (100, 101, 102)]


def test_encoder_and_classifier_answer_as_keras_does(fitted: FittedCnn, settings: Settings) -> None:
    import keras

    model = keras.saving.load_model(Path(fitted.encoder).with_suffix(".keras"))
    pixels = np.stack([decode_photo(photo, (24, 24), 10**6) for photo in PHOTOS])  # type: ignore[arg-type]
    vectors, probabilities = map(np.asarray, model.predict_on_batch(pixels.astype(np.float32)))
    assert fitted.export_difference < LARGEST_DIFFERENCE

    encoder = configured_image_encoder(fitted.encoder, settings)
    assert encoder.identity.startswith("drawn-")
    assert encoder.identity.endswith("-raw-d1")
    expected = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(encoder.encode(PHOTOS), expected, atol=1e-4)

    classifier = CnnClassifier(Path(fitted.encoder), threads=2, max_pixels=10**6)
    assert classifier.label_names == fitted.label_names
    np.testing.assert_allclose(classifier.predict(PHOTOS), probabilities, atol=1e-4)


def test_a_photo_that_cannot_be_decoded_has_no_probabilities(fitted: FittedCnn, settings: Settings) -> None:
    rows = CnnClassifier(Path(fitted.encoder), threads=2, max_pixels=10**6).predict([b"nothing", PHOTOS[0]])
    assert np.isnan(rows[0]).all()
    assert rows[1].sum() == pytest.approx(1, abs=1e-5)


def test_prediction_imports_no_keras(fitted: FittedCnn) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from include.models.cnn.classifier import CnnClassifier\n"
        f"CnnClassifier(Path({fitted.encoder!r}), threads=2, max_pixels=10**6).predict([b'nothing'])\n"
        "print([name for name in ('tensorflow', 'torch', 'jax', 'keras', 'sklearn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_export_that_answers_otherwise_is_not_kept(
    fitted: FittedCnn, recipe: CnnRecipe, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The export of another network stands in for a faulty one."""
    monkeypatch.setattr(export, "export_keras_file", lambda *_: shutil.copy(fitted.encoder, tmp_path / "other.onnx"))
    network = build_network(recipe, labels=len(fitted.label_names))
    pixels = np.full((2, 24, 24, 3), 128, dtype=np.uint8)
    with pytest.raises(ConfigurationError, match="answers otherwise than Keras"):
        export_network(network, fitted.label_names, pixels, tmp_path / "out", "drawn", settings.state_dir / "encoders")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["drawn.keras"]


def test_a_file_that_is_no_such_export_is_refused(fitted: FittedCnn, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is not there"):
        CnnClassifier(tmp_path / "absent.onnx", threads=2, max_pixels=10**6)
    (tmp_path / "damaged.onnx").write_bytes(b"nothing")
    with pytest.raises(ConfigurationError, match="not an ONNX network"):
        CnnClassifier(tmp_path / "damaged.onnx", threads=2, max_pixels=10**6)
    model = onnx.load(fitted.encoder)
    onnx.helper.set_model_props(model, {})
    onnx.save(model, tmp_path / "unlabelled.onnx")
    with pytest.raises(ConfigurationError, match="has no labels"):
        CnnClassifier(tmp_path / "unlabelled.onnx", threads=2, max_pixels=10**6)
