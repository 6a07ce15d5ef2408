"""The gold products of a snapshot, and what models make of them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.models.data.content_groups import content_groups
from include.models.data.dataset import clean
from include.models.data.snapshot import Snapshot
from include.pipeline.training.training_data import training_set
from include.settings import Settings

if TYPE_CHECKING:
    from include.models.data.dataset import TrainingSet
    from include.models.evaluation.cross_validation import Predicted
    from include.models.version.artefact import Artefact

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class GoldProducts:
    """Products that judge models, each once and with one label; the same for every model."""

    table: pa.Table
    """Rows of `SNAPSHOT`."""
    left_out: Mapping[str, int]
    """Gold rows of the snapshot that judge nothing, by reason: `duplicate`, `contradictory`."""

    @cached_property
    def groups(self) -> np.ndarray:
        """int64 (n,): content group of each product."""
        return content_groups(self.table["content_group"].to_pylist())

    def seen_by(self, artefact: Artefact, settings: Settings) -> TrainingSet:
        """The products with the photo embeddings that a model was trained with.

        Raises ConfigurationError when its photo encoder is no longer there, or has become another.
        """
        if artefact.photo_classifier is None:
            return training_set(self.table, settings)
        dataset = training_set(self.table, settings, artefact.image_encoder_spec)
        artefact.check_image_encoder(dataset.image_encoder_identity)
        return dataset


def gold_products(snapshot: Snapshot, settings: Settings) -> GoldProducts:
    """The gold rows of a snapshot with contradictions settled and duplicates merged, as in training."""
    table = snapshot.gold
    rows, _photos, rejected = clean(training_set(table, settings))
    positions = pa.array(sorted(rows), pa.int64())
    labels = pa.array([rows[row] for row in positions.to_pylist()], pa.string())
    # A rule that gave a product its label is not applied to it, or it would confirm itself.
    kept = table.take(positions)
    silent = pc.if_else(pc.equal(kept["origin"], "rule"), pa.scalar(None, pa.string()), kept["rule_label"])
    kept = kept.set_column(kept.schema.get_field_index("rule_label"), kept.schema.field("rule_label"), silent)
    kept = kept.set_column(kept.schema.get_field_index("label"), kept.schema.field("label"), labels)
    return GoldProducts(kept, dict(+rejected))


def predict_gold(artefact: Artefact, gold: GoldProducts, label_names: tuple[str, ...], settings: Settings) -> Predicted:
    """A model's predictions of the gold products; a label that it does not know counts as wrong."""
    from include.models.evaluation.cross_validation import predict_with

    rows = np.arange(gold.table.num_rows)
    return predict_with(artefact, gold.seen_by(artefact, settings), rows, label_names, uses=("fusion",))["fusion"]


def gold_changes(before: Snapshot, now: Snapshot) -> float | None:
    """Share of the gold products of both snapshots whose label is another now, people's decisions aside; None for none.

    A source that changes the labels of many products it has long had is broken more often than it is right.
    """
    known = dict(zip(before.gold["product_id"].to_pylist(), before.gold["label"].to_pylist(), strict=True))
    rows = zip(*(now.gold[name].to_pylist() for name in ("product_id", "label", "origin")), strict=True)
    changed = [
        known[product_id] != label for product_id, label, origin in rows if product_id in known and origin != "human"
    ]
    return sum(changed) / len(changed) if changed else None
