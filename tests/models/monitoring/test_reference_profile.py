"""The profile travels with its model, is about what the model had not seen, and may be absent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from include.errors import NoChampionError
from include.models.monitoring.reference_profile import PROFILE_FILE, ReferenceProfile
from include.models.training.train import train
from include.models.version.artefact import Artefact
from tests.models.training.drawn_predictions import LABELS, draw_statistics


def test_training_leaves_the_profile_of_its_out_of_fold_predictions(trained) -> None:
    artefact, report = trained
    profile = artefact.profile
    overall = report.scores["overall"]
    assert profile.label_names == artefact.labels
    assert set(profile.by_source) == {"drawn"}
    statistics = profile.total
    assert statistics.products == overall.examples == 120
    assert 1 - statistics.reviewed / statistics.products == pytest.approx(overall.coverage)
    assert statistics.without_photo == 120 - statistics.photo.count == 72
    assert statistics.text.total.shape == (artefact.text_encoder.dimensions,)


def test_it_comes_back_with_the_model(artefact: Artefact, tmp_path: Path) -> None:
    artefact.save(tmp_path)
    for found in (Artefact.load(tmp_path).profile, ReferenceProfile.load(tmp_path)):
        assert found is not None
        assert found.label_names == artefact.labels
        for name, values in artefact.profile.by_source["drawn"].to_arrays().items():
            np.testing.assert_array_equal(found.by_source["drawn"].to_arrays()[name], values)


def test_a_version_without_a_profile_labels_as_before(artefact: Artefact, tmp_path: Path) -> None:
    artefact.save(tmp_path)
    replace(artefact, profile=None).save(tmp_path)
    assert not (tmp_path / PROFILE_FILE).exists()
    old = Artefact.load(tmp_path)
    assert old.profile is None
    golden = artefact.golden
    found = old.predict(golden.text_vectors, golden.has_text, golden.image_vectors, golden.has_photo)
    np.testing.assert_allclose(found.probabilities, golden.probabilities, atol=1e-6)


def test_a_changed_profile_is_refused_like_any_damaged_file(artefact: Artefact, tmp_path: Path) -> None:
    artefact.save(tmp_path)
    path = tmp_path / PROFILE_FILE
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(NoChampionError, match=r"python -m include train"):
        Artefact.load(tmp_path)


def test_every_source_has_its_statistics(training_set, options) -> None:
    ids = [f"{'feed' if number % 3 else 'shop'}:{number}" for number in range(len(training_set.labels))]
    profile = train(replace(training_set, product_ids=ids), options)[0].profile
    assert {source: statistics.products for source, statistics in profile.by_source.items()} == {"feed": 80, "shop": 40}


def test_a_batch_is_compared_with_its_source_where_training_had_enough_of_it() -> None:
    profile = ReferenceProfile(LABELS, {"feed": draw_statistics(60), "shop": draw_statistics(200, 1)})
    statistics, same_source = profile.baseline_for("feed", 60)
    assert (statistics.products, same_source) == (60, True)
    for source, min_products in (("feed", 61), ("unheard_of", 1)):
        statistics, same_source = profile.baseline_for(source, min_products)
        assert (statistics.products, same_source) == (260, False)
