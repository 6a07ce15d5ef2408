"""Every search space of the project: which hyper-parameters are searched, and between which values.

Whoever changes a space here starts a new search: the name of a study follows from its space.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from include.models.classifier.recipe import Recipe

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

BETWEEN_HEADS = "+"


@dataclass(frozen=True)
class Choice:
    """One of some values."""

    values: tuple[str | int | None, ...]


@dataclass(frozen=True)
class Between:
    """A number between two bounds, both included; `log` spaces the proposals by ratio, `step` by difference."""

    low: float
    high: float
    log: bool = False
    step: float | None = None


@dataclass(frozen=True)
class OnlyIf:
    """A parameter that counts only where another has been given a value in which a pattern is found."""

    parameter: str
    pattern: str
    what: Choice | Between

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether it counts beside these values of other parameters."""
        return re.search(self.pattern, str(values.get(self.parameter))) is not None


Space = Mapping[str, Choice | Between | OnlyIf]
"""Field of `Recipe` → its values; a field with several heads is proposed as one word, e.g. `logistic+svm`."""

TEXT_ONLY: Space = {
    "text_heads": Choice(("logistic", "svm", "lda", "logistic+svm", "logistic+lda")),
    "text_regularisation": Between(1.0, 300.0, log=True),
    "text_dimensions": Choice((None, 128, 384, 512)),
    "encoder_documents_per_label": Choice((200, 400, 1000)),
}
"""For products without photos."""

TEXT_AND_PHOTO: Space = {
    **TEXT_ONLY,
    "photo_heads": Choice(("logistic", "svm", "lda", "rbf", "rbf_svm", "rbf_ridge", "logistic+rbf_svm", "lda+rbf_svm")),
    "photo_regularisation": OnlyIf("photo_heads", r"\b(logistic|svm)\b", Between(0.1, 100.0, log=True)),
    "photo_scaling": Choice(("none", "standardise", "length", "root")),
    "rbf_regularisation": OnlyIf("photo_heads", "rbf", Between(0.3, 100.0, log=True)),
    "rbf_dimensions": OnlyIf("photo_heads", "rbf", Choice((64, 128, 256))),
    "rbf_landmarks": OnlyIf("photo_heads", "rbf", Choice((400, 700, 1000))),
    "rbf_width": OnlyIf("photo_heads", "rbf", Between(0.3, 3.0, log=True)),
    "fusion": Choice(("auto", "late", "joint")),
    "joint_regularisation": OnlyIf("fusion", "auto|joint", Between(0.1, 100.0, log=True)),
    "joint_dropout": OnlyIf("fusion", "auto|joint", Between(0.0, 1.0, step=0.1)),
}
"""For products with text and photo."""


def space_for(*, has_photos: bool) -> Space:
    """The space that suits a training set."""
    return TEXT_AND_PHOTO if has_photos else TEXT_ONLY


def fingerprint(space: Space) -> str:
    """SHA-256 (hex) of a space and of the recipe that its other fields keep."""
    parts = {name: [type(domain).__name__, asdict(domain)] for name, domain in space.items()}
    content = json.dumps([parts, Recipe().to_dict()], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def suggest(trial: BaseTrial, space: Space) -> Recipe:
    """The recipe that a trial proposes; what the space does not name is as in the default recipe."""
    proposed: dict[str, Any] = {}
    for name, domain in space.items():
        if isinstance(domain, OnlyIf):
            if not domain.holds(proposed):
                continue
            domain = domain.what  # noqa: PLW2901
        if isinstance(domain, Choice):
            proposed[name] = trial.suggest_categorical(name, domain.values)
        else:
            proposed[name] = trial.suggest_float(name, domain.low, domain.high, log=domain.log, step=domain.step)
    for name in ("text_heads", "photo_heads"):
        if name in proposed:
            proposed[name] = tuple(proposed[name].split(BETWEEN_HEADS))
    return replace(Recipe(), **proposed)


def parameters_of(recipe: Recipe, space: Space) -> dict[str, Any]:
    """What a trial would have to be given for `suggest` to propose a recipe of this space."""
    values = {
        name: BETWEEN_HEADS.join(value) if isinstance(value, tuple) else value
        for name in space
        for value in [getattr(recipe, name)]
    }
    return {
        name: value
        for name, value in values.items()
        if not isinstance(domain := space[name], OnlyIf) or domain.holds(values)
    }
