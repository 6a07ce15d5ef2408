"""What groups an embedding shows by itself, without any label: the measure of an encoder, not of a classifier.

Vectors are reduced to their first principal components and brought to length 1, so that direction counts and not
how typical a vector is. t-SNE (van der Maaten and Hinton, 2008; openTSNE) lays them out in the plane, which brings
out neighbourhoods of any shape and density, and k-means cuts the plane. How far the clusters agree with the labels
is the adjusted Rand index (Hubert and Arabie, 1985).
"""

from __future__ import annotations

import numpy as np

PERPLEXITY = 50
"""Neighbours that t-SNE looks at: the upper end of what its authors propose, where seeds differ least; fewer for a
small set."""

_FEWEST_FOR_LAYOUT = 10
_PRINCIPAL_COMPONENTS = 24
"""Dimensions that t-SNE is given at most: the directions that many vectors share, without what is one vector's own."""
_KMEANS_STARTS = 20
_LAYOUTS = 8
"""Planes of which clustering takes the one that fits best: t-SNE ends in another place from another start."""
_SMALLEST = 1e-12


def lay_out(vectors: np.ndarray, seed: int = 0, perplexity: float = PERPLEXITY, *, starts: int = 1) -> np.ndarray:
    """Places in the plane, float32 (n, 2), for float32 (n, d) without NaN; the same seed gives the same plane.

    Of several `starts` the plane of the lowest Kullback-Leibler divergence is kept: the lowest loss of t-SNE.
    Fewer than ten vectors, or vectors all alike, have nothing to lay out: their principal components.
    """
    from openTSNE import TSNE
    from sklearn.decomposition import PCA

    if len(vectors) < _FEWEST_FOR_LAYOUT or not np.ptp(vectors, axis=0).any():
        return _first_two_directions(vectors)
    components = min(_PRINCIPAL_COMPONENTS, *vectors.shape)
    reduced = PCA(components, random_state=seed).fit_transform(vectors.astype(np.float64))
    reachable = min(perplexity, (len(vectors) - 1) / 3)
    reduced /= np.maximum(np.linalg.norm(reduced, axis=1, keepdims=True), _SMALLEST)
    layouts = [
        TSNE(perplexity=reachable, metric="euclidean", n_jobs=1, random_state=seed * starts + start).fit(reduced)
        for start in range(starts)
    ]
    return np.asarray(min(layouts, key=lambda layout: layout.kl_divergence), dtype=np.float32)


def _first_two_directions(vectors: np.ndarray) -> np.ndarray:
    centred = vectors - vectors.mean(axis=0)
    places = centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T
    return np.pad(places, ((0, 0), (0, 2 - places.shape[1]))).astype(np.float32)


def cluster_embedding(vectors: np.ndarray, clusters: int, seed: int = 0) -> np.ndarray:
    """Cluster of each of n vectors, int64 (n,) in [0, clusters): k-means on the plane of `lay_out`.

    `vectors` is float32 (n, d) without NaN, n at least `clusters`. The same seed gives the same clusters.
    """
    from sklearn.cluster import KMeans

    model = KMeans(clusters, n_init=_KMEANS_STARTS, random_state=seed)
    return np.asarray(model.fit_predict(lay_out(vectors, seed, starts=_LAYOUTS)), dtype=np.int64)


def cluster_ari(vectors: np.ndarray, labels: np.ndarray, clusters: int | None = None, seed: int = 0) -> float:
    """Adjusted Rand index of `cluster_embedding` against labels: 1 the same groups, about 0 chance.

    `labels` is any array (n,); `clusters` is the number of distinct labels unless given.
    """
    from sklearn.metrics import adjusted_rand_score

    found = cluster_embedding(vectors, clusters or len(np.unique(labels)), seed)
    return float(adjusted_rand_score(labels, found))
