"""What is tested was not learnt from: not by classifiers, not by vectorisers, not through a look-alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from include.models.evaluation.cross_validation import Task, run_task, run_tasks, tasks_of_folds
from include.models.evaluation.folds import repeated_group_folds
from include.models.evaluation.near_identical import evaluation_groups
from include.models.evaluation.predictions_table import PREDICTIONS, compare_tables, predictions_table
from include.models.evaluation.results import ModalityResult
from include.models.evaluation.scoring import score_list, score_modality
from include.schema import text_hash
from include.taxonomy import load_taxonomy
from tests.models.conftest import VOCABULARY, draw_training_set

NAMES = tuple(label for label in load_taxonomy().labels if label in VOCABULARY)


@pytest.fixture(scope="module")
def two_folds(options):
    return replace(options, folds=2)


@pytest.fixture(scope="module")
def data():
    dataset = draw_training_set(photos_of=tuple(VOCABULARY))
    return dataset, evaluation_groups(dataset.documents, dataset.photo_hashes)


@pytest.fixture(scope="module")
def tasks(data):
    dataset, groups = data
    folds = repeated_group_folds(dataset.labels, groups, folds=3, repeats=2)
    return tasks_of_folds("drawn", dataset, folds, groups)


@pytest.fixture(scope="module")
def predicted(tasks, two_folds):
    return run_tasks(tasks, two_folds, NAMES)["drawn"]


def test_each_product_is_tested_once_per_repeat_in_every_way(data, predicted):
    dataset, _ = data
    for found in predicted.values():
        assert found.rows.tolist() == list(range(len(dataset.labels))) * 2
        assert found.repeats.tolist() == sorted(found.repeats.tolist())
        assert [NAMES[number] for number in found.targets[: len(dataset.labels)]] == list(dataset.labels)
        assert found.probabilities.sum(axis=1) == pytest.approx(1.0, abs=1e-4)
    assert predicted["fusion"].correct.mean() > 0.85


def test_two_processes_find_the_same(tasks, two_folds, predicted):
    pair = tasks[:2]
    done = []
    found = run_tasks(pair, two_folds, NAMES, jobs=2, on_done=lambda task: done.append(task.fold))
    assert done == [0, 1]
    both = np.isin(predicted["fusion"].folds, [0, 1]) & (predicted["fusion"].repeats == 0)
    assert np.allclose(found["drawn"]["fusion"].probabilities, predicted["fusion"].probabilities[both], atol=1e-6)


def test_a_group_that_crosses_a_fold_is_refused(data):
    dataset, groups = data
    together = groups.copy()
    together[:2] = together.max() + 1
    folds = repeated_group_folds(dataset.labels, groups, folds=3)
    folds[0, :2] = (0, 1)
    with pytest.raises(AssertionError, match="both sides"):
        tasks_of_folds("leaky", dataset, folds, together)


def test_a_word_that_only_tested_products_have_is_not_learnt(data, two_folds):
    """It stands for the label, and would give it away to anything that is fitted on tested texts."""
    dataset, _ = data
    test = np.arange(0, len(dataset.labels), 3)
    learn = np.setdiff1d(np.arange(len(dataset.labels)), test)
    secret = dict(zip(VOCABULARY, ("zqxjzkqx", "wxqkwzjq", "jjqzxwkk", "kqwjxzzw"), strict=True))
    planted = [*dataset.documents]
    for row in test.tolist():
        planted[row] = secret[dataset.labels[row]]
    leaky = replace(dataset, documents=planted, text_hashes=[text_hash(text) for text in planted])
    found = run_task(Task("planted", leaky, learn, test, uses=("text",)), two_folds, NAMES)["text"]
    assert np.ptp(found.probabilities, axis=0).max() < 1e-6  # all secret words are the same unknown word


def test_a_label_too_rare_to_be_learnt_counts_as_wrong(data, two_folds):
    dataset, _ = data
    few = [row for row, label in enumerate(dataset.labels) if label != "champagne"][::2]
    first = [row for row, label in enumerate(dataset.labels) if label == "champagne"][:2]
    tested = np.array([row for row, label in enumerate(dataset.labels) if label == "champagne"][2:])
    task = Task("rare", dataset, np.array(sorted(few + first)), tested, uses=("text",))
    found = run_task(task, two_folds, NAMES)["text"]
    assert not found.correct.any()
    assert (found.probabilities[:, NAMES.index("champagne")] == 0).all()


def score(data, predicted, use: str) -> ModalityResult:
    _, groups = data
    return score_modality(
        predicted[use], groups, title=use, modality=use, image_encoder=None, target_precision=0.9,
        slices={"first half": np.arange(60), "none": np.empty(0, dtype=np.int64)},
    )  # fmt: skip


def test_scores_fit_together(data, predicted):
    result = score(data, predicted, "fusion")
    total = sum(map(sum, result.confusion))
    assert total == 2 * result.products == 240
    hits = sum(row[number] for number, row in enumerate(result.confusion))
    assert result.accuracy.value == pytest.approx(hits / total)
    assert result.macro_f1.value == pytest.approx(np.mean([row.f1 for row in result.classes]))
    assert [part.name for part in result.slices] == ["first half"]
    assert result.slices[0].products == 60
    assert result.operating_point.coverage.value == pytest.approx(predicted["fusion"].accepted.mean())


def test_precision_and_recall_of_a_label_on_a_list(data, predicted):
    dataset, groups = data
    found = predicted["text"]
    result = score_list(found, groups, dataset.product_ids, "champagne")
    number = NAMES.index("champagne")
    wanted, given = found.targets == number, found.found == number
    assert result.precision is not None
    assert result.precision.value == pytest.approx((wanted & given).sum() / given.sum())
    assert result.recall.value == pytest.approx((wanted & given).sum() / wanted.sum())
    assert len(result.mistakes) == min(50, (wanted != given).sum())
    assert all("champagne" in row[1:3] and row[1] != row[2] for row in result.mistakes)


def test_predictions_are_kept_so_that_models_can_be_compared(data, predicted):
    dataset, _ = data
    ids = dict.fromkeys(predicted, dataset.product_ids)
    table = predictions_table(predicted, ids)
    assert table.schema.equals(PREDICTIONS)
    assert table.num_rows == 3 * 240
    same = compare_tables(table, table, "itself")
    assert {(found.products, found.p_value) for found in same} == {(120, 1.0)}
    swapped = predictions_table({"text": predicted["photo"]}, ids)
    (found,) = compare_tables(table, swapped, "photos")
    first = predicted["text"].repeats == 0
    text, photo = predicted["text"].correct[first], predicted["photo"].correct[first]
    assert (found.only_first_right, found.only_second_right) == ((text & ~photo).sum(), (photo & ~text).sum())
