"""Training data: products with trusted labels, and the clean examples made of them.

Two invariants hold. A label that the platform predicted never becomes an example. Products with the same text or the
same photo belong to one content group, which is never split between training and testing.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from include.errors import ConfigurationError
from include.models.classifier.recipe import Recipe
from include.models.data.content_groups import content_groups, groups_per_label
from include.models.data.training_options import TrainingOptions
from include.models.decision.written_rules import encode_rule_labels
from include.schema import LABEL_ORIGINS
from include.taxonomy import Taxonomy, load_taxonomy

logger = logging.getLogger(__name__)

METHOD = 4
"""Version of the training method, to be increased when the same rows and settings would give another model."""


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Products with one trusted label each; all columns have the same length."""

    product_ids: Sequence[str]
    documents: Sequence[str]
    """Cleaned text, empty if a product has none."""
    text_hashes: Sequence[str | None]
    """SHA-256 of the document, None if it is empty."""
    photo_hashes: Sequence[str | None]
    """SHA-256 of the photo's bytes, None if there is no photo."""
    image_vectors: np.ndarray
    """float32 (products, dimensions); rows of NaN where there is no photo."""
    labels: Sequence[str]
    origins: Sequence[str]
    """One of `schema.LABEL_ORIGINS` each."""
    rule_labels: Sequence[str | None] | None = None
    """Label of the taxonomy's written rules for each product, None if none applies; None if not evaluated."""
    names: Sequence[str | None] | None = None
    """What the products are called, for people; None where nobody asks."""
    image_encoder_spec: str = "classical"
    """The setting `image_encoder` that loads the encoder of `image_vectors`."""
    image_encoder_identity: str = ""
    """Identity of that encoder: name, weights and preprocessing."""

    def __post_init__(self) -> None:
        lengths = {name: len(getattr(self, name)) for name in _COLUMNS}
        optional = {"rule_labels": self.rule_labels, "names": self.names}
        lengths |= {name: len(values) for name, values in optional.items() if values is not None}
        if len(set(lengths.values())) != 1:
            raise ConfigurationError(f"the columns of a training set differ in length: {lengths}")
        untrusted = sorted(set(self.origins) - set(LABEL_ORIGINS))
        if untrusted:
            raise ConfigurationError(f"labels of origin {untrusted} are never trained on; trusted: {LABEL_ORIGINS}")

    def fingerprint(self, options: TrainingOptions, recipe: Recipe | None = None) -> str:
        """SHA-256 (hex) of all that decides the trained model: rows, encoder, options, recipe, taxonomy and method."""
        rows = sorted(
            zip(self.product_ids, self.text_hashes, self.photo_hashes, self.labels, self.origins, strict=True)
        )
        context = {
            "method": METHOD,
            "recipe": (recipe or Recipe()).to_dict(),
            "taxonomy": load_taxonomy().identity,
            "image_encoder": self.image_encoder_identity,
            "settings": options.to_dict(),
        }
        digest = hashlib.sha256(json.dumps(context, sort_keys=True).encode())
        digest.update(json.dumps(rows).encode())
        return digest.hexdigest()


_COLUMNS = ("product_ids", "documents", "text_hashes", "photo_hashes", "image_vectors", "labels", "origins")


@dataclass(frozen=True, eq=False)
class Examples:
    """Clean examples for training, one per distinct content."""

    rows: np.ndarray
    """int64 (n,): row of each example in the training set."""
    documents: list[str]
    has_text: np.ndarray
    """bool (n,)"""
    image_vectors: np.ndarray
    """float32 (n, dimensions); rows of NaN where `has_photo` is False."""
    has_photo: np.ndarray
    """bool (n,)"""
    label_names: tuple[str, ...]
    """Labels with enough examples, in the order of the taxonomy."""
    targets: np.ndarray
    """int64 (n,): index into `label_names`."""
    groups: np.ndarray
    """int64 (n,): content group; never on both sides of a split."""
    origins: list[str]
    sources: list[str]
    """Source of each example's product, e.g. `flipkart`."""
    rule_label_index: np.ndarray
    """int64 (n,): label of a written rule, encoded by `written_rules.encode_rule_labels`; `NO_RULE` for an
    example that a rule labelled, which would otherwise confirm itself."""
    rejected: Mapping[str, int]
    """Rows left out, by reason: `duplicate`, `contradictory`, `label_too_rare`, `no_content`."""
    rare_labels: Mapping[str, int]
    """Labels left out because they have too few examples, with the number of their content groups."""

    def __len__(self) -> int:
        return len(self.documents)


def prepare_examples(dataset: TrainingSet, examples_needed: int, taxonomy: Taxonomy | None = None) -> Examples:
    """Clean a training set: contradictions settled or left out, duplicates merged, rare labels left out.

    A label is rare with fewer than `examples_needed` content groups. For contradictions and duplicates see `clean`.
    Raises ConfigurationError for a label outside the taxonomy, or when fewer than two labels have enough examples.
    """
    taxonomy = taxonomy or load_taxonomy()
    for label in set(dataset.labels):
        taxonomy.require_label(label)
    rows, photos, rejected = clean(dataset)
    positions = np.fromiter(rows, dtype=np.int64, count=len(rows))
    groups = content_groups([dataset.text_hashes[i] for i in positions], [photos[i] for i in positions])
    kept_labels, rare = _labels_with_enough_groups(list(rows.values()), groups, examples_needed, taxonomy)
    kept = np.array([label in kept_labels for label in rows.values()], dtype=bool)
    rejected["label_too_rare"] += int((~kept).sum())
    positions, groups = positions[kept], groups[kept]
    has_photo = np.array([photos[i] is not None for i in positions], dtype=bool)
    image_vectors = dataset.image_vectors[positions].astype(np.float32)
    image_vectors[~has_photo] = np.nan
    index = {label: number for number, label in enumerate(kept_labels)}
    origins = [dataset.origins[i] for i in positions]
    return Examples(
        rows=positions,
        documents=[dataset.documents[i] for i in positions],
        has_text=np.array([dataset.text_hashes[i] is not None for i in positions], dtype=bool),
        image_vectors=image_vectors,
        has_photo=has_photo,
        label_names=kept_labels,
        targets=np.array([index[rows[i]] for i in positions], dtype=np.int64),
        groups=groups,
        origins=origins,
        sources=[dataset.product_ids[i].partition(":")[0] for i in positions],
        rule_label_index=encode_rule_labels(
            [
                None if dataset.rule_labels is None or origin == "rule" else dataset.rule_labels[i]
                for i, origin in zip(positions, origins, strict=True)
            ],
            kept_labels,
        ),
        rejected=dict(+rejected),
        rare_labels=rare,
    )


def clean(dataset: TrainingSet) -> tuple[dict[int, str], list[str | None], Counter[str]]:
    """The distinct rows of a training set: labels by row, usable photos of all rows, and rows left out by reason.

    All products with the same text get the label of the most trusted origin; a text to which this origin gives several
    labels is left out. Photos that cannot be decoded are None, and so are photos with several labels, which are
    placeholders most often. Of rows with the same text and photo the first is kept.
    """
    rejected: Counter[str] = Counter()
    photo_usable = (
        ~np.isnan(dataset.image_vectors).all(axis=1)
        if dataset.image_vectors.size
        else np.zeros(len(dataset.labels), bool)
    )
    photos = [photo if usable else None for photo, usable in zip(dataset.photo_hashes, photo_usable, strict=True)]
    rows = _settle_contradictions(dataset, photos, rejected)
    ambiguous = _photos_of_several_labels(rows, photos)
    photos = [None if photo in ambiguous else photo for photo in photos]
    return _without_duplicates(rows, dataset.text_hashes, photos, rejected), photos, rejected


def _settle_contradictions(
    dataset: TrainingSet, photos: Sequence[str | None], rejected: Counter[str]
) -> dict[int, str]:
    """Row → label, with one label per distinct text."""
    rank: dict[str, int] = {origin: number for number, origin in enumerate(LABEL_ORIGINS)}
    by_text: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for text, origin, label in zip(dataset.text_hashes, dataset.origins, dataset.labels, strict=True):
        if text is not None:
            by_text[text][rank[origin]].add(label)
    strongest = {text: labels[min(labels)] for text, labels in by_text.items()}
    rows: dict[int, str] = {}
    for row, (text, label) in enumerate(zip(dataset.text_hashes, dataset.labels, strict=True)):
        if text is None and photos[row] is None:
            rejected["no_content"] += 1
        elif text is None:
            rows[row] = label
        elif len(strongest[text]) > 1:
            rejected["contradictory"] += 1
        else:
            rows[row] = next(iter(strongest[text]))
    return rows


def _photos_of_several_labels(rows: Mapping[int, str], photos: Sequence[str | None]) -> set[str]:
    labels: dict[str, set[str]] = defaultdict(set)
    for row, label in rows.items():
        photo = photos[row]
        if photo is not None:
            labels[photo].add(label)
    return {photo for photo, seen in labels.items() if len(seen) > 1}


def _without_duplicates(
    rows: Mapping[int, str],
    texts: Sequence[str | None],
    photos: Sequence[str | None],
    rejected: Counter[str],
) -> dict[int, str]:
    """One row per text and photo; a row without a photo is a duplicate if its text also occurs with one."""
    with_photo = {texts[row] for row in rows if photos[row] is not None}
    seen: set[tuple[str | None, str | None]] = set()
    kept: dict[int, str] = {}
    for row, label in rows.items():
        content = (texts[row], photos[row])
        if content == (None, None):
            rejected["no_content"] += 1
        elif content in seen or (photos[row] is None and texts[row] in with_photo):
            rejected["duplicate"] += 1
        else:
            seen.add(content)
            kept[row] = label
    return kept


def _labels_with_enough_groups(
    labels: Sequence[str], groups: np.ndarray, needed: int, taxonomy: Taxonomy
) -> tuple[tuple[str, ...], dict[str, int]]:
    """Labels with enough content groups, and the numbers of groups of the others."""
    counts = groups_per_label(labels, groups)
    kept = tuple(label for label in taxonomy.labels if counts.get(label, 0) >= needed)
    rare = {label: count for label, count in counts.items() if label not in kept}
    if rare:
        logger.warning("labels left out, fewer than %d examples: %s", needed, rare)
    if len(kept) < 2:
        raise ConfigurationError(
            f"training needs at least two labels with {needed} different products each, found {counts}: "
            "import a labelled catalogue with `python -m include import PATH`"
        )
    return kept, rare
