"""Each candidate's figures lie beside its run in a real MLflow, once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest

from include.errors import ConfigurationError
from include.models.promotion.judgement import Judgement
from include.models.version.registry import MODEL_NAME, Registry
from include.pages.candidate_figures import log_candidate_figures
from include.settings import Settings
from tests.pages.judgements import draw_candidate, draw_promotion

FIGURES = {
    f"figures/gold_{name}.{ending}"
    for name in ("coverage", "reliability", "confusion", "labels")
    for ending in ("png", "svg")
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_dir=tmp_path)


@pytest.fixture
def registered(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Judgement:
    """A judgement of two candidates that are registered; what the artefact holds does not matter here."""
    monkeypatch.setattr("include.models.version.artefact.Artefact.load", Mock())
    folder = tmp_path / "artefact"
    folder.mkdir()
    (folder / "artefact.json").write_text("{}")
    versions = [
        Registry(settings.tracking_uri, settings.state_dir).register(folder, {}, {"candidate": name}).version
        for name in ("text", "photo")
    ]
    candidates = tuple(draw_candidate("c", version) for version in versions)
    return replace(draw_promotion(), candidate=versions[0], candidates=candidates)


def logged(settings: Settings, version: str) -> dict[str, int]:
    """Paths and sizes of the figures beside a version's run."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=settings.tracking_uri, registry_uri=settings.tracking_uri)
    run = client.get_model_version(MODEL_NAME, version).run_id
    return {item.path: item.file_size for item in client.list_artifacts(run, "figures")}


def test_the_figures_of_every_candidate_land_beside_its_run_and_once_only(
    settings: Settings, registered: Judgement
) -> None:
    log_candidate_figures(registered, settings)
    first = {one.version: logged(settings, one.version) for one in registered.candidates}
    assert [set(found) for found in first.values()] == [FIGURES] * 2
    assert all(size > 1_000 for found in first.values() for size in found.values())
    log_candidate_figures(registered, settings)
    assert {one.version: logged(settings, one.version) for one in registered.candidates} == first


def test_a_version_that_is_not_registered_is_named(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="no version 4"):
        log_candidate_figures(draw_promotion(), settings)
