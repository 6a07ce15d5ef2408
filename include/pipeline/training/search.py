"""Search hyper-parameters on all trusted labels, and put the best recipe into the lake, where training reads it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from include.models.search.outcome import OUTCOME, Measure, SearchOutcome, move_outcome, write_outcome
from include.models.search.search import SearchBudget, run_search
from include.pipeline.training.options import training_options
from include.pipeline.training.training_data import snapshot_of_today, training_set
from include.settings import Settings
from include.storage.lake import Lake

if TYPE_CHECKING:
    from include.models.data.dataset import TrainingSet

logger = logging.getLogger(__name__)

STUDIES = Path("search") / "studies.db"
"""SQLite file of the state folder with all studies: what a killed search goes on with."""


def search_recipe(settings: Settings, budget: SearchBudget, measure: Measure = "macro_f1") -> SearchOutcome:
    """Search on the trusted labels of today, but for the gold set; the next training uses what is found.

    Goes on with an earlier search on the same products. Raises ConfigurationError if there is too little to train on,
    or another search is running.
    """
    return search_on(training_set(snapshot_of_today(settings).training, settings), settings, budget, measure)


def search_on(
    dataset: TrainingSet, settings: Settings, budget: SearchBudget, measure: Measure = "macro_f1"
) -> SearchOutcome:
    """The same on a given training set."""
    from include.models.search.objective import OutOfFoldObjective, kind_of, space_of

    options = training_options(settings)
    objective = OutOfFoldObjective.of(dataset, options, measure)
    outcome = run_search(
        objective,
        space_of(dataset),
        budget,
        measure=measure,
        data_fingerprint=dataset.fingerprint(options),
        kind=kind_of(dataset, settings.text_encoder),
        products=len(objective.examples),
        storage=settings.state_dir / STUDIES,
        seed=settings.seed,
    )
    lake = Lake(settings.lake_root)
    move_outcome(settings.state_dir, lake)
    write_outcome(lake, outcome)
    logger.info("search over: %s=%.4f default=%.4f recipe=%s", measure, outcome.value, outcome.default_value, OUTCOME)
    return outcome
