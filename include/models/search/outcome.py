"""The result of a search as plain data, and its file in the lake, which training reads.

outcome = read_outcome(lake)
recipe = found_recipe(lake, kind)          # None when nothing fits
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from include.errors import ConfigurationError
from include.models.classifier.recipe import Recipe
from include.storage.lake import Lake
from include.storage.layers import Layer

logger = logging.getLogger(__name__)

Measure = Literal["macro_f1", "log_loss"]
"""What recipes are compared by: macro-F1 (larger is better) or mean negative log-likelihood in nats (smaller)."""

OUTCOME = f"{Layer.SEARCH}/best_recipe.json"
"""File in the lake with the result of the newest search."""


@dataclass(frozen=True)
class SearchOutcome:
    """The course and the result of one search."""

    study: str
    """Name of the study: products, settings and search space decide it."""
    kind: str
    """What the recipe is for: search space, photo encoder, labels (see `search.kind_of`). Not the single products."""
    measure: Measure
    products: int
    recipe: Mapping[str, Any]
    """The recipe to train with, as `Recipe.to_dict` gives it."""
    is_default: bool
    """Whether that is the recipe that training has anyway: no other was better by more than chance."""
    value: float
    """Of `recipe`. The best of many is a little flattered: it was chosen by these very predictions."""
    default_value: float
    """Of the default recipe, measured the same way."""
    values: tuple[float | None, ...]
    """Of every trial in order; None where it was stopped early or failed."""
    importances: Mapping[str, float]
    """Share of the differences between trials that each parameter explains; empty with few trials."""
    pruned: int
    """Trials stopped early because they were worse than most at the same fold."""
    failed: int
    seconds: float
    """Spent in trials, over all runs of the search."""

    @property
    def maximise(self) -> bool:
        """Whether a larger value is better."""
        return self.measure == "macro_f1"

    def changes(self) -> dict[str, tuple[Any, Any]]:
        """Parameters of the recipe that differ from the default: name → (default, chosen)."""
        default = Recipe().to_dict()
        return {name: (default.get(name), value) for name, value in self.recipe.items() if default.get(name) != value}

    def to_json(self) -> str:
        """All of it as JSON, indented, with sorted keys."""
        return json.dumps(asdict(self), indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> SearchOutcome:
        """What `to_json` wrote; ConfigurationError when the text is something else."""
        try:
            values = json.loads(text)
            outcome = cls(**values | {"values": tuple(values["values"])})
            Recipe.from_dict(dict(outcome.recipe))
        except (ValueError, TypeError, KeyError, ConfigurationError) as error:
            raise ConfigurationError(
                f"this is no search result of this version of the program ({error}): "
                "run `python -m include search` again"
            ) from error
        return outcome


def write_outcome(lake: Lake, outcome: SearchOutcome) -> None:
    """Replace the result of the newest search, in one atomic step."""
    lake.write_bytes(OUTCOME, outcome.to_json().encode())


def outcome_text(lake: Lake) -> str:
    """The result of the newest search as it is written, empty without one: what training depends on."""
    return lake.read_bytes(OUTCOME).decode() if lake.exists(OUTCOME) else ""


def read_outcome(lake: Lake) -> SearchOutcome | None:
    """The result of the newest search, or None; ConfigurationError when the file is damaged."""
    return SearchOutcome.from_json(outcome_text(lake)) if lake.exists(OUTCOME) else None


def move_outcome(state_dir: Path, lake: Lake) -> None:
    """Move the result of a search to the lake from the state folder, where the first versions of the program kept it.

    Nothing happens where there is none; a result that the lake has already is kept.
    """
    earlier = state_dir / OUTCOME
    try:
        content = earlier.read_bytes()
    except FileNotFoundError:
        return
    if not lake.exists(OUTCOME):
        lake.write_bytes(OUTCOME, content)
        logger.info("moved the result of the last search from %s to the lake", earlier)
    earlier.unlink(missing_ok=True)


def found_recipe(lake: Lake, kind: str) -> Recipe | None:
    """The recipe that a search found for this kind of training; None, with a warning in the log, when none fits.

    A damaged file counts as none: training goes on with the default recipe.
    """
    try:
        outcome = read_outcome(lake)
    except ConfigurationError as error:
        logger.warning("%s in the lake is not used: %s", OUTCOME, error)
        return None
    if outcome is None:
        return None
    if outcome.kind != kind:
        logger.warning(
            "the recipe of the last search is not used: it was found for another photo encoder, other labels or "
            "another search space; run `python -m include search` again"
        )
        return None
    logger.info(
        "training with the recipe of study %s: %s=%.4f (default %.4f) on %d products",
        outcome.study, outcome.measure, outcome.value, outcome.default_value, outcome.products,
    )  # fmt: skip
    return Recipe.from_dict(dict(outcome.recipe))
