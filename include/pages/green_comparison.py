"""What a rule found over the last reports, and what changed between the last green run and a batch that was refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from include.pages.stored_reports import BatchReports, Kind, Summary
from include.storage.batch import Batch

RUNS = 14
"""Reports of a source that a rule's history goes back, the shown one included."""

History = Mapping[Batch, Mapping[Kind, Summary]]
"""The reports of one source, oldest first."""


@dataclass(frozen=True)
class PastResult:
    """What a rule found in one report."""

    day: date
    state: str
    """`passed`, `warning`, `failed`; `empty` where the rule was not judged."""
    observed: str = ""


@dataclass(frozen=True)
class RuleChange:
    """A rule that held in the last green run, or was not judged there, and rejects the batch now."""

    meaning: str
    before: str
    """What was found then; empty where the rule was not judged."""
    now: str


@dataclass(frozen=True)
class CountChange:
    """A number then and now; of a reason, also its shares of the records that came in."""

    name: str
    before: int
    now: int
    share_before: float = 0.0
    share_now: float = 0.0


@dataclass(frozen=True)
class Changes:
    """A refused batch beside the last green one of its source."""

    green: Batch
    rules: Sequence[RuleChange]
    counts: Sequence[CountChange]
    grown_reasons: Sequence[CountChange]
    """Reasons whose share of the received records is larger now, most first."""


def rule_histories(history: History, kind: Kind) -> dict[str, list[PastResult]]:
    """Rule → its result in each report of a kind, oldest first."""
    reports = [(batch.day, reports.get(kind)) for batch, reports in history.items()]
    names = {rule: None for _, summary in reports if summary for rule in summary.rules or ()}
    return {name: [_past(day, summary, name) for day, summary in reports] for name in names}


def changes_since_green(reports: BatchReports, batch: Batch, history: History) -> Changes | None:
    """What is different from the newest earlier batch of the history that passed; None where none did."""
    earlier = [one for one in history if one.day < batch.day and is_green(history[one])]
    if not earlier:
        return None
    green = max(earlier, key=lambda one: one.day)
    before = history[green]
    rules = [
        RuleChange(broken.meaning, _observed(before.get(report.kind), broken.rule), broken.observed)
        for report in reports.checked
        for broken in report.broken
    ]
    counts: dict[str, CountChange] = {}
    for report in reports.checked:
        then = _counts(before.get(report.kind))
        for name, count in report.counts.items():
            counts.setdefault(name, CountChange(name, then.get(name, 0), count))
    return Changes(green, rules, list(counts.values()), _grown_reasons(reports, before))


def is_green(reports: Mapping[Kind, Summary]) -> bool:
    """Whether a batch had products and no report refused it."""
    products, labels = reports.get("products"), reports.get("labels")
    return products is not None and products.verdict == "passed" and (labels is None or labels.verdict != "failed")


def _grown_reasons(reports: BatchReports, before: Mapping[Kind, Summary]) -> list[CountChange]:
    if reports.products is None:
        return []
    then = before["products"]
    all_now, all_then = _all_records(reports.products.counts), _all_records(_counts(then))
    grown = []
    for reason, count in reports.products.reasons.items():
        earlier = then.reasons.get(reason, 0)
        share_now, share_then = count / all_now if all_now else 0.0, earlier / all_then if all_then else 0.0
        if share_now > share_then:
            grown.append(CountChange(reason, earlier, count, share_then, share_now))
    return sorted(grown, key=lambda change: change.share_before - change.share_now)


def _all_records(counts: Mapping[str, int]) -> int:
    """All records of the source, those that were known before included."""
    return counts.get("received", 0) + counts.get("unchanged", 0)


def _counts(summary: Summary | None) -> Mapping[str, int]:
    return summary.counts if summary else {}


def _observed(summary: Summary | None, rule: str) -> str:
    return ((summary.rules or {}).get(rule, {}) if summary else {}).get("observed", "")


def _past(day: date, summary: Summary | None, rule: str) -> PastResult:
    found = ((summary.rules or {}).get(rule) if summary else None) or {}
    return PastResult(day, found.get("state", "empty"), found.get("observed", ""))
