"""Predictions of one model version for products of the warehouse, from their cached embeddings."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.features.cache import EmbeddingCache
from include.pipeline.daily.classify import predicted_columns
from include.pipeline.daily.model_flags import without_model_flags
from include.pipeline.daily.reasons import keep_references
from include.pipeline.model_versions import load_version
from include.pipeline.relabelling.plan import PinnedModel, RelabelShard, slice_of
from include.pipeline.text_features import extract_text_features, replace_text_features, stored_text_features
from include.schema import RELABELLING_REASONS
from include.settings import Settings
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.taxonomy import load_taxonomy

if TYPE_CHECKING:
    from include.features.image import ImageEncoder
    from include.warehouse.copying_out import ArrowReader
    from include.warehouse.relabelling import CatalogueSlice

logger = logging.getLogger(__name__)


class CataloguePredictor:
    """A model version with its embedding caches, for any number of shards. One object per thread."""

    def __init__(self, model: PinnedModel, settings: Settings) -> None:
        """Raises NoChampionError when the artefact is missing or damaged."""
        from threadpoolctl import ThreadpoolController

        # Arrow's other allocators give large buffers back at once: the kernel would clear new pages for every batch,
        # which takes a tenth of the CPU of a prediction.
        pa.set_memory_pool(pa.system_memory_pool())
        self._libraries = ThreadpoolController()
        self._settings = settings
        self._version = model["version"]
        self._artefact = load_version(model["version"], settings)
        self._lake = Lake(settings.lake_root)
        self._texts = EmbeddingCache(self._lake, self._artefact.text_encoder.identity)
        self._photos = EmbeddingCache(self._lake, self._artefact.image_encoder_identity)
        self._image_encoder: ImageEncoder | None = None

    def predict(self, reader: ArrowReader, shard: RelabelShard) -> tuple[pa.Table, pa.Table]:
        """Predictions for the products of a shard that another version labelled, as `write_predictions` takes them.

        And why they are what they are, as rows of `schema.RELABELLING_REASONS`.
        """
        from include.warehouse.relabelling import NEW_PREDICTIONS, by_days, new_predictions, read_slice

        part = slice_of(shard)
        found = read_slice(reader, part, self._version)
        predicted, reasons = [NEW_PREDICTIONS.empty_table()], [RELABELLING_REASONS.empty_table()]
        with _searching_new_objects_only():
            for products in by_days(found):
                columns, why = self._label(reader, products, part)
                predicted.append(new_predictions(products, columns))
                reasons.append(why)
        keep_references(self._lake, self._artefact.references)
        return pa.concat_tables(predicted), pa.concat_tables(reasons)

    def _label(
        self, reader: ArrowReader, products: pa.Table, part: CatalogueSlice
    ) -> tuple[dict[str, pa.Array | pa.ChunkedArray], pa.Table]:
        """The columns of `schema.LABELS` that a prediction gives, and rows of `schema.RELABELLING_REASONS`.

        `products` are rows of `relabelling.CATALOGUE`.
        """
        from include.models.reasons.rows import PredictedInputs, reason_rows

        features = self._text_features(reader, products, part)
        text_vectors, has_text = self._texts.get(features["text_hash"])
        photo_vectors, has_photo = self._photo_vectors(products, part.source)
        rule_labels = features["rule_label"].to_pylist()
        # Two threads do not pay off on blocks this small: they would mostly wait for each other, and burn a core.
        with self._libraries.limit(limits=1, user_api="blas"):
            predictions = self._artefact.predict(text_vectors, has_text, photo_vectors, has_photo, rule_labels)
            inputs = PredictedInputs(
                product_ids=products["product_id"],
                text_hashes=features["text_hash"],
                photo_hashes=products["photo_sha256"],
                rules=features["rule"],
                rule_labels=features["rule_label"],
                text_vectors=text_vectors,
                photo_vectors=photo_vectors,
            )
            reasons = reason_rows(inputs, predictions, self._artefact.references, self._version)
        own_flags = without_model_flags(products["flags"])
        columns = predicted_columns(own_flags, predictions, self._version, load_taxonomy())
        day = RELABELLING_REASONS.field("day")
        return columns, reasons.append_column(day, products["last_seen_day"].cast(day.type))

    def _text_features(self, reader: ArrowReader, products: pa.Table, part: CatalogueSlice) -> pa.Table:
        """Rows of `TEXT_FEATURES` for the products, in their order, whose texts are embedded afterwards."""
        days = products["last_seen_day"].unique().to_pylist()
        kept = stored_text_features(self._lake, part.source, days, products["content_hash"])
        place = pc.index_in(products["content_hash"], value_set=kept["content_hash"])
        if not place.null_count:
            features = kept.take(place)
            if not self._texts.missing(features["text_hash"]):
                return features
        return self._read_and_embed(reader, products, replace(part, first_day=min(days), last_day=max(days)))

    def _read_and_embed(self, reader: ArrowReader, products: pa.Table, part: CatalogueSlice) -> pa.Table:
        """Text features extracted now and stored for the next time; texts that are not cached are embedded."""
        from include.features.embed import embed_missing_texts
        from include.warehouse.relabelling import read_slice_texts

        texts = read_slice_texts(reader, part, self._version)
        # A product that is gone or has another content by now is not written in the end.
        texts = texts.take(pc.index_in(products["product_id"], value_set=texts["product_id"]))
        features, documents = extract_text_features(texts)
        by_hash = {key: text for key, text in zip(features["text_hash"].to_pylist(), documents, strict=True) if key}
        computed = embed_missing_texts(self._texts, self._artefact.text_encoder, by_hash)
        logger.info("read texts: products=%d embedded=%d", products.num_rows, computed)
        for day in products["last_seen_day"].unique().to_pylist():
            is_of_day = pc.and_(pc.equal(products["last_seen_day"], day), texts["content_hash"].is_valid())
            replace_text_features(self._lake, Batch(part.source, day), features.filter(is_of_day))
        return features

    def _photo_vectors(self, products: pa.Table, source: str) -> tuple[np.ndarray, np.ndarray]:
        """Embeddings of the photos, and which products have one; those not cached are computed from the lake."""
        # A model that was trained without photos has no use for them, whatever encoder is there now.
        hashes = products["photo_sha256"]
        if self._artefact.photo_classifier is None:
            hashes = pa.nulls(len(hashes), pa.string())
        missing = self._photos.missing(hashes)
        if missing:
            self._embed_photos(missing, products, source)
        return self._photos.get(hashes)

    def _embed_photos(self, missing: list[str], products: pa.Table, source: str) -> None:
        """Embed packed photos of the days on which the products were seen; what is gone there counts as no photo."""
        from include.pipeline.encoders import configured_image_encoder
        from include.pipeline.training.training_data import embed_packed_photos

        if self._image_encoder is None:
            self._image_encoder = configured_image_encoder(self._artefact.image_encoder_spec, self._settings)
            self._artefact.check_image_encoder(self._image_encoder.identity)
        concerned = pc.is_in(products["photo_sha256"], value_set=pa.array(missing))
        days = products["last_seen_day"].filter(concerned).unique().to_pylist()
        folders = [Batch(source, day).folder(Layer.IMAGES) for day in sorted(days)]
        computed = embed_packed_photos(self._lake, self._photos, self._image_encoder, missing, folders)
        if computed < len(missing):
            logger.warning(
                "photos that are gone: count=%d source=%s days=%s to %s; their products are labelled without",
                len(missing) - computed, source, min(days), max(days),
            )  # fmt: skip


@contextmanager
def _searching_new_objects_only() -> Iterator[None]:
    """Keep Python's search for garbage off what is there already: modules and models, a seventh of a prediction."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
