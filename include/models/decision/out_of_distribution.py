"""Out-of-distribution detection: is a product like those that the model was trained on?

A softmax is confident for inputs of any kind. Two signals per input detect unfamiliar ones: the Mahalanobis distance to
the mean of the nearest label (Lee et al., "A Simple Unified Framework for Detecting Out-of-Distribution Samples",
2018), in principal components, with the residual scaled by its own variance (Tipping and Bishop, "Probabilistic
Principal Component Analysis", 1999), and the energy of the logits (Liu et al., "Energy-based Out-of-distribution
Detection", 2020). The distance detects inputs far from all labels, the energy those in between several.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from include.models.classifier.feature_map import normalise, principal_components

SIGNALS = ("text_closeness", "text_energy", "photo_closeness", "photo_energy")
"""Columns of an array of signals; a larger value is more familiar."""
_DIMENSIONS = 96
_ROWS_PER_DIMENSION = 3
_LOWEST_CLOSENESS = -1e9
"""Closeness of an embedding that is zero: none of its terms is known."""


@dataclass(frozen=True, eq=False)
class OutOfDistributionDetector:
    """The distribution of the training examples' embeddings: a Gaussian per label with a shared covariance."""

    projection: np.ndarray
    """float32 (d, p): from an embedding of length 1 to whitened components."""
    offset: np.ndarray
    """float32 (p,)"""
    components: np.ndarray
    """float32 (p, p): from whitened components back to unscaled ones, whose squared length is the part that the
    components explain."""
    centre: np.ndarray
    """float32 (d,)"""
    means: np.ndarray
    """float32 (labels, p): of each label with examples, whitened."""
    residual_variance: np.ndarray
    """float32 scalar: variance of each dimension outside the components; inf if there is none."""

    def closeness(self, vectors: np.ndarray) -> np.ndarray:
        """Minus the squared Mahalanobis distance to the nearest label's mean, float64 (n,), of float32 (n, d).

        Computed in float32, which is twice as fast: the distance itself is not reported, only compared with a limit.
        """
        lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
        scale = 1 / np.maximum(lengths, 1e-9)
        white = (vectors @ self.projection) * scale[:, None] + self.offset
        nearest = (np.einsum("ij,ij->i", self.means, self.means) - 2 * white @ self.means.T).min(axis=1)
        plain = white @ self.components
        # |unit - centre|², without a temporary array of the differences.
        total = 1 - 2 * (vectors @ self.centre) * scale + self.centre @ self.centre
        outside = np.maximum(total - np.einsum("ij,ij->i", plain, plain), 0.0) / self.residual_variance
        distance = np.einsum("ij,ij->i", white, white) + nearest + outside
        return np.where(lengths > 0, -distance, _LOWEST_CLOSENESS).astype(np.float64)


def fit_detector(vectors: np.ndarray, targets: np.ndarray, seed: int) -> OutOfDistributionDetector:
    """Fit to the embeddings of examples, float32 (n, d), and their labels, int64 (n,).

    The covariance within labels is shared by all labels and shrunk after Ledoit and Wolf (2004).
    """
    from sklearn.covariance import ledoit_wolf

    unit = normalise(vectors, "length")
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
    residual = float(((unit - centre) ** 2).sum() - (plain**2).sum()) / len(unit)
    residual_variance = max(residual / outside, 1e-5) if outside else np.inf
    return OutOfDistributionDetector(
        projection=(directions @ whitening).astype(np.float32),
        offset=(-centre @ directions @ whitening).astype(np.float32),
        components=(rotation * deviations).T.astype(np.float32),
        centre=centre.astype(np.float32),
        means=(means @ whitening).astype(np.float32),
        residual_variance=np.array(residual_variance, dtype=np.float32),
    )


def familiar_limits(signals: np.ndarray, share: float) -> np.ndarray:
    """The lowest familiar value of each signal, float64 (signals,), such that `share` of the rows pass all limits.

    `signals` is float64 (n, signals) of held-out products. Each signal rejects the same share of rows. The limits are
    -inf, so that no row is rejected, for a share of 1 and for no rows.
    """
    if share >= 1 or not len(signals):
        return np.full(signals.shape[1], -np.inf)
    ranks = np.argsort(np.argsort(signals, axis=0, kind="stable"), axis=0, kind="stable")
    rejected = int(np.quantile(ranks.min(axis=1), 1 - share, method="lower"))
    return np.asarray(np.sort(signals, axis=0)[rejected])
