"""A linear classifier over embeddings: fitted by scikit-learn, applied by one matrix product.

Multinomial logistic regression. Standardisation and temperature are folded into the weights, so that
prediction needs numpy only and runs at hundreds of thousands of products a second.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MAX_ITERATIONS = 300


@dataclass(frozen=True, eq=False)
class LinearClassifier:
    """Weights over an embedding; may know only some of the labels (those that had examples)."""

    weights: np.ndarray
    """float32 (dimensions, known labels)"""
    bias: np.ndarray
    """float32 (known labels,)"""
    known: np.ndarray
    """int64 (known labels,): positions in the artefact's label list."""

    @property
    def dimensions(self) -> int:
        """Length of the embeddings it takes."""
        return int(self.weights.shape[0])

    def logits(self, vectors: np.ndarray) -> np.ndarray:
        """float32 (n, known labels) for float32 (n, dimensions).

        Summed in float64: the order of a sum depends on threads and on the rows beside it, and must not show.
        """
        sums = vectors.astype(np.float64) @ self.weights.astype(np.float64) + self.bias
        return np.asarray(sums, dtype=np.float32)

    def probabilities(self, vectors: np.ndarray, label_count: int) -> np.ndarray:
        """float32 (n, label_count), rows summing to 1; labels it does not know have probability 0."""
        spread = np.zeros((len(vectors), label_count), dtype=np.float32)
        spread[:, self.known] = softmax(self.logits(vectors))
        return spread

    def at_temperature(self, temperature: float) -> LinearClassifier:
        """The same classifier with its logits divided by `temperature` (> 0)."""
        return LinearClassifier(
            (self.weights / temperature).astype(np.float32), (self.bias / temperature).astype(np.float32), self.known
        )


def softmax(logits: np.ndarray) -> np.ndarray:
    """Row-wise softmax, safe for large logits."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def fit_linear(
    vectors: np.ndarray, targets: np.ndarray, *, regularisation: float, standardise: bool
) -> LinearClassifier:
    """Fit on float32 (n, d) and int64 (n,) targets of at least two labels.

    `regularisation` is scikit-learn's C. `standardise` divides each dimension by its spread first, which
    photo embeddings need and text embeddings (of length 1) do not. The same input gives the same weights.
    """
    from sklearn.linear_model import LogisticRegression

    centre = vectors.mean(axis=0) if standardise else np.zeros(vectors.shape[1], dtype=np.float32)
    spread = vectors.std(axis=0) if standardise else np.ones(vectors.shape[1], dtype=np.float32)
    spread = np.where(spread > 1e-6, spread, 1.0)
    model = LogisticRegression(C=regularisation, max_iter=MAX_ITERATIONS, tol=1e-3)
    model.fit(((vectors - centre) / spread).astype(np.float64), targets)
    coefficients, intercept = model.coef_, model.intercept_
    if len(model.classes_) == 2:  # scikit-learn keeps one row for two classes
        coefficients = np.vstack([-coefficients, coefficients]) / 2
        intercept = np.concatenate([-intercept, intercept]) / 2
    weights = (coefficients / spread).T
    bias = intercept - centre @ weights
    return LinearClassifier(weights.astype(np.float32), bias.astype(np.float32), model.classes_.astype(np.int64))
