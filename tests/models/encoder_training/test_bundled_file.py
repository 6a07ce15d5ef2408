"""The encoder that ships: the file is what its card says, and sees what it should."""

from __future__ import annotations

import ast
import csv
import hashlib
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from include.features.image.bundled_model import BUNDLED_FOLDER, bundled_network
from include.features.image.decode import decode_photo
from include.features.image.onnx_model import OnnxModel
from include.models.encoder_training.export import MOST_BYTES
from include.models.encoder_training.photo_crops import held_out
from tests.models.encoder_training.drawn import file_of, picture


def test_the_card_is_the_card_of_this_file() -> None:
    card = (BUNDLED_FOLDER / "model_card.md").read_text()
    content = bundled_network().read_bytes()
    assert hashlib.sha256(content).hexdigest() in card
    assert f"{len(content):,} bytes" in card
    assert OnnxModel(bundled_network()).identity in card
    assert len(content) <= MOST_BYTES


def test_it_takes_plain_pixels_and_gives_vectors_of_length_one() -> None:
    model = OnnxModel(bundled_network())
    assert (model.input_size, model.dimensions) == ((192, 192), 1024)
    vectors = model.embed(np.stack([picture(seed, side=192) for seed in range(9)]))
    assert vectors.shape == (9, 1024)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_picture_mirrored_or_recompressed_stays_nearer_to_itself_than_to_others() -> None:
    model = OnnxModel(bundled_network())
    pictures = [picture(seed, side=192) for seed in range(6)]
    changed = [one[:, ::-1] for one in pictures]
    changed += [decode_photo(file_of(one, "JPEG", quality=40), (192, 192), 10**6) for one in pictures]
    similarity = model.embed(np.stack(changed)) @ model.embed(np.stack(pictures)).T
    np.testing.assert_array_equal(similarity.argmax(axis=1), [*range(6), *range(6)])


def test_departments_of_photos_never_seen_in_training_are_told_apart(shared_data: Path) -> None:
    pixels, departments, unseen = shop_photos(shared_data / "flipkart")
    vectors = OnnxModel(bundled_network()).embed(pixels)
    head = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
    head.fit(vectors[~unseen], departments[~unseen])
    assert head.score(vectors[unseen], departments[unseen]) > 0.65


def shop_photos(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pixels, departments and whether the training held the photo out, of every second photo."""
    with (folder / "flipkart_com-ecommerce_sample.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))[::2]
    pixels, departments, unseen = [], [], []
    for row in rows:
        path = folder / "images" / f"{row['uniq_id']}.jpg"
        if path.exists():
            with Image.open(path) as photo:
                photo.draft("RGB", (192, 192))
                pixels.append(np.asarray(photo.convert("RGB").resize((192, 192), Image.Resampling.BILINEAR)))
            departments.append(ast.literal_eval(row["product_category_tree"])[0].split(" >> ")[0])
            unseen.append(held_out(path.read_bytes()))
    return np.stack(pixels), np.array(departments), np.array(unseen)
