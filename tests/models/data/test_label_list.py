from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from include.errors import ConfigurationError
from include.models.data.dataset import TrainingSet
from include.models.data.label_list import (
    label_list_part,
    near_identical_groups,
    product_codes,
    read_label_list,
    without_listed_products,
)
from include.schema import text_hash
from include.taxonomy import load_taxonomy

CHAMPAGNE_LIST = Path(__file__).resolve().parents[2] / "data" / "champagne_labels.csv"


def training_set(rows: list[tuple[str, str, str | None]]) -> TrainingSet:
    """Rows of product id, text and photo hash."""
    return TrainingSet(
        product_ids=[product_id for product_id, _, _ in rows],
        documents=[text for _, text, _ in rows],
        text_hashes=[text_hash(text) if text else None for _, text, _ in rows],
        photo_hashes=[photo for _, _, photo in rows],
        image_vectors=np.full((len(rows), 2), np.nan, dtype=np.float32),
        labels=["champagne"] * len(rows),
        origins=["rule"] * len(rows),
    )


def test_the_list_has_known_labels_and_both_halves_hold_enough_of_the_wine_and_of_the_rest():
    labels = read_label_list(CHAMPAGNE_LIST)
    assert len(labels) >= 500
    assert set(labels.values()) <= set(load_taxonomy().labels)
    for part in ("development", "test"):
        wine = [label == "champagne" for code, label in labels.items() if label_list_part(code) == part]
        assert sum(wine) >= 80
        assert len(wine) - sum(wine) >= 80


def test_a_code_is_labelled_or_left_out_but_not_both():
    left_out = (CHAMPAGNE_LIST.parent / "champagne_left_out.csv").read_text(encoding="utf-8").splitlines()[1:]
    codes = {line.split(",")[0] for line in left_out}
    assert len(codes) == len(left_out) == 20
    assert codes.isdisjoint(read_label_list(CHAMPAGNE_LIST))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("code,kind\n1,champagne\n", "no column label"),
        ("", "no column code, label"),
        ("code,label\n1,champagne\n1,vinegar\n", "line 3: 1 is on the list already"),
        ("code,label\n1,cider\n", "unknown label 'cider'"),
        ("code,label\n,champagne\n", "line 2: a code or a label is empty"),
        ("code,label\n1\n", "line 2: a code or a label is empty"),
    ],
)
def test_a_wrong_list_is_refused_with_what_is_wrong(tmp_path: Path, content: str, message: str):
    path = tmp_path / "labels.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=message):
        read_label_list(path)


def test_an_absent_list_is_named(tmp_path: Path):
    with pytest.raises(ConfigurationError, match=r"absent\.csv cannot be read"):
        read_label_list(tmp_path / "absent.csv")


def test_the_halves_never_change():
    assert [label_list_part(code) for code in ("0011246565826", "0011822111089", "3185370000021", "00151269")] == [
        "development",
        "development",
        "test",
        "test",
    ]


def test_a_code_is_the_same_whatever_the_source():
    assert product_codes(["off:3185370000021", "shop:3185370000021", "shop:a:b"]) == [
        "3185370000021",
        "3185370000021",
        "a:b",
    ]


def test_a_listed_product_is_left_out_with_its_near_duplicates():
    dataset = training_set(
        [
            ("off:1", "Champagne Brut 75 cl", None),
            ("other:1", "Another text of the same product", None),
            ("off:2", "BRUT champagne, cl 150", None),
            ("off:3", "Réserve", "photo"),
            ("off:4", "Another text of the same product", "photo"),
            ("off:5", "Champagne Brut Réserve", None),
            ("off:6", "", None),
        ]
    )
    kept = without_listed_products(dataset, {"1"})
    assert kept.product_ids == ["off:5", "off:6"]
    assert kept.documents == ["Champagne Brut Réserve", ""]
    assert kept.image_vectors.shape == (2, 2)
    assert without_listed_products(kept, {"1"}).product_ids == kept.product_ids


def test_nothing_listed_takes_nothing_away():
    dataset = training_set([("off:1", "Champagne", None), ("off:2", "Vinegar", None)])
    assert without_listed_products(dataset, {"3"}).product_ids == dataset.product_ids


def test_texts_without_a_word_are_not_one_group():
    groups = near_identical_groups(training_set([("off:1", "", None), ("off:2", "12 75", None), ("off:3", "75", None)]))
    assert len(set(groups.tolist())) == 3
