"""A joint head: one linear classifier on the features of text and photo together.

It is trained with modality dropout (Neverova et al., "ModDrop", 2016): each example occurs again with its photo
blanked and with its text blanked, so that the head does not depend on one input being present. Blank features are
zeros, and two indicator features mark which inputs are present.
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
    """Weights over the features of both classifiers; used for products that have text and photo."""

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

    Vectors are float32 (n, d); rows where `has_text` or `has_photo` (bool (n,)) is False are blank.
    """
    usable = np.isin(targets, photo.known) & (has_text | has_photo)
    text_block, text_space = _coordinates(text, text_vectors, has_text, standardise=False)
    photo_block, photo_space = _coordinates(photo, photo_vectors, has_photo, standardise=True)
    scale = recipe.joint_photo_scale
    both, blocks, labels, example_weights = usable & has_text & has_photo, [], [], []
    for rows, with_text, with_photo, weight in (
        (usable, True, True, 1.0),
        (both, True, False, recipe.joint_dropout),
        (both, False, True, recipe.joint_dropout),
    ):
        if weight == 0 or not rows.any():
            continue
        present = np.stack([has_text[rows] * float(with_text), has_photo[rows] * float(with_photo)], axis=1)
        blocks.append(np.hstack([text_block[rows] * with_text, photo_block[rows] * (scale * with_photo), present]))
        labels.append(targets[rows])
        example_weights.append(np.full(int(rows.sum()), weight))
    coefficients, intercept = fit_head(
        "logistic", np.vstack(blocks), np.concatenate(labels), recipe.joint_regularisation, seed,
        np.concatenate(example_weights),
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
    """Coordinates of all rows, zeros where the input is absent, and the space that they are in."""
    features = classifier.feature_map.apply(vectors[present])
    space = FittingSpace.of(features, classifier.feature_map, standardise=standardise)
    coordinates = np.hstack([space.vector_part(features), space.kernel_part(features)])
    block = np.zeros((len(vectors), coordinates.shape[1]))
    block[present] = coordinates
    return block, space
