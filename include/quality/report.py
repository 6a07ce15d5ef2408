"""The validation report: a page that reads without network and without scripts, and the same as JSON.

A day's folder holds `index.html` for people, `result.json` with every number of it, and `summary.json`
with the few that the overview of all days needs. The same batch gives the same bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from include.quality.expectation_run import RuleResult
from include.quality.reasons import describe_reason
from include.quality.report_sections import BarChart, Example
from include.warehouse.lake import Lake

if TYPE_CHECKING:
    from jinja2 import Environment

REPORTS = "reports/validation"
OVERVIEW = f"{REPORTS}/index.html"
TEMPLATES = Path(__file__).resolve().parent / "templates"

ATTRIBUTIONS: dict[str, tuple[str, str]] = {
    "openfoodfacts": (
        "Data: Open Food Facts contributors, ODbL 1.0; photos CC BY-SA 3.0",
        "https://world.openfoodfacts.org/terms-of-use",
    ),
    "edamam": ("Data: Edamam food database", "https://developer.edamam.com/edamam-docs-food-api"),
    "flipkart": (
        "Data: Flipkart product sample, CC BY-SA 4.0; photos remain their sellers'",
        "https://creativecommons.org/licenses/by-sa/4.0/",
    ),
}
"""Beginning of a source's name → whose data it is, and where their terms stand."""

COUNT_MEANINGS = {
    "received": "records that came in",
    "products": "accepted by the row rules",
    "quarantined": "set aside, with reasons",
    "flags": "remarks on accepted products",
    "unchanged": "known from earlier days",
    "labelled": "with a label",
    "accepted": "sure enough to use",
    "review": "waiting for a person",
}

Verdict = Literal["passed", "failed", "empty"]

_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Skipped:
    """A rule that does not apply to a batch, and why."""

    rule: str
    why: str


@dataclass(slots=True)
class ReportPage:
    """Everything that a report shows."""

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
    def attribution(self) -> tuple[str, str]:
        """Whose data it is, and the address of their terms (may be empty)."""
        known = iter(attributions([self.source]))
        return next(known, (f"Data: as its provider allows, see the terms of {self.source}", ""))

    def summary(self) -> dict[str, Any]:
        """What the overview shows of this report."""
        return {
            "kind": self.kind,
            "source": self.source,
            "day": self.day.isoformat(),
            "verdict": self.verdict,
            "broken": [rule.rule for rule in self.broken],
            "warnings": [rule.rule for rule in self.warnings],
            "counts": dict(self.counts),
        }


def write_report(lake: Lake, folder: str, page: ReportPage) -> str:
    """Write the page, the result and the summary into a folder of the lake, and refresh the overview.

    Returns the path of the page. Files of an earlier run of the same day are replaced.
    """
    content = {**asdict(page), "day": page.day.isoformat(), "verdict": page.verdict}
    lake.write_bytes(f"{folder}/result.json", json_bytes(content))
    lake.write_bytes(f"{folder}/summary.json", json_bytes(page.summary()))
    path = f"{folder}/index.html"
    overview_link = "../" * (folder.count("/") - REPORTS.count("/")) + "index.html"
    html = environment().get_template("report.html").render(page=page, overview_link=overview_link)
    lake.write_bytes(path, html.encode())
    write_overview(lake)
    return path


def write_overview(lake: Lake) -> None:
    """Rebuild `reports/validation/index.html` from the reports that are there, newest day first.

    When two days are validated at the same moment the overview may miss one of them until the next report.
    """
    days: dict[tuple[str, str], dict[str, Any]] = {}
    paths = lake.list_files(REPORTS, "/summary.json")
    contents = lake.filesystem.cat([lake.full_path(path) for path in paths], on_error="omit") if paths else {}
    by_path = {str(path).removeprefix("/"): content for path, content in contents.items()}
    for path in paths:
        content = by_path.get(lake.full_path(path).removeprefix("/"))
        if content is None:
            continue
        summary = json.loads(content)
        link = path.removeprefix(f"{REPORTS}/").removesuffix("summary.json") + "index.html"
        entry = days.setdefault((summary["day"], summary["source"]), {})
        entry[summary["kind"]] = summary | {"link": link}
    rows = [
        {"day": day, "source": source, **days[day, source]}
        for day, source in sorted(days, key=lambda key: (-date.fromisoformat(key[0]).toordinal(), key[1]))
    ]
    html = environment().get_template("overview.html").render(rows=rows)
    lake.write_bytes(OVERVIEW, html.encode())


def attributions(sources: Iterable[str]) -> list[tuple[str, str]]:
    """Whose data it is and where the terms stand, once each and in order, for every source that is known."""
    return sorted({terms for source in sources for name, terms in ATTRIBUTIONS.items() if source.startswith(name)})


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The template engine: everything is escaped, because product texts are written by strangers."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    engine = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    engine.filters["visible"] = _visible
    engine.filters["number"] = lambda value: f"{value:,}"
    engine.filters["percent"] = _percent
    engine.filters["reason"] = describe_reason
    engine.filters["words"] = lambda name: name.replace("_", " ")
    engine.globals["count_meanings"] = COUNT_MEANINGS
    return engine


def _visible(text: str) -> str:
    """A text whose invisible characters show as U+XXXX, so that they neither hide nor reorder anything."""
    return _INVISIBLE.sub(lambda found: f"[U+{ord(found.group()):04X}]", text)


def _percent(share: float) -> str:
    if 0 < share < 0.001:
        return "under 0.1 %"
    return f"{share:.1%}".replace("%", " %").replace(".0 ", " ")


def json_bytes(content: Mapping[str, Any]) -> bytes:
    text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True, default=str)
    return text.encode("utf-8", "replace") + b"\n"
