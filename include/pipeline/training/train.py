"""Train a model on the training part of a snapshot and register it; by hand, and as a candidate of a retraining."""

from __future__ import annotations

import json
import logging
import tempfile
import time
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from include.code_version import code_version
from include.errors import NoChampionError
from include.models.data.snapshot import Snapshot, read_snapshot
from include.models.training.candidates import Candidate
from include.pipeline.promotion import promote_by_hand, settle
from include.pipeline.training.options import training_options
from include.pipeline.training.training_data import days_of_photos, snapshot_of_today, training_set
from include.settings import Settings
from include.storage.lake import Lake
from include.storage.local_files import write_file
from include.warehouse.engine import open_engine
from include.warehouse.locks import exclusive_lock

if TYPE_CHECKING:
    from include.models.classifier.recipe import Recipe
    from include.models.data.dataset import TrainingSet
    from include.models.reasons.references import ReferenceProducts
    from include.models.training.report import TrainingReport
    from include.models.version.registry import ModelVersion, Registry

logger = logging.getLogger(__name__)


TRAINING_RECORD = "reports/training.json"
"""File of the state folder with the newest training's report."""


class TrainingRecord(TypedDict):
    """The newest training, as `TRAINING_RECORD` holds it."""

    version: str
    products_by_source: dict[str, int]
    image_encoder: str
    """Setting that loads the photo encoder."""
    report: str
    """`TrainingReport` as JSON."""


class TrainSummary(TypedDict):
    """The registered version and how good it was out of fold."""

    version: str
    promoted: bool
    reused: bool
    dataset_hash: str
    snapshot: str
    report: str
    seconds: float


class CandidateSummary(TypedDict):
    """A candidate's version, and what decides which candidate meets the champion."""

    candidate: str
    version: str
    reused: bool
    macro_f1: float
    """Out of fold, as in production."""
    seconds: float


def train_model(settings: Settings, *, promote: bool = False, as_of: date | None = None) -> TrainSummary:
    """Train on the trusted labels of all products, but for the gold set, register the artefact, and promote it.

    It is promoted, past the gate, when `promote` asks for it or when there is no champion yet. A sound version that was
    trained on exactly these rows with these settings is not trained again (`reused`). Labels are those at the end of
    `as_of`, today by default. Raises ConfigurationError if there are too few labels to train on,
    RetrainingBusy when something else is being trained.
    """
    from include.models.search.outcome import move_outcome
    from include.models.version.registry import Registry

    started = time.monotonic()
    move_outcome(settings.state_dir, Lake(settings.lake_root))
    with open_engine(settings.warehouse_dsn) as engine, exclusive_lock(engine, "training", wait=False):
        snapshot = snapshot_of_today(settings, as_of)
        registry = Registry(settings.tracking_uri, settings.state_dir)
        dataset = training_set(snapshot.training, settings)
        recipe = base_recipe(dataset, settings)
        version, report = train_once(registry, dataset, settings, recipe, snapshot, candidate="by hand")
        if report is not None:
            _keep_report(settings, version.version, dataset, report)
        with exclusive_lock(engine, "decision"):
            is_first = settle(engine, registry) is None
            promoted = promote or is_first
            if promoted:
                promote_by_hand(
                    engine,
                    registry,
                    version.version,
                    decided_by="train",
                    reason="the first model" if is_first else "promoted by hand, past the gate",
                    snapshot=snapshot.manifest.snapshot,
                )
    return TrainSummary(
        version=version.version,
        promoted=promoted,
        reused=report is None,
        dataset_hash=registry.tag(version.version, "dataset_hash"),
        snapshot=snapshot.manifest.snapshot,
        report=report.to_text() if report else "",
        seconds=round(time.monotonic() - started, 3),
    )


def train_candidate(candidate: Candidate, snapshot_number: str, settings: Settings) -> CandidateSummary:
    """Train one candidate of a retraining on a snapshot and register it; one that was trained before is found again.

    Raises SnapshotDamaged or ConfigurationError when there is nothing (enough) to train on.
    """
    from include.models.version.registry import Registry

    started = time.monotonic()
    snapshot = read_snapshot(Lake(settings.lake_root), snapshot_number)
    rows = snapshot.training
    image_encoder = None
    if candidate.network is not None:
        from include.pipeline.training.train_cnn import train_cnn_on

        network = train_cnn_on(rows, settings, candidate.network, weights=candidate.weights, epochs=candidate.epochs)
        image_encoder = str(network.encoder)
    dataset = training_set(rows, settings, image_encoder)
    recipe = candidate.recipe_on(base_recipe(dataset, settings))
    registry = Registry(settings.tracking_uri, settings.state_dir)
    version, report = train_once(registry, dataset, settings, recipe, snapshot, candidate=candidate.name)
    return CandidateSummary(
        candidate=candidate.name,
        version=version.version,
        reused=report is None,
        macro_f1=registry.metrics(version.version)["overall_macro_f1"],
        seconds=round(time.monotonic() - started, 3),
    )


def base_recipe(dataset: TrainingSet, settings: Settings) -> Recipe:
    """What the last search found for these labels and encoders, else the default recipe."""
    from include.models.classifier.recipe import Recipe
    from include.models.search.objective import kind_of
    from include.models.search.outcome import found_recipe

    return found_recipe(Lake(settings.lake_root), kind_of(dataset, settings.text_encoder)) or Recipe()


def train_once(
    registry: Registry,
    dataset: TrainingSet,
    settings: Settings,
    recipe: Recipe,
    snapshot: Snapshot,
    *,
    candidate: str,
) -> tuple[ModelVersion, TrainingReport | None]:
    """A sound version trained on exactly this, and no report; or a new one with the report of its training."""
    from include.features.image.packing import exported_spec
    from include.models.training.train import train

    options = training_options(settings)
    dataset_hash = dataset.fingerprint(options, recipe)
    for version in reversed(registry.trained_on(dataset_hash)):
        if _is_sound(version):
            logger.info("version %s was trained on exactly this: dataset_hash=%s", version.version, dataset_hash)
            registry.end_run(version.version)
            return version, None
    artefact, report = train(dataset, options, recipe)
    spec = exported_spec(artefact.image_encoder_spec, settings.state_dir / "encoders")
    artefact = replace(artefact, image_encoder_spec=spec, references=_with_photo_days(artefact.references, settings))
    with tempfile.TemporaryDirectory(prefix="cuvee-artefact-") as folder:
        artefact.save(Path(folder))
        version = registry.register(
            Path(folder),
            metrics=report.metrics(),
            params=report.params()
            | {
                "dataset_hash": dataset_hash,
                "snapshot": snapshot.manifest.snapshot,
                "candidate": candidate,
                "code_version": code_version(),
            },
            report=report.to_text(),
        )
    return version, report


def _with_photo_days(references: ReferenceProducts | None, settings: Settings) -> ReferenceProducts | None:
    """Reference products with the days in whose batches their photos are, so that pages can show them."""
    if references is None:
        return None
    sources = [product_id.partition(":")[0] for product_id in references.table["product_id"].to_pylist()]
    photos = list(zip(sources, references.table["photo_sha256"].to_pylist(), strict=True))
    return references.with_photo_days(days_of_photos(Lake(settings.lake_root), photos))


def _keep_report(settings: Settings, version: str, dataset: TrainingSet, report: TrainingReport) -> None:
    """Write the record of the newest training, for its model card."""
    kept = TrainingRecord(
        version=version,
        products_by_source=dict(Counter(product_id.partition(":")[0] for product_id in dataset.product_ids)),
        image_encoder=dataset.image_encoder_spec,
        report=report.to_json(),
    )
    write_file(settings.state_dir / TRAINING_RECORD, json.dumps(kept, indent=1, sort_keys=True))


def _is_sound(version: ModelVersion) -> bool:
    """Whether a version works here: its artefact is not damaged, and the files of its photo encoder are there."""
    from include.features.image.packing import missing_files
    from include.models.version.artefact import Artefact

    try:
        artefact = Artefact.load(version.path)
    except NoChampionError as error:
        logger.warning("version %s is trained again: %s", version.version, error)
        return False
    missing = missing_files(artefact.image_encoder_spec)
    if missing:
        logger.warning("version %s is trained again: its photo encoder %s is not here", version.version, missing[0])
    return not missing
