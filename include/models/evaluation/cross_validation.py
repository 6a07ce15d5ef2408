"""Every product predicted by a whole model that learnt nothing from it nor from its group.

In each fold all of `train` runs on the fold's training part: text encoder, classifiers, temperatures, fusion and
thresholds. What predicts the tested products is the artefact that would run in production.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from include.models.data.dataset import TrainingSet
from include.models.data.label_list import take_rows
from include.models.data.training_options import TrainingOptions
from include.models.decision.predictions import Predictions
from include.models.evaluation.folds import require_no_leak
from include.models.training.train import train
from include.models.version.artefact import Artefact

logger = logging.getLogger(__name__)

Use = Literal["text", "photo", "fusion"]
USES: tuple[Use, ...] = ("text", "photo", "fusion")
"""What a prediction may look at; `fusion` is whatever the product has."""


@dataclass(frozen=True, eq=False)
class Task:
    """One model to train and the products to test it on."""

    name: str
    """Kind of the task, e.g. `default`; tasks of one name are put together."""
    dataset: TrainingSet
    learn: np.ndarray
    """int64: positions in `dataset`."""
    test: np.ndarray
    """int64: positions in `dataset`."""
    repeat: int = 0
    fold: int = 0
    uses: tuple[Use, ...] = USES


@dataclass(frozen=True, eq=False)
class Predicted:
    """Predictions of held-out products; all columns have the same length n.

    A product occurs once per repeat.
    """

    label_names: tuple[str, ...]
    rows: np.ndarray
    """int64: positions in the data set."""
    repeats: np.ndarray
    folds: np.ndarray
    targets: np.ndarray
    """int64: the true label's position in `label_names`."""
    probabilities: np.ndarray
    """float32 (n, k)"""
    accepted: np.ndarray
    """bool (n,)"""

    @property
    def found(self) -> np.ndarray:
        """int64 (n,): the likeliest label's position in `label_names`."""
        return np.asarray(self.probabilities.argmax(axis=1))

    @property
    def confidences(self) -> np.ndarray:
        """float64 (n,): the likeliest label's probability."""
        return np.asarray(self.probabilities.max(axis=1, initial=0.0), dtype=np.float64)

    @property
    def correct(self) -> np.ndarray:
        """bool (n,)"""
        return np.asarray(self.found == self.targets)

    def take(self, positions: np.ndarray) -> Predicted:
        """Some of the rows, by position or mask."""
        columns = (self.rows, self.repeats, self.folds, self.targets, self.probabilities, self.accepted)
        return Predicted(self.label_names, *(column[positions] for column in columns))


def tasks_of_folds(
    name: str, dataset: TrainingSet, folds: np.ndarray, groups: np.ndarray, uses: tuple[Use, ...] = USES
) -> list[Task]:
    """A task per repeat and fold; `folds` is int64 (repeats, n), `groups` int64 (n,)."""
    tasks = []
    for repeat, numbers in enumerate(folds):
        for fold in np.unique(numbers).tolist():
            learn, test = np.flatnonzero(numbers != fold), np.flatnonzero(numbers == fold)
            require_no_leak(groups, learn, test)
            tasks.append(Task(name, dataset, learn, test, repeat, fold, uses))
    return tasks


def run_tasks(
    tasks: Iterable[Task],
    options: TrainingOptions,
    label_names: tuple[str, ...],
    *,
    jobs: int = 1,
    on_done: Callable[[Task], None] | None = None,
) -> dict[str, dict[Use, Predicted]]:
    """Train and predict all tasks; what was predicted, by the tasks' names and by use.

    `label_names` must hold every label of the data sets. With `jobs` > 1 tasks run in so many processes; the result
    is the same.
    """
    waiting = list(tasks)
    parts: dict[str, list[Mapping[Use, Predicted]]] = {}
    for task, predicted in zip(waiting, _run_all(waiting, options, label_names, jobs), strict=True):
        parts.setdefault(task.name, []).append(predicted)
        if on_done:
            on_done(task)
    return {
        name: {use: _concatenate([part[use] for part in found]) for use in found[0]} for name, found in parts.items()
    }


def _run_all(
    tasks: list[Task], options: TrainingOptions, label_names: tuple[str, ...], jobs: int
) -> Iterator[Mapping[Use, Predicted]]:
    if jobs == 1 or len(tasks) == 1:
        yield from (run_task(task, options, label_names) for task in tasks)
        return
    from joblib import Parallel, delayed

    workers = Parallel(n_jobs=jobs, return_as="generator")
    yield from workers(delayed(run_task)(task, options, label_names) for task in tasks)


def run_task(task: Task, options: TrainingOptions, label_names: tuple[str, ...]) -> dict[Use, Predicted]:
    """Train on the products to learn from only, and predict those to test on, each in the ways wanted."""
    from threadpoolctl import threadpool_limits

    # Tasks run beside each other: more threads in each would spend their time waiting.
    with threadpool_limits(limits=1):
        artefact, _report = train(take_rows(task.dataset, task.learn), options)
        found = predict_with(
            artefact, task.dataset, task.test, label_names, repeat=task.repeat, fold=task.fold, uses=task.uses
        )
    logger.info("tested name=%s repeat=%d fold=%d products=%d", task.name, task.repeat, task.fold, len(task.test))
    return found


def predict_with(
    artefact: Artefact,
    dataset: TrainingSet,
    rows: np.ndarray,
    label_names: tuple[str, ...],
    *,
    repeat: int = 0,
    fold: int = 0,
    uses: tuple[Use, ...] = USES,
) -> dict[Use, Predicted]:
    """Predictions of a model for some products (int64 positions), for each of the wanted inputs."""
    tested = take_rows(dataset, rows)
    text_vectors = artefact.text_encoder.encode(tested.documents)
    has_text = np.array([bool(text) for text in tested.documents], dtype=bool)
    has_photo = np.array([photo is not None for photo in tested.photo_hashes], dtype=bool)
    nothing = np.zeros(len(rows), dtype=bool)
    masks = {"text": (has_text, nothing), "photo": (nothing, has_photo), "fusion": (has_text, has_photo)}
    found = {}
    for use in uses:
        text_used, photo_used = masks[use]
        predictions = artefact.predict(text_vectors, text_used, tested.image_vectors, photo_used, tested.rule_labels)
        found[use] = _predicted(predictions, rows, tested.labels, label_names, repeat, fold)
    return found


def _predicted(
    predictions: Predictions, rows: np.ndarray, labels: Iterable[str], names: tuple[str, ...], repeat: int, fold: int
) -> Predicted:
    number_of = {label: number for number, label in enumerate(names)}
    probabilities = np.zeros((len(predictions), len(names)), dtype=np.float32)
    # A label that was too rare to be learnt keeps probability 0, and its products count as wrong.
    probabilities[:, [number_of[label] for label in predictions.label_names]] = predictions.probabilities
    return Predicted(
        label_names=names,
        rows=rows,
        repeats=np.full(len(rows), repeat),
        folds=np.full(len(rows), fold),
        targets=np.array([number_of[label] for label in labels], dtype=np.int64),
        probabilities=probabilities,
        accepted=predictions.is_accepted,
    )


def _concatenate(parts: list[Predicted]) -> Predicted:
    """All rows, ordered by repeat and product."""
    columns = ("rows", "repeats", "folds", "targets", "probabilities", "accepted")
    joined = [np.concatenate([getattr(part, name) for part in parts]) for name in columns]
    order = np.lexsort((joined[0], joined[1]))
    return Predicted(parts[0].label_names, *(column[order] for column in joined))
