"""Out-of-fold predictions: the data for every choice that training makes after fitting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from include.features.text import TextEncoder, fit_text_encoder
from include.models.classifier.classifier import Classifier
from include.models.classifier.heads import fit_photo, fit_text
from include.models.classifier.joint import JointHead, fit_joint
from include.models.classifier.recipe import Recipe
from include.models.data.dataset import Examples
from include.models.data.training_options import TrainingOptions
from include.models.decision.out_of_distribution import SIGNALS, OutOfDistributionDetector, fit_detector

_UNSEEN = -30.0
"""Logit of a label that a fold's classifier never saw, and of rows without the input."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """Encoder, classifiers and detectors learnt from some of the examples; nothing is calibrated yet."""

    text_encoder: TextEncoder
    text_vectors: np.ndarray
    """float32 (n, d): of all examples, by this encoder."""
    text: Classifier
    photo: Classifier | None
    joint: JointHead | None
    text_detector: OutOfDistributionDetector
    photo_detector: OutOfDistributionDetector | None


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Logits of each example from models that saw neither it nor its content group, float32 (n, k)."""

    text: np.ndarray
    photo: np.ndarray
    joint: np.ndarray
    signals: np.ndarray
    """float64 (n, SIGNALS); the two energies are left at 0, because they depend on the temperature."""
    has_joint: bool

    @classmethod
    def empty(cls, examples: int, labels: int, *, has_joint: bool) -> HeldOut:
        """No prediction yet."""
        text, photo, joint = (np.full((examples, labels), _UNSEEN, dtype=np.float32) for _ in range(3))
        return cls(text, photo, joint, np.zeros((examples, len(SIGNALS))), has_joint)


def fit_all(examples: Examples, rows: np.ndarray, options: TrainingOptions, recipe: Recipe) -> Fitted:
    """Learn everything from the given rows of the examples."""
    encoder = _fit_text_encoder(examples, rows, options, recipe)
    vectors = encoder.encode(examples.documents)
    targets, seed = examples.targets, options.seed
    text_rows = rows[examples.has_text[rows]]
    photo_rows = np.intersect1d(rows, rows_for_photo(examples, options.examples_needed))
    text = fit_text(vectors[text_rows], targets[text_rows], recipe, seed)
    photo = fit_photo(examples.image_vectors[photo_rows], targets[photo_rows], recipe, seed)
    joint = None
    if photo is not None and recipe.fusion in ("auto", "joint"):
        joint_rows = rows[np.isin(targets[rows], photo.known)]
        has_photo = examples.has_photo[joint_rows]
        joint = fit_joint(
            vectors[joint_rows], examples.has_text[joint_rows], examples.image_vectors[joint_rows], has_photo,
            targets[joint_rows], text, photo, recipe, seed,
        )  # fmt: skip
    return Fitted(
        text_encoder=encoder,
        text_vectors=vectors,
        text=text,
        photo=photo,
        joint=joint,
        text_detector=fit_detector(vectors[text_rows], targets[text_rows], seed),
        photo_detector=(
            None if photo is None else fit_detector(examples.image_vectors[photo_rows], targets[photo_rows], seed)
        ),
    )


def rows_for_photo(examples: Examples, examples_needed: int) -> np.ndarray:
    """Rows with a photo whose label has as many photos as any label needs examples."""
    rows = np.flatnonzero(examples.has_photo)
    counts = np.bincount(examples.targets[rows], minlength=len(examples.label_names))
    return np.asarray(rows[counts[examples.targets[rows]] >= examples_needed])


def predict_out_of_fold(
    examples: Examples,
    folds: np.ndarray,
    options: TrainingOptions,
    recipe: Recipe,
    after_fold: Callable[[HeldOut, np.ndarray], None] = lambda _held_out, _rows: None,
) -> HeldOut:
    """Predict each fold by what was learnt from the others, the text encoder included.

    After each fold `after_fold` is given what is predicted so far and the fold's rows; it may raise to stop.
    """
    held_out = HeldOut.empty(len(examples), len(examples.label_names), has_joint=recipe.fusion in ("auto", "joint"))
    for learn, test in _splits(folds):
        fitted = fit_all(examples, learn, options, recipe)
        _predict_fold(held_out, fitted, examples, test)
        after_fold(held_out, test)
    return held_out


def _predict_fold(held_out: HeldOut, fitted: Fitted, examples: Examples, test: np.ndarray) -> None:
    text_rows, photo_rows = test[examples.has_text[test]], test[examples.has_photo[test]]
    text_vectors, photo_vectors = fitted.text_vectors[text_rows], examples.image_vectors[photo_rows]
    _place(held_out.text, text_rows, fitted.text, text_vectors)
    held_out.signals[text_rows, 0] = fitted.text_detector.closeness(text_vectors)
    if fitted.photo is None or fitted.photo_detector is None:
        return
    _place(held_out.photo, photo_rows, fitted.photo, photo_vectors)
    held_out.signals[photo_rows, 2] = fitted.photo_detector.closeness(photo_vectors)
    if fitted.joint is not None:
        both = np.intersect1d(text_rows, photo_rows)
        held_out.joint[np.ix_(both, fitted.joint.text.known)] = fitted.joint.logits(
            fitted.text.feature_map.apply(fitted.text_vectors[both]),
            fitted.photo.feature_map.apply(examples.image_vectors[both]),
        )


def _splits(folds: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows to learn from, rows to test on."""
    for fold in np.unique(folds).tolist():
        yield np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)


def _place(logits: np.ndarray, rows: np.ndarray, classifier: Classifier, vectors: np.ndarray) -> None:
    logits[np.ix_(rows, classifier.known)] = classifier.logits(vectors)


def _fit_text_encoder(examples: Examples, rows: np.ndarray, options: TrainingOptions, recipe: Recipe) -> TextEncoder:
    """Fit on at most so many documents of each label, chosen by the seed."""
    chooser = np.random.default_rng(options.seed)
    rows = rows[examples.has_text[rows]]
    chosen = [
        chooser.permutation(rows[examples.targets[rows] == label])[: recipe.encoder_documents_per_label]
        for label in range(len(examples.label_names))
    ]
    choice = options.text_encoder
    if recipe.text_dimensions is not None:
        choice = replace(choice, dimensions=recipe.text_dimensions)
    return fit_text_encoder([examples.documents[row] for row in np.sort(np.concatenate(chosen))], choice)
