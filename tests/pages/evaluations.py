"""A drawn evaluation that looks like a real one: every part filled, the same at every call."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from include.models.classifier.recipe import Recipe
from include.models.evaluation.results import (
    ClassScores,
    Comparison,
    CoveragePoint,
    DataDescription,
    Evaluation,
    Interval,
    LearningPoint,
    ListResult,
    ModalityResult,
    OperatingPoint,
    ReliabilityBin,
    Slice,
    Target,
)
from include.models.search.outcome import SearchOutcome
from include.models.training.report import Scores, TrainingReport

DEPARTMENTS = ("home_furnishing", "baby_care", "watches", "home_decor", "kitchen_dining", "beauty", "computers")


def around(value: float, reach: float = 0.015) -> Interval:
    """A value with an interval about it."""
    return Interval(value, max(0.0, value - reach), min(1.0, value + reach))


def draw_confusion(labels: int, per_label: int, accuracy: float, seed: int = 0) -> np.ndarray:
    """Counts, int64 (labels, labels), mostly on the diagonal."""
    chance = np.random.default_rng(seed)
    rows = []
    for label in range(labels):
        shares = np.full(labels, (1 - accuracy) / max(1, labels - 1))
        shares[label] = accuracy if labels > 1 else 1.0
        rows.append(chance.multinomial(int(per_label * chance.uniform(0.4, 1.5)), shares))
    return np.array(rows)


def draw_modality(
    title: str, modality: str, accuracy: float, labels: tuple[str, ...] = DEPARTMENTS, encoder: str | None = None
) -> ModalityResult:
    """One way to predict, with all its tables."""
    matrix = draw_confusion(len(labels), 120, accuracy)
    total, right = int(matrix.sum()), matrix.diagonal()
    precision, recall = right / np.maximum(1, matrix.sum(axis=0)), right / np.maximum(1, matrix.sum(axis=1))
    f1 = 2 * precision * recall / np.maximum(1e-9, precision + recall)
    shares = np.linspace(0.05, 1.0, 60)
    bins = ((3, 0.36, 0.29, 7), (4, 0.46, 0.5, 12), (5, 0.55, 0.5, 16), (6, 0.66, 0.7, 20), (7, 0.75, 0.72, 32),
            (8, 0.86, 0.89, 64), (9, 0.985, 0.992, total - 151))  # fmt: skip
    return ModalityResult(
        title=title,
        modality=modality,
        image_encoder=encoder,
        products=total,
        accuracy=around(float(right.sum() / total)),
        macro_f1=around(float(f1.mean())),
        calibration_error=around(0.018, 0.008),
        log_loss=Interval(0.142, 0.118, 0.171),
        label_names=labels,
        confusion=tuple(tuple(row) for row in matrix.tolist()),
        classes=tuple(
            ClassScores(label, float(precision[row]), float(recall[row]), float(f1[row]), int(matrix[row].sum()))
            for row, label in enumerate(labels)
        ),
        reliability=tuple(
            ReliabilityBin(low / 10, (low + 1) / 10, confidence, share, count) for low, confidence, share, count in bins
        ),
        coverage_curve=tuple(
            CoveragePoint(float(1 - 0.7 * share), float(share), float(1 - (1 - accuracy) * share**4))
            for share in shares
        ),
        operating_point=OperatingPoint(0.98, around(0.991, 0.006), around(0.912, 0.02)),
        slices=(
            Slice("no photo", 3, Interval(0.667, 0.094, 0.992), 0.5, 0.333),
            Slice("no brand", 283, around(0.951, 0.024), 0.948, 0.884),
            Slice("short text", 122, around(0.918, 0.047), 0.902, 0.795),
            Slice("English", 840, around(0.968, 0.012), 0.966, 0.912),
        ),
    )  # fmt: skip


def draw_evaluation(labels: tuple[str, ...] = DEPARTMENTS, *, is_drawn: bool = False) -> Evaluation:
    """A whole evaluation over the given labels."""
    modalities = {
        "text": draw_modality("text alone", "text", 0.958, labels),
        "text_no_category_words": draw_modality("text alone, category words removed", "text", 0.931, labels),
        "photo_default": draw_modality("photo, default encoder", "photo", 0.802, labels, "default"),
        "fusion_default": draw_modality("text + photo, default encoder", "fusion", 0.968, labels, "default"),
        "fusion_pretrained": draw_modality("text + photo, pretrained encoder", "fusion", 0.976, labels, "pretrained"),
    }
    drawn = ("text", "photo_default", "fusion_default")
    return Evaluation(
        data=DataDescription("flipkart", is_drawn, 840, 801, dict.fromkeys(labels, 120)),
        encoders={
            "default": "bundled-6c1f0a2b9d1e+classical-3",
            "pretrained": "tflite-coral_mobilenet_v1-94ab12cd34ef",
            "text": "tfidf-svd-256-0f3e",
        },
        folds=5,
        repeats=1,
        seed=0,
        interval_method="Percentile bootstrap over content groups, 2,000 draws, seed 0.",
        figures={
            "text_accuracy": around(0.958),
            "photo_accuracy_default": around(0.802, 0.027),
            "fusion_accuracy_default": around(0.968, 0.012),
            "fusion_ece": Interval(0.018, 0.011, 0.029),
            "accepted_precision": around(0.991, 0.006),
        },
        targets={
            "text_accuracy": Target("text alone", 0.965),
            "photo_accuracy_default": Target("photo, no download", 0.80),
            "fusion_accuracy_default": Target("text + photo", 0.965),
            "fusion_ece": Target("expected calibration error", 0.03, at_most=True),
            "accepted_precision": Target("at the operating point", 0.99),
            "champagne_precision": Target("champagne wine against all else", 0.98),
        },
        modalities=modalities,
        learning_curve=tuple(
            LearningPoint(
                share, int(672 * share), {key: around(modalities[key].accuracy.value - 0.09 * (1 - share) ** 2, 0.02)
                                          for key in drawn},
            )
            for share in (0.1, 0.25, 0.5, 0.75, 1.0)
        ),
        comparisons=(Comparison("fusion_default", "text", 840, 19, 8, 0.0522),),
        lists={
            "champagne": ListResult(
                "champagne", 214, 131, around(0.985, 0.01), around(0.962, 0.03), around(0.94, 0.03),
                (("openfoodfacts:3250390000013", "vinegar", "champagne", 0.61),),
            )
        },
        notes=("Descriptions often name the category; one row is measured without those words.",),
        seconds=184.2,
    )  # fmt: skip


def draw_training_report(labels: tuple[str, ...] = DEPARTMENTS) -> TrainingReport:
    """A training report over the given labels, with labels left out."""
    scores = Scores(840, 0.968, 0.011, 0.967, 0.012, 0.142, 0.018, 0.71, 0.912, 0.991)
    return TrainingReport(
        scores={"text": scores, "photo": scores, "fusion": scores, "overall": scores},
        labels={label: {"examples": 120.0, "precision": 0.97, "recall": 0.96} for label in labels},
        examples_by_origin={label: {"catalogue": 110, "rule": 10} for label in labels},
        accuracy_by_origin={"catalogue": 0.971, "rule": 0.931},
        rejected={"duplicate": 12, "contradictory": 3},
        rare_labels={"ratafia": 2},
        target_precision=0.98,
        folds=5,
        details={
            "text_encoder": "tfidf-svd-256-0f3e",
            "text_temperature": 0.81,
            "photo_encoder": "bundled-6c1f0a2b9d1e+classical-3",
            "taxonomy": "9f86d081884c7d65",
        },
        seconds=31.4,
    )


def draw_search_outcome() -> SearchOutcome:
    """A search of forty trials, some of them stopped early."""
    chance = np.random.default_rng(1)
    values = [
        None if number > 8 and chance.random() < 0.3 else float(0.968 - 0.02 * chance.random() ** 2 * 12 / (number + 8))
        for number in range(40)
    ]
    recipe = replace(Recipe(), text_regularisation=34.2, photo_heads=("logistic", "lda"))
    return SearchOutcome(
        study="macro_f1-3f2a9c10b7de",
        kind="0c1d2e3f",
        measure="macro_f1",
        products=840,
        recipe=recipe.to_dict(),
        is_default=False,
        value=max(value for value in values if value is not None),
        default_value=0.9611,
        values=tuple(values),
        importances={"text_regularisation": 0.46, "photo_heads": 0.27, "photo_scaling": 0.15, "joint_dropout": 0.12},
        pruned=sum(value is None for value in values),
        failed=0,
        seconds=812.0,
    )


def draw_training_history() -> list[dict[str, Any]]:
    """Twenty epochs of a network, in two phases."""
    chance = np.random.default_rng(2)
    return [
        {
            "epoch": epoch + 1,
            "phase": "head" if epoch < 8 else "fine_tuning",
            "loss": float(2 * np.exp(-epoch / 5) + 0.2),
            "accuracy": float(0.95 - 0.7 * np.exp(-epoch / 5)),
            "validation_loss": float(1.9 * np.exp(-epoch / 5) + 0.4 + chance.normal(0, 0.02)),
            "validation_accuracy": float(0.85 - 0.6 * np.exp(-epoch / 5) + chance.normal(0, 0.01)),
            "learning_rate": 0.001,
            "seconds": 3.0,
        }
        for epoch in range(20)
    ]
