"""What an evaluation found, as plain data: written to JSON, read back, printed and drawn from here.

    evaluation = Evaluation.from_json(path.read_text(encoding="utf-8"))
    evaluation.figures["text_accuracy"]                    # Interval(value=0.968, low=0.954, high=0.979)
    evaluation.modalities["fusion_default"].classes        # precision, recall and F1 of each label

Shares and probabilities are in [0, 1]. Nothing in here is NaN: what could not be measured is absent or None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from include.errors import ConfigurationError

if TYPE_CHECKING:
    from pydantic import TypeAdapter


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % interval; `low <= value <= high`."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Target:
    """What a figure must reach."""

    what: str
    """In words, e.g. `text alone`."""
    bound: float
    at_most: bool = False
    """Whether the figure must stay at or below the bound rather than reach it."""

    def is_met(self, figure: Interval) -> bool:
        """Whether the figure's value (not its interval) keeps the bound."""
        return figure.value <= self.bound if self.at_most else figure.value >= self.bound


@dataclass(frozen=True)
class DataDescription:
    """What was evaluated on."""

    name: str
    """E.g. `flipkart`, or `demo_catalogue`."""
    is_drawn: bool
    """Whether the data is drawn for the demo: scores on it do not carry over to real products."""
    products: int
    content_groups: int
    """Products that share a photo or have nearly the same text count once here."""
    labels: Mapping[str, int]
    """Products of each label, in the taxonomy's order."""


@dataclass(frozen=True)
class ClassScores:
    """One label's row of the per-class table."""

    label: str
    precision: float
    """0 when the label was never given."""
    recall: float
    f1: float
    support: int
    """Products that have this label."""


@dataclass(frozen=True)
class ReliabilityBin:
    """Products whose confidence lies in one of ten ranges of equal width; empty ranges are left out."""

    low: float
    high: float
    confidence: float
    """Mean confidence."""
    accuracy: float
    count: int


@dataclass(frozen=True)
class CoveragePoint:
    """What accepting from a confidence on would give."""

    threshold: float
    coverage: float
    precision: float


@dataclass(frozen=True)
class OperatingPoint:
    """What was accepted with the thresholds that training chose, which saw no tested product."""

    target_precision: float
    """What the thresholds were chosen for."""
    precision: Interval | None
    """Share of the accepted that were right; None when nothing was accepted."""
    coverage: Interval


@dataclass(frozen=True)
class Slice:
    """The same scores on a part of the products."""

    name: str
    """E.g. `no photo`, `short text`, `French`."""
    products: int
    accuracy: Interval
    macro_f1: float
    coverage: float
    """Share that was accepted."""


@dataclass(frozen=True)
class ModalityResult:
    """All scores of one way to predict: what it may look at, and with which encoder."""

    title: str
    """For people, e.g. `text + photo, default encoder`."""
    modality: str
    """`text`, `photo` or `fusion`."""
    image_encoder: str | None
    """Key of `Evaluation.encoders`; None where no photo is looked at."""
    products: int
    accuracy: Interval
    macro_f1: Interval
    calibration_error: Interval
    """Expected calibration error, ten bins of equal width."""
    log_loss: Interval
    """Mean negative log-likelihood, nats."""
    label_names: tuple[str, ...]
    """Labels that occur, in the order of the confusion matrix."""
    confusion: tuple[tuple[int, ...], ...]
    """Products by true label (row) and predicted label (column)."""
    classes: tuple[ClassScores, ...]
    reliability: tuple[ReliabilityBin, ...]
    coverage_curve: tuple[CoveragePoint, ...]
    """From the highest threshold (lowest coverage) to the lowest."""
    operating_point: OperatingPoint
    slices: tuple[Slice, ...] = ()


@dataclass(frozen=True)
class LearningPoint:
    """Scores when only a share of the training groups was learnt from."""

    share: float
    training_products: int
    """Mean over the folds."""
    accuracy: Mapping[str, Interval]
    """By key of `Evaluation.modalities`."""


@dataclass(frozen=True)
class Comparison:
    """McNemar's exact test of two ways to predict the same products."""

    first: str
    second: str
    products: int
    only_first_right: int
    only_second_right: int
    p_value: float
    """Two-sided; below 0.05 the difference is hardly chance."""


@dataclass(frozen=True)
class ListResult:
    """Scores on a hand-read label list: one label against all else."""

    label: str
    products: int
    positives: int
    precision: Interval | None
    """None when the label was never given."""
    recall: Interval
    accuracy: Interval
    """Over all labels of the list."""
    mistakes: tuple[tuple[str, str, str, float], ...]
    """Product, label of the list, predicted label, confidence: those that cost precision or recall."""


@dataclass(frozen=True)
class Evaluation:
    """Everything that one evaluation found."""

    data: DataDescription
    encoders: Mapping[str, str]
    """`default`, `pretrained` → identity of the image encoder; `text` → what the text encoder is."""
    folds: int
    repeats: int
    seed: int
    interval_method: str
    """How the 95 % intervals were made, one sentence."""
    figures: Mapping[str, Interval]
    """The figures by key, e.g. `text_accuracy`; those of `targets` and more."""
    targets: Mapping[str, Target]
    """What must be reached, by key of `figures`; a key may be absent from `figures` when it was not measured."""
    modalities: Mapping[str, ModalityResult]
    """E.g. `text`, `text_no_category_words`, `photo_default`, `fusion_pretrained`."""
    learning_curve: tuple[LearningPoint, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    lists: Mapping[str, ListResult] = field(default_factory=dict)
    """Scores on hand-read label lists, by name."""
    notes: tuple[str, ...] = ()
    """What a reader must know beside the figures, one sentence each."""
    seconds: float = 0.0

    def to_json(self) -> str:
        """All of it as JSON, indented."""
        return _adapter().dump_json(self, indent=1).decode()

    @classmethod
    def from_json(cls, text: str) -> Evaluation:
        """What `to_json` wrote; ConfigurationError when the text is something else."""
        from pydantic import ValidationError

        try:
            return _adapter().validate_json(text)
        except ValidationError as error:
            raise ConfigurationError(
                f"this is no evaluation of this version of the program ({error.error_count()} differences, first: "
                f"{error.errors()[0]['loc']} {error.errors()[0]['msg']}): run `python -m include evaluate` again"
            ) from None


def _adapter() -> TypeAdapter[Evaluation]:
    from pydantic import TypeAdapter

    return TypeAdapter(Evaluation)
