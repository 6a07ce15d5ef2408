"""Search hyper-parameters on all trusted labels, and leave the best recipe where training finds it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from include.models.search.outcome import SEARCH_FOLDER, Measure, SearchOutcome, write_outcome
from include.models.search.search import SearchBudget, run_search
from include.pipeline.training.training_data import snapshot_of_today, training_set
from include.settings import Settings

if TYPE_CHECKING:
    from include.models.data.dataset import TrainingSet

logger = logging.getLogger(__name__)

STUDIES_FILE = "studies.db"
"""SQLite file of all studies, in the search folder of the state folder."""


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
    from include.models.search.judging import OutOfFoldJudge, kind_of, space_of

    judge = OutOfFoldJudge.of(dataset, settings, measure)
    outcome = run_search(
        judge,
        space_of(dataset),
        budget,
        measure=measure,
        data_fingerprint=dataset.fingerprint(settings),
        kind=kind_of(dataset, settings),
        products=len(judge.examples),
        storage=settings.state_dir / SEARCH_FOLDER / STUDIES_FILE,
        seed=settings.seed,
    )
    path = write_outcome(settings.state_dir, outcome)
    logger.info("search over: %s=%.4f default=%.4f recipe=%s", measure, outcome.value, outcome.default_value, path)
    return outcome
