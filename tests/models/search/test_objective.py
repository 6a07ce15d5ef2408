"""A recipe is scored by its predictions of held-out products."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.errors import ConfigurationError
from include.models.classifier.recipe import Recipe
from include.models.data.dataset import TrainingSet
from include.models.data.training_options import TrainingOptions
from include.models.search.objective import OutOfFoldObjective, kind_of, space_of
from include.models.search.spaces import TEXT_AND_PHOTO, TEXT_ONLY
from include.models.training.train import train
from include.pipeline.training.options import training_options
from include.settings import Settings
from tests.models.conftest import draw_training_set


@pytest.fixture
def dataset() -> TrainingSet:
    return draw_training_set(per_label=12)


@pytest.fixture
def options() -> TrainingOptions:
    return training_options(Settings(text_dimensions=16, training_folds=2))


def test_the_verdict_is_what_training_with_the_recipe_reports(dataset: TrainingSet, options: TrainingOptions) -> None:
    recipe = Recipe(photo_heads=("lda",), fusion="late")
    estimates: list[float] = []
    score = OutOfFoldObjective.of(dataset, options, "macro_f1")(recipe, estimates.append)
    _, report = train(dataset, options, recipe)
    assert score.value == pytest.approx(report.scores["overall"].macro_f1)
    assert len(score.folds) == len(estimates) == 2
    assert all(0.0 < value <= 1.0 for value in [*score.folds, *estimates])

    losses = OutOfFoldObjective.of(dataset, options, "log_loss")(recipe, lambda _value: None)
    assert losses.value == pytest.approx(report.scores["overall"].log_loss, rel=1e-3)


def test_a_worse_recipe_gets_a_worse_verdict(dataset: TrainingSet, options: TrainingOptions) -> None:
    objective = OutOfFoldObjective.of(dataset, options, "log_loss")
    fair, useless = Recipe(fusion="text"), Recipe(fusion="text", text_regularisation=1e-4)
    assert objective(fair, lambda _value: None).value < objective(useless, lambda _value: None).value


def test_a_recipe_is_for_labels_and_encoders_not_for_single_products(dataset: TrainingSet) -> None:
    kind = kind_of(dataset, "tfidf-svd")
    assert kind_of(draw_training_set(per_label=20, seed=5), "tfidf-svd") == kind
    assert kind_of(replace(dataset, image_encoder_identity="other"), "tfidf-svd") != kind
    assert kind_of(replace(dataset, labels=["champagne"] * len(dataset.labels)), "tfidf-svd") != kind
    assert kind_of(replace(dataset, photo_hashes=[None] * len(dataset.labels)), "tfidf-svd") != kind


def test_products_without_photos_are_searched_in_their_own_space(dataset: TrainingSet) -> None:
    assert space_of(dataset) is TEXT_AND_PHOTO
    assert space_of(replace(dataset, photo_hashes=[None] * len(dataset.labels))) is TEXT_ONLY


def test_too_little_to_learn_from_is_refused(options: TrainingOptions) -> None:
    with pytest.raises(ConfigurationError, match="at least two labels"):
        OutOfFoldObjective.of(draw_training_set(per_label=1), options, "macro_f1")
