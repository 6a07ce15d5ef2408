"""Linear heads on the features of an embedding: fitted by scikit-learn, kept as plain weights.

Logistic regression; linear discriminant analysis with the covariance shrunk after Ledoit and Wolf, "A Well-Conditioned
Estimator for Large-Dimensional Covariance Matrices", 2004; linear support vector machines; and on Nyström features of
a Gaussian kernel logistic regression, support vector machines and ridge regression. Each is a matrix over the features
of a `FeatureMap`; several are averaged into one matrix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from include.models.classifier.classifier import Classifier
from include.models.classifier.feature_map import KERNEL_HEADS, FeatureMap, fit_feature_map
from include.models.classifier.linear import LinearClassifier
from include.models.classifier.recipe import HeadKind, Recipe

MAX_ITERATIONS = 300
TOLERANCE = 2e-4


@dataclass(frozen=True, eq=False)
class FittingSpace:
    """Coordinates in which a linear head is fitted, so that one strength of regularisation suits every embedding.

    The embedding is standardised and divided by the square root of its dimensions; the similarity to m landmarks is
    transformed into coordinates of length 1.
    """

    centre: np.ndarray
    scale: np.ndarray
    """float64 (d,) both: coordinates are (x - centre) * scale."""
    basis: np.ndarray | None
    """float64 (m, r), applied to the similarity to m landmarks; None without a kernel."""

    @classmethod
    def of(cls, features: np.ndarray, feature_map: FeatureMap, *, standardise: bool) -> FittingSpace:
        """Fitted to the features of examples, float64 (n, features)."""
        basis = feature_map.kernel.basis() if feature_map.kernel else None
        vectors = features[:, : features.shape[1] - (0 if basis is None else len(basis))]
        if not standardise:
            return cls(np.zeros(vectors.shape[1]), np.ones(vectors.shape[1]), basis)
        spread = vectors.std(axis=0)
        spread = np.where(spread > 1e-6, spread, 1.0)
        return cls(vectors.mean(axis=0), 1 / (spread * np.sqrt(max(1, vectors.shape[1]))), basis)

    def vector_part(self, features: np.ndarray) -> np.ndarray:
        """Coordinates of the embedding, (n, d)."""
        return np.asarray((features[:, : len(self.centre)] - self.centre) * self.scale)

    def kernel_part(self, features: np.ndarray) -> np.ndarray:
        """Coordinates of the similarity to landmarks, (n, r); no column without a kernel."""
        if self.basis is None:
            return np.empty((len(features), 0))
        return np.asarray(features[:, len(self.centre) :] @ self.basis)

    def to_features(self, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weights over the features, (features, k), and a shift of the bias, (k,), for weights over coordinates."""
        vector = coefficients[: len(self.centre)] * self.scale[:, None]
        parts = [vector] if self.basis is None else [vector, self.basis @ coefficients[len(self.centre) :]]
        return np.vstack(parts), -self.centre @ vector


def fit_classifier(
    vectors: np.ndarray,
    targets: np.ndarray,
    *,
    heads: Sequence[HeadKind],
    feature_map: FeatureMap,
    regularisation: float,
    standardise: bool,
    recipe: Recipe,
    seed: int,
) -> Classifier:
    """Fit on float32 (n, d) and int64 (n,) targets of at least two labels; deterministic.

    Before several heads are averaged, each is scaled to the same spread of its logits over the examples.
    """
    features = feature_map.apply(vectors)
    space = FittingSpace.of(features, feature_map, standardise=standardise)
    width = len(space.centre)
    fitted = []
    for kind in heads:
        kernel = kind in KERNEL_HEADS
        coordinates = space.kernel_part(features) if kernel else space.vector_part(features)
        coefficients, intercept = fit_head(
            kind, coordinates, targets, recipe.rbf_regularisation if kernel else regularisation, seed
        )
        if len(heads) > 1:
            logits = coordinates @ coefficients + intercept
            spread = float((logits - logits.mean(axis=1, keepdims=True)).std())
            coefficients, intercept = coefficients / spread, intercept / spread
        full = np.zeros((width + (0 if space.basis is None else space.basis.shape[1]), coefficients.shape[1]))
        full[slice(width, None) if kernel else slice(0, width)] = coefficients
        fitted.append((full, intercept))
    weights, shift = space.to_features(np.mean([coefficients for coefficients, _ in fitted], axis=0))
    bias = np.mean([intercept for _, intercept in fitted], axis=0) + shift
    return Classifier(feature_map, LinearClassifier(_float32(weights), _float32(bias), np.unique(targets)))


def fit_text(vectors: np.ndarray, targets: np.ndarray, recipe: Recipe, seed: int) -> Classifier:
    """A text classifier; text embeddings have length 1 and are not scaled."""
    feature_map = fit_feature_map(vectors, recipe.text_heads, "none", recipe, seed)
    return fit_classifier(
        vectors, targets, heads=recipe.text_heads, feature_map=feature_map, recipe=recipe, seed=seed,
        regularisation=recipe.text_regularisation, standardise=False,
    )  # fmt: skip


def fit_photo(vectors: np.ndarray, targets: np.ndarray, recipe: Recipe, seed: int) -> Classifier | None:
    """A photo classifier; None if the targets have fewer than two labels."""
    if len(np.unique(targets)) < 2:
        return None
    feature_map = fit_feature_map(vectors, recipe.photo_heads, recipe.photo_scaling, recipe, seed)
    return fit_classifier(
        vectors, targets, heads=recipe.photo_heads, feature_map=feature_map, recipe=recipe, seed=seed,
        regularisation=recipe.photo_regularisation, standardise=recipe.photo_scaling != "none",
    )  # fmt: skip


def fit_head(
    kind: HeadKind,
    coordinates: np.ndarray,
    targets: np.ndarray,
    regularisation: float,
    seed: int,
    example_weights: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Weights (coordinates, labels) and intercept (labels,), float64, in ascending order of the labels."""
    options = {} if example_weights is None else {"sample_weight": example_weights}
    model = _model(kind, coordinates.shape, regularisation, seed).fit(coordinates, targets, **options)
    coefficients, intercept = np.asarray(model.coef_), np.asarray(model.intercept_)
    if len(model.classes_) == 2:  # scikit-learn keeps one row for two classes
        coefficients = np.vstack([-coefficients, coefficients]) / 2
        intercept = np.concatenate([-intercept, intercept]) / 2
    return coefficients.T, intercept


def _model(kind: HeadKind, shape: tuple[int, ...], regularisation: float, seed: int) -> Any:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.linear_model import LogisticRegression, RidgeClassifier
    from sklearn.svm import LinearSVC

    if kind == "lda":
        return LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    if kind == "rbf_ridge":
        return RidgeClassifier(alpha=1 / regularisation)
    if kind in ("svm", "rbf_svm"):
        return LinearSVC(C=regularisation, dual=shape[0] < shape[1], random_state=seed, max_iter=5_000)
    return LogisticRegression(C=regularisation, max_iter=MAX_ITERATIONS, tol=TOLERANCE)


def _float32(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values, dtype=np.float32)
