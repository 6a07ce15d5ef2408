"""Repeated stratified grouped k-fold: each product is tested once per repeat, by a model that saw none of its group."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from include.errors import ConfigurationError


def repeated_group_folds(
    labels: Sequence[str], groups: np.ndarray, *, folds: int, repeats: int = 1, seed: int = 0
) -> np.ndarray:
    """Fold number of each product in each repeat, int64 (repeats, n) in [0, folds).

    Whole groups (int64 (n,)), labels spread evenly as far as groups allow. Raises ConfigurationError when there are
    fewer groups than folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    if len(np.unique(groups)) < folds:
        raise ConfigurationError(
            f"{len(np.unique(groups))} different products cannot be split into {folds} folds: evaluate on more "
            "products, or with fewer --folds"
        )
    numbers = np.empty((repeats, len(groups)), dtype=np.int64)
    for repeat in range(repeats):
        splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed + repeat)
        with warnings.catch_warnings():
            # A label with fewer products than folds is missing in some of them: it counts as it comes.
            warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
            for number, (_, rows) in enumerate(splitter.split(numbers[repeat], labels, groups)):
                numbers[repeat, rows] = number
    return numbers


def require_no_leak(groups: np.ndarray, learn: np.ndarray, test: np.ndarray) -> None:
    """Raise AssertionError when a group has products to learn from and products to test on (int64 positions)."""
    crossing = np.intersect1d(groups[learn], groups[test])
    if len(crossing):
        raise AssertionError(f"{len(crossing)} content groups are on both sides of a split, e.g. {crossing[0]}")


def share_of_groups(groups: np.ndarray, labels: Sequence[str], share: float, seed: int = 0) -> np.ndarray:
    """Positions, int64 sorted, of all products of a random share of the groups, label by label.

    The same seed with a larger share gives these products and more. A group counts to the label of its first product.
    """
    chance = np.random.default_rng(seed)
    first = np.unique(groups, return_index=True)[1]
    label_of_group = np.array(labels, dtype=object)[first]
    chosen: list[np.ndarray] = []
    for label in sorted(set(label_of_group.tolist())):
        candidates = chance.permutation(groups[first][label_of_group == label])
        chosen.append(candidates[: max(1, round(share * len(candidates)))])
    return np.flatnonzero(np.isin(groups, np.concatenate(chosen)))
