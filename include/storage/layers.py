"""The layers of the lake by name: the folders under its root that hold one kind of file each."""

from __future__ import annotations

from enum import StrEnum


class Layer(StrEnum):
    """A folder under the lake's root; `f"{Layer.IMAGES}/…"` is a path."""

    LANDING = "landing"
    """What sources answered, as received."""
    PRODUCTS = "products"
    """Validated products, rows of `schema.PRODUCTS`; a row group is a shard."""
    QUARANTINE = "quarantine"
    """Records that were set aside with their reasons, rows of `schema.QUARANTINE`."""
    IMAGES = "images"
    """Packed photos, rows of `schema.IMAGES`; a file is a shard."""
    TEXT_FEATURES = "readings"
    """Text features of products by the version of the extractor; a file is a shard."""
    EMBEDDINGS = "embeddings"
    """Embeddings by encoder."""
    LABELS = "labels"
    """Labelled products, rows of `schema.LABELS`; a row group is a shard."""
    REASONS = "reasons"
    """Why products have the labels of `LABELS`, rows of `schema.REASONS`."""
    RELABELLING_REASONS = "relabelling_reasons"
    """The same for labels that a relabelling gave, by version and source."""
    REFERENCES = "references"
    """Trusted products that model versions compare others with, rows of `schema.REFERENCES`."""
    SNAPSHOTS = "snapshots"
    """The rows that a training learns from and is judged by."""
    GOLD_SET = "gold_set"
    """Which contents judge models and are never trained on."""
    SEARCH = "search"
    """The result of the newest search for hyper-parameters."""
    STAGING = "staging"
    """What a batch writes until it is whole; of a published batch there is nothing."""
    VALIDATION_REPORTS = "reports/validation"
    RETRAINING_REPORTS = "reports/retraining"
    RELABELLING_REPORTS = "reports/relabel"
    DIGESTS = "reports/digests"
    """The message that was sent for each day."""
