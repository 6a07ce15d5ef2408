"""The gate: whether a candidate may become champion, clause by clause, each with what was found and what was wanted.

    verdict = rules.judge(evidence)
    verdict.promote, verdict.reason             # False, "macro-F1: +0.001 (wanted: at least +0.005); …"

With a champion, all clauses of "better" must hold; without one, those of the floors. A clause knows nothing of the
others, so that changing one changes nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from include.models.behaviour.checks import BehaviourCheck
from include.models.evaluation.results import Comparison, CoveragePoint, Interval, ModalityResult

Outcome = Literal["promote", "refuse"]


@dataclass(frozen=True)
class Examination:
    """What is known of a candidate itself, whatever the champion."""

    latency_ms: float
    """Milliseconds per product: text and photo encoded and judged, in a batch."""
    size_mb: float
    behaviour: tuple[BehaviourCheck, ...]


@dataclass(frozen=True)
class Evidence:
    """All that the gate looks at; both models were scored on the same gold products."""

    candidate: ModalityResult
    examination: Examination
    champion: ModalityResult | None = None
    """None where there is no champion yet."""
    difference: Interval | None = None
    """Macro-F1 of the candidate less the champion's, with its paired interval at the gate's confidence."""
    comparison: Comparison | None = None
    """McNemar's test; `first` is the candidate."""
    gold_changes: float | None = None
    """Share of the gold products of the champion's snapshot whose label is another now, though no person changed it;
    None where that snapshot is not known."""


@dataclass(frozen=True)
class Clause:
    """One thing that must hold."""

    name: str
    holds: bool
    found: str
    wanted: str

    @property
    def sentence(self) -> str:
        """For people, e.g. `macro-F1: +0.001 (wanted: at least +0.005)`."""
        return f"{self.name}: {self.found} (wanted: {self.wanted})"


@dataclass(frozen=True)
class Verdict:
    """The decision of the gate on one candidate."""

    clauses: tuple[Clause, ...]

    @property
    def promote(self) -> bool:
        """Whether every clause holds."""
        return all(clause.holds for clause in self.clauses)

    @property
    def reason(self) -> str:
        """Why, in a line: the clauses that do not hold, or that all do."""
        failed = [clause.sentence for clause in self.clauses if not clause.holds]
        return "; ".join(failed) if failed else f"all {len(self.clauses)} clauses of the gate hold"


@dataclass(frozen=True)
class GateRules:
    """The bounds of the gate, by the names of their settings without `gate_` (`python -m include settings`)."""

    min_gold: int
    gold_changes: float
    margin: float
    confidence: float
    class_drop: float
    class_support: int
    calibration_slack: float
    coverage_slack: float
    target_precision: float
    latency_ms: float
    size_mb: float
    floor_macro_f1: float
    floor_accepted_precision: float
    floor_calibration_error: float

    def judge(self, evidence: Evidence) -> Verdict:
        """The verdict on a candidate: against the champion where there is one, else against the floors."""
        compared = self._better(evidence) if evidence.champion is not None else self._floors(evidence.candidate)
        return Verdict((self._enough_gold(evidence.candidate), *compared, *self._fit_for_use(evidence.examination)))

    def _enough_gold(self, candidate: ModalityResult) -> Clause:
        count = candidate.products
        return Clause("gold products", count >= self.min_gold, f"{count}", f"at least {self.min_gold}")

    def _better(self, evidence: Evidence) -> Iterator[Clause]:
        candidate, champion = evidence.candidate, evidence.champion
        difference, comparison = evidence.difference, evidence.comparison
        if champion is None or difference is None or comparison is None:
            raise ValueError("a champion is compared by its scores, the paired difference and McNemar's test")
        yield self._same_gold(evidence.gold_changes)
        yield Clause(
            "macro-F1",
            difference.value >= self.margin,
            f"{difference.value:+.3f} ({champion.macro_f1.value:.3f} → {candidate.macro_f1.value:.3f})",
            f"at least {self.margin:+.3f}",
        )
        yield self._evidence(difference, comparison)
        yield self._classes(candidate, champion)
        yield Clause(
            "calibration error",
            candidate.calibration_error.value <= champion.calibration_error.value + self.calibration_slack,
            f"{candidate.calibration_error.value:.3f}, champion {champion.calibration_error.value:.3f}",
            f"at most {self.calibration_slack:g} above the champion's",
        )
        mine, theirs = (coverage_at(one.coverage_curve, self.target_precision) for one in (candidate, champion))
        yield Clause(
            f"coverage at precision {self.target_precision:g}",
            mine >= theirs - self.coverage_slack,
            f"{mine:.1%}, champion {theirs:.1%}",
            f"at most {self.coverage_slack:.1%} below the champion's",
        )
        yield self._accepted_precision(candidate, champion)

    def _same_gold(self, changes: float | None) -> Clause:
        """Gold labels that change by themselves: the new data is broken, and whoever learnt from it would win."""
        return Clause(
            "gold labels as they were",
            changes is None or changes <= self.gold_changes,
            "not known" if changes is None else f"{changes:.1%} are another now",
            f"at most {self.gold_changes:.0%} changed by anything but people",
        )

    def _evidence(self, difference: Interval, comparison: Comparison) -> Clause:
        """The paired bootstrap interval, or McNemar's test, must be on the candidate's side."""
        ahead = comparison.only_first_right > comparison.only_second_right
        by_test = ahead and comparison.p_value <= 1 - self.confidence
        return Clause(
            "more than chance",
            difference.low > 0 or by_test,
            f"interval of the difference {difference.low:+.3f} to {difference.high:+.3f}; right alone "
            f"{comparison.only_first_right} to {comparison.only_second_right}, p = {comparison.p_value:.3g}",
            f"interval above 0, or p at most {1 - self.confidence:.3g} (McNemar)",
        )

    def _classes(self, candidate: ModalityResult, champion: ModalityResult) -> Clause:
        before = {row.label: row for row in champion.classes if row.support >= self.class_support}
        now = {row.label: row.f1 for row in candidate.classes}
        worse = [
            f"{label} {row.f1:.3f} → {now.get(label, 0.0):.3f}"
            for label, row in before.items()
            if now.get(label, 0.0) < row.f1 - self.class_drop
        ]
        return Clause(
            "no label worse",
            not worse,
            ", ".join(worse) or f"none of {len(before)} with {self.class_support} gold products or more",
            f"no label's F1 more than {self.class_drop:g} below the champion's",
        )

    def _accepted_precision(self, candidate: ModalityResult, champion: ModalityResult) -> Clause:
        """The thresholds that travel with the candidate must keep what they promise, or what the champion's keep."""
        mine, theirs = candidate.operating_point.precision, champion.operating_point.precision
        wanted = min(self.target_precision, theirs.value if theirs else self.target_precision) - self.coverage_slack
        return Clause(
            "precision of what it accepts",
            mine is not None and mine.value >= wanted,
            "nothing accepted" if mine is None else f"{mine.value:.3f}",
            f"at least {wanted:.3f}",
        )

    def _floors(self, candidate: ModalityResult) -> Iterator[Clause]:
        yield Clause(
            "macro-F1",
            candidate.macro_f1.value >= self.floor_macro_f1,
            f"{candidate.macro_f1.value:.3f}",
            f"at least {self.floor_macro_f1:g} (no champion yet)",
        )
        precision = candidate.operating_point.precision
        yield Clause(
            "precision of what it accepts",
            precision is not None and precision.value >= self.floor_accepted_precision,
            "nothing accepted" if precision is None else f"{precision.value:.3f}",
            f"at least {self.floor_accepted_precision:g}",
        )
        yield Clause(
            "calibration error",
            candidate.calibration_error.value <= self.floor_calibration_error,
            f"{candidate.calibration_error.value:.3f}",
            f"at most {self.floor_calibration_error:g}",
        )

    def _fit_for_use(self, examination: Examination) -> Iterator[Clause]:
        yield Clause(
            "latency",
            examination.latency_ms <= self.latency_ms,
            f"{examination.latency_ms:.2f} ms per product",
            f"at most {self.latency_ms:g} ms",
        )
        yield Clause(
            "size",
            examination.size_mb <= self.size_mb,
            f"{examination.size_mb:.1f} MB",
            f"at most {self.size_mb:g} MB",
        )
        failed = [
            f"{check.name} ({check.share:.1%} of {check.cases})" for check in examination.behaviour if not check.passed
        ]
        yield Clause(
            "behaviour",
            not failed and bool(examination.behaviour),
            "; ".join(failed) or f"{len(examination.behaviour)} checks passed",
            "every behavioural check passes",
        )


def coverage_at(curve: tuple[CoveragePoint, ...], precision: float) -> float:
    """The largest share that can be accepted, surest first, with at least this precision; 0 if there is none."""
    return max((point.coverage for point in curve if point.precision >= precision), default=0.0)
