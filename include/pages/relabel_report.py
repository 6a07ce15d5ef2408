"""The page of a relabelling: what the new model version changed, with examples; opens without network and scripts.

    path = write_relabel_report(lake, summary)      # "reports/relabel/version=3/index.html"

`summary.json` beside it holds the same. The same relabelling gives the same bytes.
"""

from __future__ import annotations

import json

from include.pages.attributions import attributions
from include.pages.rendering import html_environment
from include.storage.lake import Lake
from include.storage.layers import Layer
from include.taxonomy import load_taxonomy
from include.warehouse.relabel_summary import LabelChange, RelabelSummary

SHOWN_CHANGES = 100
"""Kinds of change in each table of the page, the commonest; all are in `summary.json`."""


def write_relabel_report(lake: Lake, summary: RelabelSummary) -> str:
    """Write page and JSON of a relabelling into the lake; returns the page's path.

    The page is written last: if it exists, so does the summary. An earlier page of the same version is replaced.
    """
    folder = f"{Layer.RELABELLING_REPORTS}/version={summary['version']}"
    content = json.dumps(summary, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    lake.write_bytes(f"{folder}/summary.json", content.encode("utf-8", "replace"))
    path = f"{folder}/index.html"
    lake.write_bytes(path, render(summary).encode("utf-8", "replace"))
    return path


def render(summary: RelabelSummary) -> str:
    """The page as HTML; all texts of products are escaped."""
    taxonomy = load_taxonomy()
    return (
        html_environment()
        .get_template("relabel.html")
        .render(
            summary=summary,
            changes=_sections(summary) if summary["relabelled"] else [],
            names={label: taxonomy.display_name(label) for label in taxonomy.labels},
            most=max((max(count["before"], count["after"]) for count in summary["labels"]), default=0),
            attributions=attributions(summary["relabelled_by_source"]),
        )
    )


def _sections(summary: RelabelSummary) -> list[tuple[str, str, int, list[LabelChange]]]:
    """Title, note, number of kinds and the shown kinds of each table of changes."""
    labels = [change for change in summary["changes"] if change["label_before"] != change["label_after"]]
    decisions = [change for change in summary["changes"] if change["label_before"] == change["label_after"]]
    return [
        (
            "Another label",
            "Commonest first; examples are those of highest confidence.",
            len(labels),
            labels[:SHOWN_CHANGES],
        ),
        (
            "The same label, another decision",
            "What is accepted now, and what goes to review now.",
            len(decisions),
            decisions[:SHOWN_CHANGES],
        ),
    ]
