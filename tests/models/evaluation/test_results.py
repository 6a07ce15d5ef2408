"""An evaluation survives its file."""

from __future__ import annotations

import pytest

from include.errors import ConfigurationError
from include.models.evaluation.results import (
    ClassScores,
    Comparison,
    CoveragePoint,
    DataDescription,
    Evaluation,
    Interval,
    LearningPoint,
    ListResult,
    ModalityResult,
    OperatingPoint,
    ReliabilityBin,
    Slice,
    Target,
)

FIGURE = Interval(0.9, 0.85, 0.94)


def example_evaluation() -> Evaluation:
    """One of everything."""
    text = ModalityResult(
        title="text alone",
        modality="text",
        image_encoder=None,
        products=4,
        accuracy=FIGURE,
        macro_f1=FIGURE,
        calibration_error=Interval(0.02, 0.01, 0.04),
        log_loss=Interval(0.2, 0.1, 0.3),
        label_names=("watches", "champagne"),
        confusion=((2, 0), (1, 1)),
        classes=(ClassScores("watches", 0.67, 1.0, 0.8, 2), ClassScores("champagne", 1.0, 0.5, 0.67, 2)),
        reliability=(ReliabilityBin(0.9, 1.0, 0.95, 0.9, 4),),
        coverage_curve=(CoveragePoint(0.99, 0.5, 1.0), CoveragePoint(0.5, 1.0, 0.75)),
        operating_point=OperatingPoint(0.98, None, Interval(0.0, 0.0, 0.5)),
        slices=(Slice("French", 2, FIGURE, 0.8, 0.5),),
    )
    return Evaluation(
        data=DataDescription("flipkart", False, 4, 3, {"watches": 2, "champagne": 2}),
        encoders={"default": "classical-1", "text": "LSA"},
        folds=5,
        repeats=1,
        seed=0,
        interval_method="bootstrap over content groups",
        figures={"text_accuracy": FIGURE, "fusion_ece": Interval(0.02, 0.01, 0.04)},
        targets={"text_accuracy": Target("text alone", 0.965), "fusion_ece": Target("calibration", 0.03, True)},
        modalities={"text": text},
        learning_curve=(LearningPoint(0.5, 2, {"text": FIGURE}),),
        comparisons=(Comparison("text", "photo_default", 4, 1, 0, 1.0),),
        lists={"champagne": ListResult("champagne", 3, 1, FIGURE, FIGURE, FIGURE, (("x:1", "a", "b", 0.5),))},
        notes=("one", "two"),
        seconds=1.5,
    )


def test_an_evaluation_is_the_same_after_its_json() -> None:
    evaluation = example_evaluation()

    assert Evaluation.from_json(evaluation.to_json()) == evaluation


def test_something_else_is_refused_with_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match="evaluate"):
        Evaluation.from_json('{"text_accuracy": {"value": 1}}')


def test_a_target_is_met_from_its_bound_on() -> None:
    assert Target("accuracy", 0.9).is_met(FIGURE)
    assert not Target("accuracy", 0.91).is_met(FIGURE)
    assert Target("error", 0.9, at_most=True).is_met(FIGURE)
    assert not Target("error", 0.89, at_most=True).is_met(FIGURE)
