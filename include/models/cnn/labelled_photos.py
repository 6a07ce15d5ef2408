"""The photos that a network learns from: each once, with one label, in content groups that are never split."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from include.errors import ConfigurationError
from include.models.data.content_groups import content_groups, groups_per_label
from include.taxonomy import Taxonomy, load_taxonomy

logger = logging.getLogger(__name__)

_MORE = "Import a labelled catalogue with photos: `python -m include import PATH`."


@dataclass(frozen=True, eq=False)
class LabelledPhotos:
    """Distinct photos with one label each."""

    hashes: tuple[str, ...]
    """SHA-256 of the photos' bytes, as the packed photos name them."""
    targets: np.ndarray
    """int64 (n,): index into `label_names`."""
    groups: np.ndarray
    """int64 (n,): content group; photos of products with the same text share one."""
    label_names: tuple[str, ...]
    """In the taxonomy's order."""

    def __len__(self) -> int:
        return len(self.hashes)

    @property
    def target_of(self) -> dict[str, int]:
        """The label's index of each photo."""
        return dict(zip(self.hashes, self.targets.tolist(), strict=True))

    def subset(self, rows: np.ndarray) -> LabelledPhotos:
        """The photos of some rows, with the same labels and groups; rows is int64 (any number,)."""
        return LabelledPhotos(
            hashes=tuple(self.hashes[row] for row in rows),
            targets=self.targets[rows],
            groups=self.groups[rows],
            label_names=self.label_names,
        )

    def fingerprint(self) -> str:
        """SHA-256 (hex) of photos, labels and groups."""
        rows = sorted(zip(self.hashes, self.targets.tolist(), self.groups.tolist(), strict=True))
        return hashlib.sha256(json.dumps([self.label_names, rows]).encode()).hexdigest()


def label_photos(
    labels: Sequence[str],
    photo_hashes: Sequence[str | None],
    text_keys: Sequence[str | None],
    examples_needed: int,
    taxonomy: Taxonomy | None = None,
) -> LabelledPhotos:
    """The photos of labelled products; all three columns have a row per product, None where it has none.

    Products with the same text key (a hash of the text, or of what nearly identical texts share) are in one group.
    A photo with several labels (a placeholder, often) is left out, and so, with a warning, is a label
    with fewer than `examples_needed` content groups. Raises ConfigurationError for a label outside the
    taxonomy, when there is no photo at all, or when fewer than two labels are left.
    """
    taxonomy = taxonomy or load_taxonomy()
    for label in set(labels):
        taxonomy.require_label(label)
    seen: dict[str, set[str]] = defaultdict(set)
    rows: dict[str, int] = {}
    for row, (photo, label) in enumerate(zip(photo_hashes, labels, strict=True)):
        if photo is not None:
            seen[photo].add(label)
            rows.setdefault(photo, row)
    if not rows:
        raise ConfigurationError(f"None of {len(labels)} labelled products has a photo to train a CNN on. {_MORE}")
    groups = content_groups(text_keys, photo_hashes)
    photos = [photo for photo, found in seen.items() if len(found) == 1]
    unambiguous = [rows[photo] for photo in photos]
    kept_labels = _labels_with_enough_groups([labels[row] for row in unambiguous], groups[unambiguous], examples_needed)
    names = tuple(label for label in taxonomy.labels if label in kept_labels)
    index = {label: number for number, label in enumerate(names)}
    kept = [photo for photo in photos if labels[rows[photo]] in index]
    logger.info(
        "photos to learn from: photos=%d labels=%d ambiguous=%d", len(kept), len(names), len(seen) - len(photos)
    )
    return LabelledPhotos(
        hashes=tuple(kept),
        targets=np.array([index[labels[rows[photo]]] for photo in kept], dtype=np.int64),
        groups=np.array([groups[rows[photo]] for photo in kept], dtype=np.int64),
        label_names=names,
    )


def _labels_with_enough_groups(labels: Sequence[str], groups: np.ndarray, needed: int) -> set[str]:
    counts = dict(sorted(groups_per_label(labels, groups).items()))
    rare = {label: count for label, count in counts.items() if count < needed}
    if rare:
        logger.warning("labels left out, fewer than %d photos: %s", needed, rare)
    if len(counts) - len(rare) < 2:
        raise ConfigurationError(
            f"A CNN needs at least two labels with {needed} different photos each, found {counts}. {_MORE}"
        )
    return counts.keys() - rare.keys()


def hold_out(photos: LabelledPhotos, share: float, seed: int) -> tuple[LabelledPhotos, LabelledPhotos]:
    """Photos to learn from, and about `share` of them held out: stratified by label, whole content groups only.

    Raises ConfigurationError if the groups do not allow it.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    groups_of_label = [len(np.unique(photos.groups[photos.targets == label])) for label in np.unique(photos.targets)]
    folds = min(round(1 / share), *groups_of_label) if groups_of_label else 0
    if len(groups_of_label) < 2 or folds < 2:
        raise ConfigurationError(
            f"A CNN needs at least two labels, each with photos of two different products; found {len(photos)} photos "
            f"of {len(groups_of_label)} labels. {_MORE}"
        )
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    learn, held_out = next(iter(splitter.split(photos.targets, photos.targets, photos.groups)))
    if set(photos.groups[learn]) & set(photos.groups[held_out]):
        raise AssertionError("a content group is on both sides of the split")
    if len(np.unique(photos.targets[learn])) < len(groups_of_label):
        raise ConfigurationError(f"Too few different photos to hold a part out of {len(photos)}. {_MORE}")
    return photos.subset(learn), photos.subset(held_out)
