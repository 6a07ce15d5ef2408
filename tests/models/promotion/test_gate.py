"""Every clause of the gate lets pass what keeps its bound, and names what does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from include.models.behaviour.checks import BehaviourCheck
from include.models.evaluation.results import (
    ClassScores,
    Comparison,
    CoveragePoint,
    Interval,
    ModalityResult,
    OperatingPoint,
)
from include.models.promotion.gate import Evidence, Examination, GateRules, coverage_at
from include.pipeline.retraining.judge import gate_rules
from include.settings import Settings

RULES = GateRules(
    min_gold=30,
    gold_changes=0.1,
    margin=0.01,
    confidence=0.95,
    class_drop=0.05,
    class_support=20,
    calibration_slack=0.01,
    coverage_slack=0.02,
    target_precision=0.98,
    latency_ms=50.0,
    size_mb=200.0,
    floor_macro_f1=0.6,
    floor_accepted_precision=0.9,
    floor_calibration_error=0.15,
)


def exactly(value: float) -> Interval:
    return Interval(value, value, value)


def scores(**changed: Any) -> ModalityResult:
    found: dict[str, Any] = {
        "title": "version 1", "modality": "fusion", "image_encoder": "drawn", "products": 200,
        "accuracy": exactly(0.9), "macro_f1": exactly(0.9), "calibration_error": exactly(0.03),
        "log_loss": exactly(0.3),
        "label_names": ("champagne", "vinegar"), "confusion": ((90, 10), (10, 90)),
        "classes": (ClassScores("champagne", 0.9, 0.9, 0.9, 150), ClassScores("vinegar", 0.9, 0.9, 0.9, 19)),
        "reliability": (),
        "coverage_curve": (CoveragePoint(0.9, 0.7, 0.99), CoveragePoint(0.8, 0.8, 0.98), CoveragePoint(0.5, 1, 0.9)),
        "operating_point": OperatingPoint(0.98, exactly(0.98), exactly(0.8)),
    }  # fmt: skip
    return ModalityResult(**found | changed)


FINE = Examination(latency_ms=8.0, size_mb=34.0, behaviour=(BehaviourCheck("capitals", 100, 1.0, 0.97),))
BETTER = Evidence(
    candidate=scores(title="version 2", macro_f1=exactly(0.93)),
    examination=FINE,
    champion=scores(),
    difference=Interval(0.03, 0.004, 0.06),
    comparison=Comparison("candidate", "champion", 200, 12, 4, 0.08),
)


def failed(evidence: Evidence, rules: GateRules = RULES) -> list[str]:
    """Names of the clauses that do not hold, each of which the reason must name."""
    verdict = rules.judge(evidence)
    names = [clause.name for clause in verdict.clauses if not clause.holds]
    assert all(name in verdict.reason for name in names)
    assert verdict.promote == (not names)
    return names


def candidate(**changed: Any) -> Evidence:
    return replace(BETTER, candidate=replace(BETTER.candidate, **changed))


def test_a_candidate_that_is_better_in_all_respects_is_promoted() -> None:
    assert failed(BETTER) == []
    assert RULES.judge(BETTER).reason == "all 11 clauses of the gate hold"


def test_too_few_gold_products_prove_nothing() -> None:
    assert failed(candidate(products=30)) == []
    assert failed(candidate(products=29)) == ["gold products"]


def test_gold_labels_that_changed_by_themselves_prove_nothing() -> None:
    assert failed(replace(BETTER, gold_changes=0.1)) == []
    assert failed(replace(BETTER, gold_changes=0.11)) == ["gold labels as they were"]
    assert failed(replace(BETTER, gold_changes=None)) == [], "the champion's snapshot is not known"


def test_the_margin_must_be_reached() -> None:
    assert failed(replace(BETTER, difference=Interval(0.01, 0.004, 0.02))) == []
    assert failed(replace(BETTER, difference=Interval(0.0099, 0.004, 0.02))) == ["macro-F1"]


@pytest.mark.parametrize(
    ("low", "alone", "p_value", "holds"),
    [
        (0.001, (5, 5), 1.0, True),  # the interval alone
        (-0.001, (12, 2), 0.049, True),  # McNemar's test alone
        (-0.001, (12, 5), 0.051, False),
        (0.0, (12, 5), 0.2, False),
        (-0.001, (2, 12), 0.01, False),  # surely another, but not better
    ],
)
def test_the_difference_must_be_more_than_chance_by_interval_or_test(
    low: float, alone: tuple[int, int], p_value: float, holds: bool
) -> None:
    comparison = Comparison("candidate", "champion", 200, *alone, p_value)
    evidence = replace(BETTER, difference=Interval(0.03, low, 0.06), comparison=comparison)
    assert failed(evidence) == ([] if holds else ["more than chance"])


def test_no_label_with_enough_gold_products_may_get_much_worse() -> None:
    def with_f1(champagne: float, vinegar: float) -> Evidence:
        return candidate(
            classes=(ClassScores("champagne", 1, 1, champagne, 150), ClassScores("vinegar", 1, 1, vinegar, 19))
        )

    assert failed(with_f1(0.85, 0.9)) == []
    assert failed(with_f1(0.849, 0.9)) == ["no label worse"]
    assert failed(with_f1(0.9, 0.1)) == [], "vinegar has too few gold products to say anything"
    assert failed(candidate(classes=())) == ["no label worse"], "a label that is no longer given at all"
    assert "champagne 0.900 → 0.849" in RULES.judge(with_f1(0.849, 0.9)).reason


def test_calibration_may_not_get_worse() -> None:
    assert failed(candidate(calibration_error=exactly(0.04))) == []
    assert failed(candidate(calibration_error=exactly(0.041))) == ["calibration error"]


def test_coverage_at_the_target_precision_may_not_get_worse() -> None:
    assert failed(candidate(coverage_curve=(CoveragePoint(0.8, 0.79, 0.98),))) == []
    assert failed(candidate(coverage_curve=(CoveragePoint(0.8, 0.77, 0.98),))) == ["coverage at precision 0.98"]
    assert failed(candidate(coverage_curve=())) == ["coverage at precision 0.98"]


def test_what_the_candidate_accepts_must_be_as_right_as_promised_or_as_the_champions() -> None:
    def accepting(mine: float | None, theirs: float | None) -> Evidence:
        points = [OperatingPoint(0.98, None if one is None else exactly(one), exactly(0.8)) for one in (mine, theirs)]
        evidence = candidate(operating_point=points[0])
        return replace(evidence, champion=scores(operating_point=points[1]))

    assert failed(accepting(0.96, 0.99)) == []
    assert failed(accepting(0.95, 0.99)) == ["precision of what it accepts"]
    assert failed(accepting(0.92, 0.93)) == [], "no better was promised by the champion"
    assert failed(accepting(None, 0.99)) == ["precision of what it accepts"]
    assert failed(accepting(0.97, None)) == []


def test_latency_and_size_must_keep_their_budgets() -> None:
    assert failed(replace(BETTER, examination=replace(FINE, latency_ms=50.0, size_mb=200.0))) == []
    assert failed(replace(BETTER, examination=replace(FINE, latency_ms=50.1))) == ["latency"]
    assert failed(replace(BETTER, examination=replace(FINE, size_mb=200.1))) == ["size"]


def test_behaviour_must_pass_and_must_have_been_looked_at() -> None:
    bad = BehaviourCheck("vinegar is no champagne", 50, 0.9, 0.98)
    assert failed(replace(BETTER, examination=replace(FINE, behaviour=(*FINE.behaviour, bad)))) == ["behaviour"]
    assert failed(replace(BETTER, examination=replace(FINE, behaviour=()))) == ["behaviour"]


@pytest.mark.parametrize(
    ("cases", "failures", "required", "holds"),
    [(100, 3, 0.97, True), (100, 4, 0.97, False), (20, 1, 0.97, True), (20, 2, 0.97, False), (1, 1, 1.0, False)],
)
def test_one_failure_of_few_cases_may_be_more_than_the_bound(
    cases: int, failures: int, required: float, holds: bool
) -> None:
    check = BehaviourCheck("capitals", cases, 1 - failures / cases, required)
    assert check.passed is holds
    assert failed(replace(BETTER, examination=replace(FINE, behaviour=(check,)))) == ([] if holds else ["behaviour"])


def test_the_first_champion_must_reach_the_floors_only() -> None:
    alone = Evidence(candidate=scores(macro_f1=exactly(0.6)), examination=FINE)
    assert failed(alone) == []
    assert failed(replace(alone, candidate=scores(macro_f1=exactly(0.59)))) == ["macro-F1"]
    assert failed(replace(alone, candidate=scores(calibration_error=exactly(0.16)))) == ["calibration error"]
    nothing = OperatingPoint(0.98, None, exactly(0.0))
    assert failed(replace(alone, candidate=scores(operating_point=nothing))) == ["precision of what it accepts"]
    assert failed(replace(alone, examination=replace(FINE, latency_ms=51.0))) == ["latency"]
    assert failed(replace(alone, candidate=scores(products=3))) == ["gold products"]


def test_the_bounds_are_settings() -> None:
    settings = Settings(gate_margin=0.2, gate_class_support=7, floor_macro_f1=0.9)
    rules = gate_rules(settings)
    assert (rules.margin, rules.class_support, rules.floor_macro_f1) == (0.2, 7, 0.9)
    assert failed(BETTER, rules) == ["macro-F1"]


def test_a_comparison_without_its_figures_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="paired difference"):
        RULES.judge(replace(BETTER, difference=None))


def test_coverage_is_the_largest_share_with_the_precision() -> None:
    curve = (CoveragePoint(0.9, 0.2, 0.97), CoveragePoint(0.8, 0.5, 0.99), CoveragePoint(0.1, 1.0, 0.8))
    assert coverage_at(curve, 0.98) == 0.5
    assert coverage_at(curve, 0.995) == 0.0
