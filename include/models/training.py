"""Train a model: text and photo classifiers, their fusion, calibration and thresholds.

Everything that decides (temperatures, fusion, thresholds) and everything that is reported comes from
out-of-fold predictions: each product is predicted by models that saw neither it nor its content group, the
text encoder included. The model that is kept is then fitted on all examples.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from include.features.text import TextEncoder, fit_text_encoder
from include.models.artefact import Artefact, make_golden
from include.models.dataset import Examples, TrainingSet, prepare_examples
from include.models.linear import LinearClassifier, fit_linear
from include.models.training_report import TrainingReport, score
from include.models.tuning import HeldOut, Tuned, tune
from include.settings import Settings
from include.taxonomy import load_taxonomy

logger = logging.getLogger(__name__)

TEXT_REGULARISATION = 20.0
PHOTO_REGULARISATION = 3.0
"""Divided by the number of dimensions, so that short and long photo embeddings speak equally loud."""
ENCODER_DOCUMENTS_PER_LABEL = 400
"""A label with thousands of products would otherwise take the text encoder's dimensions from the small ones."""
GOLDEN_EXAMPLES = 8


def train(dataset: TrainingSet, settings: Settings) -> tuple[Artefact, TrainingReport]:
    """Train on trusted labels; the same rows and settings give the same model.

    Raises ConfigurationError when fewer than two labels have enough examples, or no product has a text.
    """
    from threadpoolctl import threadpool_limits

    started = time.monotonic()
    examples = prepare_examples(dataset, settings)
    folds = assign_folds(examples, settings)
    # More threads spend their time waiting for each other: these matrices are small.
    with threadpool_limits(limits=1):
        held_out = _predict_out_of_fold(examples, folds, settings)
        text_encoder = _fit_text_encoder(examples, np.arange(len(examples)), settings)
        text_vectors = text_encoder.encode(examples.documents)
        text_classifier = _fit_text(examples, text_vectors, np.flatnonzero(examples.has_text))
        photo_classifier = _fit_photo(examples, _rows_for_photo(examples, settings))
    photo_labels = photo_classifier.known if photo_classifier else np.empty(0, dtype=np.int64)
    tuned = tune(examples, held_out, photo_labels, settings)
    artefact = Artefact(
        text_encoder=text_encoder,
        image_encoder_spec=dataset.image_encoder_spec,
        image_encoder_identity=dataset.image_encoder_identity,
        text_classifier=text_classifier.at_temperature(tuned.text_temperature),
        photo_classifier=photo_classifier and photo_classifier.at_temperature(tuned.photo_temperature),
        decider=tuned.decider,
        taxonomy_identity=load_taxonomy().identity,
        golden=make_golden([], text_vectors[:0], examples.image_vectors[:0], examples.has_photo[:0]),
    )
    artefact = _with_golden_example(artefact, examples, text_vectors)
    report = _report(examples, folds, tuned, artefact, settings, time.monotonic() - started)
    logger.info(
        "trained: examples=%d labels=%d seconds=%.1f metrics=%s",
        len(examples), len(examples.label_names), report.seconds,
        {name: round(scores.accuracy, 4) for name, scores in report.scores.items()},
    )  # fmt: skip
    return artefact, report


def assign_folds(examples: Examples, settings: Settings) -> np.ndarray:
    """Fold number of each example, int64 in [0, training_folds): stratified by label, whole content groups."""
    from sklearn.model_selection import StratifiedGroupKFold

    splitter = StratifiedGroupKFold(settings.training_folds, shuffle=True, random_state=settings.seed)
    folds = np.empty(len(examples), dtype=np.int64)
    for number, (_, rows) in enumerate(splitter.split(folds, examples.targets, examples.groups)):
        folds[rows] = number
    require_whole_groups(examples.groups, folds)
    return folds


def require_whole_groups(groups: np.ndarray, folds: np.ndarray) -> None:
    """Raise AssertionError if a content group stands in more than one fold: what is learnt would be tested."""
    pairs = np.unique(np.stack([groups, folds]), axis=1)
    if pairs.shape[1] != len(np.unique(groups)):
        raise AssertionError("a content group stands on both sides of a split")


def _fit_text_encoder(examples: Examples, rows: np.ndarray, settings: Settings) -> TextEncoder:
    """Fit on at most so many documents of each label, chosen by the seed."""
    chooser = np.random.default_rng(settings.seed)
    rows = rows[examples.has_text[rows]]
    chosen = [
        chooser.permutation(rows[examples.targets[rows] == label])[:ENCODER_DOCUMENTS_PER_LABEL]
        for label in range(len(examples.label_names))
    ]
    return fit_text_encoder([examples.documents[row] for row in np.sort(np.concatenate(chosen))], settings)


def _fit_text(examples: Examples, vectors: np.ndarray, rows: np.ndarray) -> LinearClassifier:
    return fit_linear(vectors[rows], examples.targets[rows], regularisation=TEXT_REGULARISATION, standardise=False)


def _fit_photo(examples: Examples, rows: np.ndarray) -> LinearClassifier | None:
    """None when the rows do not hold two labels."""
    if len(np.unique(examples.targets[rows])) < 2:
        return None
    vectors = examples.image_vectors[rows]
    regularisation = PHOTO_REGULARISATION / vectors.shape[1]
    return fit_linear(vectors, examples.targets[rows], regularisation=regularisation, standardise=True)


def _rows_for_photo(examples: Examples, settings: Settings) -> np.ndarray:
    """Rows with a photo whose label has as many photos as any label needs examples."""
    rows = np.flatnonzero(examples.has_photo)
    counts = np.bincount(examples.targets[rows], minlength=len(examples.label_names))
    needed = max(settings.min_label_examples, settings.training_folds)
    return np.asarray(rows[counts[examples.targets[rows]] >= needed])


def _predict_out_of_fold(examples: Examples, folds: np.ndarray, settings: Settings) -> HeldOut:
    held_out = HeldOut.empty(len(examples), len(examples.label_names))
    photo_rows = _rows_for_photo(examples, settings)
    for fold, learn, test in _splits(folds):
        learn_text, test_text = learn[examples.has_text[learn]], test[examples.has_text[test]]
        test_photo = test[examples.has_photo[test]]
        text_encoder = _fit_text_encoder(examples, learn, settings)
        vectors = text_encoder.encode(examples.documents)
        held_out.place("text", test_text, _fit_text(examples, vectors, learn_text), vectors)
        photo_classifier = _fit_photo(examples, np.intersect1d(learn, photo_rows))
        if photo_classifier is not None:
            held_out.place("photo", test_photo, photo_classifier, examples.image_vectors)
        logger.info("fold %d of %d predicted", fold + 1, settings.training_folds)
    return held_out


def _splits(folds: np.ndarray) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Fold number, rows to learn from, rows to test on."""
    for fold in np.unique(folds).tolist():
        yield fold, np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)


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
    examples: Examples, folds: np.ndarray, tuned: Tuned, artefact: Artefact, settings: Settings, seconds: float
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
        target_precision=settings.target_precision,
        folds=settings.training_folds,
        details={
            "text_encoder": artefact.text_encoder.identity,
            "text_dimensions": artefact.text_encoder.dimensions,
            "text_temperature": round(tuned.text_temperature, 4),
            "photo_encoder": artefact.image_encoder_identity,
            "photo_labels": len(tuned.decider.photo_labels),
            "photo_temperature": round(tuned.photo_temperature, 4),
            "fusion_text_weight": tuned.decider.fusion.text_weight,
            "fusion_photo_weight": tuned.decider.fusion.photo_weight,
            "taxonomy": artefact.taxonomy_identity,
        },
        seconds=round(seconds, 2),
    )
