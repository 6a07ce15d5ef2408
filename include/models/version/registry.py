"""The model registry: MLflow runs, the registered model `cuvee`, and the aliases of its versions.

By default a SQLite store and plain folders under `<state_dir>/mlflow`; any MLflow server with `MLFLOW_TRACKING_URI`.
Versions are always referred to by their number; nothing ever reads "latest".

    registry = Registry(settings.tracking_uri, settings.state_dir)
    version = registry.register(folder, metrics={"text_accuracy": 0.95}, params={})
    registry.promote(version.version)
    artefact = Artefact.load(registry.champion().path)
"""

from __future__ import annotations

import logging
import os
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from include.errors import ConfigurationError, CuveeError, NoChampionError

logger = logging.getLogger(__name__)

MODEL_NAME = "cuvee"
CHAMPION = "champion"
CHALLENGER = "challenger"
_EXPERIMENT = "cuvee"
_FOLDER_IN_RUN = "model"
_DATASET_HASH = "dataset_hash"
_TAGGED = (_DATASET_HASH, "snapshot", "candidate", "code_version")
"""Parameters that are also tags of a run and its version, so that they can be searched for."""
_MOST_VERSIONS = 10_000
_LONGEST_PARAM = 6_000
"""Characters of a parameter's value that MLflow can store."""


@dataclass(frozen=True)
class ModelVersion:
    """A registered version with its artefact on this machine."""

    version: str
    """Number of the version as text, e.g. `"3"`."""
    path: Path
    """Local folder that `Artefact.load` reads."""


class Registry:
    """Registers, finds and promotes model versions; opening it touches nothing."""

    def __init__(self, tracking_uri: str, state_dir: Path) -> None:
        """The registry at an MLflow address; versions of a remote one are downloaded to `state_dir`/models."""
        self._tracking_uri = tracking_uri
        self._downloads = state_dir / "models"

    def register(
        self, folder: Path, metrics: Mapping[str, float], params: Mapping[str, str], report: str = ""
    ) -> ModelVersion:
        """Register an artefact as a new version, with its metrics and its training report.

        `dataset_hash`, `snapshot`, `candidate` and `code_version` of `params`, if given, become tags of the version.
        The version is created last: a process that is killed before leaves a run without a version. Raises
        NoChampionError, before anything is created, if the artefact in the folder is missing or damaged.
        """
        from include.models.version.artefact import Artefact

        Artefact.load(folder).verify()
        client = self._client
        tags = {name: params[name] for name in _TAGGED if params.get(name)}
        self._end_killed_runs(tags)
        run = client.create_run(self._experiment_id(), run_name=params.get("candidate"), tags=tags)
        run_id = run.info.run_id
        try:
            for name, value in params.items():
                client.log_param(run_id, name, str(value)[:_LONGEST_PARAM])
            for name, figure in metrics.items():
                client.log_metric(run_id, name, float(figure))
            client.log_artifacts(run_id, str(folder), _FOLDER_IN_RUN)
            if report:
                client.log_text(run_id, report, "report.txt")
            self._require_registered_model()
            created = client.create_model_version(
                MODEL_NAME,
                source=f"{run.info.artifact_uri}/{_FOLDER_IN_RUN}",
                run_id=run_id,
                tags=tags,
            )
        except BaseException:
            client.set_terminated(run_id, status="FAILED")
            raise
        client.set_terminated(run_id)
        logger.info("registered model version %s: run=%s", created.version, run_id)
        return self._local(created)

    def champion(self) -> ModelVersion:
        """The version that labels products; without one, raises NoChampionError with the command to train it."""
        found = self._by_alias(CHAMPION)
        if found is None:
            raise NoChampionError("no model has been made champion yet: train one with `python -m include train`")
        return self._local(found)

    def alias(self, alias: str = CHAMPION) -> str | None:
        """Number of the version with an alias; None if no version has it."""
        found = self._by_alias(alias)
        return None if found is None else str(found.version)

    def promote(self, version: str, alias: str = CHAMPION) -> ModelVersion:
        """Move an alias to a version; idempotent. Raises ConfigurationError for an unknown version."""
        found = self._find(version)
        self._client.set_registered_model_alias(MODEL_NAME, alias, str(found.version))
        logger.info("model version %s is now %s", version, alias)
        return self._local(found)

    def get(self, version: str) -> ModelVersion:
        """A version by its number; raises ConfigurationError if there is none."""
        return self._local(self._find(version))

    def clear_alias(self, alias: str) -> None:
        """Remove an alias; nothing happens if no version has it."""
        if self._by_alias(alias) is not None:
            self._client.delete_registered_model_alias(MODEL_NAME, alias)

    def versions(self) -> list[str]:
        """Numbers of all versions, ascending."""
        found = self._client.search_model_versions(f"name = '{MODEL_NAME}'", max_results=_MOST_VERSIONS)
        return sorted((str(one.version) for one in found), key=int)

    def trained_on(self, dataset_hash: str) -> list[ModelVersion]:
        """The versions trained on exactly these rows with these settings and recipe, oldest first."""
        query = f"name = '{MODEL_NAME}' and tags.{_DATASET_HASH} = '{dataset_hash}'"
        found = self._client.search_model_versions(query, max_results=_MOST_VERSIONS)
        return [self._local(one) for one in sorted(found, key=lambda one: int(one.version))]

    def tag(self, version: str, name: str) -> str:
        """A tag of a version, e.g. `dataset_hash`, `snapshot` or `candidate`; empty if the version has none."""
        return str(self._find(version).tags.get(name, ""))

    def metrics(self, version: str) -> dict[str, float]:
        """The metrics that a version was registered with."""
        return dict(self._client.get_run(self._find(version).run_id).data.metrics)

    def log_figures(self, version: str, folder: Path) -> None:
        """Log the files of a folder as `figures` of a version's run; files of the same name are replaced."""
        self._client.log_artifacts(self._find(version).run_id, str(folder), "figures")

    def end_run(self, version: str) -> None:
        """Mark the run of a version as finished if its process was killed right after registering it."""
        run_id = self._find(version).run_id
        if self._client.get_run(run_id).info.status == "RUNNING":
            self._client.set_terminated(run_id)

    def unfinished_runs(self) -> list[str]:
        """Ids of runs that are not finished: of a training that is going on or was killed."""
        found = self._client.search_runs([self._experiment_id()], "attributes.status = 'RUNNING'")
        return [str(run.info.run_id) for run in found]

    def _end_killed_runs(self, tags: Mapping[str, str]) -> None:
        """Mark unfinished runs of the same training as killed; they have no version."""
        if _DATASET_HASH not in tags:
            return
        query = f"attributes.status = 'RUNNING' and tags.{_DATASET_HASH} = '{tags[_DATASET_HASH]}'"
        for run in self._client.search_runs([self._experiment_id()], query):
            self._client.set_terminated(run.info.run_id, status="KILLED")
            logger.info("marked an unfinished run as killed: run=%s", run.info.run_id)

    @cached_property
    def _client(self) -> Any:
        uri = self._tracking_uri
        _quieten_mlflow()
        from mlflow import MlflowClient

        if not uri.startswith("sqlite:///"):
            return MlflowClient(tracking_uri=uri, registry_uri=uri)
        # Two processes that create the tables at the same time would fail.
        from filelock import FileLock

        store = Path(uri.removeprefix("sqlite:///")).parent
        store.mkdir(parents=True, exist_ok=True)
        with FileLock(store / "store.lock", timeout=120):
            client = MlflowClient(tracking_uri=uri, registry_uri=uri)
            client.search_experiments(max_results=1)
        return client

    def _experiment_id(self) -> str:
        client = self._client
        found = client.get_experiment_by_name(_EXPERIMENT)
        if found is not None:
            return str(found.experiment_id)
        local = None
        if self._tracking_uri.startswith("sqlite:///"):
            # Beside the database: whoever reads the one from another state folder finds the other.
            local = (Path(self._tracking_uri.removeprefix("sqlite:///")).resolve().parent / "artifacts").as_uri()
        try:
            return str(client.create_experiment(_EXPERIMENT, artifact_location=local))
        except _mlflow_exception():
            found = client.get_experiment_by_name(_EXPERIMENT)  # another process made it meanwhile
            if found is None:
                raise
            return str(found.experiment_id)

    def _require_registered_model(self) -> None:
        try:
            self._client.create_registered_model(MODEL_NAME)
        except _mlflow_exception() as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def _by_alias(self, alias: str) -> Any | None:
        try:
            return self._client.get_model_version_by_alias(MODEL_NAME, alias)
        except _mlflow_exception() as error:
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return None
            raise _unreachable(self._tracking_uri, error) from error

    def _find(self, version: str) -> Any:
        try:
            return self._client.get_model_version(MODEL_NAME, str(version))
        except _mlflow_exception() as error:
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                raise ConfigurationError(f"there is no version {version} of the model {MODEL_NAME!r}") from error
            raise _unreachable(self._tracking_uri, error) from error

    def _local(self, found: Any) -> ModelVersion:
        """The version with its folder on this machine; remote artefacts are downloaded once."""
        number = str(found.version)
        if found.source.startswith(("file:", "/")):
            return ModelVersion(number, Path(unquote(urlparse(found.source).path)))
        target = self._downloads / number
        if not target.is_dir():
            self._download(number, target)
        return ModelVersion(number, target)

    def _download(self, number: str, target: Path) -> None:
        """Download beside the target and rename: a killed download leaves no incomplete artefact."""
        from mlflow.artifacts import download_artifacts

        uri = self._client.get_model_version_download_uri(MODEL_NAME, number)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.parent / f".{number}.{uuid.uuid4().hex}.tmp"
        try:
            downloaded = download_artifacts(artifact_uri=uri, dst_path=str(partial), tracking_uri=self._tracking_uri)
            try:
                Path(downloaded).rename(target)
            except OSError:
                if not target.is_dir():  # otherwise another process has downloaded it meanwhile
                    raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        logger.info("downloaded model version %s to %s", number, target)


def _quieten_mlflow() -> None:
    """Turn off telemetry, progress bars, links in the output, and the log of database migrations."""
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _mlflow_exception() -> Any:
    from mlflow.exceptions import MlflowException

    return MlflowException


def _unreachable(tracking_uri: str, error: Exception) -> CuveeError:
    address = urlparse(tracking_uri)
    return ConfigurationError(
        f"the model registry at {address.scheme}://{address.hostname or address.path} did not answer as expected "
        f"({error}): check MLFLOW_TRACKING_URI"
    )
