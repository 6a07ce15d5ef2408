from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from include.errors import ConfigurationError, NoChampionError
from include.models.version.artefact import Artefact
from tests.features.image.networks import write_mean_network
from tests.models.conftest import DIMENSIONS


@pytest.fixture(scope="session")
def saved(artefact: Artefact, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artefact")
    artefact.save(folder)
    return folder


@pytest.fixture
def copy(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "copy"))


def inputs(artefact: Artefact, count: int = 50) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    chance = np.random.default_rng(1)
    text = chance.normal(size=(count, artefact.text_encoder.dimensions)).astype(np.float32)
    photo = chance.normal(size=(count, DIMENSIONS)).astype(np.float32)
    return text, chance.random(count) < 0.8, photo, chance.random(count) < 0.5


def test_a_loaded_model_predicts_exactly_what_the_saved_one_did(artefact, saved):
    loaded = Artefact.load(saved)
    before, after = (model.predict(*inputs(artefact)) for model in (artefact, loaded))
    assert np.array_equal(before.probabilities, after.probabilities)
    assert np.array_equal(before.is_accepted, after.is_accepted)
    assert before.modalities == after.modalities
    assert loaded.text_encoder.identity == artefact.text_encoder.identity
    assert (loaded.image_encoder_spec, loaded.image_encoder_identity) == ("classical", "drawn-1")
    loaded.verify()


def test_the_photo_encoder_travels_with_the_model(artefact, tmp_path):
    network = write_mean_network(tmp_path / "net.onnx", ["n", 3, 8, 8])
    replace(artefact, image_encoder_spec=str(network)).save(tmp_path / "saved")
    network.unlink()
    moved = Path(shutil.move(tmp_path / "saved", tmp_path / "moved"))
    spec = Artefact.load(moved).image_encoder_spec
    assert Path(spec).is_relative_to(moved)
    Path(spec).write_bytes(b"damaged")
    with pytest.raises(NoChampionError, match="was changed after it was written"):
        Artefact.load(moved)


def test_a_version_that_names_a_path_outside_of_it_still_loads(copy):
    description = json.loads((copy / "artefact.json").read_text())
    (copy / "artefact.json").write_text(json.dumps(description | {"image_encoder_spec": "/models/net.onnx?side=96"}))
    assert Artefact.load(copy).image_encoder_spec == "/models/net.onnx?side=96"


def test_saving_twice_leaves_the_same_model(artefact, copy):
    artefact.save(copy)
    assert np.array_equal(
        Artefact.load(copy).predict(*inputs(artefact)).probabilities, artefact.predict(*inputs(artefact)).probabilities
    )


@pytest.mark.parametrize(
    "name", ["artefact.json", "classifiers.npz", "golden.npz", "text_encoder.npz", "text_encoder.json"]
)
@pytest.mark.parametrize("damage", ["missing", "cut", "changed"])
def test_a_damaged_file_is_refused_with_the_command_that_helps(copy, name, damage):
    path = copy / name
    content = bytearray(path.read_bytes())
    if damage == "missing":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    else:
        content[len(content) // 2] ^= 0xFF
        path.write_bytes(content)
    with pytest.raises(NoChampionError, match="python -m include train"):
        Artefact.load(copy)


def test_a_model_that_no_longer_gives_its_golden_output_is_refused(artefact, tmp_path):
    other = artefact.golden.probabilities[:, ::-1].copy()
    replace(artefact, golden=replace(artefact.golden, probabilities=other)).save(tmp_path)
    with pytest.raises(NoChampionError, match="golden"):
        Artefact.load(tmp_path)


def test_another_encoding_of_the_golden_documents_is_found(artefact):
    changed = replace(artefact, golden=replace(artefact.golden, text_vectors=artefact.golden.text_vectors + 0.1))
    with pytest.raises(NoChampionError, match="encodes its golden documents"):
        changed.verify()


def test_a_model_of_another_format_is_refused(copy):
    description = json.loads((copy / "artefact.json").read_text())
    (copy / "artefact.json").write_text(json.dumps(description | {"format": 99}))
    with pytest.raises(NoChampionError, match="format 99"):
        Artefact.load(copy)


def test_nothing_to_go_by_is_for_review(artefact):
    text, photo = np.full((1, artefact.text_encoder.dimensions), np.nan), np.full((1, DIMENSIONS), np.nan)
    found = artefact.predict(text, np.array([False]), photo, np.array([False]))
    assert (found.decisions, found.modalities) == (["review"], ["none"])
    assert found.confidences[0] < 0.5


def test_rows_of_nan_never_count(artefact):
    text, _, photo, _ = inputs(artefact, 2)
    photo[:] = np.nan
    found = artefact.predict(text, np.array([True, True]), photo, np.array([True, True]))
    assert found.modalities == ["text", "text"]
    assert np.isfinite(found.probabilities).all()


def test_a_batch_without_any_photo_needs_no_photo_vectors(artefact):
    text, _, _, _ = inputs(artefact, 3)
    found = artefact.predict(text, np.ones(3, bool), np.empty((3, 0), np.float32), np.zeros(3, bool))
    assert found.modalities == ["text"] * 3


def test_vectors_of_another_encoder_are_refused(artefact):
    text, has_text, _, has_photo = inputs(artefact)
    with pytest.raises(ConfigurationError, match=f"photo embeddings have 5 dimensions, this model takes {DIMENSIONS}"):
        artefact.predict(text, has_text, np.zeros((len(text), 5), np.float32), has_photo)
    with pytest.raises(ConfigurationError, match="drawn-1"):
        artefact.check_image_encoder("other-2")
    artefact.check_image_encoder("drawn-1")


def test_loading_and_predicting_import_no_learning_library(saved):
    program = (
        "import sys, numpy as np; from pathlib import Path; from include.models.version.artefact import Artefact\n"
        f"model = Artefact.load(Path({str(saved)!r})); golden = model.golden\n"
        "model.predict(golden.text_vectors, golden.has_text, golden.image_vectors, golden.has_photo)\n"
        "heavy = {'sklearn', 'tensorflow', 'keras', 'spacy', 'mlflow', 'pandas'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "[]"


def test_a_rule_is_applied_where_there_is_text_and_nowhere_else(artefact):
    vectors = np.tile(artefact.golden.text_vectors[:1], (2, 1))
    photos = np.full((2, artefact.photo_classifier.dimensions), np.nan, dtype=np.float32)
    with_text, no_photo = np.array([True, False]), np.zeros(2, dtype=bool)
    without_rule = artefact.predict(vectors, with_text, photos, no_photo)
    other = next(label for label in artefact.labels if label != without_rule.labels[0])
    with_rule = artefact.predict(vectors, with_text, photos, no_photo, [other, other])
    column = artefact.labels.index(other)
    assert with_rule.probabilities[0, column] > without_rule.probabilities[0, column]
    np.testing.assert_array_equal(with_rule.probabilities[1], without_rule.probabilities[1])


def test_the_weight_of_rules_comes_back_with_the_model(artefact, saved):
    assert Artefact.load(saved).policy.rule_weight == artefact.policy.rule_weight == artefact.recipe.rule_weight > 0
