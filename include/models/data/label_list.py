"""A list of labels assigned by hand, for evaluating models that were not trained on the listed products.

    labels = read_label_list(Path("tests/data/champagne_labels.csv"))     # barcode -> label
    dataset = without_listed_products(dataset, labels)                    # nor near duplicates of them

A list is used only for models trained on neither its products nor products with nearly the same text or the same photo.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from include.errors import ConfigurationError
from include.models.data.content_groups import content_groups
from include.models.data.dataset import TrainingSet
from include.plain_words import plain_words
from include.schema import text_hash
from include.taxonomy import Taxonomy, load_taxonomy


def read_label_list(path: Path, taxonomy: Taxonomy | None = None) -> dict[str, str]:
    """Code of a product (its id at its source, such as a barcode) → label, in the file's order.

    The file is CSV with the columns `code` and `label`; other columns are ignored. Raises ConfigurationError
    if it cannot be read, lacks a column, names a code twice, or has a label outside the taxonomy.
    """
    taxonomy = taxonomy or load_taxonomy()
    labels: dict[str, str] = {}
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream)
            absent = {"code", "label"} - set(reader.fieldnames or ())
            if absent:
                raise ConfigurationError(f"{path}: no column {', '.join(sorted(absent))}; found {reader.fieldnames}")
            for row in reader:
                code, label = row["code"], row["label"]
                if not code or not label:
                    raise ConfigurationError(f"{path}, line {reader.line_num}: a code or a label is empty")
                if code in labels:
                    raise ConfigurationError(f"{path}, line {reader.line_num}: {code} is on the list already")
                labels[code] = taxonomy.require_label(label)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(f"the label list {path} cannot be read: {error}") from error
    return labels


def label_list_part(code: str) -> Literal["development", "test"]:
    """The half of the list that a product belongs to, by a hash of its code.

    Rules and settings may be tuned on the development half; the test half is used for figures only.
    """
    return "test" if hashlib.sha256(code.encode()).digest()[0] % 2 else "development"


def product_codes(product_ids: Sequence[str]) -> list[str]:
    """The code in each product id: `3185370000021` of `openfoodfacts:3185370000021`."""
    return [product_id.partition(":")[2] for product_id in product_ids]


def near_identical_groups(dataset: TrainingSet) -> np.ndarray:
    """Group number of each row, int64 (n,): rows with the same code, photo or nearly the same text are in one group.

    Texts are nearly the same if they have the same set of words, without regard to case, accents and numerals:
    "Champagne Brut 75 cl" and "CHAMPAGNE brut, cl".
    """
    words = [sorted({word for word in plain_words(text).split() if not word.isdigit()}) for text in dataset.documents]
    texts = [text_hash(" ".join(found)) if found else None for found in words]
    return content_groups(product_codes(dataset.product_ids), dataset.text_hashes, texts, dataset.photo_hashes)


def without_listed_products(
    dataset: TrainingSet, codes: Collection[str], groups: np.ndarray | None = None
) -> TrainingSet:
    """The training set without the listed products and all that share a content group with one of them.

    `groups` are the group numbers of the rows, int64 (n,); by default those of `near_identical_groups`.
    """
    listed = set(codes)
    groups = near_identical_groups(dataset) if groups is None else groups
    on_list = np.fromiter((code in listed for code in product_codes(dataset.product_ids)), bool, len(groups))
    return take_rows(dataset, np.flatnonzero(~np.isin(groups, groups[on_list])))


def take_rows(dataset: TrainingSet, positions: np.ndarray) -> TrainingSet:
    """The training set of the rows at `positions` (int64), in that order."""
    return replace(
        dataset,
        product_ids=[dataset.product_ids[i] for i in positions],
        documents=[dataset.documents[i] for i in positions],
        text_hashes=[dataset.text_hashes[i] for i in positions],
        photo_hashes=[dataset.photo_hashes[i] for i in positions],
        image_vectors=dataset.image_vectors[positions],
        labels=[dataset.labels[i] for i in positions],
        origins=[dataset.origins[i] for i in positions],
        rule_labels=None if dataset.rule_labels is None else [dataset.rule_labels[i] for i in positions],
    )
