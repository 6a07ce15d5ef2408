"""Drift of a day: `classify` sums up each shard, `publish` compares the whole day with what its model was trained on.

The vectors are at hand when a shard is classified, so that nothing is read twice and a day of any size costs a few
kilobytes a shard. The figures are kept with the drift page; publishing again takes them from there.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

import numpy as np

from include.pages.drift_report import DriftPage, read_drift_result, remove_drift_report, write_drift_report
from include.pipeline.daily.shards import Shard, batch_of, shard_count
from include.pipeline.model_versions import version_folder
from include.settings import Settings
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer

if TYPE_CHECKING:
    from include.models.decision.predictions import Predictions
    from include.models.monitoring.drift import Drift, DriftBounds
    from include.models.monitoring.drift_statistics import DriftStatistics
    from include.models.version.artefact import Artefact

logger = logging.getLogger(__name__)

_VERSION = "model_version"


@dataclass(frozen=True)
class DayDrift:
    """What the table `batches` holds of a day's drift; both are empty where it was not measured."""

    figures: dict[str, dict[str, Any]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def stage_drift_statistics(
    lake: Lake,
    shard: Shard,
    artefact: Artefact,
    predictions: Predictions,
    photo_statuses: Sequence[str],
    text_vectors: np.ndarray,
    photo_vectors: np.ndarray,
) -> None:
    """Leave the drift statistics of a classified shard beside its staged labels; none for a model without a profile.

    Vectors are float32 (n, d) and (n, e), NaN where a product has no text or photo.
    """
    path = _statistics_path(batch_of(shard).staged_file(Layer.LABELS, shard["shard"]))
    if artefact.profile is None:
        lake.delete(path)
        return
    from include.models.monitoring.drift_statistics import DriftStatistics

    without_photo = np.array([status != "ok" for status in photo_statuses], dtype=bool)
    statistics = DriftStatistics.of(predictions, without_photo, text_vectors, photo_vectors)
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **statistics.to_arrays(), **{_VERSION: np.array(shard["model_version"])})
    lake.write_bytes(path, content.getvalue())


def watch_day(lake: Lake, batch: Batch, model_version: str | None, settings: Settings) -> DayDrift:
    """Measure the drift of a day that is about to be published, write its page, and log what is beyond its bounds.

    A day without products, or labelled by a model without a profile, has no figures and no page.
    """
    shards = shard_count(lake, batch)
    if shards and not lake.exists(batch.staged_file(Layer.LABELS)):
        return _known_drift(lake, batch)  # published before, and not classified since
    drift = _measure(lake, batch, shards, settings) if shards else None
    if drift is None:
        if shards:
            logger.warning(
                "drift is not measured: model version %s has no profile of its training, or did not label the whole "
                "day; a training brings a profile: source=%s day=%s", model_version, batch.source, batch.day,
            )  # fmt: skip
        remove_drift_report(lake, batch)
        return DayDrift()
    page = DriftPage(
        source=batch.source,
        day=batch.day,
        model_version=str(model_version),
        products=drift.products,
        compared_with=drift.compared_with,
        figures=drift.to_json(),
        warnings=drift.warnings,
        label_shares=[asdict(share) for share in drift.label_shares],
    )
    path = write_drift_report(lake, page)
    for sentence in drift.warnings:
        logger.warning("drift of %s on %s: %s", batch.source, batch.day, sentence)
    logger.info(
        "measured drift: source=%s day=%s warnings=%d page=%s", batch.source, batch.day, len(drift.warnings), path
    )
    return DayDrift(drift.to_json(), drift.warnings)


def _measure(lake: Lake, batch: Batch, shards: int, settings: Settings) -> Drift | None:
    """The drift of a day from the statistics of its shards; None unless they are of one model that has a profile."""
    from include.models.monitoring.drift import measure_drift
    from include.models.monitoring.reference_profile import ReferenceProfile

    paths = [batch.staged_file(Layer.LABELS, number) for number in range(shards)]
    if not all(lake.exists(_statistics_path(path)) for path in paths):
        return None
    statistics, versions = zip(*(_read_statistics(lake, path) for path in paths), strict=True)
    profile = ReferenceProfile.load(version_folder(versions[0], settings)) if len(set(versions)) == 1 else None
    if profile is None:
        return None
    return measure_drift(batch.source, reduce(add, statistics), profile, drift_bounds(settings))


def drift_bounds(settings: Settings) -> DriftBounds:
    """The bounds that the settings give."""
    from include.models.monitoring.drift import DriftBounds

    return DriftBounds(
        min_products=settings.drift_min_products,
        label_mix=settings.drift_label_mix,
        confidence=settings.drift_confidence,
        embedding=settings.drift_embedding,
        missing_photos=settings.drift_missing_photos,
        reviewed=settings.drift_reviewed,
    )


def _known_drift(lake: Lake, batch: Batch) -> DayDrift:
    result = read_drift_result(lake, batch)
    return DayDrift() if result is None else DayDrift(result["figures"], result["warnings"])


def _read_statistics(lake: Lake, labels: str) -> tuple[DriftStatistics, str]:
    """The drift statistics beside a shard's staged labels, and the model version that they are about."""
    from include.models.monitoring.drift_statistics import DriftStatistics

    with np.load(io.BytesIO(lake.read_bytes(_statistics_path(labels))), allow_pickle=False) as stored:
        arrays = dict(stored)
    if _VERSION in arrays:
        return DriftStatistics.from_arrays(arrays), str(arrays[_VERSION])
    # Those that an earlier release has staged name the model's folder instead.
    return DriftStatistics.from_arrays(arrays), str(lake.read_parquet(labels, [_VERSION])[_VERSION][0])


def _statistics_path(labels: str) -> str:
    """The path of the drift statistics beside a shard's staged labels."""
    return labels.removesuffix(".parquet") + ".tally.npz"
