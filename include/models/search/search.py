"""The search itself: recipes proposed one after the other, each evaluated out of fold.

Proposals come from a tree-structured Parzen estimator (Bergstra et al., "Algorithms for Hyper-Parameter
Optimization", 2011); a trial that after a fold is worse than the median of the others at that fold is stopped. Every
trial is kept in a SQLite file, so that a search that was killed, or that ran out of time, goes on where it was: the
seed of a proposal depends on the number of trials before it, so a search in pieces tries what it would have tried in
one go. The default recipe is the first trial, and another must beat it by more than chance to replace it.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from include.errors import ConfigurationError, CuveeError
from include.models.classifier.recipe import Recipe
from include.models.search.outcome import Measure, SearchOutcome
from include.models.search.spaces import Space, fingerprint, parameters_of, suggest

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler
    from optuna.storages import RDBStorage
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial

logger = logging.getLogger(__name__)

STARTUP_TRIALS = 8
"""Trials drawn at random, and never stopped early, before the estimator has something to learn from."""

Direction = Literal["maximize", "minimize"]
_FOLDS, _ERROR = "folds", "error"


@dataclass(frozen=True)
class RecipeScore:
    """How good a recipe is."""

    value: float
    """Over all folds."""
    folds: tuple[float, ...]
    """In each fold, for telling gain from chance."""


class Objective(Protocol):
    """The function that a search optimises: how good a recipe is by grouped out-of-fold predictions."""

    def __call__(self, recipe: Recipe, after_fold: Callable[[float], None]) -> RecipeScore:
        """The score of a recipe; `after_fold` is called with a first estimate for each fold, and may raise."""


@dataclass(frozen=True)
class SearchBudget:
    """When a search ends: at the first of both."""

    trials: int
    """Trials that the study shall have in all, those of earlier runs included."""
    minutes: float


class _OutOfTime(Exception):
    """The deadline passed within a trial."""


def run_search(
    objective: Objective,
    space: Space,
    budget: SearchBudget,
    *,
    measure: Measure,
    data_fingerprint: str,
    kind: str,
    products: int,
    storage: Path,
    seed: int,
) -> SearchOutcome:
    """Search until the budget is spent and return what was found; going on with a study that is spent tries nothing.

    `storage` is the SQLite file of all studies. The default recipe is always evaluated to its end, however little time
    there is. Raises ConfigurationError when another search runs on the same file, or when not even the default recipe
    could be evaluated.
    """
    study_name = f"{measure}-{_digest(data_fingerprint, fingerprint(space))}"
    deadline = time.monotonic() + 60 * budget.minutes
    direction: Direction = "maximize" if measure == "macro_f1" else "minimize"
    with _open_study(storage, study_name, direction) as study:
        _take_up(study, space)
        while (done := len(_counted(study))) < budget.trials and (not done or time.monotonic() < deadline):
            study.sampler = _sampler(seed + done)
            if not _run_trial(study, objective, space, deadline if done else None):
                break
        return _outcome(study, space, measure=measure, kind=kind, products=products, seed=seed)


def _run_trial(study: Study, objective: Objective, space: Space, deadline: float | None) -> bool:
    """Evaluate the next recipe; False when the time ran out within it: the next run tries it again."""
    from optuna import TrialPruned
    from optuna.trial import TrialState

    trial = study.ask()
    recipe = suggest(trial, space)
    estimates: list[float] = []

    def after_fold(value: float) -> None:
        estimates.append(value)
        trial.report(float(np.mean(estimates)), step=len(estimates))
        if deadline is not None and time.monotonic() > deadline:
            raise _OutOfTime
        if deadline is not None and trial.should_prune():
            raise TrialPruned

    try:
        score = objective(recipe, after_fold)
    except TrialPruned:
        study.tell(trial, state=TrialState.PRUNED)
    except _OutOfTime:
        study.tell(trial, state=TrialState.FAIL)
        study.enqueue_trial(trial.params)
        return False
    except (CuveeError, ValueError, ArithmeticError) as error:
        logger.warning("trial %d failed: %s: %s, recipe %s", trial.number, type(error).__name__, error, trial.params)
        _fail(study, trial, error)
    else:
        trial.set_user_attr(_FOLDS, score.folds)
        study.tell(trial, score.value)
        logger.info("trial %d: value=%.4f recipe=%s", trial.number, score.value, trial.params)
    return True


def _fail(study: Study, trial: Trial, error: Exception) -> None:
    from optuna.trial import TrialState

    trial.set_user_attr(_ERROR, f"{type(error).__name__}: {error}"[:500])
    study.tell(trial, state=TrialState.FAIL)


def _take_up(study: Study, space: Space) -> None:
    """Queue the default recipe of a new study, and again the trials that a killed search left running."""
    from optuna.trial import TrialState

    if not study.get_trials(deepcopy=False):
        study.enqueue_trial(parameters_of(Recipe(), space))
    # The file is locked: no other process is running them.
    for left in study.get_trials(deepcopy=True, states=(TrialState.RUNNING,)):
        logger.info("trial %d was interrupted: it is tried again", left.number)
        study.tell(left.number, state=TrialState.FAIL)
        study.enqueue_trial(left.params or left.system_attrs.get("fixed_params", {}))


def _counted(study: Study) -> list[FrozenTrial]:
    """Trials that came to an end, in order; those that were interrupted are tried again and do not count."""
    from optuna.trial import TrialState

    ended = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL))
    return [trial for trial in ended if trial.state != TrialState.FAIL or _ERROR in trial.user_attrs]


def _outcome(study: Study, space: Space, *, measure: Measure, kind: str, products: int, seed: int) -> SearchOutcome:
    from optuna.trial import FixedTrial, TrialState

    trials = _counted(study)
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    default = next((trial for trial in complete if suggest(FixedTrial(trial.params), space) == Recipe()), None)
    if default is None:
        errors = [trial.user_attrs[_ERROR] for trial in trials if _ERROR in trial.user_attrs]
        raise ConfigurationError(
            f"the search could not evaluate the default recipe, to which all are compared: {errors[:1]}"
        )
    best = study.best_trial
    chosen = best if _is_better(best, default, maximise=measure == "macro_f1") else default
    return SearchOutcome(
        study=study.study_name,
        kind=kind,
        measure=measure,
        products=products,
        recipe=suggest(FixedTrial(chosen.params), space).to_dict(),
        is_default=chosen.number == default.number,
        value=_value(chosen),
        default_value=_value(default),
        values=tuple(trial.value if trial.state == TrialState.COMPLETE else None for trial in trials),
        importances=_importances(study, complete, seed),
        pruned=sum(trial.state == TrialState.PRUNED for trial in trials),
        failed=sum(_ERROR in trial.user_attrs for trial in trials),
        seconds=round(sum(trial.duration.total_seconds() for trial in trials if trial.duration), 1),
    )


def _is_better(best: FrozenTrial, default: FrozenTrial, *, maximise: bool) -> bool:
    """Whether the best trial beats the default by more than one standard error of the gain over the folds."""
    gain = np.array(best.user_attrs[_FOLDS]) - np.array(default.user_attrs[_FOLDS])
    gain = gain if maximise else -gain
    if len(gain) < 2:
        return bool(gain.sum() > 0)
    return bool(gain.mean() > gain.std(ddof=1) / np.sqrt(len(gain)))


def _value(trial: FrozenTrial) -> float:
    assert trial.value is not None  # noqa: S101  a complete trial has one
    return float(trial.value)


def _importances(study: Study, complete: Sequence[FrozenTrial], seed: int) -> dict[str, float]:
    """fANOVA importances (Hutter et al., 2014); empty with too few trials."""
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    if len(complete) < STARTUP_TRIALS or len({trial.value for trial in complete}) < 2:
        return {}
    found = get_param_importances(study, evaluator=FanovaImportanceEvaluator(n_trees=32, max_depth=32, seed=seed))
    return {name: round(float(share), 4) for name, share in found.items()}


def _sampler(seed: int) -> BaseSampler:
    from optuna.samplers import TPESampler

    return TPESampler(seed=seed, n_startup_trials=STARTUP_TRIALS)


@contextmanager
def _open_study(storage: Path, name: str, direction: Direction) -> Iterator[Study]:
    """The study of that name in a SQLite file, locked against a second search."""
    from filelock import FileLock, Timeout

    storage.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(storage.with_suffix(".lock"), timeout=0):
            opened = _storage(storage)
            try:
                yield _study(opened, name, direction)
            finally:
                opened.remove_session()
                opened.engine.dispose()
    except Timeout:
        raise ConfigurationError(f"another search is running on {storage}: wait for it, or stop it") from None


def _storage(path: Path) -> RDBStorage:
    import optuna
    from sqlalchemy import event

    # Optuna writes to standard error by itself: its messages belong in the log, at the level set there.
    optuna.logging.disable_default_handler()
    optuna.logging.enable_propagation()
    logging.getLogger("optuna").setLevel(logging.NOTSET)
    opened = optuna.storages.RDBStorage(f"sqlite:///{path}", engine_kwargs={"connect_args": {"timeout": 60}})

    def write_ahead(connection: Any, _record: object) -> None:
        # Some thirty commits a trial: none is lost when the process is killed, and none waits for the disk.
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    event.listen(opened.engine, "connect", write_ahead)
    opened.remove_session()
    opened.engine.dispose()
    return opened


def _study(storage: RDBStorage, name: str, direction: Direction) -> Study:
    import optuna

    pruner = optuna.pruners.MedianPruner(n_startup_trials=STARTUP_TRIALS, n_warmup_steps=1)
    return optuna.create_study(
        storage=storage, study_name=name, direction=direction, pruner=pruner, load_if_exists=True
    )


def _digest(*parts: str) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:12]
