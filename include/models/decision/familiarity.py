"""The open-set guard: does a product look like anything that the model was trained on?

A softmax is sure of something for any input. Two signals say whether it may be: the Mahalanobis distance to the
nearest label's mean (Lee et al., "A Simple Unified Framework for Detecting Out-of-Distribution Samples", 2018),
in principal components with what they leave out counted by its own variance (Tipping and Bishop, "Probabilistic
Principal Component Analysis", 1999), and the energy of the logits (Liu et al., "Energy-based Out-of-distribution
Detection", 2020). The distance knows strange inputs, the energy those between all labels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from include.models.classifier.feature_map import principal_components, stretch

SIGNALS = ("text_closeness", "text_energy", "photo_closeness", "photo_energy")
"""Columns of a table of signals; larger is more familiar."""
_DIMENSIONS = 96
_ROWS_PER_DIMENSION = 3
_STRANGEST = -1e9
"""Closeness of an embedding that is zero: nothing in it is known."""


@dataclass(frozen=True, eq=False)
class KnownGround:
    """Where the embeddings of the examples lie."""

    projection: np.ndarray
    """float32 (d, p): from an embedding of length 1 to whitened components."""
    offset: np.ndarray
    """float32 (p,)"""
    components: np.ndarray
    """float32 (p, p): from whitened components back to plain ones, whose length is what was captured."""
    centre: np.ndarray
    """float32 (d,)"""
    means: np.ndarray
    """float32 (labels, p): of each label with examples, whitened."""
    residual_variance: np.ndarray
    """float32, no dimension: of one direction outside the components; inf where there is none."""

    def closeness(self, vectors: np.ndarray) -> np.ndarray:
        """Minus the squared distance to the nearest label's mean, float64 (n,), for float32 (n, d).

        In float32, twice as fast: nobody sees the distance, only on which side of a limit it lies.
        """
        lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
        scale = 1 / np.maximum(lengths, 1e-9)
        white = (vectors @ self.projection) * scale[:, None] + self.offset
        nearest = (np.einsum("ij,ij->i", self.means, self.means) - 2 * white @ self.means.T).min(axis=1)
        plain = white @ self.components
        # |unit - centre|² without making the difference.
        total = 1 - 2 * (vectors @ self.centre) * scale + self.centre @ self.centre
        outside = np.maximum(total - np.einsum("ij,ij->i", plain, plain), 0.0) / self.residual_variance
        distance = np.einsum("ij,ij->i", white, white) + nearest + outside
        return np.where(lengths > 0, -distance, _STRANGEST).astype(np.float64)


def fit_known_ground(vectors: np.ndarray, targets: np.ndarray, seed: int) -> KnownGround:
    """Learn from the embeddings of examples, float32 (n, d), and their labels, int64 (n,).

    The spread within labels is shared by all of them and shrunk after Ledoit and Wolf (2004).
    """
    from sklearn.covariance import ledoit_wolf

    unit = stretch(vectors, "length")
    centre = unit.mean(axis=0)
    count = max(1, min(_DIMENSIONS, len(unit) // _ROWS_PER_DIMENSION))
    directions = principal_components(unit - centre, count, seed)
    plain = (unit - centre) @ directions
    labels, position = np.unique(targets, return_inverse=True)
    means = np.stack([plain[targets == label].mean(axis=0) for label in labels])
    covariance, _ = ledoit_wolf(plain - means[position], assume_centered=True)
    values, rotation = np.linalg.eigh(covariance)
    deviations = np.sqrt(np.maximum(values, 1e-9))
    whitening = rotation / deviations
    outside = unit.shape[1] - directions.shape[1]
    left_over = float(((unit - centre) ** 2).sum() - (plain**2).sum()) / len(unit)
    residual_variance = max(left_over / outside, 1e-5) if outside else np.inf
    return KnownGround(
        projection=(directions @ whitening).astype(np.float32),
        offset=(-centre @ directions @ whitening).astype(np.float32),
        components=(rotation * deviations).T.astype(np.float32),
        centre=centre.astype(np.float32),
        means=(means @ whitening).astype(np.float32),
        residual_variance=np.array(residual_variance, dtype=np.float32),
    )


def familiar_limits(signals: np.ndarray, share: float) -> np.ndarray:
    """The lowest familiar value of each signal, float64 (signals,), such that `share` of the rows pass them all.

    `signals` is float64 (n, signals) of held-out products. Each signal may turn away the same share of rows.
    Nothing is turned away when the share is 1, or without rows.
    """
    if share >= 1 or not len(signals):
        return np.full(signals.shape[1], -np.inf)
    ranks = np.argsort(np.argsort(signals, axis=0, kind="stable"), axis=0, kind="stable")
    turned_away = int(np.quantile(ranks.min(axis=1), 1 - share, method="lower"))
    return np.asarray(np.sort(signals, axis=0)[turned_away])
