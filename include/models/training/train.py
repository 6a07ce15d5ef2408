"""Train a model: text and photo classifiers, their fusion, calibration and thresholds.

Everything that decides (temperatures, fusion, thresholds) and everything that is reported comes from
out-of-fold predictions: each product is predicted by models that saw neither it nor its content group, the
text encoder included. The model that is kept is then fitted on all examples.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from dataclasses import replace

import numpy as np

from include.models.classifier.recipe import Recipe
from include.models.data.dataset import Examples, TrainingSet, prepare_examples
from include.models.data.training_options import TrainingOptions
from include.models.monitoring.reference_profile import ReferenceProfile
from include.models.training.held_out import Fitted, fit_all, predict_out_of_fold
from include.models.training.reference_choice import choose_references
from include.models.training.report import TrainingReport, score
from include.models.training.tuning import Tuned, tune
from include.models.version.artefact import Artefact
from include.models.version.golden import make_golden
from include.taxonomy import load_taxonomy

logger = logging.getLogger(__name__)

GOLDEN_EXAMPLES = 8


def train(
    dataset: TrainingSet, options: TrainingOptions, recipe: Recipe | None = None
) -> tuple[Artefact, TrainingReport]:
    """Train on trusted labels; the same rows, options and recipe give the same model.

    Raises ConfigurationError when fewer than two labels have enough examples, or no product has a text.
    """
    from threadpoolctl import threadpool_limits

    recipe = recipe or Recipe()
    started = time.monotonic()
    examples = prepare_examples(dataset, options.examples_needed)
    folds = assign_folds(examples, options)
    # More threads spend their time waiting for each other: these matrices are small.
    with threadpool_limits(limits=1):
        held_out = predict_out_of_fold(examples, folds, options, recipe)
        fitted = fit_all(examples, np.arange(len(examples)), options, recipe)
        photo_labels = fitted.photo.known if fitted.photo else np.empty(0, dtype=np.int64)
        tuned = tune(examples, folds, held_out, photo_labels, options, recipe)
        artefact = _assemble(dataset, examples, fitted, tuned, recipe, options.seed)
    report = _report(examples, folds, tuned, artefact, options, time.monotonic() - started)
    logger.info(
        "trained: examples=%d labels=%d seconds=%.1f metrics=%s",
        len(examples), len(examples.label_names), report.seconds,
        {name: round(scores.accuracy, 4) for name, scores in report.scores.items()},
    )  # fmt: skip
    return artefact, report


def _assemble(
    dataset: TrainingSet, examples: Examples, fitted: Fitted, tuned: Tuned, recipe: Recipe, seed: int
) -> Artefact:
    artefact = Artefact(
        text_encoder=fitted.text_encoder,
        image_encoder_spec=dataset.image_encoder_spec,
        image_encoder_identity=dataset.image_encoder_identity,
        text_classifier=fitted.text.at_temperature(tuned.text_temperature),
        photo_classifier=fitted.photo and fitted.photo.at_temperature(tuned.photo_temperature),
        joint_head=(
            fitted.joint.at_temperature(tuned.joint_temperature)
            if fitted.joint and tuned.policy.fusion_used == "joint"
            else None
        ),
        text_detector=fitted.text_detector,
        photo_detector=fitted.photo_detector,
        policy=tuned.policy,
        recipe=recipe,
        taxonomy_identity=load_taxonomy().identity,
        golden=make_golden([], fitted.text_vectors[:0], examples.image_vectors[:0], examples.has_photo[:0]),
        profile=_profile(examples, fitted, tuned),
        references=choose_references(dataset, examples, fitted.text_vectors, seed),
    )
    return _with_golden_example(artefact, examples, fitted.text_vectors)


def _profile(examples: Examples, fitted: Fitted, tuned: Tuned) -> ReferenceProfile:
    """What batches are compared with later: the out-of-fold predictions of what was trained on."""
    rows = tuned.rows["overall"]
    return ReferenceProfile.of(
        [examples.sources[row] for row in rows],
        tuned.predictions["overall"],
        examples.has_photo[rows],
        fitted.text_vectors[rows],
        examples.has_text[rows],
        examples.image_vectors[rows],
    )


def assign_folds(examples: Examples, options: TrainingOptions) -> np.ndarray:
    """Fold number of each example, int64 in [0, training_folds): stratified by label, whole content groups."""
    from sklearn.model_selection import StratifiedGroupKFold

    splitter = StratifiedGroupKFold(options.folds, shuffle=True, random_state=options.seed)
    folds = np.empty(len(examples), dtype=np.int64)
    for number, (_, rows) in enumerate(splitter.split(folds, examples.targets, examples.groups)):
        folds[rows] = number
    require_whole_groups(examples.groups, folds)
    return folds


def require_whole_groups(groups: np.ndarray, folds: np.ndarray) -> None:
    """Raise AssertionError if a content group is in more than one fold: the test data would leak into training."""
    pairs = np.unique(np.stack([groups, folds]), axis=1)
    if pairs.shape[1] != len(np.unique(groups)):
        raise AssertionError("a content group is on both sides of a split")


def _with_golden_example(artefact: Artefact, examples: Examples, text_vectors: np.ndarray) -> Artefact:
    """The artefact with a few of its examples, spread over the labels, as golden input and output."""
    first_of_label = np.unique(examples.targets, return_index=True)[1]
    with_photo = np.flatnonzero(examples.has_photo)[:2]
    rows = np.union1d(first_of_label[:GOLDEN_EXAMPLES], with_photo)
    golden = make_golden(
        [examples.documents[row] for row in rows],
        text_vectors[rows],
        examples.image_vectors[rows],
        examples.has_photo[rows],
    )
    output = artefact.predict(golden.text_vectors, golden.has_text, golden.image_vectors, golden.has_photo)
    return replace(artefact, golden=replace(golden, probabilities=output.probabilities))


def _report(
    examples: Examples, folds: np.ndarray, tuned: Tuned, artefact: Artefact, options: TrainingOptions, seconds: float
) -> TrainingReport:
    targets, overall = examples.targets, tuned.predictions["overall"]
    correct = overall.label_index == targets
    origins = np.array(examples.origins)
    labels = {}
    for number, label in enumerate(examples.label_names):
        found, wanted = overall.label_index == number, targets == number
        hits = float((found & wanted).sum())
        labels[label] = {
            "examples": float(wanted.sum()),
            "precision": hits / max(1, int(found.sum())),
            "recall": hits / int(wanted.sum()),
        }
    return TrainingReport(
        scores={
            modality: score(predictions, targets[rows], folds[rows], tuned.thresholds.get(modality))
            for modality, predictions in tuned.predictions.items()
            if len(rows := tuned.rows[modality])
        },
        labels=labels,
        examples_by_origin={
            label: dict(sorted(Counter(origins[targets == number].tolist()).items()))
            for number, label in enumerate(examples.label_names)
        },
        accuracy_by_origin={
            origin: float(correct[origins == origin].mean()) for origin in sorted(set(examples.origins))
        },
        rejected=examples.rejected,
        rare_labels=examples.rare_labels,
        target_precision=options.target_precision,
        folds=options.folds,
        details={
            "text_encoder": artefact.text_encoder.identity,
            "text_dimensions": artefact.text_encoder.dimensions,
            "text_temperature": round(tuned.text_temperature, 4),
            "photo_encoder": artefact.image_encoder_identity,
            "photo_labels": len(tuned.policy.photo_labels),
            "photo_temperature": round(tuned.photo_temperature, 4),
            "fusion_used": tuned.policy.fusion_used,
            "fusion_reason": tuned.fusion_choice.reason,
            **{f"fusion_accuracy_{name}": round(value, 4) for name, value in tuned.fusion_choice.accuracies.items()},
            "fusion_text_weight": tuned.policy.fusion.text_weight,
            "fusion_photo_weight": tuned.policy.fusion.photo_weight,
            "rule_weight": tuned.policy.rule_weight,
            "rule_agreement_weight": tuned.policy.agreement_weight,
            "fusion_stacked": str(tuned.policy.fusion.correction is not None),
            "recipe": artefact.recipe.to_json(),
            "taxonomy": artefact.taxonomy_identity,
        },
        seconds=round(seconds, 2),
    )
