"""What a head sees of an embedding: the embedding itself, and how near it is to known examples.

The nearness is a Gaussian kernel to landmarks (Williams and Seeger, "Using the Nyström Method to Speed Up Kernel
Machines", 2001), computed in the leading principal components, so that whatever lies on top stays one matrix
product and 50,000 products a second stay possible.
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
    """exp(-|z - landmark|² · sharpness) for z = vector @ projection + offset."""

    projection: np.ndarray
    """float32 (d, p)"""
    offset: np.ndarray
    """float32 (p,)"""
    landmarks: np.ndarray
    """float32 (m, p)"""
    sharpness: np.ndarray
    """float32, no dimension"""

    def apply(self, vectors: np.ndarray) -> np.ndarray:
        """Nearness to each landmark in [0, 1], float64 (n, m), for float64 (n, d)."""
        projected = vectors @ self._projection + self.offset
        lengths = np.einsum("ij,ij->i", projected, projected)
        # The distances in one product, and the rest in place: this is where prediction spends its time.
        near = np.hstack([projected, lengths[:, None], np.ones((len(projected), 1))]) @ self._weighed_landmarks
        np.minimum(near, 0.0, out=near)
        return np.asarray(np.exp(near, out=near))

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
        """float64 (m, r): nearness @ basis has the kernel as its inner product; what a linear head is fitted on."""
        from scipy.linalg import eigh

        landmarks = self.landmarks.astype(np.float64)
        values, vectors = eigh(np.exp(_squared_distances(landmarks, landmarks) * -float(self.sharpness)))
        kept = values > _LEAST_EIGENVALUE * values[-1]
        return np.asarray(vectors[:, kept] / np.sqrt(values[kept]))


@dataclass(frozen=True, eq=False)
class FeatureMap:
    """From embeddings to what the heads take; without a kernel these are the scaled embeddings."""

    scaling: Scaling
    has_vector: bool
    """Whether the scaled embedding itself is among the features."""
    kernel: Kernel | None = None

    def apply(self, vectors: np.ndarray) -> np.ndarray:
        """Features, float64 (n, features), of float32 (n, d).

        In float64: the order of a sum depends on threads and on the rows beside it, and must not show.
        """
        stretched = stretch(vectors, self.scaling)
        if self.kernel is None:
            return stretched
        near = self.kernel.apply(stretched)
        return np.hstack([stretched, near]) if self.has_vector else near

    def to_arrays(self) -> dict[str, np.ndarray]:
        """All of it as arrays that `from_arrays` takes."""
        arrays = {"scaling": np.array(self.scaling), "has_vector": np.array(self.has_vector)}
        if self.kernel is not None:
            arrays |= {f"kernel_{field.name}": getattr(self.kernel, field.name) for field in fields(Kernel)}
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> FeatureMap:
        """What `to_arrays` gave."""
        kernel = {name[len("kernel_") :]: value for name, value in arrays.items() if name.startswith("kernel_")}
        scaling: Scaling = str(arrays["scaling"])  # type: ignore[assignment]
        return cls(scaling, bool(arrays["has_vector"]), Kernel(**kernel) if kernel else None)


def stretch(vectors: np.ndarray, scaling: Scaling) -> np.ndarray:
    """The part of a scaling that needs no fitting, float64 (n, d): `root` of each magnitude, then length 1."""
    stretched = vectors.astype(np.float64, copy=False)
    if scaling == "root":
        stretched = np.sign(stretched) * np.sqrt(np.abs(stretched))
    if scaling in ("length", "root"):
        lengths = np.sqrt(np.einsum("ij,ij->i", stretched, stretched))
        stretched = stretched / np.maximum(lengths, _LEAST_LENGTH)[:, None]
    return stretched


def fit_feature_map(
    vectors: np.ndarray, heads: tuple[HeadKind, ...], scaling: Scaling, recipe: Recipe, seed: int
) -> FeatureMap:
    """What the given heads need, learnt from float32 (n, d) without labels; the same input gives the same map."""
    has_vector = bool(set(heads) - KERNEL_HEADS)
    if not KERNEL_HEADS.intersection(heads):
        return FeatureMap(scaling, has_vector)
    stretched = stretch(vectors, scaling)
    centre = stretched.mean(axis=0)
    spread = stretched.std(axis=0) if scaling == "standardise" else np.ones(stretched.shape[1])
    spread = np.where(spread > _LEAST_LENGTH, spread, 1.0)
    components = principal_components((stretched - centre) / spread, recipe.rbf_dimensions, seed) / spread[:, None]
    projected = (stretched - centre) @ components
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
    """The leading directions of float64 (n, d) with mean 0, float64 (d, at most count)."""
    from sklearn.utils.extmath import randomized_svd

    count = min(count, *centred.shape)
    _, _, directions = randomized_svd(centred, count, n_iter=4, random_state=seed)
    return np.asarray(directions.T)


def _squared_distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    lengths = np.einsum("ij,ij->i", first, first)[:, None] + np.einsum("ij,ij->i", second, second)
    return np.asarray(np.maximum(lengths - 2 * first @ second.T, 0.0))
