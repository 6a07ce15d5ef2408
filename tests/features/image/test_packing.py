"""Photo encoders that are moved with the model that needs them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from include.features.image import load_image_encoder
from include.features.image.interface import ImageEncoder
from include.features.image.packing import exported_spec, missing_files, pack_image_encoder, unpacked_spec
from include.features.image.sift_bag_of_words import WORDS_FILE, SiftBagOfWords
from tests.features.image.networks import quarters, write_mean_network


@pytest.fixture
def network(tmp_path: Path) -> Path:
    return write_mean_network(tmp_path / "mean.onnx", ["n", 3, 8, 8])


def load(spec: str, folder: Path) -> ImageEncoder:
    return load_image_encoder(spec, threads=1, max_pixels=10_000, exports=folder / "exports")


@pytest.mark.parametrize("spec", ["classical", "bundled", "classical+bundled?weight=0.5", "keras-applications:VGG16"])
def test_an_encoder_without_a_file_of_its_own_stays_as_it_is(spec: str, tmp_path: Path) -> None:
    assert pack_image_encoder(spec, tmp_path) == spec
    assert unpacked_spec(spec, tmp_path) == spec
    assert missing_files(spec) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options", ["", "?preprocessing=raw", "?preprocessing=tf&views=whole,mirrored"])
def test_a_packed_network_is_the_same_encoder_wherever_its_folder_is(
    network: Path, tmp_path: Path, options: str
) -> None:
    before = load(f"{network}{options}", tmp_path)
    packed = pack_image_encoder(f"{network}{options}", tmp_path / "version")
    assert packed == f"./image_encoder/0/mean.onnx{options}"
    shutil.move(tmp_path / "version", tmp_path / "elsewhere")
    network.unlink()
    after = load(unpacked_spec(packed, tmp_path / "elsewhere"), tmp_path)
    assert after.identity == before.identity
    assert np.array_equal(after.encode([quarters()]), before.encode([quarters()]))


def test_two_files_of_one_name_stay_two(network: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = write_mean_network(tmp_path / "other" / "mean.onnx", ["n", 3, 4, 4])
    spec = f"{network}?weight=2+classical+{other}"
    packed = pack_image_encoder(spec, tmp_path / "version")
    assert packed == "./image_encoder/0/mean.onnx?weight=2+classical+./image_encoder/2/mean.onnx"
    assert load(unpacked_spec(packed, tmp_path / "version"), tmp_path).identity == load(spec, tmp_path).identity


def test_visual_words_are_packed_with_their_folder(tmp_path: Path) -> None:
    SiftBagOfWords(np.eye(128, dtype=np.float32)).save(tmp_path / "words")
    packed = pack_image_encoder(f"sift-bag-of-words:{tmp_path / 'words'}", tmp_path / "version")
    shutil.rmtree(tmp_path / "words")
    unpacked = unpacked_spec(packed, tmp_path / "version")
    assert (tmp_path / "version" / "image_encoder" / "0" / "words" / WORDS_FILE).exists()
    assert load(unpacked, tmp_path).dimensions == 128


def test_packing_again_in_the_same_folder_keeps_the_encoder_and_drops_the_one_before(
    network: Path, tmp_path: Path
) -> None:
    version = tmp_path / "version"
    packed = pack_image_encoder(str(network), version)
    assert pack_image_encoder(unpacked_spec(packed, version), version) == packed
    assert [path.name for path in version.rglob("*.onnx")] == ["mean.onnx"]
    assert pack_image_encoder("classical", version) == "classical"
    assert list(version.iterdir()) == []


def test_a_path_that_is_not_in_the_folder_is_left_alone_and_reported_as_missing(tmp_path: Path) -> None:
    spec = f"{tmp_path}/gone.onnx?side=32+classical"
    assert pack_image_encoder(spec, tmp_path) == spec
    assert unpacked_spec("./image_encoder/0/gone.onnx", tmp_path) == "./image_encoder/0/gone.onnx"
    assert missing_files(spec) == [tmp_path / "gone.onnx"]


def test_only_networks_of_keras_are_exported(network: Path, tmp_path: Path) -> None:
    spec = f"{network}?side=32+classical"
    assert exported_spec(spec, tmp_path / "exports") == spec
    assert not (tmp_path / "exports").exists()
