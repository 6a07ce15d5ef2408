"""Step 4: label a shard from its cached embeddings with the pinned model version."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

import numpy as np
import pyarrow as pa

from include.errors import StepMissing
from include.features.cache import EmbeddingCache
from include.pipeline.daily.drift import stage_drift_statistics
from include.pipeline.daily.model_flags import RULE_DISAGREES, UNFAMILIAR, with_model_flags
from include.pipeline.daily.reasons import keep_references
from include.pipeline.daily.shards import Shard, batch_of, read_shard
from include.pipeline.model_versions import load_version
from include.pipeline.text_features import text_features_of
from include.schema import LABELS
from include.settings import Settings
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.taxonomy import Taxonomy, load_taxonomy

if TYPE_CHECKING:
    from include.models.decision.predictions import Predictions

logger = logging.getLogger(__name__)


class ClassificationSummary(TypedDict):
    """Counts of a classified shard."""

    products: int
    accepted: int
    seconds: float


def classify(shard: Shard, settings: Settings) -> ClassificationSummary:
    """Label every product of a shard and stage the result for publishing."""
    from threadpoolctl import threadpool_limits

    from include.models.reasons.rows import PredictedInputs, reason_rows

    started = time.monotonic()
    lake = Lake(settings.lake_root)
    artefact = load_version(shard["model_version"], settings)
    products = read_shard(lake, shard)
    photos = lake.read_parquet(batch_of(shard).file(Layer.IMAGES, shard["shard"]), ["product_id", "status", "sha256"])
    _require_same_products(products, photos, shard)

    kept = batch_of(shard).file(Layer.TEXT_FEATURES, shard["shard"])
    features = text_features_of(lake, kept, products)
    texts = features["text_hash"].to_pylist()
    text_vectors, has_text = _embeddings(lake, artefact.text_encoder.identity, texts, shard, "embed_text")
    # A model that was trained without photos has no use for them, whatever encoder is there now.
    uses_photos = artefact.photo_classifier is not None
    photo_hashes = photos["sha256"].to_pylist() if uses_photos else [None] * photos.num_rows
    photo_vectors, has_photo = _embeddings(lake, artefact.image_encoder_identity, photo_hashes, shard, "embed_images")

    rule_labels = features["rule_label"].to_pylist()
    # Two threads do not pay off on blocks this small: they would mostly wait for each other, and burn a core.
    with threadpool_limits(limits=1, user_api="blas"):
        predictions = artefact.predict(text_vectors, has_text, photo_vectors, has_photo, rule_labels)
        inputs = PredictedInputs(
            product_ids=products["product_id"],
            text_hashes=features["text_hash"],
            photo_hashes=photos["sha256"],
            rules=features["rule"],
            rule_labels=features["rule_label"],
            text_vectors=text_vectors,
            photo_vectors=photo_vectors,
        )
        reasons = reason_rows(inputs, predictions, artefact.references, shard["model_version"])
    keep_references(lake, artefact.references)
    labels = label_rows(products, photos, predictions, shard["model_version"], load_taxonomy())
    stage_drift_statistics(
        lake, shard, artefact, predictions, photos["status"].to_pylist(), text_vectors, photo_vectors
    )
    # Labels last: where they are, all is.
    lake.write_parquet(batch_of(shard).staged_file(Layer.REASONS, shard["shard"]), reasons)
    lake.write_parquet(batch_of(shard).staged_file(Layer.LABELS, shard["shard"]), labels)
    accepted = predictions.decisions.count("accepted")
    logger.info(
        "classified source=%s day=%s shard=%d products=%d accepted=%d model_version=%s",
        shard["source"], shard["day"], shard["shard"], products.num_rows, accepted, shard["model_version"],
    )  # fmt: skip
    return ClassificationSummary(
        products=products.num_rows, accepted=accepted, seconds=round(time.monotonic() - started, 3)
    )


def _embeddings(
    lake: Lake, encoder: str, hashes: Sequence[str | None], shard: Shard, step: str
) -> tuple[np.ndarray, np.ndarray]:
    """Cached embeddings and which of them are usable; a product must not lose its text or photo unnoticed."""
    cache = EmbeddingCache(lake, encoder)
    missing = cache.missing(hashes)
    if missing:
        raise StepMissing(
            f"{len(missing)} embeddings of shard {shard['shard']} of {shard['source']} {shard['day']} are missing "
            f"for encoder {encoder}: run {step} for this shard again"
        )
    return cache.get(hashes)


def _require_same_products(products: pa.Table, photos: pa.Table, shard: Shard) -> None:
    """Photos are joined by position; a file left from an earlier validation of the day must not slip in."""
    if not products["product_id"].equals(photos["product_id"]):
        raise StepMissing(
            f"the photos of shard {shard['shard']} belong to another validation of {shard['source']} {shard['day']}: "
            "run embed_images for this shard again"
        )


def label_rows(
    products: pa.Table, photos: pa.Table, predictions: Predictions, model_version: str, taxonomy: Taxonomy
) -> pa.Table:
    """Rows of `schema.LABELS` for products and their predictions, in the same order."""
    columns = {name: products[name] for name in products.column_names}
    columns |= {"photo_status": photos["status"], "photo_sha256": photos["sha256"]}
    columns |= predicted_columns(products["flags"], predictions, model_version, taxonomy)
    return pa.table([columns[name] for name in LABELS.names], schema=LABELS)


def predicted_columns(
    flags: pa.ChunkedArray | pa.ListArray, predictions: Predictions, model_version: str, taxonomy: Taxonomy
) -> dict[str, pa.Array | pa.ChunkedArray]:
    """The columns of `schema.LABELS` that come from predictions; `flags` are the products' own, without a model's."""
    raised = {UNFAMILIAR: predictions.is_unfamiliar, RULE_DISAGREES: predictions.is_contradicted}
    label = pa.array(predictions.label_index)
    departments = [taxonomy.department(name) for name in predictions.label_names]
    return {
        "flags": with_model_flags(flags, raised),
        "label": pa.array(predictions.label_names, pa.string()).take(label),
        "department": pa.array(departments, pa.string()).take(label),
        "confidence": pa.array(predictions.confidences, pa.float32()),
        "decision": pa.array(predictions.decisions),
        "top_labels": pa.array(predictions.top_labels(3), LABELS.field("top_labels").type),
        "modality": pa.array(predictions.modalities),
        "model_version": pa.array([model_version] * len(predictions)),
    }
