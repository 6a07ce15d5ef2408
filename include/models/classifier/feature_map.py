"""Features of an embedding, which heads are fitted on: the scaled embedding, and its similarity to landmarks.

The similarity is a Gaussian kernel to landmarks among the examples (Williams and Seeger, "Using the Nyström Method to
Speed Up Kernel Machines", 2001), computed in the leading principal components, so that a head remains one matrix
product and 50,000 products a second remain possible.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from include.models.classifier.recipe import HeadKind, Recipe, Scaling

KERNEL_HEADS: frozenset[HeadKind] = frozenset({"rbf", "rbf_svm", "rbf_ridge"})

_LEAST_LENGTH = 1e-9
_LEAST_EIGENVALUE = 1e-6


@dataclass(frozen=True, eq=False)
class Kernel:
    """A Gaussian kernel: exp(-sharpness · |z - landmark|²) for z = vector @ projection + offset."""

    projection: np.ndarray
    """float32 (d, p)"""
    offset: np.ndarray
    """float32 (p,)"""
    landmarks: np.ndarray
    """float32 (m, p)"""
    sharpness: np.ndarray
    """float32 scalar, scikit-learn's gamma"""

    def apply(self, vectors: np.ndarray) -> np.ndarray:
        """Similarity to each landmark in [0, 1], float64 (n, m), for float64 (n, d)."""
        projected = vectors @ self._projection + self.offset
        lengths = np.einsum("ij,ij->i", projected, projected)
        # The distances in one matrix product, and the rest in place: prediction spends most of its time here.
        exponents = np.hstack([projected, lengths[:, None], np.ones((len(projected), 1))]) @ self._weighed_landmarks
        np.minimum(exponents, 0.0, out=exponents)
        return np.asarray(np.exp(exponents, out=exponents))

    @cached_property
    def _projection(self) -> np.ndarray:
        return self.projection.astype(np.float64)

    @cached_property
    def _weighed_landmarks(self) -> np.ndarray:
        """float64 (p + 2, m): [z, |z|², 1] @ this is -|z - landmark|² · sharpness."""
        landmarks, sharpness = self.landmarks.astype(np.float64), float(self.sharpness)
        lengths = np.einsum("ij,ij->i", landmarks, landmarks)
        ones = np.ones(len(landmarks))
        return np.vstack([2 * sharpness * landmarks.T, -sharpness * ones, -sharpness * lengths])

    def basis(self) -> np.ndarray:
        """float64 (m, r): the inner product of rows of similarity @ basis is the kernel; heads are fitted on it."""
        from scipy.linalg import eigh

        landmarks = self.landmarks.astype(np.float64)
        values, vectors = eigh(np.exp(_squared_distances(landmarks, landmarks) * -float(self.sharpness)))
        kept = values > _LEAST_EIGENVALUE * values[-1]
        return np.asarray(vectors[:, kept] / np.sqrt(values[kept]))


@dataclass(frozen=True, eq=False)
class FeatureMap:
    """From embeddings to the features of the heads; without a kernel these are the scaled embeddings."""

    scaling: Scaling
    has_vector: bool
    """Whether the scaled embedding itself is among the features."""
    kernel: Kernel | None = None

    def apply(self, vectors: np.ndarray) -> np.ndarray:
        """Features, float64 (n, features), of float32 (n, d).

        In float64, so that the order of summation, which varies with threads and batch, does not change the result.
        """
        scaled = normalise(vectors, self.scaling)
        if self.kernel is None:
            return scaled
        similarity = self.kernel.apply(scaled)
        return np.hstack([scaled, similarity]) if self.has_vector else similarity

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The feature map as arrays, which `from_arrays` reads."""
        arrays = {"scaling": np.array(self.scaling), "has_vector": np.array(self.has_vector)}
        if self.kernel is not None:
            arrays |= {f"kernel_{field.name}": getattr(self.kernel, field.name) for field in fields(Kernel)}
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> FeatureMap:
        """The feature map that `to_arrays` wrote."""
        kernel = {name[len("kernel_") :]: value for name, value in arrays.items() if name.startswith("kernel_")}
        scaling: Scaling = str(arrays["scaling"])  # type: ignore[assignment]
        return cls(scaling, bool(arrays["has_vector"]), Kernel(**kernel) if kernel else None)


def normalise(vectors: np.ndarray, scaling: Scaling) -> np.ndarray:
    """The part of a scaling that needs no fitting, float64 (n, d): `root` of each magnitude, then length 1."""
    scaled = vectors.astype(np.float64, copy=False)
    if scaling == "root":
        scaled = np.sign(scaled) * np.sqrt(np.abs(scaled))
    if scaling in ("length", "root"):
        lengths = np.sqrt(np.einsum("ij,ij->i", scaled, scaled))
        scaled = scaled / np.maximum(lengths, _LEAST_LENGTH)[:, None]
    return scaled


def fit_feature_map(
    vectors: np.ndarray, heads: tuple[HeadKind, ...], scaling: Scaling, recipe: Recipe, seed: int
) -> FeatureMap:
    """The features that the given heads need, fitted to float32 (n, d) without labels; deterministic."""
    has_vector = bool(set(heads) - KERNEL_HEADS)
    if not KERNEL_HEADS.intersection(heads):
        return FeatureMap(scaling, has_vector)
    scaled = normalise(vectors, scaling)
    centre = scaled.mean(axis=0)
    spread = scaled.std(axis=0) if scaling == "standardise" else np.ones(scaled.shape[1])
    spread = np.where(spread > _LEAST_LENGTH, spread, 1.0)
    components = principal_components((scaled - centre) / spread, recipe.rbf_dimensions, seed) / spread[:, None]
    projected = (scaled - centre) @ components
    landmarks = projected[np.sort(np.random.default_rng(seed).permutation(len(projected))[: recipe.rbf_landmarks])]
    distances = _squared_distances(projected, landmarks)
    typical = float(np.median(distances[distances > 0])) if (distances > 0).any() else 1.0
    kernel = Kernel(
        projection=components.astype(np.float32),
        offset=(-centre @ components).astype(np.float32),
        landmarks=landmarks.astype(np.float32),
        sharpness=np.array(1.0 / (recipe.rbf_width**2 * typical), dtype=np.float32),
    )
    return FeatureMap(scaling, has_vector, kernel)


def principal_components(centred: np.ndarray, count: int, seed: int) -> np.ndarray:
    """The leading principal components of float64 (n, d) with mean 0, float64 (d, at most count)."""
    from sklearn.utils.extmath import randomized_svd

    count = min(count, *centred.shape)
    _, _, directions = randomized_svd(centred, count, n_iter=4, random_state=seed)
    return np.asarray(directions.T)


def _squared_distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    lengths = np.einsum("ij,ij->i", first, first)[:, None] + np.einsum("ij,ij->i", second, second)
    return np.asarray(np.maximum(lengths - 2 * first @ second.T, 0.0))
