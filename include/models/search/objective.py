"""How good a recipe is on the products that there are to learn from: grouped out-of-fold predictions, text and photo.

Each product is predicted by models that saw neither it nor its content group. What a search tunes is tuned on these
very products: how good the found model is must be measured on others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from include.models.classifier.linear import softmax
from include.models.classifier.recipe import Recipe
from include.models.data.dataset import Examples, TrainingSet, prepare_examples
from include.models.data.training_options import TrainingOptions
from include.models.decision.calibration import fit_temperature, log_loss
from include.models.search.outcome import Measure
from include.models.search.search import RecipeScore
from include.models.search.spaces import Space, fingerprint, space_for
from include.models.training.held_out import HeldOut, predict_out_of_fold, rows_for_photo
from include.models.training.report import macro_f1
from include.models.training.train import assign_folds
from include.models.training.tuning import tune


def space_of(dataset: TrainingSet) -> Space:
    """The search space that suits a training set."""
    return space_for(has_photos=any(photo is not None for photo in dataset.photo_hashes))


def kind_of(dataset: TrainingSet, text_encoder: str) -> str:
    """What a recipe is good for, SHA-256 (hex): search space, labels, encoders; not the single products.

    More products of the same labels do not make a recipe useless; another encoder does.
    """
    labels = sorted(set(dataset.labels))
    parts = [fingerprint(space_of(dataset)), dataset.image_encoder_identity, text_encoder, labels]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class OutOfFoldObjective:
    """The score of recipes on one training set, always in the same folds; see `search.Objective`."""

    examples: Examples
    folds: np.ndarray
    """int64 (n,): fold of each example; whole content groups."""
    options: TrainingOptions
    measure: Measure

    @classmethod
    def of(cls, dataset: TrainingSet, options: TrainingOptions, measure: Measure) -> OutOfFoldObjective:
        """For a training set; ConfigurationError when there is too little to train on."""
        examples = prepare_examples(dataset, options.examples_needed)
        return cls(examples, assign_folds(examples, options), options, measure)

    def __call__(self, recipe: Recipe, after_fold: Callable[[float], None]) -> RecipeScore:
        """The score of the predictions that a recipe would give in production, thresholds aside."""
        from threadpoolctl import threadpool_limits

        examples, targets = self.examples, self.examples.targets
        with threadpool_limits(limits=1):
            held_out = predict_out_of_fold(
                examples, self.folds, self.options, recipe,
                lambda found, rows: after_fold(self._fold_estimate(found, rows)),
            )  # fmt: skip
            photo_labels = np.unique(targets[rows_for_photo(examples, self.options.examples_needed)])
            photo_labels = photo_labels if len(photo_labels) > 1 else photo_labels[:0]
            tuned = tune(examples, self.folds, held_out, photo_labels, self.options, recipe)
        probabilities = tuned.predictions["overall"].probabilities
        of_folds = (self.folds == fold for fold in np.unique(self.folds))
        return RecipeScore(
            value=self._measure(probabilities, targets),
            folds=tuple(self._measure(probabilities[rows], targets[rows]) for rows in of_folds),
        )

    def _fold_estimate(self, held_out: HeldOut, rows: np.ndarray) -> float:
        """The measure on one fold of the product of both classifiers' probabilities: enough to prune poor recipes."""
        targets, pooled = self.examples.targets, np.zeros((len(rows), len(self.examples.label_names)))
        for logits, present in ((held_out.text, self.examples.has_text), (held_out.photo, self.examples.has_photo)):
            seen = present[rows]
            found = logits[rows[seen]]
            pooled[seen] += np.log(softmax(found / fit_temperature(found, targets[rows[seen]])) + 1e-9)
        return self._measure(softmax(pooled), targets[rows])

    def _measure(self, probabilities: np.ndarray, targets: np.ndarray) -> float:
        if self.measure == "log_loss":
            return log_loss(probabilities, targets)
        return macro_f1(probabilities.argmax(axis=1), targets)
