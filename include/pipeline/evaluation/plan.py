"""Which models an evaluation trains, and which products each is tested on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from include.errors import ConfigurationError
from include.models.data.content_groups import content_groups
from include.models.data.dataset import TrainingSet
from include.models.data.label_list import near_identical_groups, product_codes, read_label_list
from include.models.evaluation.category_words import category_words, without_words
from include.models.evaluation.cross_validation import Task, tasks_of_folds
from include.models.evaluation.folds import repeated_group_folds, require_no_leak, share_of_groups
from include.models.evaluation.near_identical import evaluation_groups, near_identical_keys
from include.pipeline.evaluation.data import EvaluationData, joined
from include.pipeline.training.options import training_options
from include.schema import text_hash
from include.settings import Settings
from include.taxonomy import load_taxonomy

SHARES = (0.25, 0.5, 0.75)
"""Shares of the training groups for the learning curve; the whole is measured anyway."""
LIST_LABEL = "champagne"
"""The label whose precision and recall a label list measures: the feed is about it."""
MASKED, EVERYTHING, LISTED = "no_category_words", "everything", "label_list"


@dataclass(frozen=True, eq=False)
class Block:
    """Products that models are trained and tested on, and what is known of them beside their labels."""

    dataset: TrainingSet
    rows: np.ndarray
    """int64: positions in the evaluation's data."""
    groups: np.ndarray
    """int64: content group of each."""


@dataclass(frozen=True, eq=False)
class Plan:
    """All tasks, and the products behind them by task name."""

    tasks: tuple[Task, ...]
    blocks: dict[str, Block]
    folds: np.ndarray
    """int64 (repeats, products of the catalogue with photo)."""


def share_name(share: float) -> str:
    """Name of the tasks that learn from a share of the groups."""
    return f"share_{share:.2f}"


def plan_evaluation(
    data: EvaluationData, settings: Settings, *, folds: int, repeats: int, label_list: Path | None
) -> Plan:
    """Cross-validation per photo encoder on the first catalogue, without category words, and the learning curve.

    With real records also one model over all sources with a fifth of them held out, and those that are tested on the
    label list. Long tasks come first.
    """
    rows = _catalogue_rows(data)
    groups = evaluation_groups([data.documents[row] for row in rows], [data.photo_hashes[row] for row in rows])
    blocks = {encoder: Block(data.training_set(rows, encoder), rows, groups) for encoder in data.encoders}
    main = blocks["default"]
    numbers = repeated_group_folds(main.dataset.labels, main.groups, folds=folds, repeats=repeats, seed=settings.seed)
    blocks[MASKED] = replace(main, dataset=_without_category_words(main.dataset, data, rows))
    tasks: list[Task] = []
    if len(set(data.products["source"].to_pylist())) > 1:
        blocks[EVERYTHING], task = _everything(data, settings, folds)
        tasks.append(task)
    if label_list is not None:
        blocks[LISTED], judging = _label_list(data, label_list, settings, folds)
        tasks += judging
    for encoder in data.encoders:
        tasks += tasks_of_folds(encoder, blocks[encoder].dataset, numbers, main.groups)
    tasks += tasks_of_folds(MASKED, blocks[MASKED].dataset, numbers[:1], main.groups, ("text", "fusion"))
    for share in sorted(_learnable_shares(main, settings, folds), reverse=True):
        for task in tasks_of_folds(share_name(share), main.dataset, numbers[:1], main.groups):
            labels = [main.dataset.labels[row] for row in task.learn]
            kept = share_of_groups(main.groups[task.learn], labels, share, settings.seed)
            tasks.append(replace(task, learn=task.learn[kept]))
    return Plan(tuple(tasks), blocks, numbers)


def _catalogue_rows(data: EvaluationData) -> np.ndarray:
    """Labelled products with a photo of the first catalogue."""
    sources = data.products["source"].to_pylist()
    known = zip(sources, data.labels, data.photo_hashes, strict=True)
    rows = [row for row, (source, label, photo) in enumerate(known) if source == data.name and label and photo]
    if not rows:
        raise ConfigurationError(f"{data.name} has no labelled product with a photo: there is nothing to evaluate on")
    return np.array(rows, dtype=np.int64)


def _learnable_shares(block: Block, settings: Settings, folds: int) -> list[float]:
    """The shares that leave enough groups of every label: else the curve would be about labels left out."""
    first = np.unique(block.groups, return_index=True)[1]
    fewest = min(Counter(block.dataset.labels[row] for row in first).values()) * (folds - 1) / folds
    needed = training_options(settings).examples_needed
    # One more, because folds do not hold exactly as many groups of a label.
    return [share for share in SHARES if share * fewest >= needed + 1]


def _without_category_words(dataset: TrainingSet, data: EvaluationData, rows: np.ndarray) -> TrainingSet:
    taxonomy = load_taxonomy()
    categories = data.column("source_category")
    names = [taxonomy.display_name(label) for label in sorted(set(dataset.labels))]
    masked = without_words(dataset.documents, category_words([categories[row] for row in rows], names))
    return replace(
        dataset,
        documents=masked,
        text_hashes=[text_hash(text) if text.strip() else None for text in masked],
        rule_labels=None,  # they read the words that are masked here
    )


def _everything(data: EvaluationData, settings: Settings, folds: int) -> tuple[Block, Task]:
    """One model over all trusted labels with one fold held out; products that only a rule labels are not tested."""
    rows = np.array([row for row, label in enumerate(data.labels) if label], dtype=np.int64)
    dataset = data.training_set(rows)
    groups = evaluation_groups(dataset.documents, dataset.photo_hashes)
    fold = repeated_group_folds(dataset.labels, groups, folds=folds, seed=settings.seed)[0]
    by_rule = np.array([origin == "rule" for origin in dataset.origins], dtype=bool)
    learn, test = np.flatnonzero(fold != 0), np.flatnonzero((fold == 0) & ~by_rule)
    require_no_leak(groups, learn, test)
    return Block(dataset, rows, groups), Task(EVERYTHING, dataset, learn, test, uses=("fusion",))


def _label_list(data: EvaluationData, path: Path, settings: Settings, folds: int) -> tuple[Block, list[Task]]:
    """Models that saw neither the listed products that they are tested on nor their like.

    The list may hold every product of its kind that there is. So it is split into folds, and what is not tested stays
    in training, with the label that training would give it: the list's own labels are for judging only.
    """
    listed = read_label_list(path)
    codes = product_codes([str(product) for product in data.column("product_id")])
    first_row = {code: row for row, code in reversed(list(enumerate(codes))) if code in listed}
    if not first_row:
        raise ConfigurationError(f"none of the products of {path} is among the records: is it a list of other data?")
    if LIST_LABEL not in (listed[code] for code in first_row):
        raise ConfigurationError(f"no product of {path} is labelled {LIST_LABEL}, which the list is to be a judge of")
    labelled = [row for row, label in enumerate(data.labels) if label]
    rows = np.array([*labelled, *first_row.values()], dtype=np.int64)
    judged = np.arange(len(labelled), len(rows))
    dataset = joined(
        data.training_set(rows[: len(labelled)]),
        data.training_set(rows[judged], labels=[listed[code] for code in first_row]),
    )
    same_content = [str(group) for group in near_identical_groups(dataset)]
    groups = content_groups(same_content, near_identical_keys(dataset.documents, among=judged))
    labels = dataset.labels[len(labelled) :]
    fold_of = repeated_group_folds(labels, groups[judged], folds=folds, seed=settings.seed)[0]
    tasks = []
    for fold in range(folds):
        test = judged[fold_of == fold]
        learn = np.flatnonzero(~np.isin(groups[: len(labelled)], groups[test]))
        require_no_leak(groups, learn, test)
        tasks.append(Task(LISTED, dataset, learn, test, fold=fold, uses=("fusion",)))
    return Block(dataset, rows, groups), tasks
