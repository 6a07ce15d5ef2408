"""Evaluate the classifiers on held-out products, and compare their scores with the targets.

Written to the reports folder of the state folder:

| file                             | what                                                                   |
|----------------------------------|------------------------------------------------------------------------|
| `evaluation.json`                | the figures: key → value, low and high end of the 95 % interval         |
| `evaluation_full.json`           | everything: `include.models.evaluation.results.Evaluation`              |
| `evaluation_predictions.parquet` | every prediction, so that another model can be compared with this one   |
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from include.errors import ConfigurationError
from include.models.evaluation.cross_validation import Task, run_tasks
from include.models.evaluation.intervals import METHOD
from include.models.evaluation.near_identical import SAME_FROM
from include.models.evaluation.predictions_table import compare_tables, predictions_table
from include.models.evaluation.results import DataDescription, Evaluation
from include.models.evaluation.targets import TARGETS
from include.pipeline.catalogue_files import pretrained_encoder
from include.pipeline.evaluation.against import PREDICTIONS_FILE, predictions_of_version, read_predictions
from include.pipeline.evaluation.data import EvaluationData, load_evaluation_data
from include.pipeline.evaluation.plan import LISTED, Block, Plan, plan_evaluation
from include.pipeline.evaluation.scores import (
    ByTask,
    Keyed,
    clustering_figures,
    figures_of,
    in_order,
    keyed_predictions,
    learning_curve,
    own_comparisons,
    score_all,
    score_lists,
    unseen_photo_figures,
)
from include.pipeline.training.options import training_options
from include.settings import Settings
from include.storage.local_files import write_file
from include.taxonomy import load_taxonomy

logger = logging.getLogger(__name__)

FIGURES_FILE = "evaluation.json"
FULL_FILE = "evaluation_full.json"


def reports_folder(settings: Settings) -> Path:
    """Where the files of an evaluation lie."""
    return settings.state_dir / "reports"


def evaluate(
    settings: Settings,
    folder: Path | None = None,
    *,
    folds: int = 5,
    repeats: int = 1,
    label_list: Path | None = None,
    against: str | None = None,
    jobs: int | None = None,
    on_step: Callable[[str], None] = lambda _text: None,
) -> Evaluation:
    """Evaluate on a folder of real records, or on the drawn demo catalogue without one, and write the files.

    `label_list` is a hand-read list of the folder's products (`read_label_list`); `against` is another model, by the
    `evaluation.json` of its evaluation, whose predictions lie beside it, or by its version in the registry. Models are
    trained in `jobs` processes, two by default. The same records and settings give the same figures. Raises
    ConfigurationError when there is nothing to evaluate on or to compare with, or when another evaluation is running.
    """
    started = time.monotonic()
    with _alone(settings):
        is_version = against is not None and against.isdigit()
        theirs = read_predictions(Path(against)) if against and not is_version else None
        if label_list is not None and folder is None:
            raise ConfigurationError("a label list is about real records: give their folder, too")
        data = load_evaluation_data(folder, settings, _encoders(settings, folder), on_step)
        plan = plan_evaluation(data, settings, folds=folds, repeats=repeats, label_list=label_list)
        predicted = _train_and_predict(data, plan, settings, jobs or min(2, os.cpu_count() or 1), on_step)
        keyed = keyed_predictions(predicted, plan, data.encoders)
        table = _table(keyed)
        if against and is_version:
            theirs = predictions_of_version(against, data, plan, settings)
        on_step("scoring")
        modalities = score_all(keyed, data, settings)
        lists = score_lists(predicted, plan, settings.seed)
        figures = figures_of(modalities, lists) | unseen_photo_figures(keyed, data, settings.seed)
        on_step("clustering")
        figures |= clustering_figures(plan, data.encoders, settings)
        evaluation = Evaluation(
            data=_describe(data, plan.blocks["default"]),
            encoders={name: identity for name, (_, identity, _) in data.encoders.items()},
            folds=folds,
            repeats=repeats,
            seed=settings.seed,
            interval_method=METHOD,
            figures=in_order(figures),
            targets={} if data.is_drawn else TARGETS,
            modalities=modalities,
            learning_curve=learning_curve(predicted, plan, modalities, settings.seed),
            comparisons=(
                *own_comparisons(keyed),
                *(compare_tables(table, theirs, str(against)) if theirs is not None else ()),
            ),
            lists=lists,
            notes=_notes(data, plan, against if is_version else None),
            seconds=round(time.monotonic() - started, 1),
        )
        _write(evaluation, table, reports_folder(settings))
        return evaluation


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Hold the state folder's evaluation: a second one would move the files of the first."""
    lock = settings.state_dir / "evaluation" / "running.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(lock, timeout=0):
            yield
    except Timeout:
        raise ConfigurationError(
            f"another evaluation is running on {settings.state_dir}: wait for it, "
            "or set CUVEE_STATE_DIR to another folder"
        ) from None


def _encoders(settings: Settings, folder: Path | None) -> dict[str, str]:
    """The photo encoders to compare: that of the settings, and the pretrained one of the folder."""
    encoders = {"default": settings.image_encoder}
    pretrained = pretrained_encoder(folder) if folder else None
    return encoders | ({"pretrained": pretrained} if pretrained else {})


def _train_and_predict(
    data: EvaluationData, plan: Plan, settings: Settings, jobs: int, on_step: Callable[[str], None]
) -> ByTask:
    known = {label for block in plan.blocks.values() for label in block.dataset.labels}
    names = tuple(label for label in load_taxonomy().labels if label in known)
    total = len(plan.tasks)
    done: Counter[str] = Counter()

    def report(task: Task) -> None:
        done[task.name] += 1
        on_step(f"model {done.total()} of {total}: {task.name}, learnt from {len(task.learn)}, tested {len(task.test)}")

    on_step(f"{total} models to train on {data.name}")
    return run_tasks(plan.tasks, training_options(settings), names, jobs=jobs, on_done=report)


def _table(keyed: Keyed) -> pa.Table:
    return predictions_table(
        {key: predicted for key, (predicted, _, _) in keyed.items()},
        {key: block.dataset.product_ids for key, (_, block, _) in keyed.items()},
    )


def _describe(data: EvaluationData, block: Block) -> DataDescription:
    counts = Counter(block.dataset.labels)
    return DataDescription(
        name=data.name,
        is_drawn=data.is_drawn,
        products=len(block.rows),
        content_groups=len(np.unique(block.groups)),
        labels={label: counts[label] for label in load_taxonomy().labels if label in counts},
    )


def _notes(data: EvaluationData, plan: Plan, version: str | None) -> tuple[str, ...]:
    notes = [
        "A content group is products with the same photo or with texts whose five-letter pieces overlap by at least "
        f"{SAME_FROM:.0%} (Jaccard); no group is on both sides of a split.",
        "Encoders of text, classifiers, temperatures, fusion and thresholds are made from each fold's training part.",
    ]
    if data.is_drawn:
        notes.insert(
            0, "Scores on drawn demo data: they show that the evaluation runs, and do not carry over to real products."
        )
    if LISTED in plan.blocks:
        notes.append(
            "The label list is judged in folds: models learnt from the listed products of other folds with the labels "
            "that rules give them, never with the list's own; `unseen_half` is the half that no rule was tuned on."
        )
    if len(plan.folds) > 1:
        notes.append("Comparisons use the first repeat, so that each product counts once.")
    if version:
        notes.append(f"Version {version} may have learnt from these products, which makes it look better than it is.")
    return tuple(notes)


def _write(evaluation: Evaluation, table: pa.Table, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    figures = {key: asdict(figure) for key, figure in evaluation.figures.items()}
    pq.write_table(table, folder / PREDICTIONS_FILE)
    write_file(folder / FULL_FILE, evaluation.to_json() + "\n")
    write_file(folder / FIGURES_FILE, json.dumps(figures, indent=1) + "\n")
    logger.info("evaluation written: folder=%s seconds=%.1f", folder, evaluation.seconds)
