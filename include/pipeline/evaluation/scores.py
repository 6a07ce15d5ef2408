"""The scores of an evaluation: from what the planned models predicted to figures with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from include.models.data.label_list import label_list_part, product_codes
from include.models.evaluation.comparison import compare
from include.models.evaluation.cross_validation import Predicted, Use
from include.models.evaluation.intervals import share_interval
from include.models.evaluation.results import Comparison, Interval, LearningPoint, ListResult, ModalityResult
from include.models.evaluation.scoring import ari_interval, score_list, score_modality
from include.models.evaluation.slices import slice_rows
from include.models.evaluation.targets import TARGETS
from include.pipeline.evaluation.data import EvaluationData
from include.pipeline.evaluation.plan import (
    EVERYTHING,
    LIST_LABEL,
    LISTED,
    MASKED,
    SHARES,
    Block,
    Plan,
    share_name,
)
from include.settings import Settings

_TITLES = {
    "text": "text",
    "photo_default": "photo, default encoder",
    "fusion_default": "text + photo, default encoder",
    "photo_pretrained": "photo, pretrained encoder",
    "fusion_pretrained": "text + photo, pretrained encoder",
    f"text_{MASKED}": "text without category words",
    f"fusion_{MASKED}": "text without category words + photo, default encoder",
    EVERYTHING: "all sources, from whatever a product has",
}

Keyed = dict[str, tuple[Predicted, Block, Use]]
"""Predictions, the products they are about and what they looked at, by key of `Evaluation.modalities`."""
ByTask = Mapping[str, Mapping[Use, Predicted]]
"""Predictions by name of the tasks and by what they looked at."""


def keyed_predictions(predicted: ByTask, plan: Plan, encoders: Mapping[str, object]) -> Keyed:
    """The predictions to be scored, in the order of the report."""
    keyed: Keyed = {"text": (predicted["default"]["text"], plan.blocks["default"], "text")}
    for encoder in encoders:
        keyed[f"photo_{encoder}"] = (predicted[encoder]["photo"], plan.blocks[encoder], "photo")
        keyed[f"fusion_{encoder}"] = (predicted[encoder]["fusion"], plan.blocks[encoder], "fusion")
    keyed[f"text_{MASKED}"] = (predicted[MASKED]["text"], plan.blocks[MASKED], "text")
    keyed[f"fusion_{MASKED}"] = (predicted[MASKED]["fusion"], plan.blocks[MASKED], "fusion")
    if EVERYTHING in predicted:
        keyed[EVERYTHING] = (predicted[EVERYTHING]["fusion"], plan.blocks[EVERYTHING], "fusion")
    return keyed


def score_all(keyed: Keyed, data: EvaluationData, settings: Settings) -> dict[str, ModalityResult]:
    """All scores, by key."""
    scored = {}
    for key, (predicted, block, use) in keyed.items():
        encoder = "pretrained" if key.endswith("pretrained") else "default"
        scored[key] = score_modality(
            predicted,
            block.groups,
            title=_TITLES[key],
            modality=use,
            image_encoder=None if use == "text" else encoder,
            target_precision=settings.target_precision,
            slices=_slices(block, data),
            seed=settings.seed,
        )
    return scored


def _slices(block: Block, data: EvaluationData) -> Mapping[str, np.ndarray]:
    brands, languages, sources = (data.column(name) for name in ("brand", "language", "source"))
    return slice_rows(
        block.dataset.documents,
        has_photo=np.array([photo is not None for photo in block.dataset.photo_hashes], dtype=bool),
        has_brand=np.array([bool(brands[row]) for row in block.rows], dtype=bool),
        languages=[languages[row] for row in block.rows],
        sources=[str(sources[row]) for row in block.rows],
    )


def score_lists(predicted: ByTask, plan: Plan, seed: int) -> dict[str, ListResult]:
    """Scores on the whole label list, and on the half of it that no rule was tuned on."""
    if LISTED not in predicted:
        return {}
    found, block = predicted[LISTED]["fusion"], plan.blocks[LISTED]
    ids = block.dataset.product_ids
    codes = product_codes([ids[row] for row in found.rows.tolist()])
    unseen_half = found.take(np.array([label_list_part(code) == "test" for code in codes], dtype=bool))
    parts = {LIST_LABEL: found, f"{LIST_LABEL}_unseen_half": unseen_half}
    number = found.label_names.index(LIST_LABEL)
    return {
        name: score_list(part, block.groups, ids, LIST_LABEL, seed)
        for name, part in parts.items()
        if (part.targets == number).any()
    }


def figures_of(modalities: Mapping[str, ModalityResult], lists: Mapping[str, ListResult]) -> dict[str, Interval]:
    """The flat figures: `text_accuracy`, `fusion_accuracy_default`, `fusion_ece`, `accepted_precision`, …"""
    figures: dict[str, Interval] = {}
    for key, result in modalities.items():
        first, _, part = key.partition("_")
        suffix = f"_{part}" if part else ""
        figures[f"{first}_accuracy{suffix}"] = result.accuracy
        figures[f"{first}_macro_f1{suffix}"] = result.macro_f1
        if result.modality != "fusion":
            continue
        if key == EVERYTHING:
            suffix = f"_{EVERYTHING}"
        elif part == "default":
            suffix = ""
        figures[f"fusion_ece{suffix}"] = result.calibration_error
        figures[f"accepted_coverage{suffix}"] = result.operating_point.coverage
        if result.operating_point.precision is not None:
            figures[f"accepted_precision{suffix}"] = result.operating_point.precision
    for name, found in lists.items():
        label, _, part = name.partition("_")
        suffix = f"_{part}" if part else ""
        figures[f"{label}_recall{suffix}"] = found.recall
        if found.precision is not None:
            figures[f"{label}_precision{suffix}"] = found.precision
    return figures


def unseen_photo_figures(keyed: Keyed, data: EvaluationData, seed: int) -> dict[str, Interval]:
    """Accuracy on the fifth of the photos that the bundled encoder was never trained on."""
    from include.models.encoder_training.photo_crops import held_out

    figures = {}
    for key in ("photo_default", "fusion_default"):
        predicted, block, use = keyed[key]
        files = [data.photo_files[row] for row in block.rows[predicted.rows]]
        unseen = np.array([file is not None and held_out(Path(file).read_bytes()) for file in files], dtype=bool)
        if unseen.any():
            groups = block.groups[predicted.rows][unseen]
            figures[f"{use}_accuracy_default_unseen"] = share_interval(predicted.correct[unseen], groups, seed)
    return figures


def clustering_figures(plan: Plan, encoders: Mapping[str, object], settings: Settings) -> dict[str, Interval]:
    """Adjusted Rand index of k-means with as many clusters as labels, for the text and each photo embedding.

    Nothing here sees a label: the text encoder is fitted on the texts of all products. `ari_photo` is that of the
    best photo encoder at hand.
    """
    from include.features.clustering import cluster_embedding
    from include.features.text import fit_text_encoder
    from include.pipeline.encoders import text_encoder_choice

    main = plan.blocks["default"]
    names, labels = np.unique(np.array(main.dataset.labels), return_inverse=True)

    def index(vectors: np.ndarray) -> Interval:
        usable = ~np.isnan(vectors).any(axis=1)
        clusters = cluster_embedding(vectors[usable], len(names), settings.seed)
        return ari_interval(clusters, labels[usable], main.groups[usable], settings.seed)

    documents = main.dataset.documents
    figures = {"ari_text": index(fit_text_encoder(documents, text_encoder_choice(settings)).encode(documents))}
    photos = {f"ari_photo_{name}": index(plan.blocks[name].dataset.image_vectors) for name in encoders}
    best = max(photos.values(), key=lambda figure: figure.value)
    return figures | {"ari_photo": best} | photos


def in_order(figures: Mapping[str, Interval]) -> dict[str, Interval]:
    """The figures of the table first, in its order, then the others by name."""
    others = sorted(figures.keys() - TARGETS.keys())
    return {key: figures[key] for key in [*(key for key in TARGETS if key in figures), *others]}


def learning_curve(
    predicted: ByTask, plan: Plan, modalities: Mapping[str, ModalityResult], seed: int
) -> tuple[LearningPoint, ...]:
    """Accuracy by the share of the training groups that was learnt from, the default encoder's."""
    block = plan.blocks["default"]
    keys: dict[Use, str] = {"text": "text", "photo": "photo_default", "fusion": "fusion_default"}

    def products(name: str) -> int:
        return round(float(np.mean([len(task.learn) for task in plan.tasks if task.name == name])))

    points = []
    for share in (share for share in SHARES if share_name(share) in predicted):
        found = predicted[share_name(share)]
        accuracy = {
            key: share_interval(found[use].correct, block.groups[found[use].rows], seed) for use, key in keys.items()
        }
        points.append(LearningPoint(share, products(share_name(share)), accuracy))
    whole = {key: modalities[key].accuracy for key in keys.values()}
    return (*points, LearningPoint(1.0, products("default"), whole))


def own_comparisons(keyed: Keyed) -> tuple[Comparison, ...]:
    """McNemar's tests between ways to predict the same products, in the first repeat."""
    right = {key: found.correct[found.repeats == 0] for key, (found, _, _) in keyed.items()}
    pairs = [
        ("fusion_default", "text"),
        ("fusion_default", "photo_default"),
        ("fusion_pretrained", "text"),
        ("fusion_pretrained", "fusion_default"),
        ("photo_pretrained", "photo_default"),
        ("text", f"text_{MASKED}"),
    ]
    return tuple(
        compare(first, second, right[first], right[second])
        for first, second in pairs
        if first in right and second in right
    )
