"""A linear classifier over features: weights and a bias, applied by one matrix product.

Scaling, averaging of several heads and temperature are folded into the weights, so that prediction needs only numpy.
The weights are fitted in `heads.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class LinearClassifier:
    """Weights over features, for all labels or only those that had examples."""

    weights: np.ndarray
    """float32 (dimensions, known labels)"""
    bias: np.ndarray
    """float32 (known labels,)"""
    known: np.ndarray
    """int64 (known labels,): positions in the artefact's label list."""

    @property
    def dimensions(self) -> int:
        """Length of the features it takes."""
        return int(self.weights.shape[0])

    def logits(self, features: np.ndarray) -> np.ndarray:
        """float32 (n, known labels) for (n, dimensions).

        In float64, so that the order of summation, which varies with threads and batch, does not change the result.
        """
        sums = features.astype(np.float64, copy=False) @ self.weights.astype(np.float64) + self.bias
        return np.asarray(sums, dtype=np.float32)

    def at_temperature(self, temperature: float) -> LinearClassifier:
        """The same classifier with its logits divided by `temperature` (> 0)."""
        return LinearClassifier(
            (self.weights / temperature).astype(np.float32), (self.bias / temperature).astype(np.float32), self.known
        )


def softmax(logits: np.ndarray) -> np.ndarray:
    """Row-wise softmax, without overflow for large logits."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def log_sum_exp(logits: np.ndarray) -> np.ndarray:
    """Logarithm of the sum of exponentials of each row, without overflow for large logits."""
    top = logits.max(axis=1)
    return np.asarray(top + np.log(np.exp(logits - top[:, None]).sum(axis=1)))
