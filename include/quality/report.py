"""The report on a batch as data: what was counted, which rules hold, and examples of what was set aside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from include.quality.expectation_run import RuleResult
from include.quality.report_sections import REASONS_TITLE, BarChart, Example

Verdict = Literal["passed", "failed", "empty"]

SUMMARY_CHARACTERS = 200
"""Of what a rule found, in a summary; the whole is in the report."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A rule that does not apply to a batch, and why."""

    rule: str
    why: str


@dataclass(slots=True)
class ValidationReport:
    """Everything that is known of a batch once its rules have been tried."""

    kind: Literal["products", "labels"]
    source: str
    day: date
    counts: Mapping[str, int]
    empty: bool = False
    rules: list[RuleResult] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    bars: list[BarChart] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)

    @property
    def verdict(self) -> Verdict:
        """Whether the batch goes on; an empty batch has nothing that could."""
        if self.empty:
            return "empty"
        return "failed" if any(rule.breaks_batch for rule in self.rules) else "passed"

    @property
    def broken(self) -> list[RuleResult]:
        """Rules that reject the batch."""
        return [rule for rule in self.rules if rule.breaks_batch]

    @property
    def warnings(self) -> list[RuleResult]:
        """Rules that are broken without rejecting the batch."""
        return [rule for rule in self.rules if not rule.success and not rule.breaks_batch]

    @property
    def failures(self) -> list[str]:
        """One sentence for each rule that rejects the batch, with what was expected and what was found."""
        return [rule.sentence for rule in self.broken]

    @property
    def reasons(self) -> dict[str, int]:
        """Reason code → records that were set aside for it, commonest first."""
        return {bar.name: bar.count for chart in self.bars if chart.title == REASONS_TITLE for bar in chart.bars}

    def summary(self) -> dict[str, Any]:
        """What lists of many days and comparisons of two need of this report."""
        return {
            "kind": self.kind,
            "source": self.source,
            "day": self.day.isoformat(),
            "verdict": self.verdict,
            "broken": [rule.rule for rule in self.broken],
            "warnings": [rule.rule for rule in self.warnings],
            "counts": dict(self.counts),
            "rules": {
                rule.rule: {"state": rule.state, "observed": rule.observed[:SUMMARY_CHARACTERS]} for rule in self.rules
            },
            "reasons": self.reasons,
        }
