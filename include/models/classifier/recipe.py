"""The recipe of a training: every hyper-parameter that a search may choose, in one value.

A recipe is part of the dataset's fingerprint and is saved in the artefact: a model can be traced to its recipe, and
another recipe gives another model. The defaults were chosen by cross-validation on training folds.

    recipe = replace(Recipe(), text_regularisation=10.0, fusion="late")
    Recipe.from_json(recipe.to_json()) == recipe
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from include.errors import ConfigurationError

HeadKind = Literal["logistic", "lda", "svm", "rbf", "rbf_svm", "rbf_ridge"]
"""`logistic`: multinomial logistic regression. `lda`: linear discriminant analysis with Ledoit-Wolf shrinkage.
`svm`: linear support vector machines, one against the rest. `rbf`, `rbf_svm` and `rbf_ridge`: logistic regression,
support vector machines and ridge regression of the labels on Nyström features of a Gaussian kernel."""
Scaling = Literal["none", "standardise", "length", "root"]
"""How an embedding is scaled before its heads. `none`: not at all. `standardise`: each dimension is divided by its
standard deviation. `length`: the vector is normalised to length 1. `root`: the square root of each magnitude, which
dampens the bursts of pooled activations, then length 1. Linear photo heads are standardised with every scaling but
`none`."""
FusionMethod = Literal["auto", "text", "photo", "late", "joint"]
CalibrationMethod = Literal["auto", "temperature", "isotonic"]


_POSITIVE = (
    "text_regularisation",
    "photo_regularisation",
    "rbf_regularisation",
    "joint_regularisation",
    "joint_photo_scale",
    "rbf_width",
    "rbf_dimensions",
    "rbf_landmarks",
    "encoder_documents_per_label",
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Hyper-parameters of training; immutable, made by keyword."""

    text_heads: tuple[HeadKind, ...] = ("svm",)
    """Heads over the text embedding; several are averaged."""
    text_regularisation: float = 4.0
    """scikit-learn's C of the text heads (`lda` has none); text embeddings have length 1 at most."""
    text_dimensions: int | None = None
    """Dimensions of the text embedding; None takes the setting `text_dimensions`."""
    encoder_documents_per_label: int = 400
    """Documents per label that the text encoder is fitted on at most: otherwise a label with thousands of products
    would dominate its dimensions."""
    photo_heads: tuple[HeadKind, ...] = ("rbf_ridge",)
    """Heads over the photo embedding; several are averaged."""
    photo_regularisation: float = 3.0
    """C of the linear photo heads times the number of dimensions, so that it suits embeddings of any length."""
    photo_scaling: Scaling = "length"
    rbf_regularisation: float = 20.0
    """C of the `rbf` heads; the alpha of `rbf_ridge` is 1 / C."""
    rbf_dimensions: int = 128
    """Principal components of an embedding in which the `rbf` heads compute distances."""
    rbf_landmarks: int = 700
    """Examples that the `rbf` heads compare a product with."""
    rbf_width: float = 1.0
    """Width of the `rbf` heads' kernel, as a multiple of the median distance between examples."""
    fusion: FusionMethod = "auto"
    """`auto` keeps the best method out of fold: a single input unless a fusion is better by more than chance."""
    joint_regularisation: float = 20.0
    """C of the joint head over the features of both inputs."""
    joint_photo_scale: float = 0.5
    """Length of the photo's part of the joint features; the text's is 1."""
    joint_dropout: float = 0.3
    """Weight of the copies of a training row with its text or its photo blanked, relative to the row; 0 is none."""
    calibration: CalibrationMethod = "temperature"
    """`auto` uses isotonic regression where there are enough rows for it."""
    rule_weight: float = 5.0
    """Boost, in nats, of the log odds of a written rule's label that contradicts the classifiers; 0 ignores rules."""

    def __post_init__(self) -> None:
        for name in ("text_heads", "photo_heads"):
            heads = getattr(self, name)
            if not heads or set(heads) - set(get_args(HeadKind)):
                raise ConfigurationError(f"{name} must name some of {get_args(HeadKind)}, not {heads}")
        for name, kinds in (("photo_scaling", Scaling), ("fusion", FusionMethod), ("calibration", CalibrationMethod)):
            if getattr(self, name) not in get_args(kinds):
                raise ConfigurationError(f"{name} must be one of {get_args(kinds)}, not {getattr(self, name)!r}")
        if self.rule_weight < 0:
            raise ConfigurationError(f"rule_weight must be 0 or more, not {self.rule_weight}")
        for name in _POSITIVE:
            if not getattr(self, name) > 0:
                raise ConfigurationError(f"{name} must be above 0, not {getattr(self, name)}")

    def to_dict(self) -> dict[str, Any]:
        """The recipe as plain values that JSON can represent."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    def to_json(self) -> str:
        """The recipe as JSON, with sorted keys."""
        return json.dumps(self.to_dict(), sort_keys=True)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Recipe:
        """The recipe of `to_dict`; raises ConfigurationError for a name or value that no recipe has."""
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise ConfigurationError(f"a recipe has no {unknown}: it was made by another version of the project")
        plain: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        return cls(**plain)

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """The recipe of `to_json`."""
        return cls.from_dict(json.loads(text))
