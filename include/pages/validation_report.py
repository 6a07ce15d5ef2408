"""The validation report: a page that reads without network and without scripts, and the same as JSON.

A day's folder holds `index.html` for people, `result.json` with every number of it, and `summary.json`
with the few that the overview of all days needs. The same batch gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from include.pages.attributions import attribution
from include.pages.rendering import html_environment
from include.quality.report import ValidationReport
from include.storage.lake import Lake
from include.storage.layers import Layer

REPORTS = Layer.VALIDATION_REPORTS
OVERVIEW = f"{REPORTS}/index.html"

COUNT_MEANINGS = {
    "received": "records that came in",
    "products": "accepted by the row rules",
    "quarantined": "set aside, with reasons",
    "flags": "remarks on accepted products",
    "unchanged": "known from earlier days",
    "labelled": "with a label",
    "accepted": "confident enough to be used",
    "review": "waiting for a person",
}


def write_report(lake: Lake, folder: str, report: ValidationReport) -> str:
    """Write the page, the result and the summary into a folder of the lake, and refresh the overview.

    Returns the path of the page. Files of an earlier run of the same day are replaced.
    """
    content = {**asdict(report), "day": report.day.isoformat(), "verdict": report.verdict}
    lake.write_bytes(f"{folder}/result.json", json_bytes(content))
    lake.write_bytes(f"{folder}/summary.json", json_bytes(report.summary()))
    path = f"{folder}/index.html"
    overview_link = "../" * (folder.count("/") - REPORTS.count("/")) + "index.html"
    html = (
        html_environment()
        .get_template("report.html")
        .render(
            page=report,
            overview_link=overview_link,
            attribution=attribution(report.source),
            count_meanings=COUNT_MEANINGS,
        )
    )
    lake.write_bytes(path, html.encode())
    write_overview(lake)
    return path


def write_overview(lake: Lake) -> None:
    """Rebuild `reports/validation/index.html` from the reports that are there, newest day first.

    When two days are validated at the same moment the overview may miss one of them until the next report.
    """
    days: dict[tuple[str, str], dict[str, Any]] = {}
    for path, content in lake.read_files(lake.list_files(REPORTS, "/summary.json")).items():
        summary = json.loads(content)
        link = path.removeprefix(f"{REPORTS}/").removesuffix("summary.json") + "index.html"
        entry = days.setdefault((summary["day"], summary["source"]), {})
        entry[summary["kind"]] = summary | {"link": link}
    rows = [
        {"day": day, "source": source, **days[day, source]}
        for day, source in sorted(days, key=lambda key: (-date.fromisoformat(key[0]).toordinal(), key[1]))
    ]
    html = html_environment().get_template("overview.html").render(rows=rows, count_meanings=COUNT_MEANINGS)
    lake.write_bytes(OVERVIEW, html.encode())


def json_bytes(content: Mapping[str, Any]) -> bytes:
    text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True, default=str)
    return text.encode("utf-8", "replace") + b"\n"
