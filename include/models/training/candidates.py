"""The candidates of a retraining, as the candidates file writes them down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from include.errors import ConfigurationError
from include.models.classifier.recipe import Recipe


class Candidate(BaseModel):
    """One way to train a model, e.g. `Candidate(name="text", recipe={"fusion": "text"})`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^\w+$", max_length=64)
    recipe: dict[str, Any] = Field(default_factory=dict)
    """Hyper-parameters that differ from the base recipe."""
    enabled: bool = True
    network: str | None = None
    """Recipe of a convolutional network to fine-tune first, or the path of a .keras file; None uses the photo encoder
    of the settings."""
    weights: str | None = None
    """Where that network starts: a file, `imagenet` or `none`; None uses its recipe's."""
    epochs: int | None = Field(None, ge=1)

    def recipe_on(self, base: Recipe) -> Recipe:
        """The whole recipe; ConfigurationError for a hyper-parameter that no recipe has, or a wrong value."""
        known = base.to_dict()
        unknown = sorted(set(self.recipe) - set(known))
        if unknown:
            raise ConfigurationError(f"candidate {self.name!r}: a recipe has no {unknown}; it has {sorted(known)}")
        try:
            return Recipe.from_dict(known | self.recipe)
        except TypeError as error:
            raise ConfigurationError(f"candidate {self.name!r}: {error}") from error


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    candidates: list[Candidate]


def load_candidates(path: Path) -> list[Candidate]:
    """The enabled candidates of a file, in its order.

    Raises ConfigurationError, which names what is wrong, when the file is absent or has another content, has two
    candidates of one name, or none that is enabled.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        found = _File.model_validate(content).candidates
    except OSError as error:
        raise ConfigurationError(
            f"the candidates file {path} cannot be read ({error}): see CUVEE_CANDIDATES_FILE"
        ) from error
    except (yaml.YAMLError, ValidationError) as error:
        raise ConfigurationError(f"the candidates file {path} is wrong: {error}") from error
    names = [candidate.name for candidate in found]
    if len(set(names)) < len(names):
        raise ConfigurationError(f"the candidates file {path} has two candidates of one name: {names}")
    enabled = [candidate for candidate in found if candidate.enabled]
    if not enabled:
        raise ConfigurationError(f"the candidates file {path} has no candidate that is enabled")
    for candidate in enabled:
        candidate.recipe_on(Recipe())
    return enabled
