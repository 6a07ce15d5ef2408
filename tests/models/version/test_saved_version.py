"""A version that was saved before: `saved_version/` was written once and is never written again.

It was trained on drawn products and has every part that a version can have but a stacked fusion, so that a name in its
files that the program no longer reads is found here and not by whoever has a champion.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from include.models.version.artefact import Artefact

SAVED = Path(__file__).parent / "saved_version"


@pytest.fixture(scope="module")
def version() -> Artefact:
    return Artefact.load(SAVED)


def names(path: Path) -> set[str]:
    with np.load(path) as stored:
        return set(stored.files)


def test_a_version_saved_before_loads_and_encodes_as_it_did(version):
    version.verify()
    assert version.labels == ("watches", "champagne", "vinegar", "chocolate")


def test_a_version_saved_before_decides_as_it_did(version):
    golden = version.golden
    found = version.predict(golden.text_vectors, golden.has_text, golden.image_vectors, golden.has_photo)
    assert list(zip(found.labels, found.decisions, found.modalities, strict=True)) == [
        ("champagne", "accepted", "text"),
        ("vinegar", "accepted", "text"),
        ("vinegar", "accepted", "fusion"),
        ("vinegar", "accepted", "fusion"),
        ("watches", "review", "text"),
        ("chocolate", "review", "text"),
        ("watches", "review", "none"),
    ]
    opposite = version.predict(-golden.text_vectors, golden.has_text, -golden.image_vectors, golden.has_photo)
    assert (found.is_unfamiliar.sum(), opposite.is_unfamiliar.sum()) == (0, 6)


def test_a_version_saved_before_applies_rules_as_it_did(version):
    golden = version.golden
    rules = ["chocolate"] * len(golden.has_text)
    found = version.predict(golden.text_vectors, golden.has_text, golden.image_vectors, golden.has_photo, rules)
    assert found.is_contradicted.tolist() == [True, True, True, True, True, False, False]
    assert (version.policy.rule_weight, version.policy.agreement_weight) == (4.0, 0.0)


def test_a_version_saved_before_has_its_reference_profile(version):
    assert version.profile is not None
    statistics = version.profile.by_source["drawn"]
    assert (statistics.products, statistics.without_photo) == (48, 21)


def test_a_version_saved_before_there_were_reference_products_has_none(version):
    assert version.references is None


def test_a_version_saved_before_is_saved_again_under_the_same_names(version, tmp_path):
    version.save(tmp_path)
    files = sorted(path.name for path in SAVED.iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == files
    for file in files:
        if file.endswith(".npz"):
            assert names(tmp_path / file) == names(SAVED / file), file
    descriptions = [json.loads((folder / "artefact.json").read_text("utf-8")) for folder in (SAVED, tmp_path)]
    before, after = ({**description, "sha256": None} for description in descriptions)
    assert after == before
