"""Classical image features."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np

from tests.features.image.encoders import load_encoder
from tests.features.image.networks import jpeg, quarters


def test_photos_become_finite_vectors_of_one_width() -> None:
    encoder = load_encoder("classical")
    photos = [jpeg(300, 40), jpeg(8, 900, (255, 255, 255)), jpeg(1, 1, (0, 0, 0)), quarters(), b"nothing"]
    vectors = encoder.encode(photos)
    assert vectors.shape == (5, encoder.dimensions)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors[:4]).all()
    assert np.isnan(vectors[4]).all()


def test_the_same_product_larger_on_the_same_ground_is_the_nearest() -> None:
    from io import BytesIO

    from PIL import Image

    def on_white(photo: bytes, side: int) -> bytes:
        ground = Image.new("RGB", (400, 400), "white")
        with Image.open(BytesIO(photo)) as product:
            ground.paste(product.resize((side, side)), (30, 60))
        stream = BytesIO()
        ground.save(stream, "PNG")
        return stream.getvalue()

    encoder = load_encoder("classical")
    small, large, other = encoder.encode(
        [on_white(quarters(), 100), on_white(quarters(), 300), on_white(jpeg(50, 50), 300)]
    )
    assert np.linalg.norm(small - large) < 0.5 * np.linalg.norm(large - other)


def test_real_photos_tell_departments_better_than_chance(shared_data: Path) -> None:
    from sklearn.svm import SVC

    with (shared_data / "flipkart" / "flipkart_com-ecommerce_sample.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))[::6]
    folder = shared_data / "flipkart" / "images"
    rows = [row for row in rows if (folder / f"{row['uniq_id']}.jpg").exists()]
    departments = np.array([json.loads(row["product_category_tree"])[0].split(">>")[0].strip() for row in rows])
    vectors = load_encoder("classical").encode([(folder / f"{row['uniq_id']}.jpg").read_bytes() for row in rows])
    classifier = SVC(C=10).fit(vectors[::2], departments[::2])
    assert classifier.score(vectors[1::2], departments[1::2]) > 0.5
