"""What every task would import and read again, done once in the process that tasks are forked from.

A forked task starts with the modules of the steps, the taxonomy and the templates of the reports. Whoever changes the
code while Airflow runs still sees the change in the next task: each worker and each task looks at the files that were
read, and if one of them has changed, it forgets them all and imports them as if nothing had been done.
"""

from __future__ import annotations

import importlib
import logging
import os
import pkgutil
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

logger = logging.getLogger(__name__)

PROJECT = __name__.partition(".")[0]
PACKAGES = (
    "features",
    "features.image",
    "features.text",
    "models.classifier",
    "models.data",
    "models.decision",
    "models.monitoring",
    "models.training",
    "models.version",
    "pages",
    "pipeline",
    "pipeline.daily",
    "pipeline.relabelling",
    "pipeline.retraining",
    "pipeline.training",
    "quality",
    "sources",
    "storage",
    "warehouse",
)
"""Packages whose modules are imported, not those of packages inside them: training a network needs TensorFlow."""

GENERATIONS = 2
"""Workers are forked from the scheduler, and tasks from workers. What a task forks goes on with its parent's code."""


def warm_start() -> list[str]:
    """Import the modules of the steps, read what all of them read, and watch the files; the names of what failed.

    Never raises: without a module here, a task imports it for itself.
    """
    begin = time.monotonic()
    failed = []
    for name in step_modules():
        try:
            importlib.import_module(name)
        except Exception as error:
            failed.append(name)
            logger.warning("could not import %s beforehand: %s", name, error)
    try:
        read = _read_files()
    except Exception as error:
        read = []
        failed.append("taxonomy and templates")
        logger.warning("could not read taxonomy and templates beforehand: %s", error)
    _Watch([*_imported_files(), *read]).start()
    logger.info("imported the project's steps in %.1f s", time.monotonic() - begin)
    return failed


def step_modules() -> Iterator[str]:
    """Names of the modules in the packages that steps are made of."""
    for name in PACKAGES:
        package = importlib.import_module(f"{PROJECT}.{name}")
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            if not module.ispkg:
                yield module.name


def _read_files() -> list[str]:
    """Read the taxonomy and the reports' templates into the caches of their modules; the paths of the files."""
    from include.pages.rendering import TEMPLATES, html_environment
    from include.taxonomy import TAXONOMY_FILE, load_taxonomy

    load_taxonomy()
    engine = html_environment()
    for template in engine.list_templates(extensions=["html"]):
        engine.get_template(template)
    return [str(TAXONOMY_FILE), *map(str, TEMPLATES.iterdir())]


class _Watch:
    """Notices in a forked process that a file is no longer what was imported."""

    def __init__(self, files: Iterable[str]) -> None:
        self._files = sorted(files)
        self._seen = _state(self._files)
        self._generation = 0

    def start(self) -> None:
        """Look at the files in every process that is forked from now on."""
        os.register_at_fork(after_in_child=self._look)

    def _look(self) -> None:
        self._generation += 1
        if self._generation <= GENERATIONS and _state(self._files) != self._seen:
            for name in [name for name in sys.modules if name.partition(".")[0] == PROJECT]:
                del sys.modules[name]
            logger.info("the code has changed since Airflow was started: importing it again")


def _imported_files() -> Iterator[str]:
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name.partition(".")[0] == PROJECT and file:
            yield file


def _state(files: Iterable[str]) -> list[tuple[int, int] | None]:
    """Size and time of change of each file; None for one that is no longer there."""
    state: list[tuple[int, int] | None] = []
    for file in files:
        try:
            status = Path(file).stat()
            state.append((status.st_size, status.st_mtime_ns))
        except OSError:
            state.append(None)
    return state
