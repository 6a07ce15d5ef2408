"""The model is a real one, trained on drawn products; what is asked of it are drawn products that it never saw."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from include.models.behaviour import perturbations
from include.models.behaviour.checks import BehaviourCheck, LabelledItem, check_behaviour
from include.models.decision.predictions import Predictions
from include.models.version.artefact import Artefact
from include.models.version.labelling import Item, Labeller
from include.models.version.registry import Registry
from include.pipeline.encoders import configured_image_encoder
from include.sandbox.demo.training_catalogue import write_demo_catalogue
from include.settings import Settings

TRAINED_ROWS = 12


@pytest.fixture(scope="module")
def labeller(model_home: Path) -> Labeller:
    settings = Settings(state_dir=model_home)
    artefact = Artefact.load(Registry(settings.tracking_uri, settings.state_dir).champion().path)
    return Labeller(artefact, configured_image_encoder(artefact.image_encoder_spec, settings))


@pytest.fixture(scope="module")
def unseen(tmp_path_factory: pytest.TempPathFactory) -> list[LabelledItem]:
    """Drawn products that come after those the model was trained on."""
    folder = tmp_path_factory.mktemp("unseen")
    with write_demo_catalogue(folder, rows_per_label=TRAINED_ROWS + 4).open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if int(row["id"][-3:]) >= TRAINED_ROWS]
    return [
        LabelledItem(
            Item(
                name=row["name"],
                brand=row["brand"] or None,
                description=row["description"] or None,
                photo=(folder / "images" / row["image"]).read_bytes() if row["image"] else None,
            ),
            row["category"],
        )
        for row in rows
    ]


def by_name(checks: Sequence[BehaviourCheck]) -> dict[str, BehaviourCheck]:
    return {check.name: check for check in checks}


def test_every_check_has_cases_and_a_sound_model_passes_those_about_text(
    labeller: Labeller, unseen: list[LabelledItem]
) -> None:
    checks = by_name(check_behaviour(labeller, unseen))
    assert all(check.cases > 0 for check in checks.values())
    for name in ("upper case keeps the label", "text without accents keeps the label"):
        assert checks[name].passed, checks[name]
    assert checks["a product without text and photo goes to review"].passed


class SpoiltLabeller(Labeller):
    """The model with a whim: it gives another label to products of a certain look, and is sure of it."""

    def __init__(self, labeller: Labeller, looks_so: Callable[[Item], bool], label: str) -> None:
        self.artefact = labeller.artefact
        self._labeller = labeller
        self._looks_so = looks_so
        self._label = label

    def label(self, items: Sequence[Item]) -> Predictions:
        found = self._labeller.label(items)
        changed = np.array([self._looks_so(item) for item in items], dtype=bool)
        probabilities = found.probabilities.copy()
        probabilities[changed] = np.eye(len(found.label_names))[found.label_names.index(self._label)]
        return replace(found, probabilities=probabilities, is_accepted=found.is_accepted | changed)


@pytest.mark.parametrize(
    ("check", "looks_so"),
    [
        ("upper case keeps the label", lambda item: (item.name or "a").isupper()),
        ("trailing boilerplate keeps the label", lambda item: "rights reserved" in f"{item.name}{item.description}"),
        ("a product without text and photo goes to review", lambda item: item == Item()),
        (
            "a name alone is accepted only where it is right",
            lambda item: item == Item(name=item.name) and item.name is not None,
        ),
        ("a photo alone is accepted only where it is right", lambda item: item == Item(photo=item.photo)),
    ],
)
def test_a_model_that_misbehaves_fails_the_check_and_is_told_where(
    labeller: Labeller, unseen: list[LabelledItem], check: str, looks_so: Callable[[Item], bool]
) -> None:
    failed = by_name(check_behaviour(SpoiltLabeller(labeller, looks_so, "cheese_charcuterie"), unseen))[check]
    assert not failed.passed
    assert failed.failures
    assert all("-> cheese_charcuterie" in failure for failure in failed.failures)


def test_a_model_that_calls_vinegar_champagne_fails(labeller: Labeller, unseen: list[LabelledItem]) -> None:
    spoilt = SpoiltLabeller(labeller, lambda item: (item.name or "").startswith("Vinaigre de"), "champagne")
    checks = by_name(check_behaviour(spoilt, unseen))
    assert not checks["vinegar made of a champagne is not accepted as champagne"].passed


def test_the_photo_checks_look_at_the_photo(labeller: Labeller, unseen: list[LabelledItem]) -> None:
    originals = {product.item.photo for product in unseen}
    spoilt = SpoiltLabeller(labeller, lambda item: item.photo not in originals | {None}, "cheese_charcuterie")
    checks = by_name(check_behaviour(spoilt, unseen))
    assert not checks["a flipped photo keeps the label"].passed
    assert not checks["a recompressed photo keeps the label"].passed


def test_products_of_labels_that_the_model_does_not_know_are_no_cases(labeller: Labeller) -> None:
    checks = check_behaviour(labeller, [LabelledItem(Item(name="hammer"), "tools")])
    assert by_name(checks)["upper case keeps the label"].cases == 0


def test_without_its_photo_encoder_a_labeller_reads_the_text_alone(
    labeller: Labeller, unseen: list[LabelledItem]
) -> None:
    pictured = [product.item for product in unseen if product.item.photo]
    blind = Labeller(labeller.artefact)
    with_photos, without = blind.label(pictured), blind.label([replace(item, photo=None) for item in pictured])
    assert np.array_equal(with_photos.probabilities, without.probabilities)
    assert set(labeller.label([perturbations.photo_only(item) for item in pictured]).modalities) == {"photo"}
