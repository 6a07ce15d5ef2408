"""How a model trained on real records behaves on real products that it never saw, the hard ones of the feed by name."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from include.models.behaviour.checks import LabelledItem, check_behaviour
from include.models.data.label_list import product_codes, without_listed_products
from include.models.training.train import train
from include.models.version.labelling import Item, Labeller
from include.pipeline.encoders import configured_image_encoder
from include.pipeline.evaluation.data import EvaluationData, load_evaluation_data
from include.pipeline.training.options import training_options
from include.settings import Settings

HARD_NEGATIVES = {
    "lentils of Champagne": ("3442610001720", "3770001671888"),
    "champagne vinegar": ("0072412000336", "0786969030097"),
    "champagne dressing": ("0070200581159",),
    "champagne mustard": ("3275550005394", "0041130388248"),
    "pink biscuits": ("3435070021780", "3435070300014", "3495040340754"),
    "biscuits for champagne": ("3018940000100", "3435070026525"),
    "chocolate with marc de Champagne": ("4023800995013", "5055365631838", "4000161330844"),
    "ice with marc de Champagne": ("8712100471674",),
    "ratafia": ("3104946024049",),
    "marc": ("3197171050150",),
    "sorbet": ("3428420003888", "0852681955380"),
    "foie gras and terrine": ("3104544071377", "3265490000313"),
    "choucroute": ("3022820008063",),
    "cheese": ("3330891000207",),
    "cognac": ("0084692150540", "3251370040050"),
    "jam and honey": ("3700662759489", "3410032200014"),
    "perfume": ("7798104230883",),
    "champagne cola": ("0041331039987", "0085653111112"),
}
ROWS_PER_LABEL = 150
"""Enough for a model that behaves, few enough for a test."""
HELD_OUT = 5
"""One of so many Flipkart products, by hash, is asked about and not learnt from."""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(state_dir=tmp_path_factory.mktemp("real"), training_folds=3)


@pytest.fixture(scope="module")
def data(shared_data: Path, settings: Settings) -> EvaluationData:
    return load_evaluation_data(shared_data, settings, {"default": settings.image_encoder}, lambda _text: None)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture(scope="module")
def unseen(data: EvaluationData) -> np.ndarray:
    """Positions of the products that are asked about and not learnt from."""
    codes = product_codes(data.products["product_id"].to_pylist())
    hard = {code for codes_of_kind in HARD_NEGATIVES.values() for code in codes_of_kind}
    sources = data.products["source"].to_pylist()
    chosen = [
        row
        for row, (code, source) in enumerate(zip(codes, sources, strict=True))
        if code in hard or (source == "flipkart" and int(digest(code), 16) % HELD_OUT == 0)
    ]
    return np.array(chosen, dtype=np.int64)


@pytest.fixture(scope="module")
def labeller(data: EvaluationData, unseen: np.ndarray, settings: Settings) -> Labeller:
    rows_of_label: dict[str, list[int]] = defaultdict(list)
    ids = data.products["product_id"].to_pylist()
    for row in sorted(range(len(ids)), key=lambda row: digest(ids[row])):
        label = data.labels[row]
        if label is not None and len(rows_of_label[label]) < ROWS_PER_LABEL:
            rows_of_label[label].append(row)
    learnt = np.sort(np.concatenate([np.array(rows) for rows in rows_of_label.values()]))
    everything = data.training_set(np.union1d(learnt, unseen[[data.labels[row] is not None for row in unseen]]))
    codes = product_codes([ids[row] for row in unseen])
    artefact, _report = train(without_listed_products(everything, codes), training_options(settings))
    return Labeller(artefact, configured_image_encoder(settings.image_encoder, settings))


def items_of(data: EvaluationData, rows: np.ndarray) -> list[Item]:
    columns = [data.column(name) for name in ("name", "brand", "description", "ingredients")]
    items = []
    for row in rows.tolist():
        name, brand, description, ingredients = (column[row] for column in columns)
        photo = data.photo_files[row]
        items.append(Item(name, brand, description, ingredients, photo.read_bytes() if photo else None))
    return items


def accepted_labels(codes: tuple[str, ...], data: EvaluationData, labeller: Labeller) -> list[str]:
    found_codes = product_codes(data.products["product_id"].to_pylist())
    rows = np.array([row for row, code in enumerate(found_codes) if code in codes], dtype=np.int64)
    assert len({found_codes[row] for row in rows}) == len(codes)
    found = labeller.label(items_of(data, rows))
    return [label for label, sure in zip(found.labels, found.is_accepted, strict=True) if sure]


@pytest.mark.parametrize("kind", HARD_NEGATIVES)
def test_a_hard_negative_of_the_feed_is_never_accepted_as_champagne(
    kind: str, data: EvaluationData, labeller: Labeller
) -> None:
    assert "champagne" not in accepted_labels(HARD_NEGATIVES[kind], data, labeller)


def test_the_model_knows_champagne_and_accepts_some(data: EvaluationData, labeller: Labeller) -> None:
    rows = np.array([row for row, label in enumerate(data.labels) if label == "champagne"], dtype=np.int64)
    found = labeller.label(items_of(data, rows))
    is_champagne = np.array(found.labels) == "champagne"
    assert is_champagne.mean() > 0.9
    assert (is_champagne & found.is_accepted).mean() > 0.5


def test_the_model_behaves_on_products_of_the_shop_that_it_never_saw(
    data: EvaluationData, labeller: Labeller, unseen: np.ndarray
) -> None:
    shop = unseen[[data.products["source"][int(row)].as_py() == "flipkart" for row in unseen]]
    products = [
        LabelledItem(item, str(data.labels[row]))
        for item, row in zip(items_of(data, shop), shop.tolist(), strict=True)
        if data.labels[row] is not None
    ]
    assert len(products) > 100
    failed = [check for check in check_behaviour(labeller, products) if not check.passed]
    assert not failed, failed
