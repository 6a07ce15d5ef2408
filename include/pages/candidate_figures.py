"""Each candidate's figures on the gold set, beside its run in MLflow."""

from __future__ import annotations

import logging
from pathlib import Path
from tempfile import TemporaryDirectory

from include.models.promotion.judgement import Judgement
from include.models.version.registry import Registry
from include.pages.judgement_figures import judgement_figures
from include.settings import Settings

logger = logging.getLogger(__name__)


def log_candidate_figures(judgement: Judgement, settings: Settings) -> None:
    """Draw confusion, calibration, coverage and labels of every candidate and put them beside its MLflow run.

    Done again, it replaces them. Raises ConfigurationError when a version is not registered.
    """
    registry = Registry(settings.tracking_uri, settings.state_dir)
    for candidate in judgement.candidates:
        with TemporaryDirectory() as folder:
            drawings = judgement_figures("gold", candidate.gold)
            for drawing in drawings:
                drawing.write(Path(folder))
            registry.log_figures(candidate.version, Path(folder))
        logger.info("figures logged: version=%s candidate=%s figures=%d", candidate.version, candidate.name,
                    len(drawings))  # fmt: skip
