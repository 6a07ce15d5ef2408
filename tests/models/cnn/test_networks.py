"""The networks: what they take and give, what is trained of them, and which bases are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from include.errors import ConfigurationError
from include.features.image.preprocessing import PREPROCESSINGS
from include.models.cnn.networks import EMBEDDING, _with_preprocessing, build_network
from include.models.cnn.recipes import SCRATCH, CnnRecipe, recipe_named


def trained(model: Any) -> set[str]:
    return {variable.path for variable in model.trainable_variables}


def test_a_network_from_scratch_gives_logits_and_trains_everything(recipe: CnnRecipe) -> None:
    network = build_network(replace(recipe, base=SCRATCH, widths=(4, 8)), labels=5)
    network.unfreeze(1.0)
    assert network.size == (24, 24)
    assert network.model.output_shape == (None, 5)
    assert network.model.get_layer(EMBEDDING).output.shape == (None, 8)
    assert any("gamma" in path for path in trained(network.model))


def test_the_head_is_trained_alone_and_then_the_top_without_normalisation(recipe: CnnRecipe) -> None:
    network = build_network(recipe, labels=3)
    network.unfreeze(0.0)
    assert {path.split("/")[-2] for path in trained(network.model)} == {"logits"}
    network.unfreeze(0.5)
    convolutions = {path for path in trained(network.model) if "conv2d" in path}
    assert len(convolutions) == 2  # kernel and bias of the upper of two
    assert not any("gamma" in path or "beta" in path for path in trained(network.model))
    network.unfreeze(1.0)
    assert len({path for path in trained(network.model) if "conv2d" in path}) == 4


def test_normalisation_of_a_trained_base_stays_as_it_was(recipe: CnnRecipe) -> None:
    network = build_network(recipe, labels=3)
    network.unfreeze(0.5)
    network.model.compile(optimizer="sgd", loss="mse")
    moving = [variable for variable in network.base.variables if "moving" in variable.path]
    before = [np.array(variable) for variable in moving]
    network.model.train_on_batch(np.full((4, 24, 24, 3), 200.0, np.float32), np.zeros((4, 3), np.float32))
    assert len(moving) == 2
    for variable, kept in zip(moving, before, strict=True):
        np.testing.assert_array_equal(np.array(variable), kept)


@pytest.mark.parametrize("name", PREPROCESSINGS)
def test_preprocessing_in_the_network_is_that_of_the_encoders(name: str) -> None:
    import keras

    photos = keras.Input((4, 4, 3))
    unchanged = keras.Model(photos, keras.layers.Activation("linear")(photos))
    pixels = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 3), dtype=np.uint8)
    answer = _with_preprocessing(unchanged, name).predict_on_batch(pixels.astype(np.float32))
    np.testing.assert_allclose(answer, PREPROCESSINGS[name].apply(pixels), atol=1e-4)


def test_a_named_network_takes_weights_from_a_file(tmp_path: Path) -> None:
    import keras

    keras.utils.set_random_seed(7)
    donor = keras.applications.MobileNetV3Small(
        include_top=False, weights=None, pooling="avg", input_shape=(64, 64, 3), include_preprocessing=False
    )
    donor.save_weights(tmp_path / "donor.weights.h5")
    recipe = replace(recipe_named("mobilenetv3-small-transfer"), side=64, weights=str(tmp_path / "donor.weights.h5"))
    network = build_network(recipe, labels=3)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype(np.float32)
    expected = donor.predict_on_batch(pixels / 127.5 - 1)
    np.testing.assert_allclose(network.base.predict_on_batch(pixels), expected, atol=1e-3)
    network.unfreeze(0.4)
    assert 2 < len(network.model.trainable_variables) < len(donor.trainable_variables)

    other = replace(recipe, base="MobileNetV2")
    with pytest.raises(ConfigurationError, match=r"MobileNetV2 cannot start from .*without its head"):
        build_network(other, labels=3)
    with pytest.raises(ConfigurationError, match="not there"):
        build_network(replace(recipe, weights=str(tmp_path / "absent.h5")), labels=3)


def test_weights_that_cannot_be_downloaded_are_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setattr("keras.src.backend.config.keras_home", lambda: str(tmp_path))
    with pytest.raises(ConfigurationError, match=r"Without access to the internet give the file of weights"):
        build_network(replace(recipe_named("mobilenetv3-small-transfer"), side=64), labels=3)


def test_the_head_of_an_own_network_is_dropped(recipe: CnnRecipe, tmp_path: Path) -> None:
    first = build_network(recipe, labels=3)
    first.model.save(tmp_path / "first.keras")
    second = build_network(replace(recipe, base=str(tmp_path / "first.keras")), labels=7)
    assert second.model.output_shape == (None, 7)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 24, 24, 3)).astype(np.float32)
    np.testing.assert_allclose(second.base.predict_on_batch(pixels), first.base.predict_on_batch(pixels), atol=1e-5)


def test_files_that_are_no_network_for_photos_are_refused(recipe: CnnRecipe, tmp_path: Path) -> None:
    import keras

    (tmp_path / "damaged.keras").write_bytes(b"nothing")
    with pytest.raises(ConfigurationError, match="not a Keras model"):
        build_network(replace(recipe, base=str(tmp_path / "damaged.keras")), labels=3)
    keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)]).save(tmp_path / "words.keras")
    with pytest.raises(ConfigurationError, match=r"has the input \(None, 5\)"):
        build_network(replace(recipe, base=str(tmp_path / "words.keras")), labels=3)
