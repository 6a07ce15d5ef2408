from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from include.errors import ConfigurationError, NoChampionError
from include.models.version.artefact import Artefact
from include.models.version.registry import CHALLENGER, Registry
from include.settings import Settings
from tests.conftest import PROJECT_ROOT


@pytest.fixture(scope="module")
def folder(artefact: Artefact, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("to-register")
    artefact.save(folder)
    return folder


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(state_dir=tmp_path_factory.mktemp("registry"))


@pytest.fixture(scope="module")
def registry(settings: Settings) -> Registry:
    return Registry(settings.tracking_uri, settings.state_dir)


def test_opening_a_registry_touches_nothing(tmp_path):
    Registry(Settings(state_dir=tmp_path / "state").tracking_uri, tmp_path / "state")
    assert not (tmp_path / "state").exists()


def test_the_life_of_versions(registry, settings, folder, artefact):
    with pytest.raises(NoChampionError, match="python -m include train"):
        registry.champion()

    first = registry.register(folder, {"text_accuracy": 0.9}, {"dataset_hash": "a" * 64}, report="fine")
    assert (first.version, registry.tag("1", "dataset_hash")) == ("1", "a" * 64)
    with pytest.raises(NoChampionError):
        registry.champion()
    registry.promote("1")
    assert registry.champion() == first

    second = registry.register(folder, {"text_accuracy": 0.95}, {})
    assert second.version == "2"
    assert registry.champion().version == "1"
    assert registry.tag("2", "dataset_hash") == ""
    registry.promote("2")
    registry.promote("2")
    assert registry.champion() == second
    registry.promote("1")
    assert Registry(settings.tracking_uri, settings.state_dir).champion() == first

    registry.promote("2", alias=CHALLENGER)
    assert registry.champion() == first
    assert registry.get("2") == second

    golden = artefact.golden
    loaded = Artefact.load(registry.champion().path)
    found = loaded.predict(golden.text_vectors, golden.has_text, golden.image_vectors, golden.has_photo)
    assert np.array_equal(found.probabilities, golden.probabilities)


def test_versions_are_found_by_what_they_were_trained_on(folder, tmp_path):
    registry = Registry(Settings(state_dir=tmp_path).tracking_uri, tmp_path)
    same, other = {"dataset_hash": "a" * 64, "candidate": "text"}, {"dataset_hash": "b" * 64}
    for params in (same, other, same):
        registry.register(folder, {"overall_macro_f1": 0.5}, params)
    assert [version.version for version in registry.trained_on("a" * 64)] == ["1", "3"]
    assert registry.trained_on("c" * 64) == []
    assert registry.versions() == ["1", "2", "3"]
    assert registry.tag("3", "candidate") == "text"
    assert registry.metrics("3") == {"overall_macro_f1": 0.5}


def test_an_alias_is_found_and_removed(folder, tmp_path):
    registry = Registry(Settings(state_dir=tmp_path).tracking_uri, tmp_path)
    registry.register(folder, {}, {})
    assert registry.alias() is None
    registry.promote("1")
    registry.promote("1", alias=CHALLENGER)
    assert (registry.alias(), registry.alias(CHALLENGER)) == ("1", "1")
    for _ in range(2):
        registry.clear_alias(CHALLENGER)
    assert (registry.alias(), registry.alias(CHALLENGER)) == ("1", None)


def test_figures_are_logged_to_the_run_and_replaced(folder, tmp_path):
    registry = Registry(Settings(state_dir=tmp_path).tracking_uri, tmp_path)
    registry.register(folder, {}, {})
    figure = tmp_path / "figures" / "confusion.svg"
    figure.parent.mkdir()
    for content in ("<svg/>", "<svg></svg>"):
        figure.write_text(content)
        registry.log_figures("1", figure.parent)
    [kept] = (tmp_path / "mlflow").rglob("figures/confusion.svg")
    assert kept.read_text() == "<svg></svg>"


def test_the_run_of_a_killed_registration_is_ended_by_the_next_one_of_the_same_training(folder, tmp_path, monkeypatch):
    registry = Registry(Settings(state_dir=tmp_path).tracking_uri, tmp_path)
    params = {"dataset_hash": "a" * 64}
    # As after a kill: nothing that runs at the end of a process has run.
    monkeypatch.setattr(registry._client, "log_artifacts", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    monkeypatch.setattr(registry._client, "set_terminated", lambda *_, **__: None)
    with pytest.raises(KeyboardInterrupt):
        registry.register(folder, {}, params)
    monkeypatch.undo()
    assert len(registry.unfinished_runs()) == 1
    assert registry.register(folder, {}, params).version == "1", "the killed one has no version"
    assert registry.unfinished_runs() == []


def test_the_run_of_a_version_is_ended_where_the_registration_was_killed_just_after_it(folder, tmp_path, monkeypatch):
    registry = Registry(Settings(state_dir=tmp_path).tracking_uri, tmp_path)
    monkeypatch.setattr(registry._client, "set_terminated", lambda *_, **__: None)
    registry.register(folder, {}, {})
    monkeypatch.undo()
    assert len(registry.unfinished_runs()) == 1
    for _ in range(2):
        registry.end_run("1")
    assert registry.unfinished_runs() == []


def test_a_broken_artefact_gets_no_version(registry, folder, tmp_path):
    (tmp_path / "artefact.json").write_text("{}")
    with pytest.raises(NoChampionError, match="missing or damaged"):
        registry.register(tmp_path, {}, {})


@pytest.mark.parametrize("version", ["99", "latest", ""])
def test_a_version_that_is_not_there_is_named(registry, version):
    with pytest.raises(ConfigurationError, match=f"no version {version}"):
        registry.get(version)
    with pytest.raises(ConfigurationError):
        registry.promote(version)


def test_a_download_comes_whole_and_once(registry, folder, tmp_path):
    version = registry.register(folder, {}, {})
    target = tmp_path / "models" / version.version
    registry._download(version.version, target)
    registry._download(version.version, target)
    Artefact.load(target)
    assert [path.name for path in target.parent.iterdir()] == [version.version]


def test_two_processes_may_register_at_once_in_a_new_store(folder, tmp_path):
    uri = Settings(state_dir=tmp_path).tracking_uri
    program = (
        "from pathlib import Path\n"
        "from include.models.version.registry import Registry\n"
        f"registry = Registry({uri!r}, Path({str(tmp_path)!r}))\n"
        f"print(registry.register(Path({str(folder)!r}), {{}}, {{}}).version)"
    )
    other = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    mine = Registry(uri, tmp_path).register(folder, {}, {})
    output, errors = other.communicate(timeout=300)
    assert (other.returncode, errors) == (0, "")
    assert {mine.version, output.strip()} == {"1", "2"}


def test_no_version_is_ever_read_by_another_name_than_its_number():
    """MLflow would give the newest version to whoever asks for `latest`, or for a stage: nothing here may ask."""
    asking = re.compile(
        r"get_latest_versions|latest_versions|models:/|[\"'/]latest[\"'/]|search_registered_models|stages="
    )
    files = [path for folder in ("include", "dags", "plugins") for path in (PROJECT_ROOT / folder).rglob("*.py")]
    assert len(files) > 200
    found = [
        f"{path.name}: {match[0]}" for path in files for match in asking.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == ['registry.py: "latest"'], "the sentence that says so, and nothing else"
