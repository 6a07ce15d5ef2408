"""The options of a training follow the settings."""

from __future__ import annotations

from include.pipeline.training.options import training_options
from include.settings import Settings

NAMES = (
    "text_encoder", "text_words", "text_dimensions", "text_vocabulary",
    "target_precision", "familiar_share", "training_folds", "min_label_examples", "seed",
)  # fmt: skip


def test_options_are_written_by_the_names_of_the_settings_as_in_all_dataset_hashes_so_far() -> None:
    settings = Settings(text_encoder="tfidf", text_words="lemmas", training_folds=7, min_label_examples=3, seed=5)
    assert training_options(settings).to_dict() == {name: getattr(settings, name) for name in NAMES}


def test_a_label_needs_an_example_for_each_fold() -> None:
    assert training_options(Settings(training_folds=7, min_label_examples=3)).examples_needed == 7
    assert training_options(Settings(training_folds=2, min_label_examples=3)).examples_needed == 3
