"""A joint head: one linear classifier that sees the features of text and photo together.

Trained with modality dropout (Neverova et al., "ModDrop", 2016): each example also stands there with its photo
blanked and with its text blanked, so that neither input may lean on the other. Blank features are zeros, and two
indicators tell the head what is there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from include.models.classifier.classifier import Classifier
from include.models.classifier.heads import FittingSpace, fit_head
from include.models.classifier.linear import LinearClassifier
from include.models.classifier.recipe import Recipe


@dataclass(frozen=True, eq=False)
class JointHead:
    """Weights over the features of both classifiers; answers for products that have text and photo."""

    text: LinearClassifier
    """Over the text classifier's features; its bias is the whole bias."""
    photo: LinearClassifier
    """Over the photo classifier's features, without a bias."""

    def logits(self, text_features: np.ndarray, photo_features: np.ndarray) -> np.ndarray:
        """float32 (n, known labels)."""
        return np.asarray(self.text.logits(text_features) + self.photo.logits(photo_features))

    def at_temperature(self, temperature: float) -> JointHead:
        """The same head with its logits divided by `temperature` (> 0)."""
        return JointHead(self.text.at_temperature(temperature), self.photo.at_temperature(temperature))


def fit_joint(
    text_vectors: np.ndarray,
    has_text: np.ndarray,
    photo_vectors: np.ndarray,
    has_photo: np.ndarray,
    targets: np.ndarray,
    text: Classifier,
    photo: Classifier,
    recipe: Recipe,
    seed: int,
) -> JointHead:
    """Fit on the examples of the labels that the photo classifier knows, on the features of both classifiers.

    Vectors are float32 (n, d); rows denied by `has_text` or `has_photo` (bool (n,)) count as blank.
    """
    seen = np.isin(targets, photo.known) & (has_text | has_photo)
    text_block, text_space = _coordinates(text, text_vectors, has_text, standardise=False)
    photo_block, photo_space = _coordinates(photo, photo_vectors, has_photo, standardise=True)
    scale = recipe.joint_photo_scale
    both, blocks, labels, importance = seen & has_text & has_photo, [], [], []
    for rows, with_text, with_photo, weight in (
        (seen, True, True, 1.0),
        (both, True, False, recipe.joint_dropout),
        (both, False, True, recipe.joint_dropout),
    ):
        if weight == 0 or not rows.any():
            continue
        there = np.stack([has_text[rows] * float(with_text), has_photo[rows] * float(with_photo)], axis=1)
        blocks.append(np.hstack([text_block[rows] * with_text, photo_block[rows] * (scale * with_photo), there]))
        labels.append(targets[rows])
        importance.append(np.full(int(rows.sum()), weight))
    coefficients, intercept = fit_head(
        "logistic", np.vstack(blocks), np.concatenate(labels), recipe.joint_regularisation, seed,
        np.concatenate(importance),
    )  # fmt: skip
    width = text_block.shape[1]
    text_weights, text_shift = text_space.to_features(coefficients[:width])
    photo_weights, photo_shift = photo_space.to_features(coefficients[width:-2] * scale)
    bias = intercept + coefficients[-2:].sum(axis=0) + text_shift + photo_shift
    known = np.unique(np.concatenate(labels))
    return JointHead(
        LinearClassifier(text_weights.astype(np.float32), bias.astype(np.float32), known),
        LinearClassifier(photo_weights.astype(np.float32), np.zeros(len(known), dtype=np.float32), known),
    )


def _coordinates(
    classifier: Classifier, vectors: np.ndarray, present: np.ndarray, *, standardise: bool
) -> tuple[np.ndarray, FittingSpace]:
    """Fitting coordinates of all rows, zeros where the input is absent."""
    features = classifier.feature_map.apply(vectors[present])
    space = FittingSpace.of(features, classifier.feature_map, standardise=standardise)
    found = np.hstack([space.vector_part(features), space.kernel_part(features)])
    block = np.zeros((len(vectors), found.shape[1]))
    block[present] = found
    return block, space
