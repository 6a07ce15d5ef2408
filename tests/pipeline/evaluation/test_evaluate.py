"""An evaluation from files to files, on a small drawn catalogue and on a few real records."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from filelock import FileLock

from include.errors import ConfigurationError
from include.models.evaluation import intervals
from include.models.evaluation.results import Evaluation
from include.models.evaluation.targets import TARGETS
from include.pipeline.evaluation.data import load_evaluation_data
from include.pipeline.evaluation.evaluate import FIGURES_FILE, FULL_FILE, PREDICTIONS_FILE, evaluate, reports_folder
from include.pipeline.evaluation.plan import LISTED, plan_evaluation
from include.sandbox.demo.training_catalogue import write_demo_catalogue
from include.settings import Settings


@pytest.fixture(scope="module")
def small_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(
        state_dir=tmp_path_factory.mktemp("evaluated"), training_folds=2, min_label_examples=2, text_dimensions=16
    )


@pytest.fixture(scope="module", autouse=True)
def small_and_quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("include.sandbox.write_demo_catalogue", partial(write_demo_catalogue, rows_per_label=9))
        patch.setattr(intervals, "RESAMPLES", 30)
        yield


@pytest.fixture(scope="module")
def evaluation(small_settings: Settings, small_and_quick: None) -> Evaluation:
    return evaluate(small_settings, folds=2, jobs=1)


def test_the_figures_are_written_beside_the_whole_and_the_predictions(evaluation, small_settings):
    folder = reports_folder(small_settings)
    figures = json.loads((folder / FIGURES_FILE).read_text())
    assert Evaluation.from_json((folder / FULL_FILE).read_text(encoding="utf-8")) == evaluation
    assert all(set(figure) == {"value", "low", "high"} for figure in figures.values())
    assert all(figure["low"] <= figure["value"] <= figure["high"] for figure in figures.values())
    drawn = set(TARGETS) - {key for key in TARGETS if "champagne" in key or "pretrained" in key}
    assert drawn <= set(figures) | {"accepted_precision"}  # few products may leave nothing accepted
    table = pq.read_table(folder / PREDICTIONS_FILE)
    assert set(table["modality"].to_pylist()) == set(evaluation.modalities)
    assert table["product_id"].length() == sum(result.products for result in evaluation.modalities.values())


def test_scores_on_drawn_data_say_so_and_meet_no_target(evaluation):
    assert evaluation.data.is_drawn
    assert not evaluation.targets
    assert "drawn" in evaluation.notes[0]


def test_evaluating_again_against_itself_finds_the_same_and_no_difference(evaluation, small_settings, tmp_path):
    kept = tmp_path / "kept"
    reports_folder(small_settings).rename(kept)
    again = evaluate(small_settings, folds=2, jobs=1, against=str(kept / FIGURES_FILE))
    assert again.figures == evaluation.figures
    assert again.modalities == evaluation.modalities
    others = [found for found in again.comparisons if str(kept) in found.second]
    assert {found.first for found in others} == set(evaluation.modalities)
    assert all(found.p_value == 1.0 for found in others)


def test_nothing_to_compare_with_is_refused_before_anything_is_trained(small_settings, tmp_path):
    with pytest.raises(ConfigurationError, match=PREDICTIONS_FILE):
        evaluate(small_settings, against=str(tmp_path / "evaluation.json"))


def test_a_second_evaluation_at_the_same_time_is_refused(small_settings, tmp_path):
    settings = small_settings.model_copy(update={"state_dir": tmp_path})
    (tmp_path / "evaluation").mkdir()
    with (
        FileLock(tmp_path / "evaluation" / "running.lock"),
        pytest.raises(ConfigurationError, match=r"another evaluation is running.*CUVEE_STATE_DIR"),
    ):
        evaluate(settings)


def test_a_label_list_without_real_records_is_refused(small_settings, tmp_path):
    with pytest.raises(ConfigurationError, match="folder"):
        evaluate(small_settings, label_list=tmp_path / "list.csv")


def test_a_folder_of_something_else_is_refused(small_settings, tmp_path):
    with pytest.raises(ConfigurationError, match="flipkart"):
        evaluate(small_settings, tmp_path)


def test_nothing_that_a_label_list_judges_nor_its_like_is_learnt_from(small_settings, shared_data, tmp_path):
    listed = Path(__file__).parents[2] / "data" / "champagne_labels.csv"
    with listed.open(encoding="utf-8") as stream:
        codes = {row["code"] for row in csv.DictReader(stream)}
    few = _few_records(shared_data, tmp_path / "real", codes)
    data = load_evaluation_data(few, small_settings, {"default": "classical"}, lambda _text: None)
    plan = plan_evaluation(data, small_settings, folds=2, repeats=1, label_list=listed)
    tasks = [task for task in plan.tasks if task.name == LISTED]
    ids, groups = tasks[0].dataset.product_ids, plan.blocks[LISTED].groups
    judged = [ids[row].partition(":")[2] for task in tasks for row in task.test]
    assert sorted(judged) == sorted(codes)
    for task in tasks:
        tested, learnt = ({ids[row].partition(":")[2] for row in rows} for rows in (task.test, task.learn))
        assert not tested & learnt
        assert not np.intersect1d(groups[task.learn], groups[task.test]).size
        texts = {task.dataset.documents[row] for row in task.test}
        assert not texts & {task.dataset.documents[row] for row in task.learn}
        assert "human" not in {task.dataset.origins[row] for row in task.learn}
        assert "champagne" in {task.dataset.labels[row] for row in task.learn}


def _few_records(folder: Path, target: Path, codes: set[str]) -> Path:
    """The folder's files with few of their rows; all those of `codes` among the records of Open Food Facts."""
    shop, facts = target / "flipkart", target / "openfoodfacts"
    (shop / "images").mkdir(parents=True)
    facts.mkdir()
    name = "flipkart_com-ecommerce_sample.csv"
    with (folder / "flipkart" / name).open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))[:120]
    with (shop / name).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        photo = folder / "flipkart" / "images" / f"{row['uniq_id']}.jpg"
        if photo.exists():
            shutil.copyfile(photo, shop / "images" / photo.name)
    source = folder / "openfoodfacts"
    for path in source.glob("export_*.csv"):
        (facts / path.name).symlink_to(path)
    labelled = "labelled_fr_12_categories_utf16.csv"
    lines = (source / labelled).read_text(encoding="utf-16").splitlines(keepends=True)
    (facts / labelled).write_text("".join(lines[:200]), encoding="utf-16")
    records = (source / "products.jsonl").read_text(encoding="utf-8").splitlines()
    wanted = [line for line in records if json.loads(line)["code"] in codes]
    (facts / "products.jsonl").write_text("\n".join(wanted + records[:300]) + "\n", encoding="utf-8")
    return target
