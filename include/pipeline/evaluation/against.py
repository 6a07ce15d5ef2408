"""Predictions of another model on the same products, to compare with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from include.errors import ConfigurationError
from include.models.evaluation.cross_validation import predict_with
from include.models.evaluation.predictions_table import PREDICTIONS, predictions_table
from include.pipeline.evaluation.data import EvaluationData, photo_vectors
from include.pipeline.evaluation.plan import Plan
from include.settings import Settings

PREDICTIONS_FILE = "evaluation_predictions.parquet"
"""File beside each `evaluation.json`."""


def read_predictions(against: Path) -> pa.Table:
    """The predictions that lie beside an `evaluation.json`, rows of `PREDICTIONS`."""
    path = against.parent / PREDICTIONS_FILE
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise ConfigurationError(
            f"there are no predictions to compare with in {path} ({error}): keep evaluation.json and "
            f"{PREDICTIONS_FILE} of an evaluation together in a folder of their own, and give that evaluation.json"
        ) from error
    if not table.schema.equals(PREDICTIONS):
        raise ConfigurationError(f"{path} was written by another version of the program: evaluate that model again")
    return table


def predictions_of_version(version: str, data: EvaluationData, plan: Plan, settings: Settings) -> pa.Table:
    """A registered model's predictions of the catalogue's products, rows of `PREDICTIONS`.

    It may have learnt from these very products: then it looks better than it is. Raises NoChampionError when there is
    no such version.
    """
    from include.models.version.artefact import Artefact
    from include.models.version.registry import Registry

    artefact = Artefact.load(Registry(settings.tracking_uri, settings.state_dir).get(version).path)
    block = plan.blocks["default"]
    _spec, identity, vectors = photo_vectors(data.lake, artefact.image_encoder_spec, data.photo_hashes, settings)
    artefact.check_image_encoder(identity)
    dataset = data.training_set(block.rows, vectors=vectors)
    names = tuple(dict.fromkeys([*artefact.labels, *dataset.labels]))
    found = predict_with(artefact, dataset, np.arange(len(block.rows)), names)
    keys = {"text": found["text"], "photo_default": found["photo"], "fusion_default": found["fusion"]}
    return predictions_table(keys, dict.fromkeys(keys, dataset.product_ids))
