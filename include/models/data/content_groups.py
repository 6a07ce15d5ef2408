"""Content groups: products that share a text or a photo, directly or through others, and so must not be split.

content_groups(["a", "a", "b", None], [None, "x", "x", None])   # [0, 0, 0, 1]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np


def content_groups(*key_columns: Sequence[str | None]) -> np.ndarray:
    """Group number of each row, int64 (n,): rows with the same key in any of the columns are in one group.

    Groups are the connected components of the graph whose edges are shared keys; None is no key.
    """
    edges: list[tuple[int, int]] = []
    for keys in key_columns:
        first: dict[str, int] = {}
        edges += [(first.setdefault(key, row), row) for row, key in enumerate(keys) if key is not None]
    return connected_components(np.array(edges, dtype=np.int64).reshape(-1, 2).T, len(key_columns[0]))


def groups_per_label(labels: Sequence[str], groups: np.ndarray) -> dict[str, int]:
    """Number of different content groups of each label, in the order in which labels occur first.

    `groups` are the group numbers of the rows, int64 (n,), `labels` their labels.
    """
    return dict(Counter(label for label, _ in dict.fromkeys(zip(labels, groups.tolist(), strict=True))))


def connected_components(edges: np.ndarray, count: int) -> np.ndarray:
    """Component number of each of `count` nodes, int64 (count,); `edges` are pairs of nodes, int64 (2, edges)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components as components_of

    graph = coo_array((np.ones(edges.shape[1], dtype=np.int8), (edges[0], edges[1])), shape=(count, count))
    return np.asarray(components_of(graph, directed=False)[1], dtype=np.int64)
