"""The training of a network: its phases, what survives a kill, and what it refuses."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from include.errors import ConfigurationError
from include.models.cnn import fitting
from include.models.cnn.fitting import FittedCnn, fit_cnn
from include.models.cnn.labelled_photos import LabelledPhotos
from include.models.cnn.recipes import SCRATCH, CnnRecipe, Phase
from include.settings import Settings
from include.storage.lake import Lake
from tests.fixtures.killing import KILLED, run_killed
from tests.models.cnn.drawn_photos import draw_lake, own_network_recipe, reading


def history(folder: Path) -> list[dict[str, float | str]]:
    rows: list[dict[str, float | str]] = json.loads((folder / "history.json").read_text())
    return rows


@pytest.fixture
def without_export(monkeypatch: pytest.MonkeyPatch) -> None:
    """The export has tests of its own, and takes longer than these trainings."""
    monkeypatch.setattr(fitting, "export_network", lambda *given: (given[3] / f"{given[4]}.onnx", 0.0))


def test_every_epoch_of_every_phase_stands_in_the_history(fitted: FittedCnn, home: Path) -> None:
    rows = history(home / "fitted")
    assert [(row["epoch"], row["phase"]) for row in rows] == [
        (1, "head"), (2, "head"), (3, "fine-tuning"), (4, "fine-tuning")
    ]  # fmt: skip
    assert all(math.isfinite(float(value)) for row in rows for name, value in row.items() if name != "phase")
    assert float(rows[-1]["learning_rate"]) < 0.002
    best = min(rows, key=lambda row: row["validation_loss"])
    assert (fitted.best_epoch, fitted.validation_accuracy) == (best["epoch"], best["validation_accuracy"])
    assert fitted.photos + fitted.validation_photos == 48
    assert not (home / "fitted" / "checkpoints").exists()


def test_a_training_that_is_done_is_not_done_again(
    fitted: FittedCnn, photos: LabelledPhotos, recipe: CnnRecipe, home: Path, lake: Lake, settings: Settings
) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in (home / "fitted").iterdir()}
    seen: list[object] = []
    assert fit_cnn(photos, recipe, home / "fitted", lake, **reading(settings), on_epoch=seen.append) == fitted
    assert seen == []
    assert {path.name: path.stat().st_mtime_ns for path in (home / "fitted").iterdir()} == before
    with pytest.raises(ConfigurationError, match="other photos or another recipe"):
        fit_cnn(photos, replace(recipe, dropout=0.1), home / "fitted", lake, **reading(settings))


def train_on_drawn_photos(state_dir: Path, folder: Path, network: Path) -> None:
    settings = Settings(state_dir=state_dir)
    lake = Lake(settings.lake_root)
    photos = draw_lake(lake, per_label=16)
    fit_cnn(photos, own_network_recipe(network), folder, lake, **reading(settings))


@pytest.mark.parametrize(
    ("target", "nth", "epochs_kept"),
    [
        # 4 batches an epoch; 4 flushed files a checkpoint.
        ("include.models.cnn.augmentation:Augmentation.__call__", 14, 3),
        ("include.models.cnn.checkpoints:flush", 6, 1),
    ],
    ids=["in the middle of an epoch", "while a checkpoint is written"],
)
@pytest.mark.usefixtures("without_export")
def test_a_killed_training_goes_on_and_ends_as_if_it_had_not_been(
    target: str, nth: int, epochs_kept: int, tmp_path: Path,
    fitted: FittedCnn, photos: LabelledPhotos, recipe: CnnRecipe, home: Path, lake: Lake, settings: Settings,
) -> None:  # fmt: skip
    folder = tmp_path / "killed"
    arguments = (tmp_path / "state", folder, Path(recipe.base))
    assert run_killed(target, nth, train_on_drawn_photos, *arguments) == KILLED
    assert not (folder / "training.json").exists()

    seen: list[dict[str, float | str]] = []
    resumed = fit_cnn(photos, recipe, folder, lake, **reading(settings), on_epoch=seen.append)  # type: ignore[arg-type]
    assert len(seen) == 4 - epochs_kept
    assert resumed.epochs == fitted.epochs
    for row, expected in zip(history(folder), history(home / "fitted"), strict=True):
        for name in ("loss", "validation_loss", "learning_rate"):
            assert float(row[name]) == pytest.approx(float(expected[name]), rel=1e-3)


@pytest.mark.usefixtures("without_export")
def test_a_phase_ends_early_when_the_held_out_photos_gain_nothing(
    photos: LabelledPhotos, recipe: CnnRecipe, tmp_path: Path, lake: Lake, settings: Settings
) -> None:
    stuck = replace(recipe, patience=1, phases=(Phase("head", 6, 1e-12, 0.0), Phase("fine-tuning", 1, 1e-12, 0.5)))
    # Steps so small leave the loss equal to the last digit, or nearly: an epoch without gain comes soon.
    fitted = fit_cnn(photos, replace(stuck, weight_decay=0.0), tmp_path / "stuck", lake, **reading(settings))
    assert fitted.epochs < 7
    assert history(tmp_path / "stuck")[-1]["phase"] == "fine-tuning"


def test_a_network_from_scratch_learns_drawn_photos(
    photos: LabelledPhotos, recipe: CnnRecipe, tmp_path: Path, lake: Lake, settings: Settings,
    without_export: None,
) -> None:  # fmt: skip
    scratch = replace(
        recipe, base=SCRATCH, widths=(8, 16), phases=(Phase("all", 12, 0.01, 1.0),),
        augmentation=replace(recipe.augmentation, mix_up=0.0),
    )  # fmt: skip
    fitted = fit_cnn(photos, scratch, tmp_path / "scratch", lake, **reading(settings))
    assert fitted.validation_accuracy > 0.8


def test_a_loss_that_is_no_number_is_a_clear_error(
    photos: LabelledPhotos, recipe: CnnRecipe, tmp_path: Path, lake: Lake, settings: Settings
) -> None:
    wild = replace(recipe, phases=(Phase("head", 2, float("inf"), 0.0),))
    with pytest.raises(ConfigurationError, match="lower the learning rate"):
        fit_cnn(photos, wild, tmp_path / "wild", lake, **reading(settings))


def test_one_label_cannot_be_trained_on(
    photos: LabelledPhotos, recipe: CnnRecipe, tmp_path: Path, lake: Lake, settings: Settings
) -> None:
    one_label = photos.subset((photos.targets == 0).nonzero()[0])
    with pytest.raises(ConfigurationError, match="at least two labels"):
        fit_cnn(one_label, recipe, tmp_path / "one", lake, **reading(settings))
