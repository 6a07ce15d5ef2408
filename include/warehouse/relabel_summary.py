"""Summary of what a relabelling changed, read from the warehouse."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from sqlalchemy import Engine

EXAMPLES = 3
"""Products named for each kind of change."""


class LabelCount(TypedDict):
    """Relabelled products of one predicted label."""

    label: str
    before: int
    after: int


class LabelChange(TypedDict):
    """Relabelled products that went from one predicted label or decision to another."""

    label_before: str
    label_after: str
    decision_before: str
    decision_after: str
    products: int
    examples: list[dict[str, Any]]
    """product_id, name, confidence_before, confidence_after; the surest."""


class RelabelSummary(TypedDict):
    """A whole relabelling; the same however often it was interrupted or run again."""

    version: str
    previous_versions: dict[str, int]
    """Version → products that it had labelled before."""
    relabelled: int
    """Products."""
    others: int
    """Products that another version labelled: they came while the relabelling ended."""
    human: int
    """Relabelled products whose label a human decided; it stays."""
    relabelled_by_source: dict[str, int]
    label_changed: int
    """Relabelled products without a human label whose predicted label is another now."""
    accepted_to_review: int
    review_to_accepted: int
    human_contradicted: int
    """Relabelled products with a human label for which the prediction is another now."""
    labels: list[LabelCount]
    changes: list[LabelChange]
    """Commonest first; human labels are not among them."""


def relabel_summary(engine: Engine, version: str, *, others: int = 0) -> RelabelSummary:
    """The last relabelling to a version; all counts are 0 when nothing was ever relabelled to it.

    It is read from `relabellings` alone: looking through the catalogue that was just written would cost as much again.
    """
    from include.warehouse.relabelling import changes_of

    found = changes_of(engine, version)
    by_human = [row for row in found if row["decided_by"] == "human"]
    by_model = [row for row in found if row["decided_by"] != "human"]
    relabelled_labels = [row for row in by_model if row["label_before"] != row["label_after"]]
    return RelabelSummary(
        version=version,
        previous_versions=_total(found, "previous_version"),
        relabelled=_sum(found),
        others=others,
        human=_sum(by_human),
        relabelled_by_source=_total(found, "source"),
        label_changed=_sum(relabelled_labels),
        accepted_to_review=_sum([row for row in by_model if _decisions(row) == ("accepted", "review")]),
        review_to_accepted=_sum([row for row in by_model if _decisions(row) == ("review", "accepted")]),
        human_contradicted=_sum([row for row in by_human if row["label_before"] != row["label_after"]]),
        labels=_labels(found),
        changes=_changes(by_model),
    )


def _sum(rows: list[dict[str, Any]]) -> int:
    return sum(int(row["products"]) for row in rows)


def _total(rows: list[dict[str, Any]], column: str) -> dict[str, int]:
    """Products by the values of a column."""
    total: Counter[str] = Counter()
    for row in rows:
        total[row[column]] += int(row["products"])
    return dict(sorted(total.items()))


def _decisions(row: dict[str, Any]) -> tuple[str, str]:
    return row["decision_before"], row["decision_after"]


def _labels(rows: list[dict[str, Any]]) -> list[LabelCount]:
    before, after = _total(rows, "label_before"), _total(rows, "label_after")
    return [
        LabelCount(label=label, before=before.get(label, 0), after=after.get(label, 0))
        for label in sorted({*before, *after})
    ]


def _changes(rows: list[dict[str, Any]]) -> list[LabelChange]:
    """Kinds of change, whatever version and source the products had before."""
    changes: dict[tuple[str, ...], LabelChange] = {}
    for row in rows:
        kind = (row["label_before"], row["label_after"], *_decisions(row))
        if kind[0] == kind[1] and kind[2] == kind[3]:
            continue
        change = changes.setdefault(
            kind,
            LabelChange(
                label_before=kind[0], label_after=kind[1], decision_before=kind[2], decision_after=kind[3],
                products=0, examples=[],
            ),
        )  # fmt: skip
        change["products"] += int(row["products"])
        examples = [*change["examples"], *row["examples"]]
        change["examples"] = sorted(examples, key=lambda one: (-one["confidence_after"], one["product_id"]))[:EXAMPLES]
    return [changes[kind] for kind in sorted(changes, key=lambda kind: (-changes[kind]["products"], kind))]
