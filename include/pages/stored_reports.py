"""Reads the reports on a batch back from the lake, those of earlier versions of the program, too.

    reports = read_reports(lake, Batch("openfoodfacts", day))
    reports.products.verdict                    # "passed"; None in the place of a report that is not there

What a report of an earlier version does not have is empty here, and what one of a later version has beyond is left out.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from include.pages.drift_report import DriftPage, drift_folder
from include.pages.validation_report import COUNT_MEANINGS
from include.quality.expectation_run import RuleResult
from include.quality.report import Skipped, ValidationReport
from include.quality.report_sections import Bar, BarChart, Example
from include.storage.batch import Batch
from include.storage.lake import Lake
from include.storage.layers import Layer

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

logger = logging.getLogger(__name__)

Kind = Literal["products", "labels", "drift"]
KINDS: tuple[Kind, ...] = ("products", "labels", "drift")

Made = TypeVar("Made")
_EMPTY: dict[str, Any] = {"str": "", "bool": False, "int": 0, "float": 0.0}
"""Type of a field without default → what stands for a value that a stored report does not have."""


@dataclass(frozen=True)
class BatchReports:
    """What is reported on one batch."""

    products: ValidationReport | None = None
    labels: ValidationReport | None = None
    drift: DriftPage | None = None

    @property
    def checked(self) -> list[ValidationReport]:
        """The validation reports, that on products first."""
        return [report for report in (self.products, self.labels) if report is not None]

    @property
    def is_refused(self) -> bool:
        """Whether a rule rejected the batch."""
        return any(report.verdict == "failed" for report in self.checked)


@dataclass(frozen=True)
class Summary:
    """The few facts of one report that lists and comparisons need."""

    verdict: str
    """`passed`, `failed`, `empty`; of drift, `warning` as well."""
    broken: Sequence[str] = ()
    warnings: Sequence[str] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    rules: Mapping[str, Mapping[str, str]] | None = None
    """Rule → `state` (passed, warning, failed) and what was `observed`; None in summaries of earlier versions."""
    reasons: Mapping[str, int] = field(default_factory=dict)


def report_folder(batch: Batch, kind: Kind) -> str:
    """Folder of one report on a batch in the lake."""
    folder = batch.folder(Layer.VALIDATION_REPORTS)
    return {"products": folder, "labels": f"{folder}/labels", "drift": drift_folder(batch)}[kind]


def reported_sources(lake: Lake) -> list[str]:
    """The sources that have reports, sorted; one listing, however many days there are."""
    return _values(lake.list_folders(Layer.VALIDATION_REPORTS), "source=")


def reported_days(lake: Lake, source: str) -> list[date]:
    """The days of a source that have reports, newest first; one listing."""
    days = []
    for text in _values(lake.list_folders(f"{Layer.VALIDATION_REPORTS}/source={source}"), "day="):
        try:
            days.append(date.fromisoformat(text))
        except ValueError:
            continue
    return sorted(days, reverse=True)


def read_reports(lake: Lake, batch: Batch) -> BatchReports:
    """All reports on a batch; those that are absent or cannot be read are None."""
    contents = _read_json(lake, {kind: f"{report_folder(batch, kind)}/result.json" for kind in KINDS})
    return BatchReports(
        products=_report(contents.get("products"), batch, "products"),
        labels=_report(contents.get("labels"), batch, "labels"),
        drift=_drift(contents.get("drift"), batch),
    )


def read_summaries(
    lake: Lake, batches: Iterable[Batch], *, with_rules: bool = False
) -> dict[Batch, dict[Kind, Summary]]:
    """The summaries of the reports on some batches, in their order; a batch without reports has none.

    With `with_rules`, those that an earlier version wrote without their rules are made from the whole reports.
    """
    wanted = list(batches)
    paths = {(batch, kind): f"{report_folder(batch, kind)}/summary.json" for batch in wanted for kind in KINDS}
    contents = _read_json(lake, paths)
    short = {
        key: path.replace("/summary.json", "/result.json")
        for key, path in paths.items()
        if with_rules and key[1] != "drift" and key in contents and "rules" not in contents[key]
    }
    for (batch, kind), content in _read_json(lake, short).items():
        report = _report(content, batch, kind)
        if report is not None:
            contents[batch, kind] = report.summary()
    found: dict[Batch, dict[Kind, Summary]] = {batch: {} for batch in wanted}
    for (batch, kind), content in contents.items():
        found[batch][kind] = _made(Summary, content)
    return found


Key = TypeVar("Key")


def _read_json(lake: Lake, paths: Mapping[Key, str]) -> dict[Key, dict[str, Any]]:
    """The objects in these files; a file that holds none is left out, as if it were absent."""
    contents = lake.read_files(list(paths.values()))
    found = {}
    for key, path in paths.items():
        if path not in contents:
            continue
        try:
            content = json.loads(contents[path])
        except (ValueError, RecursionError) as error:
            logger.warning("%s cannot be read (%s): run its day again", lake.url(path), error)
            continue
        if isinstance(content, dict):
            found[key] = content
    return found


def _report(content: Mapping[str, Any] | None, batch: Batch, kind: Kind) -> ValidationReport | None:
    if content is None or kind == "drift":
        return None
    charts = [
        BarChart(str(chart.get("title", "")), str(chart.get("note", "")), _all_made(Bar, chart.get("bars")))
        for chart in _objects(content.get("bars"))
    ]
    stored = content.get("counts")
    counts = (
        {name: count for name, count in stored.items() if isinstance(count, int)} if isinstance(stored, dict) else {}
    )
    return ValidationReport(
        kind=kind,
        source=batch.source,
        day=batch.day,
        # As on the page in the lake; in the file they stand by name.
        counts={name: counts[name] for name in [*COUNT_MEANINGS, *counts] if name in counts},
        empty=bool(content.get("empty", content.get("verdict") == "empty")),
        rules=_all_made(RuleResult, content.get("rules")),
        skipped=_all_made(Skipped, content.get("skipped")),
        bars=charts,
        examples=_all_made(Example, content.get("examples")),
    )


def _drift(content: Mapping[str, Any] | None, batch: Batch) -> DriftPage | None:
    if content is None or not isinstance(content.get("figures"), dict):
        return None
    return _made(DriftPage, {"label_shares": (), "warnings": (), **content, "source": batch.source, "day": batch.day})


def _all_made(cls: type[Made], entries: Any) -> list[Made]:
    return [_made(cls, entry) for entry in _objects(entries)]


def _objects(entries: Any) -> list[dict[str, Any]]:
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _made(cls: type[Made], content: Mapping[str, Any]) -> Made:
    """An object of a dataclass from those of its fields that are there; others are empty."""
    values: dict[str, Any] = {}
    for one in fields(cast("type[DataclassInstance]", cls)):
        kind = str(one.type)
        if one.name in content:
            values[one.name] = str(content[one.name]) if kind == "str" else content[one.name]
        elif one.default is MISSING and one.default_factory is MISSING:
            values[one.name] = _EMPTY.get(kind, None if "None" in kind else [])
    return cls(**values)


def _values(names: Iterable[str], prefix: str) -> list[str]:
    """What stands behind `source=` in names of folders that begin so."""
    return [name.removeprefix(prefix) for name in names if name.startswith(prefix)]
